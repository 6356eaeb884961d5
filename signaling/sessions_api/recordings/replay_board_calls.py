"""The whiteboard of a recorded session: what happened on it, with times of a recording, for players that show it."""

from typing import Annotated, Final

import msgspec

from classroom.base import Event
from classroom.features import whiteboard
from classroom.features.people import Person
from classroom.state import Classroom
from classroom.visibility import shown_to
from signaling.http.api import Route
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import Desk
from signaling.sessions_api.path_ids import RecordingPath
from signaling.sessions_api.recordings.replay_calls import ReplayCalls

_EVENTS: Final = 1000
"Events of the session that one call examines."
_MAX_OCTETS: Final = 1 << 20
"Of the updates of one answer; the first update is in it whatever its size."


class BoardQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which events."""

    after: Annotated[int, msgspec.Meta(ge=0)] = 0
    "Number of the last event that the caller has received."


class BoardEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A change of the whiteboard."""

    at_s: float
    "Seconds since the start of the recording; negative before it."
    kind: str
    "`drawn`, `page_added`, `page_removed` or `turned`."
    page: str
    update: bytes = b""
    "Of `drawn`: a Yjs update."


class BoardPage(msgspec.Struct, frozen=True):
    """Some changes, oldest first."""

    events: list[BoardEvent]
    upto: int
    "Continue after this number."
    more: bool


class ReplayBoardCalls:
    """The handler."""

    def __init__(self, desk: Desk, replay: ReplayCalls) -> None:
        """Use the calls that decide who may watch a recording."""
        self._desk = desk
        self._replay = replay

    def routes(self) -> list[Route]:
        """Return the route."""
        absent = {404: "there is no such recording"}
        return [Route("GET", "/recordings/{recording}/whiteboard", self.board, absent)]

    async def board(self, caller: Caller, recording: RecordingPath, query: BoardQuery) -> BoardPage:
        """Return changes of the whiteboard, from the session's start on, to those who may watch the recording."""
        row, session, _ = await self._replay.watched(caller, recording, lambda _room, _person: None)
        started_at = await self._replay.started_at(row)
        events = await self._desk.session(caller, session).events(query.after, limit=_EVENTS)

        def look(room: Classroom, person: Person) -> tuple[list[BoardEvent], int, int]:
            found: list[BoardEvent] = []
            octets = 0
            for seq, event in enumerate(events, query.after + 1):
                change = _change(event, started_at)
                if change is None or shown_to(room, event, person.id) is None:
                    continue
                octets += len(change.update)
                if found and octets > _MAX_OCTETS:
                    return found, seq - 1, room.seq
                found.append(change)
            return found, query.after + len(events), room.seq

        _, _, (found, upto, last) = await self._replay.watched(caller, recording, look)
        return BoardPage(found, upto, query.after < upto < last)


def _change(event: Event, started_at: float) -> BoardEvent | None:
    at_s = round(event.at - started_at, 3)
    match event:
        case whiteboard.Drawn():
            return BoardEvent(at_s, "drawn", event.page, event.update)
        case whiteboard.PageAdded():
            return BoardEvent(at_s, "page_added", event.page)
        case whiteboard.PageRemoved():
            return BoardEvent(at_s, "page_removed", event.page)
        case whiteboard.Turned():
            return BoardEvent(at_s, "turned", event.page)
        case _:
            return None
