"""Looking whether a link carries more than is sent: short clusters of padding at a higher rate.

A cluster is a run of transport-wide numbers; whatever was sent in it counts, media as well as padding. What a cluster
shows is the lower of the rates at which it was sent and at which it arrived (as in libwebrtc's probe estimator).
"""

from dataclasses import dataclass

import numpy as np

from sfu.fanout.sentlog import Floats

# How often padding is sent, a tick of the engine; three of these (the fourth is past the end), and 5 packets of any
# size, make a cluster.
TICK_S = 0.02
_CLUSTER_S = 2.5 * TICK_S
_MIN_PACKETS = 5
# Twice the estimate, and twice again when that came through, as in libwebrtc; less while probes fail, as each makes a
# queue on a link that is full. Never more than is wanted by much.
_STEP, _CAREFUL_STEP = 2.0, 1.5
_ENOUGH = 1.2
# How long after a cluster that showed nothing new, or after congestion; each failure doubles it.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 6.0
_AFTER_CONGESTION_S = 4.0
# A cluster without an answer for this long is given up.
_LOST_S = 1.5
# libwebrtc's: share that must arrive, below which share of the rate sent a link counts as full, and what is taken then.
_RECEIVED, _SATURATED, _FULL = 0.8, 0.9, 0.95
# Which share of what was tried is a success.
_SUCCESS = 0.7


@dataclass(slots=True)
class Cluster:
    """A probe under way."""

    rate_bps: float
    first: int
    "Transport-wide number of its first packet, extended."
    began_at: float
    last: int = -1
    "Of the packet after which it is complete; -1: it is still being sent."


class Prober:
    """One transport's probes."""

    def __init__(self) -> None:
        """None under way."""
        self.cluster: Cluster | None = None
        self._next_at = 0.0
        self._pause_s = _FIRST_PAUSE_S

    def begin(self, available_bps: float, wanted_bps: float, number: int, now: float) -> None:
        """Begin a cluster if one is due; `number` is the next transport-wide one, extended."""
        if self.cluster is not None and now - self.cluster.began_at > _LOST_S:
            self._fail(now)
        if self.cluster is None and now >= self._next_at and available_bps < wanted_bps:
            step = _STEP if self._pause_s == _FIRST_PAUSE_S else _CAREFUL_STEP
            rate_bps = min(step * available_bps, max(_ENOUGH * wanted_bps, 1.1 * available_bps))
            self.cluster = Cluster(rate_bps, number, now)

    def padding(self, sent_bytes: float, number: int, now: float) -> float:
        """Bytes to send now, when so many have been sent since the cluster began and `number` is the next."""
        cluster = self.cluster
        if cluster is None or cluster.last >= 0:
            return 0.0
        elapsed_s = now - cluster.began_at
        if elapsed_s >= _CLUSTER_S and number - cluster.first >= _MIN_PACKETS:
            cluster.last = number - 1
            return 0.0
        return cluster.rate_bps / 8 * (elapsed_s + TICK_S) - sent_bytes

    def congested(self, now: float) -> None:
        """The link is full: no probe for a while."""
        if self.cluster is not None:
            self._fail(now)
        self._next_at = max(self._next_at, now + _AFTER_CONGESTION_S)

    def restart(self, now: float) -> None:
        """Forget what failed before: the next cluster may begin at once."""
        self.cluster = None
        self._pause_s = _FIRST_PAUSE_S
        self._next_at = now

    def result(self, recent: Floats, now: float) -> float | None:
        """What the cluster shows, once all of it has been reported: bits per second.

        `recent` are the packets that arrived lately; its rows: number, time sent, time arrived, bytes.
        """
        numbers, sent_at, arrived_at, sizes = recent
        cluster = self.cluster
        if cluster is None or cluster.last < 0 or not len(numbers) or numbers[-1] < cluster.last:
            return None
        mine = (numbers >= cluster.first) & (numbers <= cluster.last)
        count = int(np.count_nonzero(mine))
        if count < max(_MIN_PACKETS, 2, _RECEIVED * (cluster.last - cluster.first + 1)):
            self._fail(now)
            return None
        sent, arrived, bits = sent_at[mine], arrived_at[mine], 8 * sizes[mine]
        total = float(bits.sum())
        sent_s, arrived_s = float(sent[-1] - sent[0]), float(arrived.max() - arrived.min())
        # what went out at the last moment took its time after it, what came in first took its before
        last = float(bits[sent == sent[-1]].sum())
        sent_bps = (total - last) / sent_s if sent_s > 0 else float("inf")
        arrived_bps = (total - float(bits[0])) / arrived_s if arrived_s > 0 else float("inf")
        shown_bps = min(sent_bps, arrived_bps)
        if shown_bps == float("inf"):
            self._fail(now)
            return None
        if arrived_bps < _SATURATED * sent_bps:
            shown_bps = _FULL * arrived_bps
        if shown_bps >= _SUCCESS * cluster.rate_bps:
            self._pause_s = _FIRST_PAUSE_S
            self._next_at = now
            self.cluster = None
        else:
            self._fail(now)
        return shown_bps

    def _fail(self, now: float) -> None:
        self.cluster = None
        self._next_at = now + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
