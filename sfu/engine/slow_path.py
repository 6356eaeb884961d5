"""What the native data plane punts: packets and events that its tables do not decide.

The plane (`sfu.dataplane`) has received, decrypted and, as far as its tables say so, forwarded what this module is told
of. It is told in order, some time later: the state of a stream may be ahead of the packet that is being processed.
"""

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from sfu.drops import DropReason
from sfu.engine.context import Context
from sfu.engine.peers.identification import KnownSsrc
from sfu.engine.peers.peer import Peer
from sfu.engine.router import Router
from sfu.engine.speaking import Speaking
from sfu.forwarding.fan import WHOLE
from sfu.wire import rtp
from sfu.wire.packet import SourcePacket

if TYPE_CHECKING:
    from sfu.receiving.inbound_stream import InboundStream


Begin = Callable[[KnownSsrc, SourcePacket, float], None]
"Lets those start who wait for a packet of a stream."


class Copy(NamedTuple):
    """A packet that the plane has forwarded."""

    packet: bytes
    sequence: int
    "Extended, padding left out."
    late: bool
    "It came after a later one."
    new_picture: bool
    "It is the first of its picture."


class SlowPath:
    """The control plane's part of the media path beside a native data plane."""

    def __init__(self, context: Context, router: Router, speaking: Speaking) -> None:
        """`router` decides, as it does without a native plane."""
        self._context = context
        self._drops = context.drops
        self._router = router
        self._speaking = speaking

    def on_unknown(self, peer: Peer, packet: bytes, now: float) -> bool:
        """Process a packet of an SSRC that the plane does not forward; return whether the plane can do so now."""
        ssrc = int.from_bytes(packet[8:12], "big")
        try:
            header = rtp.parse_header(packet)
            known = peer.streams.get(ssrc)
            if known is None:
                known = self._router.learn(peer, ssrc, packet, header, now)
                if known is not None and known.rtx:
                    known.stream.add_retransmissions(ssrc)
            if known is None:
                self._drops[DropReason.UNKNOWN_STREAM] += 1
                return False
            self._router.begin_duties(peer, now)
        except (rtp.RtpError, struct.error):
            self._drops[DropReason.MALFORMED] += 1
            return False
        return True

    def on_resumed(self, peer: Peer, now: float) -> None:
        """Process that a peer sends media again."""
        self._router.begin_duties(peer, now)

    def on_first(self, peer: Peer, known: KnownSsrc, payload_type: int, now: float) -> None:
        """Process that the first packet of a stream was received."""
        codec = known.stream.section.codec_by_payload_type.get(payload_type)
        if codec is not None:
            self._router.started(peer, known, codec, now)

    def on_keyframe(self, peer: Peer, known: KnownSsrc, sequence: int, now: float) -> None:
        """Process that a keyframe begins with this packet: let those start who wait for one."""
        known.stream.keyframes.keyframe_received()
        published = known.published
        if known.fan.awaiting_keyframe or len(published.layers) > 1 or published.recorded:
            self._begin(peer, known, self._router.begin_at_keyframe, sequence, now)

    def on_next(self, peer: Peer, known: KnownSsrc, sequence: int, now: float) -> None:
        """Process a packet of audio that somebody waited for."""
        if known.fan.awaiting_keyframe:
            self._begin(peer, known, self._router.begin_waiting, sequence, now)

    def _begin(self, peer: Peer, known: KnownSsrc, begin: Begin, sequence: int, now: float) -> None:
        """Let those start who wait for this packet, unless it is no longer kept."""
        packet = known.stream.stored(sequence)
        if packet is None:
            return
        known.stream.packet_at = now
        before = set(known.fan.substreams)
        begin(known, packet, now)
        self._catch_up(peer, known, before, sequence, now)

    def on_copy(self, peer: Peer, known: KnownSsrc, copy: Copy, now: float) -> None:
        """Process a forwarded packet for the subscribers that the plane does not serve."""
        stream, packet, sequence, late = known.stream, copy.packet, copy.sequence, copy.late
        codec = stream.section.codec_by_payload_type.get(packet[1] & 0x7F)
        if codec is None or (not late and sequence < stream.attended_from):
            return
        stream.packet_at = now
        parsed = stream.stored(sequence)
        if parsed is None:
            parsed = stream.parse(packet, rtp.parse_header(packet), codec, sequence, stream.structure)
        if copy.new_picture:
            self._router.switch(known, parsed, now)
        self._router.forward(peer, known, parsed, now, late=late)

    def _catch_up(self, peer: Peer, known: KnownSsrc, before: set[object], first: int, now: float) -> None:
        """Serve substreams that have just begun what the plane received before it knew of them."""
        stream: InboundStream = known.stream
        rows, run = self._context.rows, self._context.containment.run
        new = [each for key, each in known.fan.substreams.items() if key not in before and key != WHOLE]
        for sequence in range(first, stream.attended_from) if new else ():
            packet = stream.stored(sequence)
            if packet is not None:
                for substream in new:
                    run(peer.id, now, substream.forward, rows, packet, late=False)

    def on_level(self, peer: Peer, known: KnownSsrc, now: float) -> None:
        """Process that audio levels are being counted."""
        self._speaking.expect(peer, known.published.spec.id, known.stream.take_levels, now)
