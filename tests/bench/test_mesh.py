"""The generator in C against a real server: nothing is lost, and what is received is what was sent."""

import shutil

import pytest

from bench.load.plan import Plan
from bench.mesh.__main__ import run
from bench.native import COMPILER


def test_everybody_receives_what_all_others_send(cores):
    if shutil.which(COMPILER[0]) is None:
        pytest.skip("there is no C compiler")
    plan = Plan("", rooms=2, viewers=3, mesh=True, rate=60.0, voice=50.0, duration=1.5, prefix="mesh")
    case = run(plan, cores)
    totals = case.totals
    assert totals.streams == plan.streams == 24
    assert (totals.missing, totals.wrong) == (0, 0)
    # six people, two others each
    assert totals.sent > 600
    assert totals.received == pytest.approx(2 * totals.sent, rel=0.1)
    assert totals.sampled > 20
    assert totals.reports > 30
    assert 0 < totals.latency_s(0.5) <= totals.latency_s(0.99)
    assert len(case.worker_cpu) == 1
    assert case.us_per_packet > 0


def test_listeners_receive_what_one_sends_in_bursts(cores):
    if shutil.which(COMPILER[0]) is None:
        pytest.skip("there is no C compiler")
    plan = Plan("", viewers=3, mesh=True, rate=60.0, burst=3, duration=1.5, prefix="mesh")
    totals = run(plan, cores, senders=1).totals
    assert (totals.streams, totals.missing, totals.wrong) == (2, 0, 0)
    assert totals.sent % 3 == 0
    assert 60 <= totals.sent <= 120
    assert totals.received > 1.5 * totals.sent  # on a busy machine, also what was sent before the window
