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
