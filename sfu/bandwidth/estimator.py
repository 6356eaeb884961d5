"""The estimator: turns a receiver's transport-wide feedback into the available bandwidth of one transport.

report -> arrivals, joined with the sent log -> delay (delay.py) -> rate control (ratecontrol.py) -.
                                              -> losses (loss.py) -------------------------------- min -> available
                                              -> probes (probing.py) ----------------------------'
"""

from collections import deque
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from sfu.bandwidth.arrivals import REFERENCE_RANGE, REFERENCE_S, ReportTail, decode, last
from sfu.bandwidth.delay import DelayTrend, LinkUsage
from sfu.bandwidth.loss import LossControl
from sfu.bandwidth.probing import Prober
from sfu.bandwidth.ratecontrol import MIN_BPS, RateControl
from sfu.bandwidth.standing import StandingQueue
from sfu.fanout.sentlog import LOG_SIZE, Floats, SentLog
from sfu.wire.arithmetic import Unwrapper

# The throughput is measured over this long; under overuse the link is full and its rate even, so a shorter time is
# enough.
_RATE_S, _FULL_RATE_S = 0.5, 0.2
# A probe of twice the rate makes a queue as long as itself.
_PROBE_QUEUE_S = 0.1
# If packets have been sent and no report has been received for this long, the link counts as dead.
_SILENT_S = 2.0
# For this long afterwards, the available bandwidth rises again from its minimum.
_RESUMING_S = 4.0
# Interval of padding packets while the link is dead.
_KNOCK_INTERVAL_S = 0.2
# Share of the estimate before the silence that is used when reports return; a probe looks for the rest.
_RESUMED = 0.85
# Weight of each packet in the mean of the link's own loss: about four seconds of audio.
_LOSS_WEIGHT = 0.005
# If no limit is known and none has shown for a while, it is enough to read the end of a report, and rarely a whole one;
# signs of a limit are a queue or losses.
_FULL_INTERVAL_S, _SAMPLED_AFTER_S = 1.0, 1.5
_SIGN_QUEUE_S, _SIGN_LOSS = 0.05, 0.05


class Sampling(NamedTuple):
    """Which reports need to be read: what `Estimator.on_feedback` applies, for a data plane that does so first.

    While the path is calm, a report needs to be read at once only if its last packet shows a queue or losses. Others
    need not be read before `full_from`, and can wait after it.
    """

    calm: bool
    full_from: float
    delay_s: float
    "A longer time from sending to arrival shows a queue."
    loss: float
    "A greater share of lost packets shows a limit."
    reference: int
    "Unwrapped reference time of the last report that was read, in units of REFERENCE_S."


