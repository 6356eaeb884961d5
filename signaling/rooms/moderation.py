"""What applications, and participants with the right to it, do to a room: send people out, send data, keep data."""

from collections.abc import Collection, Mapping
from typing import Any

from signaling.rooms.events import DataSent, EventHub, Message, SessionDataChanged
from signaling.rooms.model import LeaveReason, Participant, Room
from signaling.rooms.rooms import Rooms


class Moderation:
    """Commands over rooms that every skin has some words for."""

    def __init__(self, rooms: Rooms, hub: EventHub) -> None:
        """Data goes out as events, which the skins bring to their clients."""
        self._rooms = rooms
        self._hub = hub

    def eject(
        self, room: Room, identities: Collection[str], user_ids: Collection[str], *, ban: bool = False
    ) -> list[Participant]:
        """Send out everybody with one of these names, and return them; a ban holds while the room is open."""
        gone = [
            person
            for person in room.participants.values()
            if person.identity in identities or person.user_id in user_ids
        ]
        if ban:
            room.banned.update(identities, user_ids, (person.user_id for person in gone))
        for person in gone:
            self._rooms.leave(person, LeaveReason.REMOVED)
        return gone

    def send(self, room: Room, message: Message) -> None:
        """Send data to those whom it names, else to everybody. What their clients can take is the skins' to know."""
        self._hub.emit(DataSent(room, message, tuple(_addressees(room, message))))

    def set_session_data(self, room: Room, data: Mapping[str, Any]) -> None:
        """Replace what the application keeps with a room while it is open."""
        room.session_data = dict(data)
        self._hub.emit(SessionDataChanged(room))


def _addressees(room: Room, message: Message) -> list[Participant]:
    everybody = not (message.identities or message.sids)
    return [
        person
        for person in room.participants.values()
        if everybody or person.identity in message.identities or person.sid in message.sids
    ]
