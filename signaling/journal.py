"""The way of what happens in rooms into the event log: noted at once, written behind.

Rooms never wait for the log. Whoever acknowledges something to the outside waits for `committed`.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from signaling.errors import StoreError, UnstorableError
from signaling.events import (
    EventHub,
    ParticipantActive,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantMoved,
    RoomChanged,
    RoomEvent,
    RoomFinished,
    RoomStarted,
    RoomVisited,
    TrackPublished,
    TrackUnpublished,
    VisitorCame,
    VisitorGone,
)
from signaling.model import Room
from signaling.plain import participant_values, room_values, track_values, visitor_values
from signaling.store import LogEntry

log = logging.getLogger(__name__)

# Entries of one transaction: a burst costs few of them, and none holds the database for long.
MAX_BATCH = 200

# Between attempts while the database fails.
RETRY_S = 1.0

# A fault of this program that is met so often in a row is one of an entry, which must not hold up all others for ever.
MAX_FAULTS = 5

# Stands in the place of an entry that no database took.
UNSTORABLE = "unstorable"

Line = tuple[Room, str, dict[str, Any]]


class Journal:
    """Numbers what happens in each room, and writes it in order, in batches."""

    def __init__(
        self,
        hub: EventHub,
        append: Callable[[Sequence[LogEntry]], Awaitable[None]],
        wall_clock: Callable[[], float],
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`append` writes all entries or raises StoreError; `pause` takes seconds."""
        self._append = append
        self._wall_clock = wall_clock
        self._pause = pause
        self._waiting: deque[LogEntry] = deque()
        self._last_seq: dict[str, int] = {}
        self._noted = 0
        self._written = 0
        self._news = asyncio.Event()
        self._progress = asyncio.Condition()
        self.failing = False
        "Whether the last attempt to write entries failed."
        hub.observe(self._note)

    @property
    def backlog(self) -> int:
        """Entries that are not committed yet."""
        return len(self._waiting)

    async def run(self) -> None:
        """Write until cancelled; a failing database is tried again, with the same entries."""
        size, faults = MAX_BATCH, 0
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                batch = list(islice(self._waiting, size))
                try:
                    await self._append(batch)
                except Exception as error:  # noqa: BLE001 - logged by what is called, whatever it is
                    self.failing = True
                    faults += not isinstance(error, StoreError)
                    if not isinstance(error, UnstorableError) and faults < MAX_FAULTS:
                        await self._wait_for_better(error)
                    elif len(batch) > 1:
                        # Somewhere in the batch; one entry at a time tells which, and spares the others.
                        size = 1
                    else:
                        size, faults = MAX_BATCH, 0
                        await self._give_up(error)
                else:
                    faults = faults if size == 1 else 0
                    await self._settle(len(batch))

    async def _wait_for_better(self, error: Exception) -> None:
        count = len(self._waiting)
        log.warning("%d entries wait: %s", count, error, exc_info=not isinstance(error, StoreError))
        await self._pause(RETRY_S)

    async def _give_up(self, error: Exception) -> None:
        """Leave a mark in the place of the next entry; when not even that is taken, there is none."""
        entry = self._waiting[0]
        log.error("entry %d of %s, %s, is given up: %s", entry.seq, entry.session_sid, entry.kind, error)
        if entry.kind == UNSTORABLE:
            await self._settle(1)
        else:
            self._waiting[0] = replace(entry, kind=UNSTORABLE, data={"kind": entry.kind})

    async def _settle(self, count: int) -> None:
        self.failing = False
        for _ in range(count):
            self._waiting.popleft()
        async with self._progress:
            self._written += count
            self._progress.notify_all()

    async def committed(self) -> None:
        """Wait until everything that has happened up to now is in the log; needs `run`."""
        target = self._noted
        async with self._progress:
            await self._progress.wait_for(lambda: self._written >= target)

    def _note(self, event: RoomEvent) -> None:
        describe = _LINES.get(type(event))
        if describe is None:
            return
        for room, kind, data in describe(event):
            if isinstance(event, RoomStarted):
                self._last_seq[room.sid] = 0
            if room.sid not in self._last_seq:
                continue  # began before the journal listened, or is over: its numbers would not be whole
            self._last_seq[room.sid] += 1
            entry = LogEntry(room.sid, self._last_seq[room.sid], kind, data, self._wall_clock())
            self._waiting.append(entry)
            self._noted += 1
            if isinstance(event, RoomFinished):
                del self._last_seq[room.sid]
        self._news.set()


def _room_event(kind: str) -> Callable[[Any], Iterator[Line]]:
    def describe(event: RoomStarted | RoomFinished | RoomChanged | RoomVisited) -> Iterator[Line]:
        data: dict[str, Any] = {"room": room_values(event.room)}
        if isinstance(event, RoomFinished):
            data["reason"] = event.reason.name
        yield event.room, kind, data

    return describe


def _participant_event(kind: str) -> Callable[[Any], Iterator[Line]]:
    def describe(event: ParticipantJoined | ParticipantActive | ParticipantLeft) -> Iterator[Line]:
        person = event.participant
        data: dict[str, Any] = {"room": room_values(person.room), "participant": participant_values(person)}
        if isinstance(event, ParticipantLeft):
            data["reason"] = event.reason.name
        yield person.room, kind, data

    return describe


def _visitor_event(kind: str) -> Callable[[Any], Iterator[Line]]:
    def describe(event: VisitorCame | VisitorGone) -> Iterator[Line]:
        yield event.room, kind, {"room": room_values(event.room), "visitor": visitor_values(event.visitor)}

    return describe


def _track_event(kind: str) -> Callable[[Any], Iterator[Line]]:
    def describe(event: TrackPublished | TrackUnpublished) -> Iterator[Line]:
        person = event.participant
        data = {
            "room": {"sid": person.room.sid, "name": person.room.name},
            "participant": {"sid": person.sid, "identity": person.identity, "name": person.name},
            "track": track_values(event.track),
        }
        yield person.room, kind, data

    return describe


def _moved(event: ParticipantMoved) -> Iterator[Line]:
    person, origin = event.participant, event.origin
    who = participant_values(person)
    out = {"room": room_values(origin), "participant": who, "to": person.room.sid}
    yield origin, "participant_moved_out", out
    into = {"room": room_values(person.room), "participant": who, "from": origin.sid}
    yield person.room, "participant_moved_in", into


_LINES: Mapping[type, Callable[[Any], Iterator[Line]]] = {
    RoomStarted: _room_event("room_started"),
    RoomFinished: _room_event("room_finished"),
    RoomChanged: _room_event("room_changed"),
    RoomVisited: _room_event("room_visited"),
    ParticipantJoined: _participant_event("participant_joined"),
    ParticipantActive: _participant_event("participant_active"),
    ParticipantLeft: _participant_event("participant_left"),
    ParticipantMoved: _moved,
    VisitorCame: _visitor_event("visitor_came"),
    VisitorGone: _visitor_event("visitor_gone"),
    TrackPublished: _track_event("track_published"),
    TrackUnpublished: _track_event("track_unpublished"),
}
