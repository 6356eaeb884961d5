"""Exits: a person who was removed from a Daily room can only return through admission.

A page rejoins a room with an access token of its attendance, which stays valid for some minutes. The token's identity
belongs to that attendance alone: each admission creates a new UUID.
"""

from signaling.daily.door import entry
from signaling.rooms.events import ParticipantLeft, RoomEvent
from signaling.rooms.model import LeaveReason
from signaling.rooms.rooms import Rooms

# Whichever API ended the attendance.
_SENT_OUT = frozenset({LeaveReason.REMOVED, LeaveReason.ROOM_DELETED, LeaveReason.TIME_UP})


class Exits:
    """Watches for participants who leave."""

    def __init__(self, rooms: Rooms) -> None:
        """`rooms` refuses further joins with the identities of ended attendances."""
        self._rooms = rooms

    def on_event(self, event: RoomEvent) -> None:
        """Invalidate the tokens of an attendance that the server ended."""
        if not isinstance(event, ParticipantLeft) or event.reason not in _SENT_OUT:
            return
        # A mirror in another room has the identity of a participant who stays in the original room.
        if event.participant.source is None and entry.is_by_daily(event.participant):
            self._rooms.refuse_again(event.participant.identity)
