"""The choice of each subscriber's stream, with keyframe requests, replays and events that follow from it.

`reallocate` leads from an estimate to what is sent: the estimate and the requests make allocations
(`engine.adaptation.allocation`), an allocation bounds the choice of each subscription, and a choice waits for a
keyframe or replays the retained one.
"""

import math
from collections.abc import Iterable
from functools import partial

from sfu.engine.adaptation.allocation import explain, reallocate
from sfu.engine.adaptation.backup import fitting, is_lacking
from sfu.engine.adaptation.bandwidth_control import BandwidthControl
from sfu.engine.context import Context
from sfu.engine.deadlines import Reason
from sfu.engine.opening import Openings
from sfu.engine.peers.link import Link
from sfu.engine.peers.linkstate import DEAD, state
from sfu.engine.peers.peer import Peer
from sfu.engine.peers.publication import Publication, Subscription
from sfu.engine.speaking import Speaking
from sfu.fanout.window import Window
from sfu.forwarding.fan import Fan
from sfu.receiving.inbound_stream import MAX_REPLAY_PACKETS, InboundStream
from sfu.values import (
    BandwidthExplanation,
    CodecMissing,
    LayersWanted,
    LinkChanged,
    SubscriptionPaused,
    SubscriptionStarted,
)
from sfu.wire import rtcp
from sfu.wire.packet import SourcePacket

# For a keyframe that is on its way when somebody begins to wait for one.
KEYFRAME_GRACE_S = 0.2
LAYER_CHECK_S = 0.5
# Of a replay to one subscriber, in each interval: about 5 Mbit/s, so that it does not burst a weak path.
REPLAY_INTERVAL_S, REPLAYED_PER_INTERVAL = 0.02, 10
BANDWIDTH_INTERVAL_S = 0.02


