"""Moderation of a room by applications and authorised participants: remove participants, send data, store data."""

from collections.abc import Collection, Mapping
from typing import Any

from signaling.ids import Identity, UserId
from signaling.rooms.events import DataSent, EventHub, Message, SessionDataChanged
from signaling.rooms.model import LeaveReason, Participant, Room
from signaling.rooms.rooms import Rooms


class Moderation:
    """Commands over rooms that every front end offers in some form."""

    def __init__(self, rooms: Rooms, hub: EventHub) -> None:
        """Use `hub` to emit data as events, which the front ends deliver to their clients."""
        self._rooms = rooms
        self._hub = hub

    def eject(
        self,
        room: Room,
        identities: Collection[Identity],
        user_ids: Collection[UserId],
        *,
        ban: bool = False,
        detail: str = "",
    ) -> list[Participant]:
        """Remove and return all participants with one of these names; a ban lasts while the room is open.

        `detail` as in `Rooms.leave`.
        """
        gone = [
            person
            for person in room.participants.values()
            if person.identity in identities or person.user_id in user_ids
        ]
        if ban:
            room.banned.update(identities, user_ids, (person.user_id for person in gone))
        for person in gone:
            self._rooms.leave(person, LeaveReason.REMOVED, detail)
        return gone

    def send(self, room: Room, message: Message) -> None:
        """Send data to the named participants, otherwise to all. Front ends check what their clients can receive."""
        self._hub.emit(DataSent(room, message, tuple(_addressees(room, message))))

    def set_session_data(self, room: Room, data: Mapping[str, Any]) -> None:
        """Replace the data that the application stores with a room while it is open."""
        room.session_data = dict(data)
        self._hub.emit(SessionDataChanged(room))


def _addressees(room: Room, message: Message) -> list[Participant]:
    everybody = not (message.identities or message.sids)
    return [
        person
        for person in room.participants.values()
        if everybody or person.identity in message.identities or person.sid in message.sids
    ]
