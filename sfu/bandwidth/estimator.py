"""How much a transport carries, from its receiver's transport-wide feedback: the parts put together.

report -> arrivals, joined with the sent log -> delay (delay.py) -> rate control (ratecontrol.py) -.
                                              -> losses (loss.py) -------------------------------- min -> available
                                              -> probes (probing.py) ----------------------------'
"""

from collections import deque

import numpy as np
import numpy.typing as npt

from sfu.bandwidth.arrivals import REFERENCE_RANGE, REFERENCE_S, decode, last
from sfu.bandwidth.delay import DelayTrend, Usage
from sfu.bandwidth.loss import LossControl
from sfu.bandwidth.probing import Prober
from sfu.bandwidth.ratecontrol import MIN_BPS, RateControl
from sfu.fanout.sentlog import LOG_SIZE, Floats, SentLog
from sfu.wire.arithmetic import Unwrapper

# The rate at which packets arrive is taken over this long; under overuse the link is full and its rate even, so that a
# shorter time tells it.
_RATE_S, _FULL_RATE_S = 0.5, 0.2
# A probe of twice the rate makes a queue of its own length.
_PROBE_QUEUE_S = 0.1
# When packets have gone out and no report has come for so long, the link is taken to carry nothing.
_SILENT_S = 2.0
# For so long afterwards what is available rises from what little was left.
_RESUMING_S = 4.0
# How often padding is sent into such a silence.
_KNOCK_INTERVAL_S = 0.2
# Of the estimate before such a silence, so much is used at once when reports come again; a probe looks for the rest.
_RESUMED = 0.85
# How quickly the link's own loss is followed, per packet: the mean of about four seconds of audio.
_LOSS_WEIGHT = 0.005
# Where no limit is known and none has shown for a while, the end of a report now and then is enough, and seldom a whole
# one; signs are a queue, or losses.
_GLANCE_INTERVAL_S, _FULL_INTERVAL_S, _CALM_AFTER_S = 0.09, 1.0, 1.5
_SIGN_QUEUE_S, _SIGN_LOSS = 0.05, 0.05


