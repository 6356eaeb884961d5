import math

import pytest

from sfu.engine.peers.linkstate import DEAD, INTERVAL_S, LASTS_S, LinkReport, LinkState, state

WEAK = LinkState(300, cameras=False)


@pytest.mark.parametrize(
    ("available_bps", "wanted_bps", "loss", "flows", "expected"),
    [
        (math.inf, 0, 0.0, (True, True), LinkState()),
        (math.inf, 0, 0.08, (True, True), LinkState(loss_percent=10)),
        (math.inf, 0, 0.02, (True, True), LinkState()),
        (math.inf, 0, 0.03, (True, True), LinkState(loss_percent=5)),
        (math.inf, 0, 0.11, (True, True), LinkState(loss_percent=10)),
        (280e3, 900e3, 0.0, (False, True), WEAK),
        (280e3, 900e3, 0.0, (True, True), LinkState(300)),
        (900e3, 900e3, 0.0, (True, True), LinkState()),
        (60e3, 900e3, 0.08, (False, False), LinkState(50, cameras=False, screen=False, loss_percent=10)),
        (0.0, 900e3, 0.0, (False, False), LinkState(50, cameras=False, screen=False)),
        (1.4e6, 4e6, 0.0, (True, True), LinkState(1500)),
    ],
)
def test_what_is_told(available_bps, wanted_bps, loss, flows, expected):
    assert state(available_bps, wanted_bps, loss, cameras=flows[0], screen=flows[1]) == expected


def told(report, states):
    """(time, state) of what is told, of states that each last for so long, looked at twice a second."""
    found, now = [], 100.0
    for each, seconds in states:
        for _ in range(round(2 * seconds)):
            now += 0.5
            said = report.update(each, now)
            if said is not None:
                found.append((now - 100.0, said))
    return found


def test_a_state_is_told_once_it_lasts_and_its_end_too():
    found = told(LinkReport(), [(LinkState(), 5), (WEAK, 20), (LinkState(), 20)])
    assert [said for _, said in found] == [WEAK, LinkState()]
    assert found[0][0] == pytest.approx(5 + LASTS_S, abs=0.6)


def test_what_passes_is_not_told():
    assert told(LinkReport(), [(LinkState(), 5), (WEAK, LASTS_S - 1), (LinkState(), 20)]) == []


def test_a_rate_that_wavers_is_told_seldom():
    states = [(LinkState(kbps, cameras=False), 1) for kbps in (300, 200) * 20]
    found = told(LinkReport(), states)
    assert 1 < len(found) <= 40 / INTERVAL_S + 1


def test_a_dead_link_is_told_like_any_other():
    assert [said for _, said in told(LinkReport(), [(DEAD, 10)])] == [DEAD]