class Delivery:
    """Chooses the streams of all subscribers of an engine."""

    def __init__(self, context: Context, speaking: Speaking) -> None:
        """`speaking` decides whose camera has priority."""
        self._context = context
        self._emit = context.emit
        self._containment = context.containment
        self._deadlines = context.deadlines
        self._speaking = speaking
        self.bandwidth = BandwidthControl(context.rows, context.containment)
        self.replayed_packets = 0
        context.rows.transports.windows.on_waiting = self._run_window_later
        self._openings = Openings(context)
        self._replays: dict[Subscription, None] = {}

    # --- bandwidth -----------------------------------------------------------------------------------------------

    def reallocate(self, peer: Peer, now: float) -> None:
        """Allocate a peer's bandwidth again."""
        self._containment.each(now, self._fit, peer.subscriptions.values())
        for subscription in reallocate(peer, self._speaking.focus(peer.room_id), now):
            paused = subscription.allowed_point is None
            self._emit(SubscriptionPaused(peer.id, subscription.publication_id, paused))
        self._containment.each(now, self.select_layer, peer.subscriptions.values())
        self._openings.consider(peer, now)
        if any(each.published.wanted_layers is not None for each in peer.subscriptions.values()):
            self.want_layers_soon(now)

    def want_layers_soon(self, now: float) -> None:
        """Emit the wanted layers of screens, after the current changes."""
        self._deadlines.set(self, Reason.WANTED_LAYERS, now, self._want_layers)

    def feedback_report(self, peer: Peer, data: bytes, now: float) -> None:
        """Process a peer's transport-wide feedback. RtcpError."""
        self.bandwidth.on_transport_feedback(peer, data, now)
        self._bandwidth_changed(now)

    def receivers_estimate(self, peer: Peer, available_bps: float, now: float) -> None:
        """Process a peer's own bandwidth estimate (REMB)."""
        self.bandwidth.receivers_estimate(peer, available_bps, now)
        self._bandwidth_changed(now)

    def _bandwidth_changed(self, now: float) -> None:
        self._containment.each(now, self.reallocate, self.bandwidth.take_changed())
        if self.bandwidth.is_active and not self._deadlines.is_set(self, Reason.BANDWIDTH):
            at = now + BANDWIDTH_INTERVAL_S
            self._deadlines.set(
                self, Reason.BANDWIDTH, at, self._control_bandwidth, every_s=BANDWIDTH_INTERVAL_S
            )

    def _control_bandwidth(self, now: float) -> None:
        self.bandwidth.update(now)
        self._bandwidth_changed(now)
        self.bandwidth.send_due(now)
        if not self.bandwidth.is_active:
            self._deadlines.cancel(self, Reason.BANDWIDTH)

    def _run_window_later(self, window: Window) -> None:
        duty = partial(self._run_window, window)
        self._deadlines.set(window, Reason.WINDOW, window.due_at, duty)

    def _run_window(self, window: Window, now: float) -> None:
        window.run_due(now)
        if not math.isinf(window.due_at):
            self._run_window_later(window)

    def explain(self, peer: Peer, now: float) -> BandwidthExplanation:
        """Return an explanation of a peer's allotments."""
        return explain(peer, self._speaking.focus(peer.room_id), now)

    # --- choosing ------------------------------------------------------------------------------------------------

    def select_layer(self, subscription: Subscription, now: float) -> None:
        """Choose a subscription's stream within its bound; replay it, or request a keyframe."""
        self.wait(subscription, now)
        target = subscription.target
        if target is None or subscription.published.spec.kind != "video":
            return
        available_bps = subscription.subscriber.downstream.available_bps
        if subscription.current is None and target.replayable(now, available_bps):
            subscription.begin_replay(now)
            self._begun(subscription, target)
            self._replays[subscription] = None
            if not self._deadlines.is_set(self, Reason.REPLAY):
                self._deadlines.set(self, Reason.REPLAY, now, self._replay_all, every_s=REPLAY_INTERVAL_S)
        else:
            self.request_keyframe(subscription.published.owner, target, now)

    def wait(self, subscription: Subscription, now: float) -> None:
        """Choose a subscription's stream; request a keyframe if none arrives soon."""
        subscription.update_target(now)
        target, published = subscription.waits_in, subscription.published
        if target is not None and published.spec.kind == "video":
            self._retry_later(published.owner, target.stream, now + KEYFRAME_GRACE_S)

    def fit_and_wait(self, subscription: Subscription, now: float) -> None:
        """The same, with the publication whose codec the subscriber can take."""
        self._fit(subscription, now)
        self.wait(subscription, now)

    def _fit(self, subscription: Subscription, now: float) -> None:
        """Choose a publication whose codec the subscriber can decode; emit an event if there is none."""
        subscription.serve(fitting(subscription), now)
        missing = subscription.published.primary is None and is_lacking(subscription)
        if missing and not subscription.missing_codec_reported:
            subscription.missing_codec_reported = True
            self._emit(CodecMissing(subscription.subscriber.connection_id, subscription.publication_id))

    def begin_waiting(
        self, published: Publication, fan: Fan[Subscription], packet: SourcePacket, now: float
    ) -> None:
        """Start waiting subscriptions with `packet`: the first of a keyframe, or any audio packet."""
        run = self._containment.run
        for subscription in list(fan.awaiting_keyframe):
            run(subscription.subscriber.connection_id, now, self._begin, subscription, fan, packet, now)
        if len(published.layers) > 1:
            for subscription in list(published.subscriptions.values()):
                if subscription.target is not fan.stream and subscription.accepts_any_layer(now):
                    peer_id = subscription.subscriber.connection_id
                    run(peer_id, now, self._begin, subscription, fan, packet, now)
                    run(peer_id, now, self.wait, subscription, now)

    def _begin(
        self, subscription: Subscription, fan: Fan[Subscription], packet: SourcePacket, now: float
    ) -> None:
        subscription.begin(fan, packet, now)
        self._begun(subscription, fan.stream)

    def _begun(self, subscription: Subscription, stream: InboundStream) -> None:
        self.sender_report(subscription, stream)
        if not subscription.started:
            subscription.started = True
            self._emit(
                SubscriptionStarted(subscription.subscriber.connection_id, subscription.publication_id)
            )

    @staticmethod
    def sender_report(subscription: Subscription, stream: InboundStream) -> None:
        """Send a sender report with the publisher's clock on the subscriber's RTP clock (RFC 3550 section 6.4.1)."""
        segment = subscription.timeline.segment
        if stream.clock is None or segment is None:
            return
        ntp, timestamp = stream.clock
        timestamp = (timestamp + segment.timestamp_offset) & 0xFFFFFFFF
        subscription.subscriber.send_rtcp(
            rtcp.sender_report(subscription.ssrc, ntp, timestamp, *subscription.counts)
            + rtcp.sdes_cname(subscription.ssrc, subscription.primary.owner.connection_id)
        )

    # --- keyframes -----------------------------------------------------------------------------------------------

    def request_keyframe(self, owner: Link, stream: InboundStream, now: float) -> None:
        """Request a keyframe from a publisher, within the stream's budget."""
        if stream.keyframes.request(now):
            owner.send_rtcp(rtcp.pli(owner.ssrc, stream.ssrc))
        self._retry_later(owner, stream, stream.keyframes.next_at)

    def _retry_later(self, owner: Link, stream: InboundStream, at: float) -> None:
        if not self._deadlines.is_set(stream, Reason.KEYFRAME):
            duty = partial(self._retry_keyframe, owner, stream)
            self._deadlines.set(stream, Reason.KEYFRAME, at, duty)

    def _retry_keyframe(self, owner: Link, stream: InboundStream, now: float) -> None:
        """Repeat a request while a subscription waits, or if one was made since the last request."""
        published = self._published(owner, stream)
        if published is None or published.spec.kind != "video":
            return
        fan = published.fans[stream.spatial]
        if stream.keyframes.due_at is not None or fan.awaiting_keyframe:
            self.request_keyframe(owner, stream, now)

    def _published(self, owner: Link, stream: InboundStream) -> Publication | None:
        """Return the publication of a live stream."""
        peer = self._context.peers.get(owner.connection_id)
        published = peer.published.get(stream.spec.id) if peer is not None else None
        return published if published is not None and stream in published.layers.values() else None

    # --- replays -------------------------------------------------------------------------------------------------

    def _replay_all(self, now: float) -> None:
        self._containment.each(now, self._replay, self._replays)
        if not self._replays:
            self._deadlines.cancel(self, Reason.REPLAY)

    def _replay(self, subscription: Subscription, _now: float) -> None:
        # taken out first: a replay that fails is not tried again and again
        self._replays.pop(subscription)
        # where a pacer spreads the packets, all of them wait there: what waited elsewhere would count for nothing
        count = REPLAYED_PER_INTERVAL if subscription.line is None else MAX_REPLAY_PACKETS
        begins = subscription.replay_begins
        for packet in subscription.replay(count):
            self.bandwidth.send(subscription, packet, keyframe=begins)
            begins = False
            self.replayed_packets += 1
        if subscription.replaying:
            self._replays[subscription] = None

    # --- what changes with time ----------------------------------------------------------------------------------

    def check_layers(self, publishers: Iterable[Peer], now: float) -> None:
        """Reallocate for all subscribers of these publications: layers begin and end, and bitrates change."""
        publishers = list(publishers)
        for known in (known for peer in publishers for known in peer.streams.values()):
            known.stream.sample(now)
        subscribers = {
            subscriber_id: self._context.peers[subscriber_id]
            for peer in publishers
            for published in peer.published.values()
            for subscriber_id in published.subscriptions
        }
        self._containment.each(now, self.reallocate, subscribers.values())
        self._containment.each(now, self._report_link, subscribers.values())

    def _report_link(self, subscriber: Peer, now: float) -> None:
        """Emit an event if the limit of a subscriber's link changed."""
        videos = [
            s for s in subscriber.subscriptions.values() if s.published.spec.kind == "video" and s.wants_media
        ]
        downstream = subscriber.link.downstream
        link = state(
            downstream.available_bps,
            downstream.requested_bps,
            downstream.link_loss,
            cameras=all(s.allowed_point is not None for s in videos if not s.published.spec.screen_share),
            screen=all(s.allowed_point is not None for s in videos if s.published.spec.screen_share),
        )
        dead = downstream.estimator is not None and downstream.estimator.silent
        told = downstream.report.update(DEAD if dead else link, now)
        if told is not None:
            self._emit(LinkChanged(subscriber.id, told.kbps, told.cameras, told.screen, told.loss_percent))

    def _want_layers(self, now: float) -> None:
        publications = [each for peer in self._context.peers.values() for each in peer.published.values()]
        self._containment.each(now, self._want_layers_of, publications)

    def _want_layers_of(self, published: Publication, now: float) -> None:
        """Emit the layers of a screen that are sent to anybody or recorded."""
        wanted = published.wanted_layers
        if wanted is None:
            return
        subscribed = [each for each in published.subscriptions.values() if each.wants_media]
        layers = frozenset((*(each.choice.bound for each in subscribed), *published.recorded.values()))
        if wanted.update(layers, published.live_spatials(now), now):
            self._emit(LayersWanted(published.spec.id, tuple(sorted(layers))))
