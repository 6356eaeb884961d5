"""The whole server as its operators see it now: rooms, people, workers, API keys, and the event log of meetings.

An operator is the application, or an administrator of its main tenant: an API key opens LiveKit's server API, which
shows all rooms. An administrator of one of several schools behind a key is none.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Annotated, Any, Final

import msgspec

from classroom.errors import Code, NotAllowed
from sfu.facade import MediaEngine
from signaling.access.keyring import Keyring
from signaling.http.api import ApiError, Route
from signaling.ids import RoomSid
from signaling.rooms.model import LINK, Participant, Room
from signaling.rooms.rooms import Rooms
from signaling.sessions_api import paging
from signaling.sessions_api.callers import Caller
from signaling.store import Store
from signaling.store.meetings.entries import encode
from signaling.store.records import MeetingFilter
from signaling.store.tenants import tenant_parts

# An answer has at most this many rooms, and people of all rooms together: about 300 KB.
MAX_ROOMS: Final = 200
MAX_PEOPLE: Final = 2000
MAX_ENTRIES: Final = 500

SidPath = Annotated[RoomSid, msgspec.Meta(min_length=1, max_length=64)]


@dataclass(frozen=True, slots=True)
class OperatorParts:
    """What the calls read."""

    rooms: Rooms
    media: MediaEngine
    keyring: Keyring
    store: Store
    wall_clock: Callable[[], float]
    backlog: Callable[[], int]
    "Returns the number of entries that are not in the event log yet."


class PersonNow(msgspec.Struct, frozen=True):
    """A participant of an open room."""

    identity: str
    name: str
    state: str
    "`joining`, `joined` or `active` (media is connected)."
    joined_at: float
    tracks: int
    "Published tracks."
    kbps: float | None
    "Estimated available bandwidth to the person, in kbit/s; null while it limits nothing."
    loss_percent: float


class RoomNow(msgspec.Struct, frozen=True):
    """An open room."""

    sid: str
    name: str
    created_at: float
    recorded: bool
    count: int
    "Of all people in it."
    people: list[PersonNow]


class WorkerNow(msgspec.Struct, frozen=True):
    """Counters of a worker process since its start, about a second old."""

    peers: int
    publications: int
    packets_received: int
    packets_forwarded: int
    packets_retransmitted: int
    packets_dropped: int


class KeyNow(msgspec.Struct, frozen=True):
    """An API key, without its secret."""

    key: str
    note: str
    configured: bool
    "It is in the configuration, and so not in the database."
    created_at: float | None
    revoked_at: float | None


class ServerNow(msgspec.Struct, frozen=True):
    """The server now."""

    at: float
    rooms: list[RoomNow]
    "The fullest first."
    room_count: int
    person_count: int
    workers: list[WorkerNow]
    event_log_waiting: int
    webhooks_waiting: int
    keys: list[KeyNow]


class MeetingItem(msgspec.Struct, frozen=True):
    """An opening of a room."""

    sid: str
    room: str
    started_at: float
    ended_at: float | None


class MeetingList(msgspec.Struct, frozen=True):
    """Meetings, the newest first."""

    data: list[MeetingItem]


class MeetingQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How many."""

    limit: paging.Limit = 50


class LogItem(msgspec.Struct, frozen=True):
    """An entry of the event log."""

    seq: int
    at: float
    kind: str
    data: Any
    "By kind; see `signaling.store.meetings.entries`."


class MeetingLog(msgspec.Struct, frozen=True):
    """The first entries of a meeting's log."""

    data: list[LogItem]
    more: bool


class OperatorCalls:
    """The handlers."""

    def __init__(self, parts: OperatorParts) -> None:
        """Read these parts."""
        self._parts = parts

    def routes(self) -> list[Route]:
        """Return the routes."""
        refused = {403: "the caller is no operator"}
        return [
            Route("GET", "/server", self.now, refused),
            Route("GET", "/server/meetings", self.meetings, refused),
            Route(
                "GET",
                "/server/meetings/{meeting}/events",
                self.log,
                {**refused, 404: "there is no such meeting"},
            ),
        ]

    async def now(self, caller: Caller) -> ServerNow:
        """Return rooms, people, workers and API keys of the server."""
        require_operator(caller)
        parts = self._parts
        rooms = sorted(parts.rooms.rooms, key=lambda room: -len(room.participants))
        return ServerNow(
            at=parts.wall_clock(),
            rooms=list(_shown(rooms)),
            room_count=len(rooms),
            person_count=sum(len(room.participants) for room in rooms),
            workers=[_worker(each) for each in parts.media.worker_metrics()],
            event_log_waiting=parts.backlog(),
            webhooks_waiting=await parts.store.outbox.count(),
            keys=await self._keys(),
        )

    async def meetings(self, caller: Caller, query: MeetingQuery) -> MeetingList:
        """List the last meetings of all rooms."""
        require_operator(caller)
        rows = await self._parts.store.sessions.find(MeetingFilter(), query.limit)
        return MeetingList([MeetingItem(row.sid, row.room, row.started_at, row.ended_at) for row in rows])

    async def log(self, caller: Caller, meeting: SidPath) -> MeetingLog:
        """Return a meeting's entries in the event log."""
        require_operator(caller)
        if await self._parts.store.sessions.get(meeting) is None:
            raise ApiError(404, "meeting_not_found", "There is no such meeting.")
        rows = await self._parts.store.events.read(meeting, limit=MAX_ENTRIES + 1)
        items = []
        for row in rows[:MAX_ENTRIES]:
            kind, data = encode(row.entry)
            items.append(LogItem(row.seq, row.at, kind, data))
        return MeetingLog(items, len(rows) > MAX_ENTRIES)

    async def _keys(self) -> list[KeyNow]:
        stored = await self._parts.store.api_keys.list()
        names = {each.key for each in stored}
        configured = [key for key in self._parts.keyring if key not in names]
        return [
            *(KeyNow(key, "", configured=True, created_at=None, revoked_at=None) for key in configured),
            *(
                KeyNow(
                    each.key,
                    each.note,
                    configured=False,
                    created_at=each.created_at,
                    revoked_at=each.revoked_at,
                )
                for each in stored
            ),
        ]


def require_operator(caller: Caller) -> None:
    """Refuse callers who do not operate the server. NotAllowed."""
    if not caller.manages or tenant_parts(caller.tenant)[1]:
        raise NotAllowed(Code.NOT_ALLOWED, "Only administrators of the server and the application see it.")


def _shown(rooms: Iterable[Room]) -> Iterable[RoomNow]:
    left = MAX_PEOPLE
    for room in islice(rooms, MAX_ROOMS):
        people = [_person(each) for each in islice(room.participants.values(), left)]
        left -= len(people)
        yield RoomNow(room.sid, room.name, room.created_at, room.recorded, len(room.participants), people)


def _person(person: Participant) -> PersonNow:
    link = person.attributes.get(LINK, "")
    # The server wrote it (`signaling.rooms.links`).
    state = msgspec.json.decode(link) if link else {}
    return PersonNow(
        person.identity,
        person.name,
        person.state.name.lower(),
        person.joined_at,
        len(person.tracks),
        state.get("kbps"),
        state.get("loss", 0.0),
    )


def _worker(metrics: dict[str, float]) -> WorkerNow:
    def count(name: str) -> int:
        return int(metrics.get(name, 0))

    return WorkerNow(
        count("peers"),
        count("publications"),
        count("packets_received"),
        count("packets_forwarded"),
        count("packets_retransmitted"),
        sum(int(value) for name, value in metrics.items() if name.startswith("dropped_")),
    )
