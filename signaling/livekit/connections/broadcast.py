"""What all connections of a room are sent: changes of participants, at once or in batches, and of the room itself."""

from typing import TYPE_CHECKING

from livekit.protocol import models, rtc

from signaling.livekit.connections.connection import Connection
from signaling.livekit.connections.registry import Connections
from signaling.livekit.connections.updates import WINDOW_S, UpdateBatch, chunks
from signaling.livekit.messages import convert
from signaling.livekit.messages.wire import EncodedResponse
from signaling.rooms.model import LeaveReason, Participant, Room
from signaling.timers import Timers

if TYPE_CHECKING:
    from signaling.ids import RoomSid

# LiveKit's value: the number of participants may change often.
ROOM_UPDATE_DELAY_S = 5.0


class Broadcast:
    """The batches of each room."""

    def __init__(self, connections: Connections, timers: Timers) -> None:
        self.connections = connections
        "Those to which this sends."
        self._timers = timers
        self._batches: dict[RoomSid, UpdateBatch] = {}

    def announce(
        self, person: Participant, reason: LeaveReason | None, *, to_self: bool, urgent: bool = False
    ) -> None:
        """Send a participant's present state, or its end (`reason`), to the others, and `to_self` if asked."""
        own = self.connections.get(person.sid)
        if own is not None and to_self:
            own.send_participants([convert.participant_info(person)])
        if not person.permissions.hidden:
            self.notify_others(person, reason, urgent=urgent)

    def notify_others(self, person: Participant, reason: LeaveReason | None, *, urgent: bool) -> None:
        """Send a participant's state to the others, even of a hidden one; it may wait for a batch unless urgent."""
        room = person.room
        batch = self._batches.setdefault(room.sid, UpdateBatch())
        if batch.add(person, reason, urgent=urgent or person.is_publisher):
            self.send_participants(room, [convert.participant_info(person, reason)])
        if batch.is_open and not self._timers.is_set(room.sid, "updates"):
            self._timers.set(room.sid, "updates", WINDOW_S, lambda: self._flush(room))
        if not self._timers.is_set(room.sid, "room update"):
            self._timers.set(room.sid, "room update", ROOM_UPDATE_DELAY_S, lambda: self.send_room(room))

    def send_participants(self, room: Room, infos: list[models.ParticipantInfo]) -> None:
        """Send each connection of a room those infos that are new to it."""
        for part in chunks(infos):
            # Nearly everybody gets the very same message: it is encoded once.
            whole = EncodedResponse(rtc.SignalResponse(update=rtc.ParticipantUpdate(participants=part)))
            for connection in self.connections.in_room(room):
                own = connection.participant.sid
                news = [info for info in part if info.sid != own and connection.seen.news(info)]
                if len(news) == len(part):
                    connection.deliver(whole)
                elif news:
                    connection.send(rtc.SignalResponse(update=rtc.ParticipantUpdate(participants=news)))

    def send_room(self, room: Room) -> None:
        """Send the room to everybody in it who was last sent something else."""
        self._timers.cancel(room.sid, "room update")
        info = convert.room_info(room)
        outgoing, content = _room_update(info), info.SerializeToString()
        for connection in self.connections.in_room(room):
            if connection.sent_room != content:
                connection.sent_room = content
                connection.deliver(outgoing)

    @staticmethod
    def send_room_to(connection: Connection) -> None:
        """Send the room to one client."""
        info = convert.room_info(connection.participant.room)
        connection.sent_room = info.SerializeToString()
        connection.deliver(_room_update(info))

    def forget(self, room: Room) -> None:
        """Drop the state of a room that ended."""
        self._batches.pop(room.sid, None)

    def _flush(self, room: Room) -> None:
        batch = self._batches.get(room.sid)
        if batch is None:
            return
        waiting = batch.flush()
        if waiting:
            self.send_participants(
                room, [convert.participant_info(person, reason) for person, reason in waiting]
            )
            self._timers.set(room.sid, "updates", WINDOW_S, lambda: self._flush(room))


def _room_update(info: models.Room) -> EncodedResponse:
    return EncodedResponse(rtc.SignalResponse(room_update=rtc.RoomUpdate(room=info)))
