import numpy as np
import pytest

from sfu.bandwidth.delay import DelayTrend, LinkUsage


class Way:
    """Packets every 10 ms, reported ten at a time, whose delay grows by so much per packet."""

    def __init__(self, skew_s=1000.0):
        self.trend, self.now, self.delay_s, self.skew_s = DelayTrend(), 5.0, 0.02, skew_s

    def report(self, growth_s=0.0, packets=10, together=1):
        sent, arrived = [], []
        for _ in range(packets):
            self.now += 0.01
            for i in range(together):
                sent.append(self.now)
                arrived.append(self.now + self.delay_s + i * 0.001 + self.skew_s)
            self.delay_s += growth_s
        self.trend.update(np.array(sent), np.array(arrived))
        return self.trend.usage


@pytest.mark.parametrize("skew_s", [-300.0, 0.0, 1000.0])
def test_an_even_delay_is_normal_whatever_the_clocks_say(skew_s):
    way = Way(skew_s)
    assert {way.report() for _ in range(20)} == {LinkUsage.NORMAL}
    assert way.trend.queue_s == pytest.approx(0, abs=1e-6)


def test_a_growing_queue_is_overuse_and_a_shrinking_one_underuse():
    way = Way()
    for _ in range(5):
        way.report()
    assert LinkUsage.OVER in [way.report(0.002) for _ in range(4)]
    assert way.trend.queue_s == pytest.approx(0.06, abs=0.021)
    assert LinkUsage.UNDER in [way.report(-0.002) for _ in range(4)]
    assert way.trend.queue_s == pytest.approx(0, abs=0.021)


def test_one_steep_report_alone_is_jitter():
    way = Way()
    for _ in range(5):
        way.report()
    way.report(0.001)
    assert LinkUsage.OVER not in [way.report(-0.0002), *(way.report() for _ in range(5))]


def test_a_queue_that_fills_is_overuse_at_once_even_after_a_drain():
    way = Way()
    for growth_s in (0, 0, 0.01, 0.01, -0.01, -0.01):
        way.report(growth_s)
    assert way.report(0.02) is not LinkUsage.OVER
    assert way.report(0.02) is LinkUsage.OVER


def test_a_queue_that_fills_while_the_path_is_only_followed_is_overuse_at_once():
    way = Way()
    for _ in range(5):
        way.report()
    for _ in range(20):
        way.now += 1
        way.trend.follow(way.delay_s + way.skew_s, way.now + way.delay_s + way.skew_s)
        assert way.trend.queue_s == pytest.approx(0, abs=1e-6)
    way.delay_s += 0.08
    assert way.report(0.005, packets=3) is LinkUsage.OVER


def test_the_only_packet_of_a_report_shows_no_queue_that_was_not_there_before():
    way = Way()
    for _ in range(5):
        way.report()
    for delay_s in (0.1, 0.02, 0.1, 0.02):
        way.delay_s = delay_s
        assert way.report(packets=1) is not LinkUsage.OVER
    way.delay_s = 0.07
    way.report(packets=1)
    way.delay_s = 0.12
    assert way.report(packets=1) is LinkUsage.OVER


@pytest.mark.parametrize(("queue_s", "usage"), [(0.0, LinkUsage.NORMAL), (0.02, LinkUsage.OVER)])
def test_overuse_ends_with_its_queue_however_steep_the_line(queue_s, usage):
    trend = DelayTrend()
    trend.usage, trend.queue_s, trend._deltas = LinkUsage.OVER, queue_s, 60
    trend._points.extend((10.0 * i, 5.0 * i) for i in range(20))
    trend._judge(1.0)
    assert trend._trend > trend._threshold_ms
    assert trend.usage is usage


def test_packets_sent_together_are_one_group():
    way = Way()
    assert {way.report(together=6) for _ in range(20)} == {LinkUsage.NORMAL}
    assert way.trend._deltas > 0
    assert way.trend._trend == pytest.approx(0, abs=0.5)


def test_a_longer_way_is_the_empty_one_after_a_while():
    way = Way()
    way.report()
    way.delay_s += 0.2
    way.report()
    assert way.trend.queue_s == pytest.approx(0.2)
    for _ in range(320):
        way.report()
    assert way.trend.queue_s == pytest.approx(0, abs=1e-6)


def test_a_way_that_became_longer_is_told():
    way = Way()
    way.report()
    way.delay_s += 0.2
    way.report()
    way.trend.rebase()
    assert way.trend.queue_s == 0
    way.report()
    assert way.trend.queue_s == pytest.approx(0, abs=1e-6)
