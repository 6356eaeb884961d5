"""The packet path and the feedback around it: what happens to each plaintext packet, and what is due when.

No I/O: packets and time come in, rows go to the outbox and RTCP to `Peer.send_rtcp`.

    on_rtp -> stream (learned once per SSRC) -> history, statistics, NACKs -> layer switches -> fan-out
    on_rtcp -> reports, retransmissions, keyframe requests
    tick -> feedback that is due

What is done for one peer is contained (see `sfu.containment`) and paid for by that peer's limits (see `sfu.limits`).
"""

import struct
from collections import Counter
from collections.abc import Callable, Collection

from sfu.bandwidth.arrivals import reported_packets
from sfu.drops import DropReason
from sfu.engine.allocation import explain, share
from sfu.engine.backup import fitting, is_lacking, unlink
from sfu.engine.bandwidth_control import BandwidthControl
from sfu.engine.containment import Containment
from sfu.engine.identification import KnownSsrc
from sfu.engine.link import Link
from sfu.engine.linkstate import DEAD, state
from sfu.engine.peer import Peer
from sfu.engine.publication import Publication, Subscription
from sfu.fanout.arena import MAX_PACKET_BYTES
from sfu.fanout.row_buffer import RowBuffer
from sfu.forwarding.fan import Fan
from sfu.limits import REPORT_PACKETS
from sfu.receiving.inbound_stream import MAX_REPLAY_PACKETS, InboundStream
from sfu.receiving.quality import quality
from sfu.receiving.speakers import UPDATE_INTERVAL_S, Speakers
from sfu.values import (
    BandwidthExplanation,
    CodecMissing,
    Event,
    LayersWanted,
    LinkChanged,
    PublicationStarted,
    QualityChanged,
    SpeakersChanged,
    SubscriptionPaused,
    SubscriptionStarted,
)
from sfu.wire import rtcp, rtp
from sfu.wire.packet import SourcePacket

RECEIVER_REPORT_S = 1.0
KEYFRAME_RETRY_S = 0.2
LAYER_CHECK_S = 0.5
# A screen of which nothing came for so long stands still; what was lost so long before its last packet is repaired.
STILL_S, REPAIRED_S = 2.0, 3.0
# Of a replay to one viewer, with each 20 ms of a tick: about 5 Mbit/s, so that it does not burst a weak link.
REPLAYED_PER_TICK = 10


