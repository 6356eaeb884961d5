import math
from types import SimpleNamespace

from sfu.engine.peers.link import MAX_DECISIONS, Downstream, Link


def test_feedback_is_sent_under_the_servers_ssrc():
    link = Link("peer", 77)
    link.feedback.received(1, 10.0)
    [packet] = link.feedback.build(11.0)
    assert int.from_bytes(packet[4:8], "big") == 77
    link.send_rtcp(packet)  # nowhere, before there is a transport


def test_what_can_be_allocated_outlasts_a_moment_of_draining():
    downstream = Downstream()
    assert math.isinf(downstream.lasting_bps)
    assert downstream.link_loss == 0
    downstream.estimator = SimpleNamespace(lasting_bps=2e6, link_loss=0.25)
    downstream.available_bps = 1e6
    assert downstream.lasting_bps == 2e6
    assert downstream.link_loss == 0.25
    downstream.available_bps = 3e6
    assert downstream.lasting_bps == 3e6


def test_only_the_last_decisions_are_stored():
    downstream = Downstream()
    for i in range(MAX_DECISIONS + 5):
        downstream.decided(f"decision {i}", float(i))
    assert len(downstream.decisions) == MAX_DECISIONS
    assert downstream.decisions[-1] == (MAX_DECISIONS + 4, f"decision {MAX_DECISIONS + 4}")
