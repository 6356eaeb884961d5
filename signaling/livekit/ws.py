"""LiveKit's endpoints, and why a connect failed.

`/rtc/v1` serves single-connection mode. So does `/rtc` when the query has a `join_request`, as the Go SDK's does; with
plain parameters `/rtc` serves dual-connection mode.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Any

from aiohttp import WebSocketError, WSMsgType, hdrs, web
from livekit.protocol import models, rtc

from signaling.access import tokens
from signaling.errors import (
    AccessError,
    BadRequestError,
    BannedError,
    OutsideHoursError,
    RequestError,
    RoomFullError,
    StoreError,
    TokenError,
    TooOftenError,
    WireError,
    by_type,
)
from signaling.http.api import bearer
from signaling.http.connections import Use, record
from signaling.ids import ParticipantSid
from signaling.limits import DESCRIPTIONS, JOINS, MESSAGES, SENT_TO_ALL, Limits
from signaling.livekit.backlog import Backlog
from signaling.livekit.connections.connection import Connection
from signaling.livekit.cors import preflight, shared
from signaling.livekit.frontend import LiveKitFrontend
from signaling.livekit.handlers import handle
from signaling.livekit.messages.announced import announced_bytes
from signaling.livekit.messages.convert import leave
from signaling.livekit.messages.wire import (
    MAX_FRAME_BYTES,
    EncodedResponse,
    decode_join_query,
    decode_join_request,
    decode_request,
    weigh,
)
from signaling.logs import bind
from signaling.rooms.model import LeaveReason
from signaling.rooms.rooms import check_own_attributes, check_profile
from signaling.store.catalogue import Catalogue

log = logging.getLogger(__name__)

# Retry-After in seconds for a join that needs the database while the database does not answer.
STORE_RETRY_S = 5

# WebSocket pings (RFC 6455 section 5.5.2) find connections that died without a word; a pong has half the
# time.
HEARTBEAT_S = 20.0

# A client with this much unread data is disconnected; it may resume.
MAX_BACKLOG_BYTES = 8 * 1024 * 1024

# The same, when a single message finds no place in the socket's buffer for this long: clients themselves give
# up on a server that is silent for 15 s.
SEND_TIMEOUT_S = 15.0

# A client in Go that sends no candidate, as it has no network interface but loopback, is answered after this time.
APPLIED_TIMEOUT_S = 0.5

# The one place where refusals before a connection become HTTP statuses.
_STATUSES: Mapping[type, int] = {
    AccessError: 403,
    BadRequestError: 400,
    TokenError: 401,
    BannedError: 403,
    OutsideHoursError: 403,
    TooOftenError: 429,
    RoomFullError: 503,
    StoreError: 503,
}


# Requests that change state that everybody in the room sees.
_SENT_TO_ALL = frozenset(
    {
        "add_track",
        "mute",
        "update_metadata",
        "update_audio_track",
        "update_video_track",
        "publish_data_track_request",
        "unpublish_data_track_request",
    }
)


# What a frame costs of the messages that a client may send (`limits.MESSAGES`): one, one more for each of these sizes,
# and one more for so many fields. An offer for thirty people has 40 KB.
BYTES_PER_COST = 16 * 1024
TEXT_BYTES_PER_COST = 4 * 1024
FIELDS_PER_COST = 50
# A frame with fewer fields costs nothing for them.
FREE_FIELDS = 100


def size_cost(frame: bytes | str) -> float:
    """Return what a frame costs for being there."""
    return 1 + len(frame) // (BYTES_PER_COST if isinstance(frame, bytes) else TEXT_BYTES_PER_COST)


class WebSocketSender:
    """The sending side of one WebSocket: a queue, so that no other client waits for a slow one."""

    def __init__(self, ws: web.WebSocketResponse, request: web.Request) -> None:
        """`ws` is prepared; `run` has to be started by the caller."""
        self._ws = ws
        self._request = request
        self.backlog = Backlog()
        self._wake = asyncio.Event()
        self._finishing = False

    def put(self, outgoing: EncodedResponse) -> None:
        """Queue a message; a client that reads nothing is dropped."""
        self.backlog.put(outgoing)
        self._queued()

    def put_urgent(self, outgoing: EncodedResponse) -> None:
        """Queue a message ahead of state that waits."""
        self.backlog.put_urgent(outgoing)
        self._queued()

    def put_state(self, messages: Iterator[EncodedResponse]) -> None:
        """Queue messages that are made at the head of the queue, of any total size."""
        self.backlog.put_state(messages)
        self._wake.set()

    def _queued(self) -> None:
        self._wake.set()
        if self.backlog.size > MAX_BACKLOG_BYTES:
            self.drop()

    def finish(self) -> None:
        """Close after the queued frames, without the waiting state."""
        self._finishing = True
        self.backlog.drop_state()
        self._wake.set()

    def drop(self) -> None:
        """Cut the connection."""
        self._finishing = True
        self.backlog.clear()
        self._wake.set()
        if self._request.transport is not None:
            self._request.transport.abort()

    @contextmanager
    def unread(self) -> Iterator[None]:
        """Read nothing from the network during the block: empty frames, which have no size, would pile up."""
        protocol = self._request.protocol
        protocol.pause_reading()
        try:
            yield
        finally:
            protocol.resume_reading()

    async def run(self) -> None:
        """Send until finished."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                while (frame := self.backlog.pop()) is not None:
                    async with asyncio.timeout(SEND_TIMEOUT_S):
                        await self._send(frame)
                if self._finishing:
                    await self._ws.close()
                    return
        except TimeoutError:
            self.drop()
        except ConnectionError:
            # The reading side notices the same and ends the connection.
            return

    async def _send(self, frame: bytes | str) -> None:
        if isinstance(frame, bytes):
            await self._ws.send_bytes(frame)
        else:
            await self._ws.send_str(frame)