class Router:
    """Moves packets between the peers of an engine."""

    def __init__(
        self, rows: RowBuffer, emit: Callable[[Event], None], drops: Counter[DropReason] | None = None
    ) -> None:
        """`emit` takes events; it must not call back into the router. `drops` counts together with others."""
        self._rows = rows
        self._emit = emit
        self.drops: Counter[DropReason] = Counter() if drops is None else drops
        self.received_packets = 0
        self.forwarded_packets = 0
        self.retransmitted_packets = 0
        self.replayed_packets = 0
        self.containment = Containment(self.drops)
        self.bandwidth = BandwidthControl(rows, self.share, self.containment)
        self._replays: dict[Subscription, None] = {}
        self.peers: dict[str, Peer] = {}
        "All of the engine, by id."
        self.publishers: dict[str, Peer] = {}
        "Peers with streams, by id."
        self.speakers: dict[str, Speakers] = {}
        "By room."
        self._layers_changed = False
        self._speakers_at = self._reports_at = self._keyframes_at = self._layers_at = 0.0

    # --- media ---------------------------------------------------------------------------------------------------

    def on_rtp(self, peer: Peer, packet: bytes, now: float) -> None:
        """One authenticated plaintext packet from a peer."""
        self.received_packets += 1
        if len(packet) > MAX_PACKET_BYTES:
            self.drops[DropReason.OVERSIZE] += 1
            return
        try:
            ssrc: int = struct.unpack_from("!I", packet, 8)[0]
            known = peer.streams.get(ssrc)
            if known is None and peer.link.limits.unknown.take(1, now):
                known = self._learn(peer, packet, ssrc, now)
            self._transport_sequence(peer, known, packet, now)
            if known is None:
                self.drops[DropReason.UNKNOWN_STREAM] += 1
            elif known.rtx:
                self._on_rtx(peer, known, packet, now)
            else:
                self._on_media(peer, known, packet, now)
        except (rtp.RtpError, struct.error):
            self.drops[DropReason.MALFORMED] += 1

    def _learn(self, peer: Peer, packet: bytes, ssrc: int, now: float) -> KnownSsrc | None:
        elements = rtp.parse_extensions(packet, rtp.header_length(packet))
        known = peer.streams.learn(packet, elements, ssrc, now)
        if known is None or known.rtx:
            return known
        self.publishers[peer.id] = peer
        if not peer.link.feedback.media_ssrc:
            peer.link.feedback.media_ssrc = ssrc
        self.containment.each(now, Subscription.choose, known.published.subscriptions.values())
        return known

    @staticmethod
    def _transport_sequence(peer: Peer, known: KnownSsrc | None, packet: bytes, now: float) -> None:
        """Note the arrival of a transport-wide numbered packet."""
        inbound = peer.negotiated.inbound
        section = known.stream.section if known is not None else next(iter(inbound.values()), None)
        if section is None or not packet[0] & 0x10:
            return
        number = section.parameters.extensions.get(rtp.URI_TRANSPORT_CC)
        if number is None:
            return
        found = rtp.parse_extensions(packet, rtp.header_length(packet)).get(number)
        if found is not None and found[1] >= 2:
            at = found[0]
            peer.link.feedback.received(packet[at] << 8 | packet[at + 1], now)

    def _on_rtx(self, peer: Peer, known: KnownSsrc, packet: bytes, now: float) -> None:
        """RFC 4588 section 4: the payload is the original's sequence number and payload."""
        header = rtp.header_length(packet)
        end = rtp.payload_end(packet, header)
        media = known.stream.section.media_by_rtx.get(packet[1] & 0x7F)
        if end - header < 2 or media is None:
            self.drops[DropReason.PADDING] += 1  # senders probe the bandwidth with these
            return
        # the extension of the retransmission goes with it; its padding does not
        head = bytearray(packet[:header])
        head[0] &= 0xDF
        head[1] = head[1] & 0x80 | media
        head[2:4] = packet[header : header + 2]
        head[8:12] = known.stream.ssrc.to_bytes(4, "big")
        self._on_media(peer, known, bytes(head) + packet[header + 2 : end], now)

    def _on_media(self, peer: Peer, known: KnownSsrc, packet: bytes, now: float) -> None:
        layer, published = known.stream, known.published
        codec = layer.section.codec_by_payload_type.get(packet[1] & 0x7F)
        if codec is None:
            self.drops[DropReason.UNKNOWN_PAYLOAD_TYPE] += 1
            return
        before = layer.unwrapper.highest
        raw = layer.unwrapper.unwrap(packet[2] << 8 | packet[3])
        late = before >= 0 and raw <= before
        sequence = layer.compactor.number(raw)
        if sequence is None or (late and layer.history.get(sequence) is not None):
            self.drops[DropReason.DUPLICATE] += 1
            return
        parsed = layer.parse(packet, codec, sequence, layer.structure)
        layer.nacks.received(raw, now)
        layer.statistics.received(raw, parsed.timestamp, now)
        if parsed.payload_at == len(parsed.data):
            # A sender without RTX probes the bandwidth with these; viewers get a stream without them.
            if not late:
                layer.compactor.drop(raw)
            self.drops[DropReason.PADDING] += 1
            return
        layer.keep(packet, parsed)
        if not published.codec:
            published.codec = codec
            self._emit(PublicationStarted(peer.id, published.spec.id, codec))
            self.containment.each(
                now, self._fit_and_choose, (published.primary or published).subscriptions.values()
            )
        if published.muted:
            layer.keyframe_sequence = -1  # nobody is shown, or told, later what was sent while muted
            layer.recent.clear()
            layer.arrived(parsed, now, late=late)
            self.drops[DropReason.MUTED] += 1
            return
        if published.spec.kind == "audio":
            self._audio(peer, known, parsed, late, now)
        elif not late:
            self._switch(known, parsed, now)
        layer.arrived(parsed, now, late=late)
        layer.count(parsed)
        run = self.containment.run
        for view in known.fan.views.values():
            self.forwarded_packets += run(peer.id, now, view.forward, self._rows, parsed, late=late) or 0

    def _switch(self, known: KnownSsrc, packet: SourcePacket, now: float) -> None:
        """Let viewers begin or go over to another view with this packet, where it allows that."""
        layer, fan = known.stream, known.fan
        if packet.frame.keyframe:
            layer.keyframe_begins(packet)
            self._begin_waiting(known, packet, now)
        if fan.switching and packet.frame.starts and packet.timestamp != layer.highest_timestamp:
            for subscription in list(fan.switching):
                self.containment.run(subscription.subscriber.peer_id, now, subscription.move, packet, now)

    def _audio(self, peer: Peer, known: KnownSsrc, packet: SourcePacket, late: bool, now: float) -> None:
        for uri, value in packet.extensions:
            if uri == rtp.URI_AUDIO_LEVEL and value:
                for room in peer.rooms:
                    self.speakers.setdefault(room, Speakers()).observe(
                        known.published.spec.id, value[0] & 0x7F, now
                    )
        if known.fan.awaiting_keyframe and not late:
            self._begin_waiting(known, packet, now)

    def _begin_waiting(self, known: KnownSsrc, packet: SourcePacket, now: float) -> None:
        run, fan = self.containment.run, known.fan
        for subscription in list(fan.awaiting_keyframe):
            run(subscription.subscriber.peer_id, now, self._begin, subscription, fan, packet, now)
        if len(known.published.layers) > 1:
            for subscription in list(known.published.subscriptions.values()):
                if subscription.target is not fan.stream and subscription.accepts_any_layer(now):
                    peer_id = subscription.subscriber.peer_id
                    run(peer_id, now, self._begin, subscription, fan, packet, now)
                    run(peer_id, now, subscription.choose, now)

    def _begin(
        self, subscription: Subscription, fan: Fan[Subscription], packet: SourcePacket, now: float
    ) -> None:
        subscription.begin(fan, packet, now)
        self._begun(subscription, fan.stream)

    def _begun(self, subscription: Subscription, layer: InboundStream) -> None:
        if layer.clock is not None:
            self._sender_report(subscription, layer)
        if not subscription.started:
            subscription.started = True
            self._emit(SubscriptionStarted(subscription.subscriber.peer_id, subscription.publication_id))

    # --- RTCP ----------------------------------------------------------------------------------------------------

    def on_rtcp(self, peer: Peer, packet: bytes, now: float, ntp: int) -> None:
        """One authenticated compound packet from a peer; `ntp` is the time of day (64-bit NTP)."""
        try:
            parts = rtcp.parse(packet)
        except rtcp.RtcpError:
            self.drops[DropReason.MALFORMED] += 1
            return
        for part in parts:
            self.containment.run(peer.id, now, self._on_rtcp_part, peer, part, now, ntp)

    def _on_rtcp_part(self, peer: Peer, part: rtcp.RtcpPacket, now: float, ntp: int) -> None:
        if isinstance(part, rtcp.SenderReport):
            self._on_sender_report(peer, part, now)
            self._on_report_blocks(peer, part.blocks, ntp)
        elif isinstance(part, rtcp.ReceiverReport):
            self._on_report_blocks(peer, part.blocks, ntp)
        elif isinstance(part, rtcp.Nack):
            self._on_nack(peer, part, now)
        elif isinstance(part, rtcp.PictureLossIndication):
            self._on_keyframe_request(peer, part.media_ssrc, now)
        elif isinstance(part, rtcp.FullIntraRequest):
            for ssrc in part.ssrcs:
                self._on_keyframe_request(peer, ssrc, now)
        elif isinstance(part, rtcp.TransportFeedbackReport):
            self._on_arrivals(peer, part, now)
        elif isinstance(part, rtcp.Remb):
            if peer.link.limits.estimates.take(1, now):
                self.bandwidth.receivers_estimate(peer, part.bitrate_bps, now)
            else:
                self.drops[DropReason.FEEDBACK_RATE] += 1

    def _on_arrivals(self, peer: Peer, report: rtcp.TransportFeedbackReport, now: float) -> None:
        try:
            if peer.link.limits.reported.take(REPORT_PACKETS + reported_packets(report.data), now):
                self.bandwidth.report(peer, report.data, now)
            else:
                self.drops[DropReason.FEEDBACK_RATE] += 1
        except rtcp.RtcpError:
            self.drops[DropReason.MALFORMED] += 1

    def _on_sender_report(self, peer: Peer, report: rtcp.SenderReport, now: float) -> None:
        known = peer.streams.get(report.ssrc)
        if known is None or known.rtx:
            return
        stream = known.stream
        if not stream.sender_reports.take(1, now):
            self.drops[DropReason.SENDER_REPORT_RATE] += 1
            return
        stream.clock = (report.ntp, report.rtp_timestamp)
        stream.statistics.sender_report(report.ntp, now)
        for subscription in known.published.subscriptions.values():
            if subscription.current is stream:
                peer_id = subscription.subscriber.peer_id
                self.containment.run(peer_id, now, self._sender_report, subscription, stream)

    @staticmethod
    def _sender_report(subscription: Subscription, layer: InboundStream) -> None:
        """The publisher's clock pair, on the subscriber's RTP clock."""
        segment = subscription.timeline.segment
        if layer.clock is None or segment is None:
            return
        ntp, timestamp = layer.clock
        packets, octets = subscription.counts
        subscription.subscriber.send_rtcp(
            rtcp.sender_report(
                subscription.ssrc, ntp, (timestamp + segment.timestamp_offset) & 0xFFFFFFFF, packets, octets
            )
            + rtcp.sdes_cname(subscription.ssrc, subscription.primary.owner.peer_id)
        )

    @staticmethod
    def _on_report_blocks(peer: Peer, blocks: tuple[rtcp.ReportBlock, ...], ntp: int) -> None:
        peer.link.downstream_loss.report(
            block.fraction_lost for block in blocks if block.ssrc in peer.by_ssrc
        )
        for block in blocks:
            subscription = peer.by_ssrc.get(block.ssrc)
            # our sender reports carry the publisher's clock, so only a publisher on the same clock gives sense here
            if subscription is not None:
                rtt_s = rtcp.round_trip_s(block, ntp)
                if rtt_s is not None and 0 < rtt_s < 2:
                    peer.link.rtt_s = rtt_s

    def _on_nack(self, peer: Peer, nack: rtcp.Nack, now: float) -> None:
        subscription = peer.by_ssrc.get(nack.media_ssrc)
        if subscription is None or not peer.link.connected:
            return
        affordable = int(min(len(nack.sequences), peer.link.limits.look_ups.left(now)))
        peer.link.limits.look_ups.take(affordable, now)
        self.drops[DropReason.RETRANSMISSION_RATE] += len(nack.sequences) - affordable
        for sequence in nack.sequences[:affordable]:
            if not self.bandwidth.has_room_again(subscription, sequence):
                self.drops[DropReason.NO_BANDWIDTH] += 1
                continue
            packet = subscription.retransmission(sequence, now)
            if packet is not None:
                self.bandwidth.send_again(subscription, sequence, packet)
                self.retransmitted_packets += 1

    def _on_keyframe_request(self, peer: Peer, ssrc: int, now: float) -> None:
        subscription = peer.by_ssrc.get(ssrc)
        if subscription is None or subscription.current is None or subscription.replaying:
            return
        if not peer.link.limits.keyframes.take(1, now):
            self.drops[DropReason.KEYFRAME_RATE] += 1
        elif not self.bandwidth.is_behind(subscription) and not _lacks_nothing(subscription, now):
            self.request_keyframe(subscription.published.owner, subscription.current, now)

    def request_keyframe(self, owner: Link, stream: InboundStream, now: float) -> None:
        """Ask a publisher for a keyframe, within the budget of the stream."""
        if stream.keyframes.request(now):
            self._send_pli(owner, stream)

    @staticmethod
    def _send_pli(owner: Link, stream: InboundStream) -> None:
        owner.send_rtcp(rtcp.pli(owner.ssrc, stream.ssrc))

    # --- time ----------------------------------------------------------------------------------------------------

    def share(self, peer: Peer, now: float) -> None:
        """Decide anew what a peer gets, as far as its bandwidth goes."""
        self.containment.each(now, self._fit, peer.subscriptions.values())
        for subscription in share(peer, self._focus(peer.room_id), now):
            self._emit(
                SubscriptionPaused(peer.id, subscription.publication_id, subscription.allotted is None)
            )
        self.containment.each(now, self.choose, peer.subscriptions.values())
        if any(each.published.wanted_layers is not None for each in peer.subscriptions.values()):
            self._layers_changed = True

    def explain(self, peer: Peer, now: float) -> BandwidthExplanation:
        """Why a peer gets what it gets."""
        return explain(peer, self._focus(peer.room_id), now)

    def _focus(self, room_id: str) -> str:
        """The peer whose camera goes before others': who speaks, or spoke last."""
        speakers = self.speakers.get(room_id)
        if speakers is None or not speakers.dominant:
            return ""
        return next((p.id for p in self.publishers.values() if speakers.dominant in p.published), "")

    def _fit(self, subscription: Subscription, now: float) -> None:
        """Serve a subscriber with a publication whose codec it can take; tell when there is none."""
        subscription.serve(fitting(subscription), now)
        if (
            subscription.published.primary is None
            and is_lacking(subscription)
            and not subscription.missing_codec_reported
        ):
            subscription.missing_codec_reported = True
            self._emit(CodecMissing(subscription.subscriber.peer_id, subscription.publication_id))

    def _fit_and_choose(self, subscription: Subscription, now: float) -> None:
        self._fit(subscription, now)
        subscription.choose(now)

    def choose(self, subscription: Subscription, now: float) -> None:
        """Decide anew which layer a subscription gets within its bound, and ask for the keyframe it needs."""
        subscription.choose(now)
        target = subscription.target
        if target is None or subscription.published.spec.kind != "video":
            return
        available_bps = subscription.subscriber.downstream.available_bps
        if subscription.current is None and target.replayable(now, available_bps):
            subscription.begin_replay(now)
            self._begun(subscription, target)
            self._replays[subscription] = None
        else:
            self.request_keyframe(subscription.published.owner, target, now)

    def tick(self, now: float) -> None:
        """Do what is due; called every 20 ms or so while there are publishers."""
        self.containment.each(now, self._feed_back, self.publishers.values())
        self.bandwidth.tick(now)
        self.containment.each(now, self._replay, self._replays)
        if now >= self._keyframes_at:
            self._keyframes_at = now + KEYFRAME_RETRY_S
            streams = [k for p in self.publishers.values() for k in p.streams.values() if not k.rtx]
            self.containment.each(now, self._retry_keyframe, streams)
        if now >= self._layers_at:
            self._layers_at = now + LAYER_CHECK_S
            self._check_layers(now)
        if self._layers_changed:
            self._layers_changed = False
            publications = [each for peer in self.publishers.values() for each in peer.published.values()]
            self.containment.each(now, self._want_layers, publications)
        if now >= self._reports_at:
            self._reports_at = now + RECEIVER_REPORT_S
            self.containment.each(now, self._receiver_reports, self.publishers.values())
        if now >= self._speakers_at:
            self._speakers_at = now + UPDATE_INTERVAL_S
            self.containment.each(now, self._update_speakers, self.speakers)

    def _feed_back(self, peer: Peer, now: float) -> None:
        if peer.link.feedback.due_at is not None and now >= peer.link.feedback.due_at:
            for packet in peer.link.feedback.build(now):
                peer.link.send_rtcp(packet)
        for stream in peer.streams.values():
            if not stream.rtx:
                self._nack_upstream(peer, stream.stream, now)

    def _replay(self, subscription: Subscription, _now: float) -> None:
        # taken out first: a replay that fails is not tried again at each tick
        self._replays.pop(subscription)
        # where a pacer spreads the packets, all of them wait there: what waited elsewhere would count for nothing
        count = REPLAYED_PER_TICK if subscription.line is None else MAX_REPLAY_PACKETS
        begins = subscription.replay_begins
        for packet in subscription.replay(count):
            self.bandwidth.send(subscription, packet, keyframe=begins)
            begins = False
            self.replayed_packets += 1
        if subscription.replaying:
            self._replays[subscription] = None

    @staticmethod
    def _nack_upstream(peer: Peer, layer: InboundStream, now: float) -> None:
        next_at = layer.nacks.next_at()
        if next_at is not None and now >= next_at:
            wanted = layer.nacks.due(now)
            if wanted:
                peer.link.send_rtcp(rtcp.nack(peer.link.ssrc, layer.ssrc, wanted))

    def _retry_keyframe(self, known: KnownSsrc, now: float) -> None:
        if known.published.spec.kind != "video":
            return
        if known.stream.keyframes.due(now):
            self._send_pli(known.published.owner, known.stream)
        elif known.fan.awaiting_keyframe:
            self.request_keyframe(known.published.owner, known.stream, now)

    def _check_layers(self, now: float) -> None:
        viewers = {
            subscriber_id: self.peers[subscriber_id]
            for peer in self.publishers.values()
            for published in peer.published.values()
            for subscriber_id in published.subscriptions
        }
        self.containment.each(now, self.share, viewers.values())
        self.containment.each(now, self._tell_link, viewers.values())

    def _tell_link(self, viewer: Peer, now: float) -> None:
        """Tell when what a viewer's link allows is another than before."""
        videos = [
            s for s in viewer.subscriptions.values() if s.published.spec.kind == "video" and s.wants_media
        ]
        downstream = viewer.link.downstream
        link = state(
            downstream.available_bps,
            downstream.requested_bps,
            downstream.link_loss,
            cameras=all(s.allotted is not None for s in videos if not s.published.spec.screen_share),
            screen=all(s.allotted is not None for s in videos if s.published.spec.screen_share),
        )
        estimator = downstream.estimator
        told = downstream.report.update(DEAD if estimator is not None and estimator.silent else link, now)
        if told is not None:
            self._emit(LinkChanged(viewer.id, told.kbps, told.cameras, told.screen, told.loss_percent))

    def _want_layers(self, published: Publication, now: float) -> None:
        """Tell which layers of a screen are sent to anybody."""
        wanted = published.wanted_layers
        if wanted is None:
            return
        live = published.live_spatials(now)
        viewers = [each for each in published.subscriptions.values() if each.wants_media]
        layers = frozenset(each.choice.bound for each in viewers)
        if wanted.update(layers, live, now):
            self._emit(LayersWanted(published.spec.id, tuple(sorted(layers))))

    @staticmethod
    def _receiver_reports(peer: Peer, now: float) -> None:
        blocks = [stream.stream.statistics.report(now) for stream in peer.streams.values() if not stream.rtx]
        peer.link.upstream_loss.report(block.fraction_lost for block in blocks)
        for at in range(0, len(blocks), 31):  # RFC 3550 section 6.4.2: 31 blocks a report
            peer.link.send_rtcp(rtcp.receiver_report(peer.link.ssrc, blocks[at : at + 31]))

    def _update_speakers(self, room_id: str, now: float) -> None:
        changed = self.speakers[room_id].update(now)
        if changed:
            self._emit(SpeakersChanged(room_id, changed))

    def check_quality(self, peer: Peer) -> None:
        """Tell when a peer's connection became better or worse."""
        now = quality(peer.link.upstream_loss.share, peer.link.downstream_loss.share)
        if now != peer.link.quality:
            peer.link.quality = now
            self._emit(QualityChanged(peer.id, now))

    # --- ends ----------------------------------------------------------------------------------------------------

    def forget(self, published: Publication, now: float) -> None:
        """Take a publication out of the packet path; its subscriptions end."""
        peer = self.peers[published.owner.peer_id]
        unlink(published, now)
        self.end_subscriptions(published, now)
        peer.unpublish(published)
        if not peer.streams:
            self.publishers.pop(peer.id, None)

    def end_subscriptions(self, published: Publication, now: float, rooms: Collection[str] = ()) -> None:
        """Let nobody receive a publication, or see it speak, any longer; in these rooms, or in all of its owner's."""
        rooms = rooms or self.peers[published.owner.peer_id].rooms
        for subscription in list(published.subscriptions.values()):
            subscriber = self.peers[subscription.subscriber.peer_id]
            if subscriber.room_id in rooms:
                subscriber.unsubscribe(subscription.publication_id, now)
        for room_id in rooms:
            if published.spec.kind == "audio" and room_id in self.speakers:
                self.speakers[room_id].remove(published.spec.id)


def _lacks_nothing(subscription: Subscription, now: float) -> bool:
    """Whether a viewer asks for a keyframe only because the screen it watches stands still.

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
