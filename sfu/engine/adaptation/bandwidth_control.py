"""The bandwidth of everybody who receives: reports of arrivals to estimates, estimates told, padding where it may help.

A peer whose way bears all that it is sent costs its reports and nothing else: it is not known here between them.
"""

import math

from sfu.bandwidth.estimator import Estimator
from sfu.bandwidth.ratecontrol import MIN_BPS
from sfu.engine.containment import Containment
from sfu.engine.peers.link import ConnectionId, Downstream
from sfu.engine.peers.peer import Peer
from sfu.engine.peers.publication import Subscription
from sfu.fanout.pacer import Pacer
from sfu.fanout.row_buffer import RowBuffer
from sfu.fanout.window import patience_s

# A keyframe of 100 kB is gone in a third of a second at the first; above the second it is sent as it comes. In between,
# and down to the least, it is so too for who has got all that is wanted for a while without congestion.
PACED_BELOW_BPS, UNPACED_ABOVE_BPS = 3e6, 4e6
ALWAYS_PACED_BELOW_BPS, UNCONGESTED_S = 1e6, 10.0
# Cameras give way to a picture of the screen that would be on its way for longer than the first beside nothing else;
# they come back when less than the second is left of it.
HOLD_S, RELEASE_S = 0.5, 0.05
# A viewer who asks for a keyframe while more than this waits for it lacks what waits, not a keyframe.
BEHIND_S = 0.3
# When so much more than a keyframe waits, and for so long, the keyframe is the shorter way to the newest picture.
STALE_KEYFRAMES, STALE_S = 1.4, 2.0
# An estimate that moves by less moves nothing: a twentieth is what it wavers by on a steady link.
ESTIMATE_STEP = 0.05


