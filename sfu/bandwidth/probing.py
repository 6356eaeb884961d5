"""Probing: short clusters of padding at a higher rate show whether more bandwidth is available.

A cluster is a run of transport-wide numbers; all packets with these numbers count, media and padding. Its result is the
lower of its send rate and its receive rate (as in libwebrtc's probe estimator).
"""

from dataclasses import dataclass

import numpy as np

from sfu.fanout.sentlog import Floats

# Interval of padding, a tick of the engine. A cluster takes three ticks (the fourth is beyond its end), and at least 5
# packets of any size.
TICK_S = 0.02
_CLUSTER_S = 2.5 * TICK_S
_MIN_PACKETS = 5
# Twice the estimate, and twice again after a success, as in libwebrtc; less while probes fail, as each makes a queue on
# a full link. Never much more than requested.
_STEP, _CAREFUL_STEP = 2.0, 1.5
_ENOUGH = 1.2
# Pause after a failed cluster, doubled by each further failure, and after congestion.
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 6.0
_AFTER_CONGESTION_S = 4.0
# A cluster without a complete report for this long has failed.
_LOST_S = 1.5
# libwebrtc's: share that must be received; receive rate / send rate of a full link at most; share used then.
_RECEIVED, _SATURATED, _FULL = 0.8, 0.9, 0.95
# Share of the rate tried that counts as success.
_SUCCESS = 0.7


@dataclass(slots=True)
class ProbeCluster:
    """A probe cluster in progress."""

    rate_bps: float
    first: int
    "Transport-wide number of its first packet, extended."
    began_at: float
    last: int = -1
    "Number of its last packet; -1: it is still being sent."


class Prober:
    """The probes of one transport."""

    def __init__(self) -> None:
        """Start without a cluster."""
        self.cluster: ProbeCluster | None = None
        self._next_at = 0.0
        self._pause_s = _FIRST_PAUSE_S

    def begin(self, available_bps: float, wanted_bps: float, number: int, now: float) -> None:
        """Start a cluster if one is due; `number` is the next transport-wide one, extended."""
        if self.cluster is not None and now - self.cluster.began_at > _LOST_S:
            self._fail(now)
        if self.cluster is None and now >= self._next_at and available_bps < wanted_bps:
            step = _STEP if self._pause_s == _FIRST_PAUSE_S else _CAREFUL_STEP
            rate_bps = min(step * available_bps, max(_ENOUGH * wanted_bps, 1.1 * available_bps))
            self.cluster = ProbeCluster(rate_bps, number, now)

    def padding(self, sent_bytes: float, number: int, now: float) -> float:
        """Return the bytes to send now, given the bytes sent since the cluster began and the next `number`."""
        cluster = self.cluster
        if cluster is None or cluster.last >= 0:
            return 0.0
        elapsed_s = now - cluster.began_at
        if elapsed_s >= _CLUSTER_S and number - cluster.first >= _MIN_PACKETS:
            cluster.last = number - 1
            return 0.0
        return cluster.rate_bps / 8 * (elapsed_s + TICK_S) - sent_bytes

    def congested(self, now: float) -> None:
        """Pause probing, since the link is full."""
        if self.cluster is not None:
            self._fail(now)
        self._next_at = max(self._next_at, now + _AFTER_CONGESTION_S)

    def restart(self, now: float) -> None:
        """Discard earlier failures: the next cluster may start at once."""
        self.cluster = None
        self._pause_s = _FIRST_PAUSE_S
        self._next_at = now

    def result(self, recent: Floats, now: float) -> float | None:
        """Return the result of the cluster in bit/s, once all of it has been reported; None before.

        `recent` contains the packets received recently; its rows: number, time sent, time received, bytes.
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
        # the last packets sent and the first one received took time outside of the measured spans
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
