import math

import pytest

from sfu.bandwidth.delay import LinkUsage
from sfu.bandwidth.ratecontrol import MIN_BPS, Capacity, RateControl


class Controlled:
    """A rate control that hears something every 100 ms."""

    def __init__(self):
        self.rate, self.now = RateControl(), 10.0

    def hear(self, usage, arriving_bps, queue_s=0.0, times=1):
        for _ in range(times):
            self.now += 0.1
            self.rate.update(usage, arriving_bps, queue_s, 0.05, self.now)
        return self.rate.available_bps


def test_nothing_is_known_before_the_first_congestion():
    assert Controlled().hear(LinkUsage.NORMAL, 1e6, times=10) == math.inf


def test_overuse_leaves_most_of_what_arrives():
    assert Controlled().hear(LinkUsage.OVER, 1e6) == pytest.approx(850_000)


def test_repeated_overuse_falls_no_further_than_the_link():
    assert Controlled().hear(LinkUsage.OVER, 1e6, times=10) == pytest.approx(850_000)


def test_a_standing_queue_is_drained_and_what_was_left_free_is_used_again():
    control = Controlled()
    shares = [control.hear(LinkUsage.OVER, 1e6, queue_s) / 1e6 for queue_s in (0.05, 0.2, 0.4, 2.0)]
    assert shares == pytest.approx([0.85, 0.65, 0.45, 0.25])
    assert control.hear(LinkUsage.UNDER, 1e6, 0.04) == pytest.approx(850_000)
    assert control.hear(LinkUsage.NORMAL, 1e6, 0.0) == pytest.approx(920_000, rel=0.02)


def test_growth_is_by_a_share_far_from_the_capacity_and_by_packets_near_it():
    control = Controlled()
    control.hear(LinkUsage.OVER, 1e6)
    near = control.hear(LinkUsage.NORMAL, 1e6)
    assert control.hear(LinkUsage.NORMAL, 1e6, times=10) - near == pytest.approx(19_200 / 0.15, rel=0.1)
    control.rate.probed(3e6)
    assert control.hear(LinkUsage.NORMAL, 3e6, times=10) == pytest.approx(3e6 * 1.08)


def test_growth_stops_ahead_of_what_arrives():
    control = Controlled()
    control.hear(LinkUsage.OVER, 1e6)
    assert control.hear(LinkUsage.NORMAL, 600_000, times=100) == pytest.approx(920_000, rel=0.02)


def test_the_least_is_enough_for_audio():
    assert Controlled().hear(LinkUsage.OVER, 1000) == MIN_BPS


def test_a_probe_counts_unless_a_queue_stands():
    control = Controlled()
    control.hear(LinkUsage.OVER, 1e6, 0.3)
    control.rate.probed(5e6)
    assert control.hear(LinkUsage.OVER, 1e6, 0.3) < 1e6
    control.hear(LinkUsage.NORMAL, 1e6)
    control.rate.probed(5e6)
    assert control.rate.available_bps == 5e6


def test_capacity_follows_samples_near_it_slowly_and_others_at_once():
    capacity = Capacity()
    assert not capacity.near(1e6)
    capacity.sample(1e6)
    capacity.sample(1.02e6)
    assert capacity.bps == pytest.approx(1.001e6)
    capacity.sample(0.3e6)
    assert capacity.bps == 0.3e6


def test_the_estimate_returns_when_the_queue_was_the_length_of_the_path():
    control = Controlled()
    control.rate.probed(1.5e6)
    control.hear(LinkUsage.OVER, 1e6, 0.2, times=3)
    control.rate.path_became_longer(0.15, 1e6)
    assert control.hear(LinkUsage.NORMAL, 0.6e6) == pytest.approx(1.5e6, rel=0.02)


def test_with_a_queue_of_its_own_as_well_the_link_carries_what_it_carried_at_most():
    control = Controlled()
    control.rate.probed(1.5e6)
    control.hear(LinkUsage.OVER, 1e6, 0.2, times=3)
    control.hear(LinkUsage.OVER, 0.3e6, 0.2)
    control.rate.path_became_longer(0.05, 0.7e6)
    assert control.hear(LinkUsage.NORMAL, 0.5e6) == pytest.approx(0.92 * 0.7e6, rel=0.02)


def test_without_a_drain_a_longer_path_changes_no_estimate():
    control = Controlled()
    control.rate.probed(1.5e6)
    control.rate.path_became_longer(0.05, 0.7e6)
    assert control.rate.estimate_bps == 1.5e6