class LiveKitEndpoints:
    """Admission, and the life of one WebSocket."""

    def __init__(
        self,
        frontend: LiveKitFrontend,
        keys: Mapping[str, str],
        limits: Limits,
        catalogue: Catalogue,
        opened: Callable[[tokens.Claims], None] = lambda _claims: None,
    ) -> None:
        """`keys` maps API keys to secrets; `opened` is called after a token has opened its room."""
        self._opened = opened
        self._limits = limits
        self._catalogue = catalogue
        self._frontend = frontend
        self._keys = keys
        self._tasks: set[asyncio.Task[None]] = set()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Register the endpoints."""
        # With a server URL that ends in a slash, clients request paths with two.
        for slash in ("/", "//"):
            router.add_get(f"{slash}rtc/v1", shared(self.connect), allow_head=False)
            router.add_get(f"{slash}rtc", shared(self.connect_dual), allow_head=False)
            for path, handler in (
                ("rtc/v1/validate", self.validate),
                ("rtc/validate", self.validate_dual),
                ("settings/regions", self.regions),
            ):
                router.add_get(slash + path, shared(handler), allow_head=False)
                router.add_options(slash + path, preflight)

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Serve one WebSocket of single-connection mode from admission to its end."""
        return await self._connect(request, dual=False)

    async def connect_dual(self, request: web.Request) -> web.StreamResponse:
        """Serve one WebSocket, in the mode that its query requests."""
        return await self._connect(request, dual=_is_dual(request))

    async def _connect(self, request: web.Request, *, dual: bool) -> web.StreamResponse:
        try:
            claims, join = await self._admit(request, dual=dual)
        except (AccessError, StoreError) as error:
            return _refusal(error)
        ws = web.WebSocketResponse(
            max_msg_size=MAX_FRAME_BYTES,
            heartbeat=HEARTBEAT_S,
            compress=False,
            timeout=2.0,
            # Answered below, where they cost like other messages.
            autoping=False,
        )
        await ws.prepare(request)
        outbox = WebSocketSender(ws, request)
        writer = self._spawn(outbox.run())
        try:
            connection = await self._open(claims, join, outbox, dual=dual)
            if connection is not None:
                record(request, Use.KNOWN)
                try:
                    await self._read(ws, connection, outbox)
                finally:
                    # What is left is to say goodbye, which a client can draw out.
                    record(request, Use.BUSY)
                    self._frontend.lifecycle.socket_closed(connection, outbox)
        finally:
            outbox.finish()
            await writer
        return ws

    async def validate(self, request: web.Request) -> web.Response:
        """Tell a client, which cannot read a failed upgrade's body, why it was refused."""
        return await self._validate(request, dual=False)

    async def validate_dual(self, request: web.Request) -> web.Response:
        """The same for `/rtc`."""
        return await self._validate(request, dual=_is_dual(request))

    async def _validate(self, request: web.Request, *, dual: bool) -> web.Response:
        try:
            await self._admit(request, dual=dual)
        except (AccessError, StoreError) as error:
            return _refusal(error)
        return web.Response(text="success")

    async def regions(self, _request: web.Request) -> web.Response:
        """Tell a client that there are no regions to choose from, as LiveKit's own server does."""
        return web.Response(status=404, text="this server has no regions")

    async def drain(self, timeout_s: float) -> None:
        """Wait until the queues of all clients are sent and their WebSockets are closed."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=timeout_s)

    async def _admit(self, request: web.Request, *, dual: bool) -> tuple[tokens.Claims, rtc.JoinRequest]:
        self._limits.check_address("join", request, JOINS)
        claims = self._verify(request)
        tokens.check_join(claims)
        try:
            join = (
                decode_join_query(request.query)
                if dual
                else decode_join_request(request.query.get("join_request", ""))
            )
        except WireError as error:
            raise BadRequestError(str(error)) from error
        # LiveKit's SDK for JavaScript does not name its browser itself.
        if not join.client_info.browser and "Firefox/" in request.headers.get(hdrs.USER_AGENT, ""):
            join.client_info.browser = "Firefox"
        if join.metadata or join.participant_attributes:
            if not claims.permissions.can_update_own_metadata:
                raise TokenError("the access token does not allow setting metadata or attributes")
            try:
                check_own_attributes(join.participant_attributes)
                check_profile("", join.metadata, join.participant_attributes)
            except RequestError as error:
                raise BadRequestError(str(error)) from error
        rooms = self._frontend.services.rooms
        claims = await self._with_rules(claims)
        granted_at = rooms.granted_at(claims.key, claims.valid_from)
        if granted_at < rooms.revoked_at(claims.room, claims.identity):
            raise TokenError("the access token was revoked")
        if not join.reconnect:
            rooms.check_entry(claims.room, claims.identity, claims.attributes)
            if claims.room_config is not None and rooms.room(claims.room) is None:
                rooms.check_hours(claims.room_config)
        return claims, join

    async def _with_rules(self, claims: tokens.Claims) -> tokens.Claims:
        """Return the claims with the rules of the room that they would open.

        TokenError if those exclude the token; StoreError if they cannot be read.
        """
        rooms = self._frontend.services.rooms
        config = None
        if rooms.room(claims.room) is None:
            # The settings of the room's creator take precedence over those in a token.
            config = await self._catalogue.config(claims.room)
            claims = replace(claims, room_config=config or claims.room_config)
        here = rooms.room(claims.room)  # it may have been opened meanwhile
        tokens.check_room(claims, config if here is None else here.config)
        return claims

    def _verify(self, request: web.Request) -> tokens.Claims:
        if hdrs.AUTHORIZATION not in request.headers:
            token = request.query.get("access_token", "").strip()
        else:
            token = bearer(request)
            if not token:
                raise TokenError("no access token was sent: the Authorization header has no bearer token")
        if not token:
            raise TokenError("no access token was sent")
        return tokens.verify(token, self._keys, self._frontend.now())

    async def _open(
        self, claims: tokens.Claims, join: rtc.JoinRequest, outbox: WebSocketSender, *, dual: bool
    ) -> Connection | None:
        if join.reconnect:
            connection = self._frontend.lifecycle.resume(claims, ParticipantSid(join.participant_sid), outbox)
            if connection is None:
                outbox.put(
                    EncodedResponse(
                        rtc.SignalResponse(
                            leave=leave(
                                self._frontend.lifecycle.refusal(claims, ParticipantSid(join.participant_sid))
                            )
                        )
                    )
                )
                return None
        else:
            try:
                if self._frontend.services.rooms.room(claims.room) is None:
                    # Also after the last participant has left during the upgrade, this join opens the room.
                    claims = await self._with_rules(claims)
                opens = self._frontend.services.rooms.room(claims.room) is None
                connection = self._frontend.lifecycle.join(claims, join, outbox, dual=dual)
                if opens:
                    self._opened(claims)
            except TokenError:
                outbox.put(EncodedResponse(rtc.SignalResponse(leave=leave(LeaveReason.STATE_MISMATCH))))
                return None
            except RoomFullError:
                # Admission succeeded, but the last place was taken during the upgrade.
                outbox.put(EncodedResponse(rtc.SignalResponse(leave=leave(LeaveReason.ROOM_FULL))))
                return None
            except BannedError:
                outbox.put(EncodedResponse(rtc.SignalResponse(leave=leave(LeaveReason.REMOVED))))
                return None
            except OutsideHoursError:
                outbox.put(EncodedResponse(rtc.SignalResponse(leave=leave(LeaveReason.ROOM_CLOSED))))
                return None
        # The task ends with the WebSocket.
        bind(connection.participant)
        if connection.offers is not None:
            await connection.offers.make(restart=join.reconnect)
        await self._perform(connection, join)
        return connection

    async def _perform(self, connection: Connection, join: rtc.JoinRequest) -> None:
        """Handle the requests that a join request contains."""
        for request in join.add_track_requests:
            await handle(self._frontend, connection, rtc.SignalRequest(add_track=request))
        if join.HasField("sync_state"):
            await handle(self._frontend, connection, rtc.SignalRequest(sync_state=join.sync_state))
        if join.HasField("publisher_offer"):
            offer = rtc.SignalRequest(offer=join.publisher_offer)
            await asyncio.sleep(self._description_delay_s(connection, offer))
            if join.client_info.sdk == models.ClientInfo.GO:
                self._spawn(self._answer_when_applied(connection, offer))
            else:
                await handle(self._frontend, connection, offer)

    async def _answer_when_applied(self, connection: Connection, offer: rtc.SignalRequest) -> None:
        """Answer the offer of a join request once the client has applied it itself.

        The Go SDK (2.19.0) starts to read before it sets its local description, and an answer that it reads too early
        ends its attempt to connect. It gathers candidates as soon as the description is set.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(APPLIED_TIMEOUT_S):
                await connection.trickled.wait()
        await handle(self._frontend, connection, offer)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _read(self, ws: web.WebSocketResponse, connection: Connection, outbox: WebSocketSender) -> None:
        async for frame in ws:
            if frame.type in (WSMsgType.BINARY, WSMsgType.TEXT):
                outbox.backlog.json = frame.type is WSMsgType.TEXT
                try:
                    await self._serve(connection, frame.data, outbox)
                except WireError as error:
                    self._hang_up(connection, str(error))
                    return
            elif frame.type is WSMsgType.PING:
                await self._let_rest(connection, outbox, 1.0)
                await ws.pong(frame.data)
            elif frame.type is WSMsgType.PONG:
                await self._let_rest(connection, outbox, 1.0)
            elif frame.type is WSMsgType.ERROR and isinstance(frame.data, WebSocketError):
                # Oversize messages and broken framing; aiohttp has closed the socket with the fitting code.
                # Other errors are network errors, and the participant may reconnect.
                self._hang_up(connection, str(frame.data))

    async def _serve(self, connection: Connection, frame: bytes | str, outbox: WebSocketSender) -> None:
        """Handle one frame, after charging for its size and its content. WireError."""
        await self._let_rest(connection, outbox, size_cost(frame))
        fields = weigh(frame)
        if fields > FREE_FIELDS:
            await self._let_rest(connection, outbox, fields / FIELDS_PER_COST)
        request = decode_request(frame)
        if request.WhichOneof("message") in _SENT_TO_ALL:
            announced = announced_bytes(connection.participant) // BYTES_PER_COST
            await self._let_rest(connection, outbox, (SENT_TO_ALL - 1) * size_cost(frame) + announced)
        description_delay_s = self._description_delay_s(connection, request)
        if description_delay_s > 0:
            await self._pause(outbox, description_delay_s)
        await handle(self._frontend, connection, request)

    async def _let_rest(self, connection: Connection, outbox: WebSocketSender, cost: float) -> None:
        """Wait until a client may have its next request: meanwhile it is not read, and nothing is lost.

        Others have their turn in any case, however many frames have arrived at once.
        """
        delay_s = self._limits.delay_s("message", connection.participant.sid, MESSAGES, cost)
        await self._pause(outbox, delay_s)

    async def _pause(self, outbox: WebSocketSender, delay_s: float) -> None:
        with outbox.unread() if delay_s > 0 else nullcontext():
            await asyncio.sleep(delay_s)

    def _description_delay_s(self, connection: Connection, request: rtc.SignalRequest) -> float:
        """Charge a session description by its length; joining again does not refill the budget."""
        kind = request.WhichOneof("message")
        if kind not in {"offer", "answer"}:
            return 0.0
        person = connection.participant
        cost = len(getattr(request, kind).sdp)
        return self._limits.delay_s(
            "description", f"{person.room.name}/{person.identity}", DESCRIPTIONS, cost
        )

    def _hang_up(self, connection: Connection, why: str) -> None:
        # A correct client never sends this, and a broken one would repeat it after a reconnect.
        self._frontend.services.rooms.leave(connection.participant, LeaveReason.PROTOCOL_ERROR, why)


def _is_dual(request: web.Request) -> bool:
    """Whether a request to `/rtc` asks for dual-connection mode."""
    return "join_request" not in request.query


def _refusal(error: AccessError | StoreError) -> web.Response:
    headers: dict[str, str] = {}
    if isinstance(error, TooOftenError):
        headers[hdrs.RETRY_AFTER] = str(error.retry_after_s)
    elif isinstance(error, StoreError):
        headers[hdrs.RETRY_AFTER] = str(STORE_RETRY_S)
        log.error("a join failed: %s", error)
    return web.Response(status=by_type(_STATUSES, error, 500), text=str(error), headers=headers)
