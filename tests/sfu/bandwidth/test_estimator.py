"""The whole estimator on an emulated link in simulated time, with the bytes of real reports in between."""

import math
import struct

import numpy as np
import pytest
from network import AUDIO_BYTES, Call, Link, Run

from sfu.bandwidth.estimator import Estimator
from sfu.fanout.sentlog import SentLog
from sfu.wire.rtcp import RtcpError

FAST, SLOW = 3e6, 0.5e6


def mean(rows, column=2):
    return float(np.mean([row[column] for row in rows]))


def jain(shares):
    return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))


def first_at(run, since, reached):
    return next((row[0] - since for row in run.record if row[0] > since and reached(row)), math.inf)


@pytest.mark.parametrize("feedback_s", [0.05, 0.1, 0.15])
@pytest.mark.parametrize("queue_s", [0.1, 0.3, 1.5])
@pytest.mark.parametrize("delay_s", [0.01, 0.05])
def test_a_link_that_narrows_and_widens_again(delay_s, queue_s, feedback_s):
    link = Link(FAST, delay_s=delay_s, queue_s=queue_s)
    call = Call(link, wanted_bps=1.7 * FAST, feedback_s=feedback_s)
    run = Run(call).until(10)
    assert first_at(run, 0, lambda row: 0.9 * FAST <= row[2] <= 1.1 * FAST) <= 2
    assert 0.85 <= mean(run.over(2, 10)) / FAST <= 1.05
    assert max(row[1] for row in run.over(4, 10)) < 0.25

    link.rate_bps = SLOW
    run.until(20)
    assert min(call.sent_bps(10 + since, 10.2 + since) for since in np.arange(0, 1, 0.05)) < SLOW
    assert call.sent_bps(11, 13) < 1.05 * SLOW
    assert max(call.sent_bps(since, since + 1) for since in np.arange(11, 19, 0.5)) < 1.2 * SLOW
    assert max(row[1] for row in run.over(13, 20)) < 0.2
    assert first_at(run, 10.3, lambda row: row[1] < 0.1) <= 2.7
    assert 0.8 <= mean(run.over(13, 20)) / SLOW <= 1

    link.rate_bps = FAST
    run.until(35)
    assert first_at(run, 20, lambda row: row[2] >= 0.8 * FAST) <= 10
    assert 0.85 <= mean(run.over(30, 35)) / FAST <= 1


@pytest.mark.parametrize("loss", [0, 0.03, 0.1])
@pytest.mark.parametrize("rate_bps", [0.3e6, 1.5e6])
@pytest.mark.parametrize("delay_s", [0.02, 0.1])
def test_a_weak_link_is_used_and_its_queue_stays_short(rate_bps, delay_s, loss):
    link = Link(rate_bps, delay_s=delay_s, queue_s=0.3, loss=loss)
    run = Run(Call(link, wanted_bps=2 * rate_bps)).until(30)
    available = [row[2] for row in run.over(5, 30)]
    queues = [row[1] for row in run.over(5, 30)]
    assert 0.75 <= np.mean(available) / rate_bps <= 1
    assert np.std(available) / np.mean(available) < 0.25
    assert np.quantile(queues, 0.95) < 0.15


@pytest.mark.parametrize("jitter_s", [0.02, 0.05])
def test_jitter_is_no_congestion(jitter_s):
    link = Link(FAST, jitter_s=jitter_s)
    run = Run(Call(link)).until(20)
    assert mean(run.over(5, 20)) / FAST > 0.8


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_on_one_link_get_equal_shares_that_do_not_swing(seed):
    link = Link(FAST, seed=seed)
    calls = [Call(link, seed=seed), Call(link, seed=seed + 10)]
    run = Run(*calls).until(40)
    assert jain([call.sent_bps(10, 40) for call in calls]) >= 0.9
    assert sum(call.sent_bps(10, 40) for call in calls) > 0.85 * FAST
    assert max(row[1] for row in run.over(10, 40)) < 0.25
    for column in (2, 3):
        available = [row[column] for row in run.over(20, 40)]
        assert np.std(available) / np.mean(available) < 0.35


def test_somebody_who_joins_a_full_link_gets_a_share():
    link = Link(FAST)
    calls = [Call(link), Call(link, seed=2, video_from_s=10)]
    Run(*calls).until(70)
    assert jain([call.sent_bps(55, 70) for call in calls]) >= 0.9


def test_layers_are_found_by_probes_alone():
    # The video is one of three sizes, and the link fits the middle one, then all: padding has to find out.
    link = Link(0.7e6)
    call = Call(link, wanted_bps=1.7e6, layers=(150_000, 500_000, 1_700_000))
    run = Run(call).until(20)
    assert 0.4e6 < call.sent_bps(10, 20) < 0.7e6
    assert np.quantile([row[1] for row in run.over(5, 20)], 0.95) < 0.1
    link.rate_bps = FAST
    run.until(30)
    assert call.sent_bps(27, 30) > 1.6e6


def test_without_probes_layers_are_not_found():
    link = Link(0.7e6)
    call = Call(link, wanted_bps=1.7e6, layers=(150_000, 500_000, 1_700_000), probes=False)
    run = Run(call).until(20)
    link.rate_bps = FAST
    run.until(30)
    assert call.sent_bps(27, 30) < 1.6e6


