"""Meetings: sessions of rooms with somebody in them, as Daily's API shows them."""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from signaling.ids import RoomSid
from signaling.rooms.sids import ROOM_PREFIX
from signaling.store import Attendance, Meeting

# A session's id is twelve characters behind its prefix. They are six bytes at each end of the UUID, whose
# version (8, RFC 9562 section 5.8) and variant stand between; so nothing has to be looked up in either direction.
_HALF = 6
_MIDDLE = bytes((0x80, 0x00, 0x80, 0x00))


@dataclass(frozen=True, slots=True)
class DailyMeeting:
    """A session and its attendance."""

    session: Meeting
    stays: tuple[Attendance, ...]
    "In the order of joining; somebody who came twice has two."

    @property
    def start_time(self) -> float:
        """When the first one joined, seconds since 1970."""
        return min((stay.joined_at for stay in self.stays), default=self.session.started_at)

    @property
    def ongoing(self) -> bool:
        """Whether the room is still open."""
        return self.session.ended_at is None

    def duration_s(self, now: float) -> float:
        """How long it has lasted: until the last one left, or until now."""
        if self.ongoing:
            return now - self.start_time
        left = [stay.left_at for stay in self.stays if stay.left_at is not None]
        return max(left, default=self.start_time) - self.start_time

    @property
    def max_participants(self) -> int:
        """How many were in it at the same time, at most."""
        changes = [(stay.joined_at, 1) for stay in self.stays]
        changes += [(stay.left_at, -1) for stay in self.stays if stay.left_at is not None]
        present = most = 0
        # Who leaves at the moment at which another joins is counted as gone.
        for _, change in sorted(changes):
            present += change
            most = max(most, present)
        return most


def meetings(sessions: Iterable[Meeting], stays: Iterable[Attendance]) -> list[DailyMeeting]:
    """Return sessions with their stays."""
    by_session: dict[str, list[Attendance]] = {}
    for stay in stays:
        by_session.setdefault(stay.session_sid, []).append(stay)
    return [DailyMeeting(session, tuple(by_session.get(session.sid, ()))) for session in sessions]


def meeting_id(meeting_sid: RoomSid) -> str:
    """Return Daily's id of a room's session, a UUID."""
    name = meeting_sid.removeprefix(ROOM_PREFIX).encode()[: 2 * _HALF].ljust(2 * _HALF, b"\0")
    return str(uuid.UUID(bytes=name[:_HALF] + _MIDDLE + name[_HALF:]))


def meeting_sid(meeting: str) -> RoomSid | None:
    """Return the id of the session that a meeting is; None when it can be none."""
    try:
        given = uuid.UUID(meeting).bytes
        name = (given[:_HALF] + given[-_HALF:]).rstrip(b"\0").decode("ascii")
    except ValueError:
        return None
    sid = RoomSid(ROOM_PREFIX + name)
    return sid if name and meeting_id(sid) == meeting.lower() else None
