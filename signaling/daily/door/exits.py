"""Who was sent out of a room that has a door comes back through the door only.

What a page brings back to a room is an access token of its stay, which lives on for some minutes. Its identity is that
of one stay, a new UUID for each way through the door.
"""

from signaling.daily.door import entry
from signaling.rooms.events import ParticipantLeft, RoomEvent
from signaling.rooms.model import LeaveReason
from signaling.rooms.rooms import Rooms

# Whichever API it was that ended the stay.
_SENT_OUT = frozenset({LeaveReason.REMOVED, LeaveReason.ROOM_DELETED, LeaveReason.TIME_UP})


class Exits:
    """Watches who leaves."""

    def __init__(self, rooms: Rooms) -> None:
        """Stays are void in `rooms`."""
        self._rooms = rooms

    def on_event(self, event: RoomEvent) -> None:
        """Make the tokens of a stay void that the server ended."""
        if not isinstance(event, ParticipantLeft) or event.reason not in _SENT_OUT:
            return
        # A mirror is in the other room under the identity of somebody who stays where they are.
        if event.participant.source is None and entry.is_by_daily(event.participant):
            self._rooms.refuse_again(event.participant.identity)
