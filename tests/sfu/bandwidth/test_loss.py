import math

import pytest

from sfu.bandwidth.loss import LossControl


class Lossy:
    """A link that is heard of every 100 ms, ten packets at a time."""

    def __init__(self):
        self.control, self.now, self.total = LossControl(), 10.0, 0

    def hear(self, share, arriving_bps=1e6, queue_s=0.0, seconds=1.0):
        told = False
        for _ in range(round(seconds * 10)):
            self.now += 0.1
            before, self.total = int(self.total * share), self.total + 10
            lost = int(self.total * share) - before
            told |= self.control.update(max(lost, 0), 10, arriving_bps, queue_s, self.now)
        return told


def test_a_little_loss_binds_nothing():
    link = Lossy()
    link.hear(0.08, seconds=20)
    assert link.control.bound_bps == math.inf


def test_much_loss_binds_to_what_arrives():
    link = Lossy()
    link.hear(0.3, seconds=0.7)
    assert link.control.bound_bps == pytest.approx(850_000)
    assert link.control.loss == pytest.approx(0.3)


def test_the_bound_grows_once_nothing_is_lost_and_jumps_when_a_probe_came_through():
    link = Lossy()
    link.hear(0.3, seconds=0.7)
    link.hear(0, seconds=11)
    assert 850_000 * 1.08**8 < link.control.bound_bps < 850_000 * 1.08**11
    link.control.probed(5e6)
    assert link.control.bound_bps == 5e6
    link.control.probed(1e6)
    assert link.control.bound_bps == 5e6


def test_a_loss_that_a_lower_rate_does_not_cure_is_the_links_own():
    link = Lossy()
    link.hear(0.2, seconds=30)
    assert link.control.bound_bps == math.inf
    assert link.control.inherent == pytest.approx(0.2, abs=0.03)
    link.hear(0, seconds=10)
    assert link.control.inherent < 0.05
    link.hear(0.2)
    assert link.control.bound_bps < math.inf


def test_a_loss_behind_a_queue_is_told_and_binds_nothing():
    link = Lossy()
    assert link.hear(0.3, queue_s=0.2, seconds=0.7)
    assert link.control.bound_bps == math.inf
    assert not link.hear(0, queue_s=0.2, seconds=2)


def test_what_was_sent_before_a_decrease_is_not_judged():
    link = Lossy()
    link.control.rate_changed(0.1, link.now)
    link.hear(0.3, seconds=0.5)
    assert link.control.bound_bps == math.inf
    link.hear(0.3)
    assert link.control.bound_bps < math.inf
