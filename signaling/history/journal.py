"""The journal turns room events into entries of the event log: numbered at once, written in the background.

Rooms never wait for the log. Code that acknowledges something to a client or an application awaits `committed`.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from signaling.errors import StoreError, UnstorableError
from signaling.history.snapshots import (
    participant_reference,
    participant_snapshot,
    room_reference,
    room_snapshot,
    track_snapshot,
    visitor_snapshot,
)
from signaling.rooms import events
from signaling.rooms.model import Room
from signaling.store import LogEntry
from signaling.store.meetings import entries

log = logging.getLogger(__name__)

# Entries per transaction: few enough to hold the database briefly, enough to write a burst in few transactions.
MAX_BATCH = 200

# Time between attempts while the database fails.
RETRY_S = 1.0

# After this many consecutive program faults, one entry is assumed to be the cause, and must not delay the others.
MAX_FAULTS = 5

Entries = tuple[tuple[Room, entries.Entry], ...]
"The entries that an event adds to the logs of meetings."


class Journal:
    """Numbers the entries of each meeting and writes them in order, in batches."""

    def __init__(
        self,
        hub: events.EventHub,
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
        self._recorded = 0
        self._written = 0
        self._news = asyncio.Event()
        self._progress = asyncio.Condition()
        self.failing = False
        "Whether the last attempt to write entries failed."
        hub.observe(self._record)

    @property
    def backlog(self) -> int:
        """The number of entries that are not committed yet."""
        return len(self._waiting)

    async def run(self) -> None:
        """Write entries until cancelled; if the database fails, the same entries are written again."""
        size, faults = MAX_BATCH, 0
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                batch = list(islice(self._waiting, size))
                try:
                    await self._append(batch)
                except Exception as error:  # noqa: BLE001 - of every kind: the functions called below log it
                    self.failing = True
                    faults += not isinstance(error, StoreError)
                    if not isinstance(error, UnstorableError) and faults < MAX_FAULTS:
                        await self._wait_for_better(error)
                    elif len(batch) > 1:
                        # Some entry of the batch is the cause; writing one at a time finds it and spares the others.
                        size = 1
                    else:
                        size, faults = MAX_BATCH, 0
                        await self._give_up(error)
                else:
                    faults = faults if size == 1 else 0
                    await self._settle(len(batch))

    async def _wait_for_better(self, error: Exception) -> None:
        count = len(self._waiting)
        log.warning(
            "%d entries are waiting for the database: %s",
            count,
            error,
            exc_info=not isinstance(error, StoreError),
        )
        await self._pause(RETRY_S)

    async def _give_up(self, error: Exception) -> None:
        """Replace the next entry by `Unstorable`; if that is refused too, leave a gap."""
        refused = self._waiting[0]
        log.error("entry %d of %s (%s) is lost: %s", refused.seq, refused.session_sid, refused.kind, error)
        if isinstance(refused.entry, entries.Unstorable):
            await self._settle(1)
        else:
            self._waiting[0] = replace(refused, entry=entries.Unstorable(refused.kind))

    async def _settle(self, count: int) -> None:
        self.failing = False
        for _ in range(count):
            self._waiting.popleft()
        async with self._progress:
            self._written += count
            self._progress.notify_all()

    async def committed(self) -> None:
        """Wait until every entry recorded so far is in the log; requires `run`."""
        target = self._recorded
        async with self._progress:
            await self._progress.wait_for(lambda: self._written >= target)

    def _record(self, event: events.RoomEvent) -> None:
        make = _ENTRIES.get(type(event))
        if make is None:
            return
        for room, entry in make(event):
            if isinstance(entry, entries.RoomStarted):
                self._last_seq[room.sid] = 0
            if room.sid not in self._last_seq:
                continue  # started before the journal did, or has ended: its log would have a gap
            self._last_seq[room.sid] += 1
            self._waiting.append(LogEntry(room.sid, self._last_seq[room.sid], entry, self._wall_clock()))
            self._recorded += 1
            if isinstance(entry, entries.RoomFinished):
                del self._last_seq[room.sid]
        self._news.set()


def _room_started(event: events.RoomStarted) -> Entries:
    return ((event.room, entries.RoomStarted(room_snapshot(event.room))),)


def _room_finished(event: events.RoomFinished) -> Entries:
    return ((event.room, entries.RoomFinished(room_snapshot(event.room), event.reason.name)),)


def _room_changed(event: events.RoomChanged) -> Entries:
    return ((event.room, entries.RoomChanged(room_snapshot(event.room))),)


def _room_occupied(event: events.RoomOccupied) -> Entries:
    return ((event.room, entries.RoomOccupied(room_snapshot(event.room))),)


def _joined(event: events.ParticipantJoined) -> Entries:
    person = event.participant
    return (
        (person.room, entries.ParticipantJoined(room_snapshot(person.room), participant_snapshot(person))),
    )


def _active(event: events.ParticipantActive) -> Entries:
    person = event.participant
    return (
        (person.room, entries.ParticipantActive(room_snapshot(person.room), participant_snapshot(person))),
    )


def _left(event: events.ParticipantLeft) -> Entries:
    person = event.participant
    room, snapshot = room_snapshot(person.room), participant_snapshot(person)
    return ((person.room, entries.ParticipantLeft(room, snapshot, event.reason.name)),)


def _moved(event: events.ParticipantMoved) -> Entries:
    origin, destination = event.origin, event.participant.room
    person = participant_snapshot(event.participant)
    return (
        (origin, entries.ParticipantMovedOut(room_snapshot(origin), person, destination.sid)),
        (destination, entries.ParticipantMovedIn(room_snapshot(destination), person, origin.sid)),
    )


def _visitor_arrived(event: events.VisitorArrived) -> Entries:
    room, visitor = room_snapshot(event.room), visitor_snapshot(event.visitor)
    return ((event.room, entries.VisitorArrived(room, visitor)),)


def _visitor_left(event: events.VisitorLeft) -> Entries:
    room, visitor = room_snapshot(event.room), visitor_snapshot(event.visitor)
    return ((event.room, entries.VisitorLeft(room, visitor)),)


def _track(
    of: type[entries.TrackPublished | entries.TrackUnpublished],
) -> Callable[[events.TrackPublished | events.TrackUnpublished], Entries]:
    def make(event: events.TrackPublished | events.TrackUnpublished) -> Entries:
        person, room = event.participant, event.participant.room
        entry = of(room_reference(room), participant_reference(person), track_snapshot(event.track))
        return ((room, entry),)

    return make


# The function that makes the entries, for each type of event.
_ENTRIES: Mapping[type, Callable[[Any], Entries]] = dict(
    [
        entries.row(events.RoomStarted, _room_started),
        entries.row(events.RoomFinished, _room_finished),
        entries.row(events.RoomChanged, _room_changed),
        entries.row(events.RoomOccupied, _room_occupied),
        entries.row(events.ParticipantJoined, _joined),
        entries.row(events.ParticipantActive, _active),
        entries.row(events.ParticipantLeft, _left),
        entries.row(events.ParticipantMoved, _moved),
        entries.row(events.VisitorArrived, _visitor_arrived),
        entries.row(events.VisitorLeft, _visitor_left),
        entries.row(events.TrackPublished, _track(entries.TrackPublished)),
        entries.row(events.TrackUnpublished, _track(entries.TrackUnpublished)),
    ]
)

# Events without an entry: no API reports them, and neither recovery nor the projection needs them.
_NOT_LOGGED = frozenset(
    {
        events.ParticipantChanged,
        events.PermissionsChanged,
        events.TrackMuted,
        events.TrackSubscribed,
        events.SubscriberRequestChanged,
        events.DemandChanged,
        events.DataTracksReceived,
        events.SubscriptionChanged,
        events.SubscriptionPermissionChanged,
        events.SubscriptionFailed,
        events.DataSent,
        events.Captioned,
        events.SessionDataChanged,
        events.SignalLost,
        events.SignalRestored,
    }
)