class BandwidthControl:
    """All estimates of an engine."""

    def __init__(self, rows: RowBuffer, containment: Containment) -> None:
        """No peer has a limit."""
        self._rows = rows
        self._containment = containment
        self._changed: dict[ConnectionId, Peer] = {}
        self._limited: dict[ConnectionId, Peer] = {}
        self._paced: dict[ConnectionId, Peer] = {}
        self.padding_packets = 0

    @property
    def is_active(self) -> bool:
        """Whether `update` and `send_due` have anything to do."""
        return bool(self._limited or self._paced)

    def take_changed(self) -> list[Peer]:
        """Return the peers whose available bandwidth, or whose paced videos, have changed since the last call."""
        changed, self._changed = list(self._changed.values()), {}
        return changed

    def on_transport_feedback(self, peer: Peer, data: bytes, now: float) -> None:
        """A report of arrivals from a peer. RtcpError."""
        link = peer.link
        estimator = link.downstream.estimator
        if estimator is None:
            estimator = link.downstream.estimator = Estimator(self._rows.transports.sent, link.transport)
        window, before_s = self._rows.transports.windows.get(link.transport), estimator.rtt_s
        if window is not None:
            arrived = estimator.last_arrived(data)
            if arrived is not None:
                window.reported(arrived[0], now, no_limit=arrived[1])
        estimator.on_feedback(data, now)
        if estimator.rtt_s is not None:
            link.rtt_s = estimator.rtt_s
            if patience_s(before_s) is None and patience_s(estimator.rtt_s) is not None:
                self._bound(peer)
        if not math.isinf(estimator.available_bps):
            self._limited[peer.id] = peer
            self._take(peer, estimator.available_bps, now)

    @staticmethod
    def _bound(peer: Peer) -> None:
        """Bound the rows of screens, now that the viewer is known to report arrivals soon."""
        for subscription in peer.subscriptions.values():
            if subscription.patience_s is not None and not subscription.bounded:
                subscription.enter_again()

    def receivers_estimate(self, peer: Peer, available_bps: float, now: float) -> None:
        """What a peer says itself that its way bears; not asked of those who report arrivals."""
        if peer.link.downstream.estimator is None:
            self._take(peer, available_bps, now)

    def _take(self, peer: Peer, available_bps: float, now: float) -> None:
        before = peer.link.downstream.available_bps
        if not available_bps / (1 + ESTIMATE_STEP) <= before <= available_bps * (1 + ESTIMATE_STEP):
            peer.link.downstream.available_bps = available_bps
            self._choose_pace(peer, now)
            self._changed[peer.id] = peer

    def _choose_pace(self, peer: Peer, now: float) -> None:
        downstream = peer.link.downstream
        before = downstream.pacer
        wanted = _needs_pace(downstream, now)
        if wanted == (before is not None):
            return
        if before is None:
            self._paced[peer.id] = peer
            downstream.pacer = Pacer(now)
        else:
            self._paced.pop(peer.id, None)
            downstream.pacer = None
            for subscription in peer.subscriptions.values():
                subscription.held = False
            self._send(peer, before.empty())
        for subscription in peer.subscriptions.values():
            subscription.enter_again()

    def send(self, subscription: Subscription, packet: bytes, *, keyframe: bool = False) -> None:
        """Send one packet of media to one viewer; `keyframe`: it begins one."""
        link = subscription.subscriber
        line = subscription.line
        if line is not None:
            line.enqueue(packet, keyframe=keyframe)
        else:
            self._rows.add_packet(packet, link.transport, numbered=subscription.numbered)

    @staticmethod
    def is_behind(subscription: Subscription) -> bool:
        """Whether a viewer lacks a picture only because it still waits here, and would wait longer for a keyframe."""
        line = subscription.line
        if line is None:
            return False
        return line.keyframe_waits or 8 * line.waiting_bytes > BEHIND_S * _video_bps(
            subscription.subscriber.downstream
        )

    @staticmethod
    def has_room_again(subscription: Subscription, sequence: int) -> bool:
        """Whether the packet of that outgoing number can be sent again soon, and is not about to be."""
        link = subscription.subscriber
        if link.downstream.pacer is None or not subscription.numbered:
            return True
        return link.downstream.pacer.has_room((subscription.ssrc, sequence), link.downstream.available_bps)

    def send_again(self, subscription: Subscription, sequence: int, packet: bytes) -> None:
        """Send the packet of that outgoing number again."""
        link = subscription.subscriber
        if link.downstream.pacer is not None and subscription.numbered:
            link.downstream.pacer.put_again((subscription.ssrc, sequence), packet)
        else:
            self._rows.add_packet(packet, link.transport, numbered=subscription.numbered)

    def _send(self, peer: Peer, packets: list[bytes]) -> None:
        for packet in packets:
            self._rows.add_packet(packet, peer.link.transport, numbered=True)

    def update(self, now: float) -> None:
        """Decide which packets wait, look for reports that stay away; see `take_changed` for what follows from it."""
        self._containment.each(now, self._update_pace, self._paced.values())
        self._containment.each(now, self._update_estimate, self._limited.values())

    def send_due(self, now: float) -> None:
        """Send what need not wait any longer, and padding where more bandwidth would be used."""
        self._containment.each(now, self._leak, self._paced.values())
        self._containment.each(now, self._probe, self._limited.values())

    def _update_pace(self, peer: Peer, now: float) -> None:
        if not peer.link.connected:
            del self._paced[peer.id]
            return
        self._choose_pace(peer, now)
        if peer.link.downstream.pacer is not None:
            self._clear_way(peer, now)

    def _update_estimate(self, peer: Peer, now: float) -> None:
        estimator = peer.link.downstream.estimator
        if estimator is None or not peer.link.connected:
            del self._limited[peer.id]
            return
        estimator.tick(int(self._rows.transports.sequence[peer.link.transport]), now)
        self._take(peer, estimator.available_bps, now)

    def _leak(self, peer: Peer, now: float) -> None:
        downstream = peer.link.downstream
        if downstream.pacer is not None:
            sent = self._sent_bytes(peer)
            self._send(peer, downstream.pacer.leak(downstream.available_bps, sent, now))

    def _probe(self, peer: Peer, now: float) -> None:
        downstream = peer.link.downstream
        if downstream.estimator is not None:
            number = int(self._rows.transports.sequence[peer.link.transport])
            left = downstream.estimator.padding(downstream.requested_bps, number, now)
            if left > 0:
                self._pad(peer, left)

    def _clear_way(self, peer: Peer, now: float) -> None:
        """Let cameras wait while a slide is on its way, and drop what is not worth waiting for."""
        assert peer.link.downstream.pacer is not None
        rate_bps = _video_bps(peer.link.downstream)
        videos = [s for s in peer.subscriptions.values() if s.line is not None]
        ahead_s = 0.0
        changed = False
        for subscription in sorted(videos, key=lambda each: each.rank):
            line, layer = subscription.line, subscription.current
            assert line is not None
            held = ahead_s > (RELEASE_S if subscription.held else HOLD_S)
            if held != subscription.held:
                subscription.held = held
                words = "waits while a slide is on its way" if held else "need not wait any more"
                peer.link.downstream.decided(f"{subscription.publication_id} {words}", now)
                changed = True
            wait_s = 8 * line.waiting_bytes / rate_bps
            keyframe = layer.keyframe_octets if layer is not None else 0
            stale = wait_s > STALE_S and keyframe and line.waiting_bytes > STALE_KEYFRAMES * keyframe
            if stale and not line.keyframe_waits:  # one that was begun is finished
                subscription.pause(now)
                peer.link.downstream.decided(
                    f"{subscription.publication_id} begins anew: {wait_s:.1f} s of old pictures were waiting",
                    now,
                )
                changed = True
                wait_s = 0.0
            if subscription.rank == 0:
                ahead_s += wait_s
        if changed:
            self._changed[peer.id] = peer

    def _sent_bytes(self, peer: Peer) -> float:
        """What has gone to a peer since the last time."""
        assert peer.link.downstream.pacer is not None
        number = int(self._rows.transports.sequence[peer.link.transport])
        first, peer.link.downstream.pacer.number = peer.link.downstream.pacer.number, number
        if first is None or first == number:
            return 0.0
        sent = self._rows.transports.sent.look_up(peer.link.transport, first, (number - first) & 0xFFFF)
        return float(sent.sizes[sent.known].sum())

    def _pad(self, peer: Peer, size: float) -> None:
        subscription = next((s for s in peer.subscriptions.values() if s.can_pad), None)
        while subscription is not None and size > 0:
            packet = subscription.padding()
            self._rows.add_packet(packet, peer.link.transport, numbered=True)
            self.padding_packets += 1
            size -= len(packet)


def _video_bps(downstream: Downstream) -> float:
    """What is left for video."""
    return max(downstream.available_bps - downstream.audio_bps, MIN_BPS)


def _needs_pace(downstream: Downstream, now: float) -> bool:
    available_bps, estimator = downstream.available_bps, downstream.estimator
    limit = PACED_BELOW_BPS if downstream.pacer is None else UNPACED_ABOVE_BPS
    if estimator is None or available_bps >= limit:
        return False
    calm = now - estimator.congested_at > UNCONGESTED_S and available_bps >= downstream.requested_bps
    return available_bps < ALWAYS_PACED_BELOW_BPS or not calm
