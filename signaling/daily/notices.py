"""What pages of Daily's rooms are told: LiveKit data packets with the topic `lectern.daily`."""

from collections.abc import Iterable
from typing import Any

import msgspec

from signaling.daily import grants
from signaling.daily.door import entry
from signaling.ids import Identity
from signaling.rooms.events import (
    Message,
    ParticipantActive,
    PermissionsChanged,
    RoomEvent,
    SessionDataChanged,
)
from signaling.rooms.model import Participant, Room
from signaling.rooms.moderation import Moderation
from signaling.rooms.rooms import Rooms

TOPIC = "lectern.daily"


class Notices:
    """Tells those who came through Daily's door what has changed; LiveKit's applications expect no such packets."""

    def __init__(self, moderation: Moderation, rooms: Rooms) -> None:
        """`on_event` has to be put on the hub."""
        self._moderation = moderation
        self._rooms = rooms

    def on_event(self, event: RoomEvent) -> None:
        """Tell whom it concerns."""
        if isinstance(event, PermissionsChanged):
            person = event.participant
            # Of the hidden nobody else hears.
            everybody = person.room.participants.values()
            told = [person] if person.permissions.hidden else everybody
            shown = grants.describe(person.permissions)
            self._tell(person.room, told, "permissions", session_id=person.identity, permissions=shown)
            if entry.is_by_daily(person):
                # For those who come later.
                rights = entry.shown_rights(person.permissions)
                self._rooms.update_profile(person, attributes={entry.CAN_ADMIN: rights})
        elif isinstance(event, SessionDataChanged):
            self._tell_data(event.room, event.room.participants.values())
        elif isinstance(event, ParticipantActive) and event.participant.room.session_data:
            self._tell_data(event.participant.room, [event.participant])

    def _tell_data(self, room: Room, told: Iterable[Participant]) -> None:
        self._tell(room, told, "session-data", data=room.session_data)

    def _tell(self, room: Room, told: Iterable[Participant], kind: str, **fields: Any) -> None:
        identities = [person.identity for person in told if entry.is_by_daily(person)]
        if identities:
            self._moderation.send(room, _notice(identities, kind, **fields))


def app_message(data: Any, recipients: Iterable[Identity]) -> Message:
    """Return an application's message to pages; without recipients it is for everybody."""
    return _notice(recipients, "app-message", data=data)


def waiting(recipients: Iterable[Identity]) -> Message:
    """Return the news that somebody came to the door or went."""
    return _notice(recipients, "waiting")


def _notice(recipients: Iterable[Identity], kind: str, **fields: Any) -> Message:
    payload = msgspec.json.encode({"kind": kind, **fields})
    return Message(payload, topic=TOPIC, identities=tuple(recipients))
