"""The way of what happens in rooms into the event log: noted at once, written behind.

Rooms never wait for the log. Whoever acknowledges something to the outside waits for `committed`.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from signaling.errors import StoreError
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
    TrackPublished,
    TrackUnpublished,
)
from signaling.model import Participant, Room, Track
from signaling.store import LogEntry

log = logging.getLogger(__name__)

# Entries of one transaction: a burst costs few of them, and none holds the database for long.
MAX_BATCH = 200

# Between attempts while the database fails.
RETRY_S = 1.0

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
        hub.listen(self._note)

    @property
    def backlog(self) -> int:
        """Entries that are not committed yet."""
        return len(self._waiting)

    async def run(self) -> None:
        """Write until cancelled; a failing database is tried again, with the same entries."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                batch = [self._waiting[index] for index in range(min(MAX_BATCH, len(self._waiting)))]
                try:
                    await self._append(batch)
                except StoreError as error:
                    log.warning("%d entries wait for the event log: %s", len(self._waiting), error)
                    await self._pause(RETRY_S)
                    continue
                for _ in batch:
                    self._waiting.popleft()
                async with self._progress:
                    self._written += len(batch)
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


def _person(person: Participant) -> dict[str, Any]:
    return {"sid": person.sid, "identity": person.identity, "name": person.name}


def _track(person: Participant, track: Track) -> dict[str, Any]:
    described = {"sid": track.sid, "kind": track.spec.kind, "source": track.spec.source.value}
    return {**_person(person), "track": described}


def _room_started(event: RoomStarted) -> Iterator[Line]:
    yield event.room, "room_started", {"room": event.room.name}


def _room_finished(event: RoomFinished) -> Iterator[Line]:
    yield event.room, "room_finished", {"room": event.room.name}


def _room_changed(event: RoomChanged) -> Iterator[Line]:
    yield event.room, "room_changed", {"metadata": event.room.metadata}


def _joined(event: ParticipantJoined) -> Iterator[Line]:
    yield event.participant.room, "participant_joined", _person(event.participant)


def _active(event: ParticipantActive) -> Iterator[Line]:
    yield event.participant.room, "participant_active", _person(event.participant)


def _left(event: ParticipantLeft) -> Iterator[Line]:
    data = {**_person(event.participant), "reason": event.reason.name}
    yield event.participant.room, "participant_left", data


def _moved(event: ParticipantMoved) -> Iterator[Line]:
    person = event.participant
    yield event.origin, "participant_moved_out", {**_person(person), "to": person.room.sid}
    yield person.room, "participant_moved_in", {**_person(person), "from": event.origin.sid}


def _published(event: TrackPublished) -> Iterator[Line]:
    yield event.participant.room, "track_published", _track(event.participant, event.track)


def _unpublished(event: TrackUnpublished) -> Iterator[Line]:
    yield event.participant.room, "track_unpublished", _track(event.participant, event.track)


_LINES: Mapping[type, Callable[[Any], Iterator[Line]]] = {
    RoomStarted: _room_started,
    RoomFinished: _room_finished,
    RoomChanged: _room_changed,
    ParticipantJoined: _joined,
    ParticipantActive: _active,
    ParticipantLeft: _left,
    ParticipantMoved: _moved,
    TrackPublished: _published,
    TrackUnpublished: _unpublished,
}
