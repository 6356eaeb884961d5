"""Text and byte streams that overtaxed a slow receiver: the rest is not sent to it, and a trailer ends them.

A stream is a header, chunks and a trailer, each a reliable data packet. A trailer with a reason makes LiveKit's clients
end the stream with an error, as if its sender had aborted it. Encrypted packets do not show their stream; a receiver
that is too slow for those misses a chunk.
"""

from collections.abc import Iterable

from livekit.protocol.models import DataPacket

from signaling.ids import Identity, ParticipantSid

TOO_SLOW = "the receiver's connection is too slow"
# Streams that are cut short at the same time. The engine drops the rest of one that is forgotten, without a trailer.
MAX_STREAMS = 1000
MAX_ID_CHARACTERS = 128

_PARTS = ("stream_header", "stream_chunk", "stream_trailer")


def flow(packet: DataPacket, sender_sid: ParticipantSid) -> str:
    """Return the engine's key of a packet's stream; empty if it belongs to none."""
    kind = packet.WhichOneof("value")
    if kind not in _PARTS:
        return ""
    return f"{sender_sid} {getattr(packet, kind).stream_id[:MAX_ID_CHARACTERS]}"


class LostStreams:
    """The receivers that do not get the rest of a stream."""

    def __init__(self) -> None:
        """Start without streams."""
        self._receivers: dict[str, set[ParticipantSid]] = {}
        "Sids by flow."

    def wanted_by(self, of_flow: str, receivers: Iterable[ParticipantSid]) -> list[ParticipantSid]:
        """Return the receivers that still get a stream."""
        lost = self._receivers.get(of_flow, ())
        return [sid for sid in receivers if sid not in lost]

    def lose(self, of_flow: str, receiver: ParticipantSid, sender_identity: Identity) -> DataPacket | None:
        """End a stream for a receiver; return the trailer for it, None if it was sent before."""
        if len(self._receivers) >= MAX_STREAMS and of_flow not in self._receivers:
            del self._receivers[next(iter(self._receivers))]
        receivers = self._receivers.setdefault(of_flow, set())
        if receiver in receivers:
            return None
        receivers.add(receiver)
        trailer = DataPacket(kind=DataPacket.RELIABLE, participant_identity=sender_identity)
        trailer.stream_trailer.stream_id = of_flow.partition(" ")[2]
        trailer.stream_trailer.reason = TOO_SLOW
        return trailer

    def ended(self, of_flow: str) -> None:
        """Remove a stream that its sender has ended."""
        self._receivers.pop(of_flow, None)

    def left(self, sid: ParticipantSid) -> None:
        """Remove the streams of a participant who left."""
        for of_flow in [one for one in self._receivers if one.startswith(f"{sid} ")]:
            del self._receivers[of_flow]
