"""The events of a session: pages of its log, and live by WebSocket or server-sent events.

All three have the same cursor, the number of the last event that the client has (`after`). Without it, a live stream
begins with the whole state. A stream that is cut is continued with the last number: nothing is missed or repeated.
"""

import asyncio
from typing import Annotated, Any, Final, cast

import msgspec
from aiohttp import WSMsgType, hdrs, web

from classroom import limits
from classroom.base import SERVER, Event
from classroom.catalogue import EVENTS
from classroom.features.people import Person
from classroom.ids import PersonId
from classroom.state import Classroom
from classroom.visibility import View, shown_to, view
from signaling.http.api import ApiError, Route
from signaling.http.connections import Use, record
from signaling.http.headers import SECURITY_HEADERS
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import Desk, known
from signaling.sessions_api.path_ids import SessionPath
from signaling.teaching.delivery import TOPIC, Delivery
from signaling.teaching.feed import CAPTIONS, Feed, FeedMessage
from signaling.teaching.live import LiveSession

# A line that prevents proxies from closing an idle stream, and detects disconnected clients.
PING_S: Final = 20.0

# Of what a page sends on its WebSocket, which is nothing but pings.
MAX_FRAME_BYTES: Final = 4096

MAX_EVENTS: Final = 1000

# Close codes of the WebSocket (RFC 6455, section 7.4.2: 4000 and up are an application's).
OVER: Final = 4000
OVERRUN: Final = 4008


class EventsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """From where on."""

    after: Annotated[int, msgspec.Meta(ge=0)] | None = None
    "Number of the last event that the caller has. A stream without it begins with the whole state."
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_EVENTS)] = 200
    "Most events of a page; a stream has none."
    type: Annotated[str, msgspec.Meta(max_length=limits.LINK_LENGTH)] | None = None
    "Kinds of events with commas between, such as `chat.sent,chat.deleted`; pages only."
    access_token: str | None = None
    "The bearer token, for EventSource and WebSocket, which cannot set headers."