class Estimator:
    """One transport's estimate."""

    def __init__(self, log: SentLog, transport: int) -> None:
        """`log` has what went out on `transport`."""
        self.available_bps = float("inf")
        "Infinite until something is known."
        self.rtt_s: float | None = None
        "Least time from a packet to its report, of the last report."
        self.congested_at = float("-inf")
        "When the link was last overused."
        self.silent = False
        "Reports stay away although packets go out: the link seems to be dead, and what is available is the least."
        self.resumed_at = float("-inf")
        "When such a silence ended last."
        self.lost_at = float("-inf")
        "When a packet was reported lost last."
        self.link_loss = 0.0
        "Share of packets that is lost lately while no queue stands: not by congestion, as far as can be told."
        self._before_silence_bps = float("inf")
        self._knock_at = float("-inf")
        self.delay = DelayTrend()
        self.rate = RateControl()
        self.losses = LossControl()
        self.prober = Prober()
        self._log = log
        self._transport = transport
        self._unwrapper = Unwrapper()
        self._following = -1  # the number after the last report's, extended; -1: before the first
        self._reference = 0
        self._arrived: deque[tuple[float, float]] = deque(
            maxlen=64
        )  # per report: (last arrival, bits before it)
        self._bits = 0.0
        self._probed: list[
            Floats
        ] = []  # what arrived since a cluster began: rows number, sent, arrived, bytes
        self._reported_at = float("inf")
        self.read_from = float("-inf")
        "Reports before this time are not read."
        self._full_from = float("-inf")  # before that the end of a calm report is enough
        self._calm_from = float("-inf")

    def report(self, data: bytes, now: float) -> None:
        """Take in a report of arrivals. RtcpError."""
        if now < self.read_from:
            return
        if now < self._full_from and self._is_calm(data):
            self.read_from = now + _GLANCE_INTERVAL_S
            return
        arrivals = decode(data)
        first = self._unwrapper.unwrap(arrivals.first)
        # a number is counted once: where a report repeats an earlier one, from the first that is new
        skipped = max(self._following - first, 0)
        at = np.flatnonzero(arrivals.received[skipped:]) + skipped
        if not len(at):
            return
        following = first + int(at[-1]) + 1
        # what lies between two reports is counted as arrived: a report that was lost, or not read
        begin = max(self._following, following - LOG_SIZE // 2) if self._following >= 0 else first
        begin = min(begin, first + skipped)
        sent = self._log.look_up(self._transport, begin, following - begin)
        at += first - begin
        if not sent.known[at].all():
            return  # of packets that were never sent
        lost = following - first - skipped - len(at)
        self._following = following
        self._reported_at = now
        sent_at = sent.sent_at[at]
        arrived_at = self._base_s(arrivals.reference) + arrivals.offsets_s[-len(at) :]
        self.rtt_s = now - float(sent_at[-1])
        if self.silent:
            self._resume(now)
            lost = 0  # what was sent into the dead link says nothing of the one that is back
        self._count(sent.sizes, at, first + skipped - begin, float(arrived_at[-1]))
        if self.prober.cluster is not None:
            self._probed.append(np.stack((begin + at, sent_at, arrived_at, sent.sizes[at])))
        self.delay.update(sent_at, arrived_at)
        if lost:
            self.lost_at = now
        if self.delay.queue_s < _SIGN_QUEUE_S:
            weight = 1 - (1 - _LOSS_WEIGHT) ** (lost + len(at))
            self.link_loss += weight * (lost / (lost + len(at)) - self.link_loss)
        self._decide(lost, lost + len(at), now)
        self._rest(lost, lost + len(at), now)

    def _is_calm(self, data: bytes) -> bool:
        """Whether a report shows neither a queue nor losses, by its last packet."""
        end = last(data)
        if end is None or end.missing > _SIGN_LOSS * end.count:
            return False
        delay_s = self._base_s(end.reference) + end.offset_s - self._log.sent_at(self._transport, end.number)
        return delay_s - self.delay.base_s <= _SIGN_QUEUE_S

    def _base_s(self, reference: int) -> float:
        """The reference time without its wrap: the 24 bits are seconds of 12 days."""
        ahead = (reference - self._reference + REFERENCE_RANGE // 2) % REFERENCE_RANGE
        self._reference += ahead - REFERENCE_RANGE // 2
        return self._reference * REFERENCE_S

    def _count(
        self, sizes: npt.NDArray[np.int64], at: npt.NDArray[np.intp], reported: int, arrived_at: float
    ) -> None:
        """Count what has arrived until `arrived_at`: all before `reported`, from there on what is in `at`."""
        self._bits += 8 * float(sizes[:reported].sum() + sizes[at].sum())
        self._arrived.append((arrived_at, self._bits))

    def _arriving_bps(self, span_s: float) -> float:
        """The rate at which packets arrived lately; infinite when too few have."""
        newest, bits = self._arrived[-1]
        earlier = (report for report in reversed(self._arrived) if newest - report[0] >= span_s)
        since, before = next(earlier, self._arrived[0])
        return (bits - before) / (newest - since) if newest - since >= span_s / 2 else float("inf")

    def _rest(self, lost: int, expected: int, now: float) -> None:
        """Read less of a link that shows no limit."""
        sign = self.delay.queue_s > _SIGN_QUEUE_S or lost > _SIGN_LOSS * expected
        if sign or self.available_bps < float("inf") or self._calm_from < 0:
            self._calm_from = now + _CALM_AFTER_S
        if now > self._calm_from:
            self.read_from, self._full_from = now + _GLANCE_INTERVAL_S, now + _FULL_INTERVAL_S
        else:
            self.read_from = self._full_from = now

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
                self.congested_at = now
                self.prober.congested(now)
                self.losses.rate_changed(self.rtt_s, now)
            if self.rate.drains_nothing(arriving_bps, queue_s, self.rtt_s, now):
                self.delay.rebase()
                usage, queue_s = self.delay.usage, self.delay.queue_s
            self.rate.update(usage, arriving_bps, queue_s, self.rtt_s, now)
        shown_bps = self._shown_bps(now)
        if shown_bps is not None and shown_bps > self.available_bps:
            self.rate.probed(shown_bps)
            self.losses.probed(shown_bps)
        self.available_bps = min(self.rate.available_bps, self.losses.bound_bps)

    def _shown_bps(self, now: float) -> float | None:
        """What a probe has shown."""
        if self.prober.cluster is None:
            self._probed.clear()
            return None
        return self.prober.result(np.concatenate(self._probed, axis=1), now)

    def padding(self, wanted_bps: float, number: int, now: float) -> float:
        """Bytes of padding to send in this tick; `number` is the next transport-wide one, 16 bits."""
        if self.silent:
            # something has to go out, so that a report can tell when the link is back
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
        """Notice that reports stay away; `number` is the next transport-wide one, 16 bits.

        Silence is no congestion: the estimate is kept for when the link is back, and nothing is said by the absence of
        reports while there is nothing to report.
        """
        if self._following >= 0 and number == self._following & 0xFFFF:
            self._reported_at = now
        elif now - self._reported_at > _SILENT_S and not self.silent and self.available_bps < float("inf"):
            self.silent = True
            self._before_silence_bps = max(self.rate.estimate_bps, self.available_bps)
            self.available_bps = MIN_BPS

    @property
    def lasting_bps(self) -> float:
        """What will be available once a queue that stands has been drained, which takes about a second."""
        return self.available_bps if self.silent else min(self.rate.estimate_bps, self.losses.bound_bps)

    def was_silent(self, now: float) -> bool:
        """Whether the link is dead, or has been a moment ago."""
        return self.silent or now - self.resumed_at < _RESUMING_S

    def _resume(self, now: float) -> None:
        """Reports arrive again: try the last good estimate at once, and probe for more."""
        self.silent = False
        self.resumed_at = now
        self.delay.restart()
        self.rate.restart(_RESUMED * self._before_silence_bps)
        self.losses.rate_changed(self.rtt_s or 0.0, now)
        self.prober.restart(now)
        self._arrived.clear()
        self.available_bps = min(self.rate.available_bps, self.losses.bound_bps)
