"""The media path: how each decrypted packet of a publisher is processed.

No I/O: packets and time come in, rows go to the row buffer.

    on_rtp -> SSRC (learned once) -> numbers, history, statistics -> who begins or switches here -> substreams -> rows

What is done for one peer is contained (see `sfu.engine.containment`) and charged to its limits (see `sfu.limits`).
"""

import struct
from typing import TYPE_CHECKING

from sfu.drops import DropReason
from sfu.engine.context import Context
from sfu.engine.deadlines import Reason
from sfu.engine.delivery import LAYER_CHECK_S, Delivery
from sfu.engine.peers.identification import KnownSsrc
from sfu.engine.peers.peer import Peer
from sfu.engine.reports import RECEIVER_REPORT_S, Reports
from sfu.engine.speaking import Speaking
from sfu.engine.taps import Taps
from sfu.fanout.arena import MAX_PACKET_BYTES
from sfu.receiving.inbound_stream import PortableStream
from sfu.values import PublicationStarted
from sfu.wire import rtp
from sfu.wire.packet import SourcePacket
from sfu.wire.rtp import Header

if TYPE_CHECKING:
    from sfu.engine.peers.link import ConnectionId

# A publisher that has sent nothing for this time costs nothing: by then each of its layers counts as dead
# (`receiving.liveness`), the loss in its reports has faded, and what subscribers were told of it has settled.
IDLE_AFTER_S = 20.0


