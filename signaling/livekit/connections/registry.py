"""The connections of this process, by participant."""

from signaling.ids import ParticipantSid
from signaling.livekit.connections.connection import Connection
from signaling.rooms.model import Room


class Connections:
    """Every participant who joined over LiveKit's protocol, with or without a WebSocket at the moment."""

    def __init__(self) -> None:
        self._by_sid: dict[ParticipantSid, Connection] = {}

    def add(self, connection: Connection) -> None:
        """Register a connection; broadcasts reach it from now on."""
        self._by_sid[connection.participant.sid] = connection

    def get(self, participant_sid: ParticipantSid) -> Connection | None:
        """Return a participant's connection; None if they joined by other means, or have left."""
        return self._by_sid.get(participant_sid)

    def remove(self, participant_sid: ParticipantSid) -> Connection | None:
        """Forget a connection and return it."""
        return self._by_sid.pop(participant_sid, None)

    def in_room(self, room: Room) -> list[Connection]:
        """Return the connections that have a WebSocket; the others catch up when they resume."""
        connections = (self._by_sid.get(person.sid) for person in room.participants.values())
        return [
            connection
            for connection in connections
            if connection is not None and connection.outbox is not None
        ]
