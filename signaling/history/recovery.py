"""Recovery: the next start ends the meetings that a killed server left open, with their participants and tracks.

It adds the missing entries to the event log; meetings, attendance and webhooks follow from entries as always.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import assert_never

import msgspec

from signaling.errors import StoreError, UnstorableError
from signaling.ids import RoomSid
from signaling.rooms.model import LeaveReason
from signaling.store import LogEntry, Meeting, MeetingFilter, Store
from signaling.store.meetings import entries

log = logging.getLogger(__name__)

# Interval of the heartbeat: the recorded end of an abandoned meeting is at most this long before the kill.
ALIVE_S = 15.0

# More meetings than a server can have open at a time.
_MOST = 100_000

_PAGE = 1000

Append = Callable[[Sequence[LogEntry]], Awaitable[None]]


async def beat(
    store: Store, wall_clock: Callable[[], float], pause: Callable[[float], Awaitable[None]] = asyncio.sleep
) -> None:
    """Record periodically that the server is alive, until cancelled."""
    while True:
        await pause(ALIVE_S)
        try:
            await store.documents.put("server", "alive_at", wall_clock())
        except StoreError as error:
            log.warning("cannot write the server's heartbeat: %s", error)


async def end_abandoned(store: Store, append: Append) -> None:
    """End all open meetings; no other server may use the database. StoreError."""
    alive_at = float(await store.documents.get("server", "alive_at") or 0.0)
    for session in await store.sessions.find(MeetingFilter(ongoing=True), _MOST):
        log.warning(
            "ending meeting %s of room %s, which a killed server left open", session.sid, session.room
        )
        try:
            await append(ending(session, await _read(store, session.sid), alive_at))
        except UnstorableError as error:
            log.error("meeting %s stays open: %s", session.sid, error)  # noqa: TRY400 - the message is complete


async def _read(store: Store, session_sid: RoomSid) -> list[LogEntry]:
    log_entries: list[LogEntry] = []
    while page := await store.events.read(session_sid, after=len(log_entries), limit=_PAGE):
        log_entries += page
    return log_entries


@dataclass(slots=True)
class _Open:
    """The participants and tracks that a meeting's log leaves open."""

    room: entries.RoomSnapshot
    people: dict[str, entries.ParticipantSnapshot] = field(default_factory=dict)
    "Participants by sid."
    tracks: dict[str, entries.TrackPublished] = field(default_factory=dict)
    "Tracks by sid."

    def follow(self, entry: entries.Entry) -> None:
        """Apply the next entry."""
        match entry:
            case entries.RoomStarted() | entries.RoomChanged() | entries.RoomOccupied():
                self.room = entry.room
            case entries.ParticipantJoined() | entries.ParticipantActive() | entries.ParticipantMovedIn():
                self.people[entry.participant.sid] = entry.participant
            case entries.ParticipantLeft() | entries.ParticipantMovedOut():
                self.people.pop(entry.participant.sid, None)
            case entries.TrackPublished():
                self.tracks[entry.track.sid] = entry
            case entries.TrackUnpublished():
                self.tracks.pop(entry.track.sid, None)
            case entries.RoomFinished() | entries.VisitorArrived() | entries.VisitorLeft():
                pass
            case entries.Unstorable() | entries.Unknown():
                pass  # their content is lost; the projection ends attendances together with their meeting
            case _:
                assert_never(entry)


def ending(session: Meeting, log_entries: Sequence[LogEntry], alive_at: float) -> list[LogEntry]:
    """Return the entries that end a meeting, given its log: tracks, then participants, then the room."""
    left = _Open(_room_without_log(session))
    for each in log_entries:
        left.follow(each.entry)
    reason = LeaveReason.SERVER_SHUTDOWN.name
    empty = msgspec.structs.replace(left.room, participants=0, publishers=0)
    ends: list[entries.Entry] = [
        entries.TrackUnpublished(each.room, each.participant, each.track)
        for each in left.tracks.values()
        if each.participant.sid in left.people
    ]
    ends += [entries.ParticipantLeft(empty, person, reason) for person in left.people.values()]
    ends.append(entries.RoomFinished(empty, reason))
    last = log_entries[-1]
    at = max(last.at, alive_at)
    return [LogEntry(last.session_sid, last.seq + number, entry, at) for number, entry in enumerate(ends, 1)]


def _room_without_log(session: Meeting) -> entries.RoomSnapshot:
    """Return a room snapshot from the meeting's row, for a log whose entries about the room cannot be read."""
    return entries.RoomSnapshot(
        sid=session.sid,
        name=session.room,
        metadata="",
        owner="",
        created_at=session.started_at,
        # No participant is known, so Daily sends no webhooks: their domain is not known.
        visited_at=None,
        empty_timeout_s=0,
        departure_timeout_s=0,
        max_participants=0,
        participants=0,
        publishers=0,
    )