class Router:
    """Forwards packets from the publishers of an engine to their subscribers."""

    def __init__(
        self, context: Context, delivery: Delivery, reports: Reports, speaking: Speaking, taps: Taps
    ) -> None:
        """Create the router with the parts that process packets."""
        self._context = context
        self._drops = context.drops
        self._containment = context.containment
        self._delivery = delivery
        self._reports = reports
        self._speaking = speaking
        self._taps = taps
        self.received_packets = 0
        self.forwarded_packets = 0
        self.publishers: dict[ConnectionId, Peer] = {}
        "Peers whose packets arrive, by id."

    def on_rtp(self, peer: Peer, packet: bytes, now: float) -> None:
        """Process an authenticated, decrypted packet from a peer."""
        self.received_packets += 1
        if len(packet) > MAX_PACKET_BYTES:
            self._drops[DropReason.OVERSIZE] += 1
            return
        try:
            header = rtp.parse_header(packet)
            ssrc = int.from_bytes(packet[8:12], "big")
            known = peer.streams.get(ssrc)
            if known is None:
                known = self.learn(peer, ssrc, packet, header, now)
            self._arrived(peer, known, packet, header, now)
            if known is None:
                self._drops[DropReason.UNKNOWN_STREAM] += 1
            else:
                self.process(peer, known, packet, header, now)
        except (rtp.RtpError, struct.error):
            self._drops[DropReason.MALFORMED] += 1

    def process(self, peer: Peer, known: KnownSsrc, packet: bytes, header: Header, now: float) -> None:
        """Process a packet of a known SSRC. RtpError."""
        if known.rtx:
            self._on_rtx(peer, known, packet, header, now)
        else:
            self._on_media(peer, known, packet, header, now)

    def learn(self, peer: Peer, ssrc: int, packet: bytes, header: Header, now: float) -> KnownSsrc | None:
        """Find out what a new SSRC is, within the peer's limit; None: not known yet."""
        if not peer.link.limits.unknown.take_tokens(1, now):
            return None
        known = peer.streams.learn(packet, header[1], ssrc, now)
        if known is None or known.rtx:
            return known
        if not peer.link.feedback.media_ssrc:
            peer.link.feedback.media_ssrc = ssrc
        self._containment.each(now, self._delivery.wait, known.published.subscriptions.values())
        self._taps.select_streams(known.published, now)
        return known

    def _arrived(
        self, peer: Peer, known: KnownSsrc | None, packet: bytes, header: Header, now: float
    ) -> None:
        """Record a packet for transport-wide feedback, and set the deadlines that an idle publisher does not need."""
        if known is not None:
            self.begin_duties(peer, now)
        inbound = peer.negotiated.inbound
        section = known.stream.section if known is not None else next(iter(inbound.values()), None)
        found = header[1].get(section.transport_sequence_id) if section is not None else None
        if found is not None and found[1] >= 2:
            at = found[0]
            if peer.link.feedback.received(packet[at] << 8 | packet[at + 1], now):
                self._reports.feed_back_later(peer)

    def _on_rtx(self, peer: Peer, known: KnownSsrc, packet: bytes, header: Header, now: float) -> None:
        """Restore a retransmitted packet from its payload: the original number and payload (RFC 4588 section 4)."""
        start, _ = header
        end = rtp.payload_end(packet, start)
        media = known.stream.section.media_by_rtx.get(packet[1] & 0x7F)
        if end - start < 2 or media is None:
            self._drops[DropReason.PADDING] += 1  # senders probe the bandwidth with these
            return
        # the extension of the retransmission goes with it; its padding does not
        head = bytearray(packet[:start])
        head[0] &= 0xDF
        head[1] = head[1] & 0x80 | media
        head[2:4] = packet[start : start + 2]
        head[8:12] = known.stream.ssrc.to_bytes(4, "big")
        self._on_media(peer, known, bytes(head) + packet[start + 2 : end], header, now)

    def _on_media(self, peer: Peer, known: KnownSsrc, packet: bytes, header: Header, now: float) -> None:
        stream, published = known.stream, known.published
        assert isinstance(stream, PortableStream)
        codec = stream.section.codec_by_payload_type.get(packet[1] & 0x7F)
        if codec is None:
            self._drops[DropReason.UNKNOWN_PAYLOAD_TYPE] += 1
            return
        before = stream.unwrapper.highest
        raw = stream.unwrapper.unwrap(packet[2] << 8 | packet[3])
        late = before >= 0 and raw <= before
        sequence = stream.compactor.number(raw)
        if sequence is None or (late and stream.history.get(sequence) is not None):
            self._drops[DropReason.DUPLICATE] += 1
            return
        parsed = stream.parse(packet, header, codec, sequence, stream.structure)
        if stream.nacks.received(raw, now):
            self._reports.nack_later(peer, stream)
        stream.statistics.received(raw, parsed.timestamp, now)
        if parsed.payload_at == len(parsed.data):
            # A sender without RTX probes the bandwidth with these; subscribers get a stream without them.
            if not late:
                stream.compactor.drop(raw)
            self._drops[DropReason.PADDING] += 1
            return
        stream.store(packet, parsed)
        self.started(peer, known, codec, now)
        if published.muted:
            # Nothing that is sent while muted is replayed later, or added as redundancy.
            stream.keyframe_sequence = -1
            stream.recent.clear()
            stream.arrived(parsed, now, late=late)
            self._drops[DropReason.MUTED] += 1
            return
        new_picture = not late and parsed.timestamp != stream.highest_timestamp
        if published.spec.kind == "audio":
            self._audio(peer, known, parsed, late, now)
        elif parsed.frame.keyframe and not late:
            stream.keyframe_begins(parsed)
            self.begin_at_keyframe(known, parsed, now)
        if new_picture:
            self.switch(known, parsed, now)
        stream.arrived(parsed, now, late=late)
        stream.count(parsed)
        self.forward(peer, known, parsed, now, late=late)

    def _audio(self, peer: Peer, known: KnownSsrc, packet: SourcePacket, late: bool, now: float) -> None:
        for uri, value in packet.extensions:
            if uri == rtp.URI_AUDIO_LEVEL and value:
                self._speaking.observe(peer, known.published.spec.id, value[0] & 0x7F, now)
        if known.fan.awaiting_keyframe and not late:
            self.begin_waiting(known, packet, now)

    # --- what the native data plane leaves to Python as well (`sfu.engine.slow_path`) -------------------------------

    def started(self, peer: Peer, known: KnownSsrc, codec: str, now: float) -> None:
        """Process the first packet of a stream: it may be the first of its publication."""
        published = known.published
        if not published.codec:
            published.codec = codec
            self._context.emit(PublicationStarted(peer.id, published.spec.id, codec))
            subscriptions = (published.primary or published).subscriptions.values()
            self._containment.each(now, self._delivery.fit_and_wait, subscriptions)

    def begin_waiting(self, known: KnownSsrc, packet: SourcePacket, now: float) -> None:
        """Let subscribers of audio that wait start with `packet`."""
        self._delivery.begin_waiting(known.published, known.fan, packet, now)

    def begin_at_keyframe(self, known: KnownSsrc, packet: SourcePacket, now: float) -> None:
        """Let subscribers and taps that wait start with `packet`, the first of a keyframe."""
        published = known.published
        self._delivery.begin_waiting(published, known.fan, packet, now)
        if published.recorded:
            run, owner = self._containment.run, published.owner.connection_id
            run(owner, now, self._taps.keyframe_begins, published, known.fan, now)

    def switch(self, known: KnownSsrc, packet: SourcePacket, now: float) -> None:
        """Let subscribers switch to another substream with `packet`, the first of a picture, if it allows it."""
        if not packet.frame.starts:
            return
        for subscription in list(known.fan.switching):
            subscriber = subscription.subscriber.connection_id
            self._containment.run(subscriber, now, subscription.move, packet, now)

    def forward(self, peer: Peer, known: KnownSsrc, packet: SourcePacket, now: float, *, late: bool) -> None:
        """Write the rows of all substreams."""
        run, rows = self._containment.run, self._context.rows
        for substream in known.fan.substreams.values():
            self.forwarded_packets += run(peer.id, now, substream.forward, rows, packet, late=late) or 0

    # --- duties for publishers -----------------------------------------------------------------------------------

    def begin_duties(self, peer: Peer, now: float) -> None:
        """Begin what is done regularly for a peer that sends, unless it has begun."""
        if peer.id in self.publishers:
            return
        self.publishers[peer.id] = peer
        deadlines = self._context.deadlines
        deadlines.set(
            peer,
            Reason.RECEIVER_REPORT,
            now + RECEIVER_REPORT_S,
            lambda at: self._report(peer, at),
            every_s=RECEIVER_REPORT_S,
        )
        if not deadlines.is_set(self, Reason.LAYERS):
            at = now + LAYER_CHECK_S
            deadlines.set(self, Reason.LAYERS, at, self._check_layers, every_s=LAYER_CHECK_S)

    def _report(self, peer: Peer, now: float) -> None:
        last_at = max((known.stream.last_packet_at for known in peer.streams.values()), default=0.0)
        if now - last_at > IDLE_AFTER_S:
            self.end_duties(peer)
        self._reports.receiver_report(peer, now)

    def end_duties(self, peer: Peer) -> None:
        """Reset the state of a peer that no longer sends, for now or permanently."""
        self.publishers.pop(peer.id, None)
        self._context.deadlines.cancel(peer, Reason.RECEIVER_REPORT)
        peer.link.dormant()

    def _check_layers(self, now: float) -> None:
        self._delivery.check_layers(self.publishers.values(), now)
        self._taps.check(now)
        if not self.publishers:
            self._context.deadlines.cancel(self, Reason.LAYERS)
