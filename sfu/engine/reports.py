"""RTCP: reports and requests of peers, by a table of packet types, and reports to publishers."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from sfu.bandwidth.arrivals import reported_packets
from sfu.drops import DropReason
from sfu.engine.context import Context
from sfu.engine.deadlines import Reason
from sfu.engine.delivery import Delivery
from sfu.engine.peers.peer import Peer
from sfu.engine.peers.publication import Subscription
from sfu.engine.taps import Taps
from sfu.limits import REPORT_PACKETS
from sfu.receiving.inbound_stream import PortableStream
from sfu.receiving.quality import quality
from sfu.values import QualityChanged
from sfu.wire import rtcp

RECEIVER_REPORT_S = 1.0
# RFC 3550 section 6.4.2
_BLOCKS_PER_REPORT = 31
# A screen of which nothing came for so long stands still; what was lost so long before its last packet is repaired.
STILL_S, REPAIRED_S = 2.0, 3.0


class Reports:
    """The feedback of all peers of an engine, in both directions."""

    def __init__(self, context: Context, delivery: Delivery, taps: Taps) -> None:
        """`delivery` acts on reports and requests; sender reports also go to `taps`."""
        self._context = context
        self._drops = context.drops
        self._delivery = delivery
        self._taps = taps
        self._bandwidth = delivery.bandwidth
        self.retransmitted_packets = 0

    # --- from peers ----------------------------------------------------------------------------------------------

    def on_rtcp(self, peer: Peer, packet: bytes, now: float, ntp: int) -> None:
        """Process an authenticated compound packet from a peer; `ntp` is the time of day (64-bit NTP)."""
        try:
            parts = rtcp.parse(packet)
        except rtcp.RtcpError:
            self._drops[DropReason.MALFORMED] += 1
            return
        run = self._context.containment.run
        for part in parts:
            handler = self._HANDLERS.get(type(part))
            if handler is not None:
                run(peer, now, handler, self, peer, part, now, ntp)

    def _on_sender_report(self, peer: Peer, report: rtcp.SenderReport, now: float, ntp: int) -> None:
        self._on_report_blocks(peer, report, now, ntp)
        known = peer.streams.get(report.ssrc)
        if known is None or known.rtx:
            return
        stream = known.stream
        if not stream.sender_reports.take_tokens(1, now):
            self._drops[DropReason.SENDER_REPORT_RATE] += 1
            return
        stream.clock, stream.clock_at = (report.ntp, report.rtp_timestamp), now
        stream.statistics.sender_report(report.ntp, now)
        run = self._context.containment.run
        for subscription in known.published.subscriptions.values():
            if subscription.current is stream:
                run(subscription.subscriber, now, self._delivery.sender_report, subscription, stream)
        self._taps.sender_report(known.published, stream, now)

    def _on_report_blocks(
        self, peer: Peer, report: rtcp.SenderReport | rtcp.ReceiverReport, _now: float, ntp: int
    ) -> None:
        link = peer.link
        blocks = [block for block in report.blocks if block.ssrc in peer.by_ssrc]
        link.downstream_loss.add_fractions(block.fraction_lost for block in blocks)
        for block in blocks:
            # our sender reports carry the publisher's clock, so only a publisher on the same clock gives sense here
            rtt_s = rtcp.round_trip_s(block, ntp)
            if rtt_s is not None and 0 < rtt_s < 2:
                link.rtt_s = rtt_s

    def _on_nack(self, peer: Peer, nack: rtcp.Nack, now: float, _ntp: int) -> None:
        subscription = peer.by_ssrc.get(nack.media_ssrc)
        if subscription is None or not peer.link.connected:
            return
        look_ups = peer.link.limits.look_ups
        affordable = int(min(len(nack.sequences), look_ups.left(now)))
        look_ups.take_tokens(affordable, now)
        self._drops[DropReason.RETRANSMISSION_RATE] += len(nack.sequences) - affordable
        for sequence in nack.sequences[:affordable]:
            if not self._bandwidth.has_room_again(subscription, sequence):
                self._drops[DropReason.NO_BANDWIDTH] += 1
                continue
            packet = subscription.retransmission(sequence, now)
            if packet is not None:
                self._bandwidth.send_again(subscription, sequence, packet)
                self.retransmitted_packets += 1

    def _on_picture_loss(
        self, peer: Peer, request: rtcp.PictureLossIndication, now: float, _ntp: int
    ) -> None:
        self._on_keyframe_request(peer, request.media_ssrc, now)

    def _on_full_intra(self, peer: Peer, request: rtcp.FullIntraRequest, now: float, _ntp: int) -> None:
        for ssrc in request.ssrcs:
            self._on_keyframe_request(peer, ssrc, now)

    def _on_keyframe_request(self, peer: Peer, ssrc: int, now: float) -> None:
        subscription = peer.by_ssrc.get(ssrc)
        if subscription is None or subscription.current is None or subscription.replaying:
            return
        if not peer.link.limits.keyframes.take_tokens(1, now):
            self._drops[DropReason.KEYFRAME_RATE] += 1
        elif not self._bandwidth.is_behind(subscription) and not _lacks_nothing(subscription, now):
            self._delivery.request_keyframe(subscription.published.owner, subscription.current, now)

    def _on_arrivals(self, peer: Peer, report: rtcp.TransportFeedbackReport, now: float, _ntp: int) -> None:
        try:
            if peer.link.limits.reported.take_tokens(REPORT_PACKETS + reported_packets(report.data), now):
                self._delivery.feedback_report(peer, report.data, now)
            else:
                self._drops[DropReason.FEEDBACK_RATE] += 1
        except rtcp.RtcpError:
            self._drops[DropReason.MALFORMED] += 1

    def _on_remb(self, peer: Peer, estimate: rtcp.Remb, now: float, _ntp: int) -> None:
        if peer.link.limits.estimates.take_tokens(1, now):
            self._delivery.receivers_estimate(peer, estimate.bitrate_bps, now)
        else:
            self._drops[DropReason.FEEDBACK_RATE] += 1

    _HANDLERS: ClassVar[dict[type, Callable[..., Any]]] = {
        rtcp.SenderReport: _on_sender_report,  # RFC 3550 section 6.4.1
        rtcp.ReceiverReport: _on_report_blocks,  # RFC 3550 section 6.4.2
        rtcp.Nack: _on_nack,  # RFC 4585 section 6.2.1
        rtcp.PictureLossIndication: _on_picture_loss,  # RFC 4585 section 6.3.1
        rtcp.FullIntraRequest: _on_full_intra,  # RFC 5104 section 4.3.1
        rtcp.TransportFeedbackReport: _on_arrivals,  # draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1
        rtcp.Remb: _on_remb,  # draft-alvestrand-rmcat-remb-03 section 2
    }

    # --- to publishers -------------------------------------------------------------------------------------------

    def feed_back_later(self, peer: Peer) -> None:
        """Set the deadline for reporting the arrivals of a peer's packets (`TransportFeedback.due_at`)."""
        due_at = peer.link.feedback.due_at
        if due_at is not None:
            self._context.deadlines.set(peer, Reason.FEEDBACK, due_at, partial(self._feed_back, peer))

    @staticmethod
    def _feed_back(peer: Peer, now: float) -> None:
        for packet in peer.link.feedback.build(now):
            peer.link.send_rtcp(packet)

    def nack_later(self, peer: Peer, stream: PortableStream) -> None:
        """Set the deadline for requesting missing packets of a stream (`NackGenerator`)."""
        next_at = stream.nacks.next_at()
        if next_at is not None:
            self._context.deadlines.set(stream, Reason.NACK, next_at, partial(self._nack, peer, stream))

    def _nack(self, peer: Peer, stream: PortableStream, now: float) -> None:
        wanted = stream.nacks.due(now)
        self.nack_later(peer, stream)
        if wanted:
            peer.link.send_rtcp(rtcp.nack(peer.link.ssrc, stream.ssrc, wanted))

    @staticmethod
    def receiver_report(peer: Peer, now: float) -> None:
        """Send a receiver report on each of a peer's streams (RFC 3550 section 6.4.2)."""
        link = peer.link
        blocks = [
            known.stream.statistics.report_block(now) for known in peer.streams.values() if not known.rtx
        ]
        link.upstream_loss.add_fractions(block.fraction_lost for block in blocks)
        for at in range(0, len(blocks), _BLOCKS_PER_REPORT):
            link.send_rtcp(rtcp.receiver_report(link.ssrc, blocks[at : at + _BLOCKS_PER_REPORT]))

    # --- to signalling -------------------------------------------------------------------------------------------

    def check_quality(self, peer: Peer) -> None:
        """Emit an event if the quality of a peer's connection changed."""
        link = peer.link
        now = quality(link.upstream_loss.share, link.downstream_loss.share)
        if now != link.quality:
            link.quality = now
            self._context.emit(QualityChanged(peer.id, now))


def _lacks_nothing(subscription: Subscription, now: float) -> bool:
    """Return whether a subscriber requests a keyframe only because its shared screen does not change.

    libwebrtc does so after 3 s without a picture. An encoder that drops frames after a slide, to come back to its rate,
    would be set back by the keyframe for as long again.
    """
    layer, estimator = subscription.current, subscription.subscriber.downstream.estimator
    if layer is None or estimator is None or not subscription.published.spec.screen_share:
        return False
    # without a limit most reports are not read as a whole, and do not tell what was lost
    known = estimator.available_bps < float("inf")
    still = now - layer.last_packet_at > STILL_S
    return known and still and layer.last_packet_at - estimator.lost_at > REPAIRED_S
