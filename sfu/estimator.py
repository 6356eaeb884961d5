"""How much a transport carries, from its receiver's transport-wide feedback: the parts put together.

report -> arrivals, joined with the sent log -> delay (delay.py) -> rate control (ratecontrol.py) -.
                                              -> losses (loss.py) -------------------------------- min -> available
                                              -> probes (probing.py) ----------------------------'
"""

import numpy as np

from sfu.arrivals import REFERENCE_RANGE, REFERENCE_S, decode
from sfu.delay import DelayTrend, Usage
from sfu.loss import LossControl
from sfu.probing import Prober
from sfu.ratecontrol import MIN_BPS, RateControl
from sfu.sentlog import Floats, SentLog
from sfu.sequence import Unwrapper

# Packets that arrived are kept this long, and the rate at which they do is taken over the shorter time.
_KEPT_S = 1.0
_RATE_S = 0.5
# Under overuse the link is full and its rate even, so that a shorter time tells it.
_FULL_RATE_S = 0.2
# A probe of twice the rate makes a queue of its own length.
_PROBE_QUEUE_S = 0.1
# Without a report for so long nothing is known to arrive any more.
_SILENT_S = 1.5

_NUMBER, _SENT, _ARRIVED, _SIZE = range(4)


class Estimator:
    """One transport's estimate."""

    def __init__(self, log: SentLog, transport: int) -> None:
        """`log` has what went out on `transport`."""
        self.available_bps = float("inf")
        "Infinite until something is known."
        self.rtt_s: float | None = None
        "Least time from a packet to its report, of the last report."
        self.delay = DelayTrend()
        self.rate = RateControl()
        self.losses = LossControl()
        self.prober = Prober()
        self._log = log
        self._transport = transport
        self._unwrapper = Unwrapper()
        self._following = 0
        self._reference = 0
        self._recent: Floats = np.zeros((4, 0))  # rows: number, sent, arrived, size; a column per packet
        self._reported_at = float("inf")

    def report(self, data: bytes, now: float) -> None:
        """Take in a report of arrivals. RtcpError."""
        arrivals = decode(data)
        first = self._unwrapper.unwrap(arrivals.first)
        sent = self._log.look_up(self._transport, first, len(arrivals.received))
        # a number is counted once: where a report repeats an earlier one, from the first that is new
        new = sent.known & (np.arange(first, first + len(sent.known)) >= self._following)
        got = new & arrivals.received
        expected, received = int(np.count_nonzero(new)), int(np.count_nonzero(got))
        if not received:
            return
        self._following = first + int(np.flatnonzero(new)[-1]) + 1
        columns = np.empty((4, received))
        at = np.flatnonzero(got)
        columns[_NUMBER] = first + at
        columns[_SENT] = sent.sent_at[at]
        columns[_ARRIVED] = self._base_s(arrivals.reference) + arrivals.offsets_s[got[arrivals.received]]
        columns[_SIZE] = sent.sizes[at]
        self._reported_at = now
        self.rtt_s = now - float(columns[_SENT].max())
        self._keep(columns)
        self.delay.update(columns[_SENT], columns[_ARRIVED])
        self._decide(expected - received, expected, now)

    def _base_s(self, reference: int) -> float:
        """The reference time without its wrap: the 24 bits are seconds of 12 days."""
        ahead = (reference - self._reference + REFERENCE_RANGE // 2) % REFERENCE_RANGE - REFERENCE_RANGE // 2
        self._reference += ahead
        return self._reference * REFERENCE_S

    def _keep(self, columns: Floats) -> None:
        recent = np.concatenate((self._recent, columns), axis=1)
        self._recent = recent[:, recent[_ARRIVED] > recent[_ARRIVED, -1] - _KEPT_S]

    def _arriving_bps(self, span_s: float) -> float:
        """The rate at which packets arrived lately; infinite when too few have."""
        arrived = self._recent[_ARRIVED]
        newest = float(arrived.max())
        since = max(newest - span_s, float(arrived[0]))
        if newest - since < span_s / 2:
            return float("inf")
        return float(self._recent[_SIZE, arrived > since].sum()) * 8 / (newest - since)

    def _decide(self, lost: int, expected: int, now: float) -> None:
        usage, queue_s = self.delay.usage, self.delay.queue_s
        arriving_bps = self._arriving_bps(_FULL_RATE_S if usage is Usage.OVER else _RATE_S)
        if usage is Usage.OVER and self.prober.cluster is not None and queue_s < _PROBE_QUEUE_S:
            usage = Usage.UNDER  # the probe's own doing: its result tells what the link bears
        if arriving_bps < float("inf"):
            if self.losses.update(lost, expected, arriving_bps, queue_s, now):
                usage = Usage.OVER
            assert self.rtt_s is not None
            if usage is Usage.OVER:
                self.prober.congested(now)
                self.losses.rate_changed(self.rtt_s, now)
            self.rate.update(usage, arriving_bps, queue_s, self.rtt_s, now)
        shown_bps = self.prober.result(self._recent, now)
        if shown_bps is not None and shown_bps > self.available_bps:
            self.rate.probed(shown_bps)
            self.losses.probed(shown_bps)
        self.available_bps = min(self.rate.available_bps, self.losses.bound_bps)

    def padding(self, wanted_bps: float, number: int, now: float) -> float:
        """Bytes of padding to send in this tick; `number` is the next transport-wide one, 16 bits."""
        extended = self._unwrapper.unwrap(number) if self._following else number
        self.prober.begin(self.available_bps, wanted_bps, extended, now)
        cluster = self.prober.cluster
        if cluster is None:
            return 0.0
        sent = self._log.look_up(self._transport, cluster.first, extended - cluster.first)
        return self.prober.padding(float(sent.sizes.sum()), extended, now)

    def tick(self, now: float) -> None:
        """Notice that reports stay away."""
        if now - self._reported_at > _SILENT_S and self.available_bps < float("inf"):
            self._reported_at = now
            self.rate.estimate_bps = max(self.available_bps / 2, MIN_BPS)
            self.available_bps = self.rate.available_bps = self.rate.estimate_bps