def test_a_policer_without_a_queue():
    link = Link(1e6, queue_s=0.05)
    call = Call(link, wanted_bps=3e6)
    run = Run(call).until(20)
    assert 0.6 < mean(run.over(5, 20)) / 1e6 < 1.15
    before = link.dropped
    sent = len(call.sent)
    run.until(30)
    assert (link.dropped - before) / (len(call.sent) - sent) < 0.15


def test_nothing_is_known_of_a_link_that_bears_all():
    run = Run(Call(Link(100e6), wanted_bps=2e6)).until(10)
    assert all(row[2] == math.inf for row in run.record)


def test_silence_halves_what_is_available():
    call = Call(Link(FAST))
    run = Run(call).until(5)
    known = call.estimator.available_bps
    call.link.loss = 1.0
    run.until(10)
    assert call.estimator.available_bps <= known / 4
    call.link.loss = 0.0
    run.until(20)
    assert call.estimator.available_bps > 0.8 * FAST


def test_the_receivers_clock_may_wrap():
    log = SentLog()
    log.reserve(1)
    estimator = Estimator(log, 0)
    for i in range(100):
        now = 5 + i * 0.02
        log.record(np.zeros(1, np.int32), np.array([i], np.int32), np.array([1000], np.int32), now)
        reference, ticks = divmod(int(now * 4000), 256)
        reference = (0xFFFFFF - 90 + reference) & 0xFFFFFF
        large = 0x4001
        data = struct.pack("!HHIHh", i, 1, reference << 8, large, ticks)
        estimator.on_feedback(data, now + 0.05)
    assert estimator.available_bps == math.inf
    assert estimator.delay.queue_s < 0.001


def test_reports_of_what_was_never_sent_or_reported_before_change_nothing():
    call = Call(Link(FAST))
    Run(call).until(5)
    known, following = call.estimator.available_bps, call.estimator._following
    ahead, behind = call.number + 1000, following - 20
    for first in (ahead, behind):
        call.estimator.on_feedback(struct.pack("!HHIH", first & 0xFFFF, 20, 0, 1 << 13 | 20) + bytes(20), 5.1)
    assert (call.estimator.available_bps, call.estimator._following) == (known, following)
    with pytest.raises(RtcpError):
        call.estimator.on_feedback(b"\0" * 10, 5.1)


def test_audio_is_late_by_no_more_than_a_frame_or_two_on_a_settled_link():
    call = Call(Link(0.3e6, queue_s=0.3), wanted_bps=0.6e6)
    Run(call).until(20)
    late = [delay - call.link.delay_s - 8 * AUDIO_BYTES / 0.3e6 for at, delay in call.audio_delays if at > 5]
    assert np.quantile(late, 0.99) < 0.2


def calm(link):
    """A call after a while without a limit: (call, run, an entry for each report read in full from now on)."""
    call = Call(link, wanted_bps=2e6, feedback_s=0.05)
    read, update = [], call.estimator.delay.update
    call.estimator.delay.update = lambda *columns: (read.append(1), update(*columns))
    run = Run(call).until(5)
    read.clear()
    return call, run, read


def test_the_end_of_a_report_a_second_is_read_of_a_link_that_shows_no_limit_and_all_once_it_does():
    link = Link(100e6)
    call, run, read = calm(link)
    followed, follow = [], call.estimator.delay.follow
    call.estimator.delay.follow = lambda *values: (followed.append(values), follow(*values))
    run.until(7)
    assert len(followed) == 2
    assert not read
    assert call.estimator.rtt_s < 2 * link.delay_s + 0.1
    assert call.estimator._arriving_bps(0.5) == pytest.approx(2e6, rel=0.1)
    link.rate_bps = 1e6
    run.until(7.3)
    assert call.estimator.available_bps < 2e6
    run.until(8)
    assert call.estimator.available_bps < 1e6
    read.clear()
    run.until(10)
    assert len(read) >= 38


def end_of_report(call, number, at):
    """A report of one packet of this number, which arrived on the empty path after it was sent at `at`."""
    ticks = round((at + call.estimator.delay.base_s) / 0.00025)
    return struct.pack("!HHIHh", number & 0xFFFF, 1, ticks // 256 << 8, 0x4001, ticks % 256)


def test_ends_of_reports_of_what_was_never_sent_or_reported_before_change_nothing():
    call, run, _ = calm(Link(100e6))
    run.until(15)
    estimator = call.estimator
    # the place of the first in the log has an older packet
    for number in (call.number + 1000, estimator._following - 5):
        at = call.log.sent_at(0, number)
        estimator._full_from = run.now
        known = estimator._following, estimator._bits, estimator.rtt_s
        assert estimator.last_arrived(end_of_report(call, number, at)) == (number & 0xFFFF, True)
        estimator.on_feedback(end_of_report(call, number, at), run.now)
        assert (estimator._following, estimator._bits, estimator.rtt_s) == known
    number = call.number - 1
    estimator.on_feedback(end_of_report(call, number, call.log.sent_at(0, number)), run.now)
    assert estimator._following == call.number


def test_losses_on_a_link_that_showed_no_limit_let_all_reports_be_read():
    link = Link(100e6)
    _, run, read = calm(link)
    link.loss = 0.3
    run.until(6)
    assert len(read) >= 17


def test_a_way_that_becomes_longer_is_no_congestion_for_long():
    link = Link(2e6)
    run = Run(Call(link)).until(5)
    link.delay_s += 0.2
    run.until(9)
    assert mean(run.over(8, 9)) > 0.75 * 2e6
    run.until(15)
    assert mean(run.over(10, 15)) > 0.85 * 2e6
