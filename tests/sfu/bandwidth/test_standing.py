"""Queues that stand still, and queues that do not, by what reports show of them."""

import pytest

from sfu.bandwidth.standing import StandingQueue


class Path:
    """Reports each 100 ms."""

    def __init__(self):
        self.standing, self.now = StandingQueue(), 10.0

    def hear(self, arriving_bps, *queues_s, rtt_s=0.1):
        found = []
        for queue_s in queues_s:
            self.now += 0.1
            found.append(self.standing.update(queue_s, arriving_bps, rtt_s, self.now))
        return max(found)


def test_a_queue_that_stays_although_less_is_sent_stands():
    path = Path()
    assert path.hear(1e6, *[0.0] * 10) == 0
    assert path.hear(0.5e6, *[0.05] * 8) == 0
    assert path.hear(0.5e6, *[0.06, 0.05, 0.09] * 3) == pytest.approx(0.05)


def test_the_longer_the_round_trip_the_longer_it_takes():
    path = Path()
    path.hear(1e6, 0.0)
    assert path.hear(0.5e6, *[0.05] * 15, rtt_s=1.0) == 0
    assert path.hear(0.5e6, *[0.05] * 10, rtt_s=1.0) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("arriving_bps", "queues_s"),
    [
        pytest.param(0.9e6, [0.05] * 20, id="as much is sent"),
        pytest.param(0.5e6, [0.2 - 0.01 * i for i in range(20)], id="it shrinks"),
        pytest.param(0.5e6, [0.05, 0.06, 0.02] * 7, id="it is gone now and then"),
        pytest.param(0.5e6, [0.02] * 20, id="there is none"),
    ],
)
def test_other_queues_do_not_stand(arriving_bps, queues_s):
    path = Path()
    path.hear(1e6, *[0.0] * 10)
    assert path.hear(arriving_bps, *queues_s) == 0


def test_what_arrived_long_ago_is_no_measure():
    path = Path()
    path.hear(1e6, *[0.0] * 10)
    path.hear(0.5e6, *[0.0] * 60)
    assert path.hear(0.5e6, *[0.05] * 20) == 0
