import numpy as np
import pytest

from sfu.bandwidth.probing import TICK_S, Prober

PACKET_BYTES = 1000


class Probing:
    """Sends what a prober asks for, over a link that takes `link_bps`."""

    def __init__(self, link_bps=100e6):
        self.prober, self.link_bps, self.now, self.number = Prober(), link_bps, 10.0, 0
        self.packets = []  # number, sent, arrived, bytes

    def tick(self, available_bps, wanted_bps):
        self.now += TICK_S
        self.prober.begin(available_bps, wanted_bps, self.number, self.now)
        cluster = self.prober.cluster
        if cluster is None:
            return 0
        sent = sum(row[3] for row in self.packets if row[0] >= cluster.first)
        padding, left = self.prober.padding(sent, self.number, self.now), 0
        while padding > left:
            before = self.packets[-1][2] if self.packets else 0
            arrived = max(self.now, before) + 8 * PACKET_BYTES / self.link_bps
            self.packets.append((self.number, self.now, arrived, PACKET_BYTES))
            self.number += 1
            left += PACKET_BYTES
        return left

    def run(self, available_bps=1e6, wanted_bps=10e6):
        """The rate that one cluster was sent at, and what it shows."""
        began = self.now
        sent = [self.tick(available_bps, wanted_bps) for _ in range(6)]
        cluster = self.prober.cluster
        rate_bps = 8 * sum(sent) / (3 * TICK_S)
        assert began < cluster.began_at
        shown_bps = self.prober.result(np.array(self.packets, float).T, self.now)
        return rate_bps, shown_bps


def test_nothing_is_sent_when_nothing_more_is_wanted():
    probing = Probing()
    assert [probing.tick(2e6, 2e6) for _ in range(100)] == [0] * 100


def test_a_cluster_of_twice_the_rate_shows_what_a_wide_link_carries():
    rate_bps, shown_bps = Probing().run()
    assert rate_bps == pytest.approx(2e6, rel=0.15)
    assert shown_bps == pytest.approx(2e6, rel=0.25)


def test_a_link_that_is_full_shows_itself():
    _, shown_bps = Probing(link_bps=1.2e6).run()
    assert shown_bps == pytest.approx(1.2e6 * 0.95, rel=0.1)


def test_no_more_is_probed_for_than_is_wanted():
    rate_bps, _ = Probing().run(1e6, 1.1e6)
    assert rate_bps == pytest.approx(1.32e6, rel=0.2)


def test_after_success_the_next_comes_at_once_and_after_failure_later_and_smaller():
    probing = Probing()
    probing.run()
    assert probing.tick(2e6, 10e6) > 0
    probing = Probing(link_bps=1e6)
    probing.run()
    assert probing.tick(1e6, 10e6) == 0
    probing.now += 1.0
    probing.link_bps = 100e6
    rate_bps, _ = probing.run()
    assert rate_bps == pytest.approx(1.5e6, rel=0.2)


def test_congestion_ends_a_probe_and_puts_off_the_next():
    probing = Probing()
    assert probing.tick(1e6, 10e6) > 0
    probing.prober.congested(probing.now)
    assert probing.prober.cluster is None
    began = probing.now
    while not probing.tick(1e6, 10e6):
        pass
    assert probing.now - began == pytest.approx(4.0, abs=0.05)


def test_a_cluster_of_which_much_is_lost_shows_nothing():
    probing = Probing()
    for _ in range(6):
        probing.tick(1e6, 10e6)
    kept = np.array(probing.packets[::2] + probing.packets[-1:], float).T
    assert probing.prober.result(kept, probing.now) is None
    assert probing.prober.cluster is None


def test_a_cluster_without_an_answer_is_given_up():
    probing = Probing()
    for _ in range(6):
        probing.tick(1e6, 10e6)
    first = probing.prober.cluster.first
    probing.now += 2
    probing.tick(1e6, 10e6)
    probing.now += 2
    assert probing.tick(1e6, 10e6) > 0
    assert probing.prober.cluster.first > first
