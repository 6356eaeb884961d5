"""Data from clients, from applications and from the server itself, to the participants it is meant for."""

import uuid

from livekit.protocol import models

from sfu.values import DataReceived, DataRefused
from signaling.errors import WireError
from signaling.ids import Identity, ParticipantSid
from signaling.livekit.connections import data_streams, packets
from signaling.livekit.connections.data_streams import LostStreams
from signaling.livekit.connections.registry import Connections
from signaling.livekit.connections.rpc import RpcCalls
from signaling.livekit.messages.wire import decode_data_packet
from signaling.rooms.events import Captioned, DataSent
from signaling.rooms.model import Participant
from signaling.rooms.services import Services


class Relay:
    """Relays data packets and frames of data tracks by the policy in `packets`."""

    def __init__(self, connections: Connections, services: Services) -> None:
        self._connections = connections
        self._rooms = services.rooms
        self._data_tracks = services.data_tracks
        self._media = services.media
        self.rpc = RpcCalls(lambda: str(uuid.uuid4()))
        "The server's own calls to participants."
        self._lost_streams = LostStreams()
        self.dropped_packets: dict[str, int] = {}
        "Data packets that were not relayed, by reason."

    def send_packet(self, participant_sids: list[ParticipantSid], packet: models.DataPacket) -> None:
        """Send a packet of the server's own, reliably or not, as its `kind` says."""
        lossy = packet.kind == models.DataPacket.LOSSY
        label = packets.LOSSY_LABEL if lossy else packets.RELIABLE_LABEL
        self._media.send_data(participant_sids, label, packet.SerializeToString())

    def on_application_data(self, event: DataSent) -> None:
        """Send an application's message to its recipients."""
        self.send_packet([person.sid for person in event.recipients], packets.packet(event.message))

    def on_captions(self, event: Captioned) -> None:
        """Send a caption line to those who asked for it."""
        self.send_packet([person.sid for person in event.recipients], packets.captions(event))

    def on_data(self, event: DataReceived) -> None:
        """Relay what a client sent on one of its data channels."""
        connection = self._connections.get(event.peer_id)
        if connection is None:
            return
        sender = connection.participant
        if event.label == packets.DATA_TRACK_LABEL:
            self._on_frame(sender, event.payload)
            return
        try:
            packet = decode_data_packet(event.payload)
        except WireError:
            reason = "undecodable"
        else:
            if self.rpc.accept(sender.sid, packet):
                return
            reason = packets.drop_reason(
                sender, event.label, len(event.payload), packet, connection.last_sequence
            )
        if reason:
            self._count_drop(reason)
            return
        if event.label == packets.RELIABLE_LABEL:
            connection.last_sequence = max(connection.last_sequence, packet.sequence)
        packets.readdress(packet, sender, event.label)
        flow = data_streams.flow(packet, sender.sid)
        recipients = self._lost_streams.wanted_by(flow, packets.recipients(packet, sender))
        if recipients:
            self._media.send_data(recipients, event.label, packet.SerializeToString(), flow=flow)
        if packet.HasField("stream_trailer"):
            self._lost_streams.ended(flow)

    def on_refused(self, event: DataRefused) -> None:
        """End a stream for a receiver that reads too slowly, with a trailer that gives the reason."""
        self._count_drop("slow_reader")
        if not event.flow or self._connections.get(event.peer_id) is None:
            return
        sender = self._rooms.participant(ParticipantSid(event.flow.partition(" ")[0]))
        identity = sender.identity if sender is not None and not sender.permissions.hidden else Identity("")
        trailer = self._lost_streams.lose(event.flow, event.peer_id, identity)
        if trailer is not None:
            self.send_packet([event.peer_id], trailer)

    def left(self, participant_sid: ParticipantSid) -> None:
        """Drop the state of a participant who left."""
        self.rpc.left(participant_sid)
        self._lost_streams.left(participant_sid)

    def _on_frame(self, sender: Participant, frame: bytes) -> None:
        handle = packets.frame_handle(frame)
        if not handle:
            self._count_drop("undecodable")
        elif not sender.permissions.can_publish_data:
            self._count_drop("not_allowed")
        else:
            for known_as, sids in self._data_tracks.recipients(sender, handle).items():
                self._media.send_data(sids, packets.DATA_TRACK_LABEL, packets.with_handle(frame, known_as))

    def _count_drop(self, reason: str) -> None:
        self.dropped_packets[reason] = self.dropped_packets.get(reason, 0) + 1
