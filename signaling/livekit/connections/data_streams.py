"""Text and byte streams that a receiver was too slow for: no more of them is sent there, and their end is made clear.

A stream is a header, chunks and a trailer, each a reliable data packet. A trailer with a reason makes LiveKit's clients
end the stream with an error, as if its sender had broken off. Encrypted packets do not show which stream they are of; a
receiver who is too slow for those sees a chunk missing.
"""

from collections.abc import Iterable

from livekit.protocol.models import DataPacket

from signaling.ids import Identity, ParticipantSid

TOO_SLOW = "the receiver's connection is too slow"
# Streams that are cut short somewhere at the same time. One that is forgotten here is dropped by the engine, unseen.
MAX_STREAMS = 1000
MAX_ID_CHARACTERS = 128

_PARTS = ("stream_header", "stream_chunk", "stream_trailer")


def flow(packet: DataPacket, sender_sid: ParticipantSid) -> str:
    """The engine's key of the stream that a packet is part of; empty when it is none."""
    kind = packet.WhichOneof("value")
    if kind not in _PARTS:
        return ""
    return f"{sender_sid} {getattr(packet, kind).stream_id[:MAX_ID_CHARACTERS]}"


class LostStreams:
    """Who does not get the rest of which stream."""

    def __init__(self) -> None:
        """Nobody, nothing."""
        self._receivers: dict[str, set[ParticipantSid]] = {}
        "Sids by flow."

    def wanted_by(self, of_flow: str, receivers: Iterable[ParticipantSid]) -> list[ParticipantSid]:
        """Those receivers who still get a stream."""
        lost = self._receivers.get(of_flow, ())
        return [sid for sid in receivers if sid not in lost]

    def lose(self, of_flow: str, receiver: ParticipantSid, sender_identity: Identity) -> DataPacket | None:
        """Note that somebody gets no more of a stream; the trailer for them, or None when they have had it."""
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
        """Forget a stream whose sender has ended it."""
        self._receivers.pop(of_flow, None)

    def left(self, sid: ParticipantSid) -> None:
        """Forget the streams of somebody who left."""
        for of_flow in [one for one in self._receivers if one.startswith(f"{sid} ")]:
            del self._receivers[of_flow]