class Deliver(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """From where on."""

    after: Annotated[int, msgspec.Meta(ge=0)] | None = None
    "Number of the last event that the page has; without it, the state is sent first."


class Delivered(msgspec.Struct, frozen=True):
    """Where the events are."""

    topic: str
    "Of the data packets."


class NumberedEvent(msgspec.Struct, frozen=True):
    """One event of the log."""

    seq: int
    event: dict[str, Any]
    "See the list of events in the documentation; `type` says which it is."


class EventPage(msgspec.Struct, frozen=True):
    """Some of the events, oldest first."""

    events: list[NumberedEvent]
    upto: int
    "Continue after this number; events that the caller may not see are counted, too."
    more: bool
    "There are further events now."


class EventCalls:
    """The handlers."""

    def __init__(self, desk: Desk, delivery: Delivery) -> None:
        """Streams go over HTTP, or over media connections by `delivery`."""
        self._desk = desk
        self._delivery = delivery

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent = {404: "there is no such session"}
        return [
            Route("GET", "/sessions/{session}/events", self.events, absent, long_lived=True),
            Route("GET", "/sessions/{session}/state", self.state, absent),
            Route(
                "POST",
                "/sessions/{session}/events/deliver",
                self.deliver,
                {**absent, 409: "the caller has no media connection in the session"},
            ),
        ]

    async def state(self, caller: Caller, session: SessionPath) -> View:
        """Return a participant's view of the session, with the number of the last event."""
        now = self._desk.now

        def look(room: Classroom, person: Person) -> View:
            return cast("View", view(room, person.id, now))

        return await self._desk.look(caller, session, look)

    async def deliver(self, caller: Caller, session: SessionPath, body: Deliver) -> Delivered:
        """Send the events over the caller's media connection, as data packets with the topic `lectern.session`.

        The packets hold what the WebSocket would send. One that would be too large is `{"type": "load", "seq"}`: load
        the state, or the page of events, by a call.
        """
        live = self._desk.session(caller, session)
        person = (await live.read(lambda room: known(room, caller))).id
        await self._delivery.begin(live, person, body.after)
        return Delivered(TOPIC)

    async def events(
        self, caller: Caller, session: SessionPath, query: EventsQuery, request: web.Request
    ) -> EventPage:
        """Return a page of events, or a stream.

        With `Accept: text/event-stream` the answer is a stream of server-sent events; with an upgrade, a WebSocket.
        """
        live = self._desk.session(caller, session)
        serve: Any = None
        if request.headers.get(hdrs.UPGRADE, "").lower() == "websocket":
            serve = _serve_websocket
        elif "text/event-stream" in request.headers.get(hdrs.ACCEPT, ""):
            serve = _serve_stream
        if serve is None:
            return await self._page(caller, live, query)
        after = _last_event_id(request) if query.after is None else query.after
        feed = await self._follow(caller, live, after)
        try:
            return cast("EventPage", await serve(request, feed))
        finally:
            live.leave_feed(feed)
            if feed.person:
                self._desk.presence.unlinked(live, feed.person, feed)

    async def _follow(self, caller: Caller, live: LiveSession, after: int | None) -> Feed:
        def who(room: Classroom) -> PersonId:
            person = known(room, caller)
            return SERVER if caller.manages and person.id != caller.person else person.id

        feed = Feed(await live.read(who))
        await live.follow(feed, after)
        if feed.person:
            self._desk.presence.linked(live, feed.person, feed)
        return feed

    async def _page(self, caller: Caller, live: LiveSession, query: EventsQuery) -> EventPage:
        after = query.after or 0
        wanted = _kinds(query.type)
        await live.read(lambda room: known(room, caller))
        events = await live.events(after, limit=query.limit)

        def show(room: Classroom) -> list[NumberedEvent]:
            shown = ((seq, _seen(room, caller, event)) for seq, event in enumerate(events, after + 1))
            return [
                NumberedEvent(seq, msgspec.to_builtins(event))
                for seq, event in shown
                if event is not None and (wanted is None or type(event) in wanted)
            ]

        page, last = await live.read(lambda room: (show(room), room.seq))
        upto = after + len(events)
        return EventPage(page, upto, upto < last)


def _seen(room: Classroom, caller: Caller, event: Event) -> Event | None:
    person = caller.viewer(room)
    return event if caller.manages and person != caller.person else shown_to(room, event, person)


def _kinds(text: str | None) -> frozenset[type[Event]] | None:
    if not text:
        return None
    names = [name.strip() for name in text.split(",")]
    unknown = [name for name in names if name not in EVENTS]
    if unknown:
        raise ApiError(400, "invalid", f"There is no event {unknown[0][:64]!r}.")
    return frozenset(EVENTS[name] for name in names)


def _last_event_id(request: web.Request) -> int | None:
    """Return where a browser's EventSource was when its stream was cut."""
    given = request.headers.get("Last-Event-ID", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 10 else None


async def _serve_stream(request: web.Request, feed: Feed) -> web.StreamResponse:
    headers = {
        **SECURITY_HEADERS,
        hdrs.CONTENT_TYPE: "text/event-stream",
        hdrs.CACHE_CONTROL: "no-store",
        # Proxies such as nginx would collect the events otherwise.
        "X-Accel-Buffering": "no",
    }
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    record(request, Use.KNOWN)
    try:
        while True:
            message = await _next(feed)
            if message is None:
                await response.write(b"event: end\ndata: {}\n\n")
                return response
            await response.write(_sse(message))
    except (ConnectionError, TimeoutError):
        return response


def _sse(message: FeedMessage) -> bytes:
    if message.kind == "ping":
        return b": ping\n\n"
    if message.kind == CAPTIONS:
        # Without an id, so that the browser continues after the last event.
        return b"event: %s\ndata: %s\n\n" % (CAPTIONS.encode(), message.data)
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (message.seq, message.kind.encode(), message.data)


async def _serve_websocket(request: web.Request, feed: Feed) -> web.StreamResponse:
    # The subprotocol is for browsers, which require one of those that they offer.
    ws = web.WebSocketResponse(heartbeat=PING_S, max_msg_size=MAX_FRAME_BYTES, compress=True, timeout=2.0)
    await ws.prepare(request)
    record(request, Use.KNOWN)
    reading = asyncio.create_task(_drain(ws, feed))
    try:
        while not ws.closed:
            message = await feed.next()
            if message is None:
                await ws.close(code=OVERRUN if feed.overrun else OVER)
                break
            await ws.send_str(message.data.decode())
    except ConnectionError:
        pass
    finally:
        reading.cancel()
        await asyncio.wait([reading])
    return ws


async def _drain(ws: web.WebSocketResponse, feed: Feed) -> None:
    """Read until the client disconnects; pages send commands by calls, not here."""
    async for frame in ws:
        if frame.type in {WSMsgType.ERROR, WSMsgType.CLOSE}:
            break
    feed.end()


async def _next(feed: Feed) -> FeedMessage | None:
    try:
        async with asyncio.timeout(PING_S):
            return await feed.next()
    except TimeoutError:
        return FeedMessage("ping", 0, b"")