class Estimator:
    """The available bandwidth of one transport."""

    def __init__(self, log: SentLog, transport: int) -> None:
        """`log` contains the packets sent on `transport`."""
        self.available_bps = float("inf")
        "In bit/s; infinite until a limit is seen."
        self.rtt_s: float | None = None
        "Shortest time from sending a packet to reading its report, from the last report."
        self.congested_at = float("-inf")
        "When the link was last overused."
        self.silent = False
        "Packets are sent but no report is received: the link seems dead, and the minimum is available."
        self.resumed_at = float("-inf")
        "End of the last silence."
        self.lost_at = float("-inf")
        "When a loss was last reported."
        self.link_loss = 0.0
        "Recent loss ratio while there is no queue: as far as known, not caused by congestion."
        self._before_silence_bps = float("inf")
        self._knock_at = float("-inf")
        self.delay = DelayTrend()
        self.rate = RateControl()
        self.losses = LossControl()
        self.standing = StandingQueue()
        self.prober = Prober()
        self._log = log
        self._transport = transport
        self._unwrapper = Unwrapper()
        self._following = -1  # the number after the last report's, extended; -1: before the first
        self._reference = 0
        # per report: (last arrival, bits before it)
        self._arrived: deque[tuple[float, float]] = deque(maxlen=64)
        self._bits = 0.0
        # what arrived since a cluster began: rows number, sent, arrived, bytes
        self._probed: list[Floats] = []
        self._reported_at = float("inf")
        self._calm = False
        # before this time, the end of a report without signs of a limit is enough
        self._full_from = float("-inf")
        self._sampled_from = float("-inf")

    def on_feedback(self, data: bytes, now: float) -> None:
        """Process a feedback report. RtcpError."""
        if self._calm:
            end = last(data)
            if end is not None and self._shows_no_limit(end):
                if now >= self._full_from:
                    self._follow(end, now)
                return
        arrivals = decode(data)
        first = self._unwrapper.unwrap(arrivals.first)
        # a number is counted once: if a report repeats earlier numbers, start with the first new one
        skipped = max(self._following - first, 0)
        at = np.flatnonzero(arrivals.received[skipped:]) + skipped
        if not len(at):
            return
        following = first + int(at[-1]) + 1
        # packets between two reports count as received: that report was lost or not read
        begin = max(self._following, following - LOG_SIZE // 2) if self._following >= 0 else first
        begin = min(begin, first + skipped)
        sent = self._log.look_up(self._transport, begin, following - begin)
        at += first - begin
        if not sent.known[at].all():
            return  # about packets that were never sent
        lost = following - first - skipped - len(at)
        self._following = following
        self._reported_at = now
        sent_at = sent.sent_at[at]
        arrived_at = self._base_s(arrivals.reference) + arrivals.offsets_s[-len(at) :]
        self.rtt_s = now - float(sent_at[-1])
        if self.silent:
            self._resume(now)
            lost = 0  # losses on the dead link say nothing about the restored link
        self._count(sent.sizes, at, first + skipped - begin, float(arrived_at[-1]))
        if self.prober.cluster is not None:
            self._probed.append(np.stack((begin + at, sent_at, arrived_at, sent.sizes[at])))
        self.delay.update(sent_at, arrived_at)
        if lost:
            self.lost_at = now
        if self.delay.queue_s < _SIGN_QUEUE_S:
            self._count_loss(lost, lost + len(at))
        self._decide(lost, lost + len(at), now)
        self._sample(lost, lost + len(at), now)

    @property
    def sampling(self) -> Sampling:
        """Which of the next reports need to be read."""
        return Sampling(
            self._calm,
            self._full_from,
            self.delay.base_s + _SIGN_QUEUE_S,
            _SIGN_LOSS,
            self._reference,
        )

    def last_arrived(self, data: bytes) -> tuple[int, bool] | None:
        """Return (number of a report's last packet that arrived, whether the report shows no limit). RtcpError."""
        end = last(data)
        return None if end is None else (end.number, self._shows_no_limit(end))

    def _shows_no_limit(self, end: ReportTail) -> bool:
        """Whether a report shows neither a queue nor losses, judged by its last packet."""
        if end.missing > _SIGN_LOSS * end.count:
            return False
        delay_s = self._base_s(end.reference) + end.offset_s - self._log.sent_at(self._transport, end.number)
        return delay_s <= self.delay.base_s + _SIGN_QUEUE_S

    def _follow(self, end: ReportTail, now: float) -> None:
        """Process a report of a path that shows no limit by its last packet: a quarter of the cost of a whole one."""
        following = self._unwrapper.unwrap(end.number) + 1
        begin = max(self._following, following - LOG_SIZE // 2)
        if following <= begin:
            return
        sent = self._log.look_up(self._transport, begin, following - begin)
        if not sent.known[-1]:
            return  # about a packet that was never sent
        self._following = following
        self._reported_at = now
        sent_at, arrived_at = float(sent.sent_at[-1]), self._base_s(end.reference) + end.offset_s
        self.rtt_s = now - sent_at
        self._bits += 8 * float(sent.sizes.sum())
        self._arrived.append((arrived_at, self._bits))
        self.delay.follow(arrived_at - sent_at, arrived_at)
        if end.missing:
            self.lost_at = now
        self._count_loss(end.missing, end.count)
        self._full_from = now + _FULL_INTERVAL_S

    def _count_loss(self, lost: int, expected: int) -> None:
        weight = 1 - (1 - _LOSS_WEIGHT) ** expected
        self.link_loss += weight * (lost / expected - self.link_loss)

    def _base_s(self, reference: int) -> float:
        """Return the reference time unwrapped, in seconds: 24 bits wrap after 12 days."""
        ahead = (reference - self._reference + REFERENCE_RANGE // 2) % REFERENCE_RANGE
        self._reference += ahead - REFERENCE_RANGE // 2
        return self._reference * REFERENCE_S

    def _count(
        self, sizes: npt.NDArray[np.int64], at: npt.NDArray[np.intp], reported: int, arrived_at: float
    ) -> None:
        """Count the packets received until `arrived_at`: all before `reported`, and of the later ones those in `at`."""
        self._bits += 8 * float(sizes[:reported].sum() + sizes[at].sum())
        self._arrived.append((arrived_at, self._bits))

    def _arriving_bps(self, span_s: float) -> float:
        """Return the recent throughput; infinite if there are too few reports."""
        newest, bits = self._arrived[-1]
        earlier = (report for report in reversed(self._arrived) if newest - report[0] >= span_s)
        since, before = next(earlier, self._arrived[0])
        return (bits - before) / (newest - since) if newest - since >= span_s / 2 else float("inf")

    def _sample(self, lost: int, expected: int, now: float) -> None:
        """Read fewer reports of a link that shows no limit."""
        sign = self.delay.queue_s > _SIGN_QUEUE_S or lost > _SIGN_LOSS * expected
        if sign or self.available_bps < float("inf") or self._sampled_from < 0:
            self._sampled_from = now + _SAMPLED_AFTER_S
        self._calm = now > self._sampled_from
        self._full_from = now + _FULL_INTERVAL_S if self._calm else now

    def _decide(self, lost: int, expected: int, now: float) -> None:
        usage, queue_s = self.delay.usage, self.delay.queue_s
        arriving_bps = self._arriving_bps(_FULL_RATE_S if usage is LinkUsage.OVER else _RATE_S)
        if usage is LinkUsage.OVER and self.prober.cluster is not None and queue_s < _PROBE_QUEUE_S:
            usage = LinkUsage.UNDER  # caused by the probe, whose result shows the available bandwidth
        if arriving_bps < float("inf"):
            if self.losses.update(lost, expected, arriving_bps, queue_s, now):
                usage = LinkUsage.OVER
            assert self.rtt_s is not None
            if usage is LinkUsage.OVER:
                self.congested_at = now
                self.prober.congested(now)
                self.losses.rate_changed(self.rtt_s, now)
            self.rate.update(usage, arriving_bps, queue_s, self.rtt_s, now)
            standing_s = self.standing.update(queue_s, arriving_bps, self.rtt_s, now)
            if standing_s:
                self.delay.rebase()
                self.rate.path_became_longer(standing_s, self.standing.peak_bps)
        shown_bps = self._probe_result_bps(now)
        if shown_bps is not None and shown_bps > self.available_bps:
            self.rate.probed(shown_bps)
            self.losses.probed(shown_bps)
        self.available_bps = min(self.rate.available_bps, self.losses.bound_bps)

    def _probe_result_bps(self, now: float) -> float | None:
        """Return the rate that a probe has shown, None if none has ended."""
        if self.prober.cluster is None:
            self._probed.clear()
            return None
        return self.prober.result(np.concatenate(self._probed, axis=1), now)

    def padding(self, wanted_bps: float, number: int, now: float) -> float:
        """Return the bytes of padding to send in this tick; `number` is the next transport-wide one, 16 bits."""
        if self.silent:
            # send something, so that a report shows when the link is back
            if now < self._knock_at:
                return 0.0
            self._knock_at = now + _KNOCK_INTERVAL_S
            return 1.0
        extended = self._following + ((number - self._following) & 0xFFFF) if self._following >= 0 else number
        self.prober.begin(self.available_bps, wanted_bps, extended, now)
        cluster = self.prober.cluster
        if cluster is None:
            return 0.0
        sent = self._log.look_up(self._transport, cluster.first, extended - cluster.first)
        return self.prober.padding(float(sent.sizes.sum()), extended, now)

    def tick(self, number: int, now: float) -> None:
        """Detect missing reports; `number` is the next transport-wide one, 16 bits.

        Silence is not congestion: the estimate is stored for the time after it. Missing reports mean nothing while
        there is nothing to report.
        """
        if self._following >= 0 and number == self._following & 0xFFFF:
            self._reported_at = now
        elif now - self._reported_at > _SILENT_S and not self.silent and self.available_bps < float("inf"):
            self.silent = True
            self._before_silence_bps = max(self.rate.estimate_bps, self.available_bps)
            self.available_bps = MIN_BPS

    @property
    def lasting_bps(self) -> float:
        """The bandwidth available once a queue has been drained, which takes about a second."""
        return self.available_bps if self.silent else min(self.rate.estimate_bps, self.losses.bound_bps)

    def was_silent(self, now: float) -> bool:
        """Whether the link is dead, or was dead a moment ago."""
        return self.silent or now - self.resumed_at < _RESUMING_S

    def _resume(self, now: float) -> None:
        """Reports are received again: use most of the last estimate at once, and probe for more."""
        self.silent = False
        self.resumed_at = now
        self.delay.restart()
        self.rate.restart(_RESUMED * self._before_silence_bps)
        self.losses.rate_changed(self.rtt_s or 0.0, now)
        self.prober.restart(now)
        self._arrived.clear()
        self.available_bps = min(self.rate.available_bps, self.losses.bound_bps)
