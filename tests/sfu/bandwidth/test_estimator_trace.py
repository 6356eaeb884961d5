"""A recorded lesson replayed: what a Chromium behind the project's impaired link reported, and the estimates from that.

`traces/lesson.npz` was recorded on 2026-11-21 from tests/e2e/test_impaired.py: every packet under a transport-wide
number (time, number, size), every report as it came, and each tick, in their order; `phases` are the times at which the
link changed, seconds like all others.
"""

from pathlib import Path

import numpy as np
import pytest

from sfu.bandwidth.estimator import Estimator
from sfu.fanout.sentlog import SentLog

TRACE = Path(__file__).parents[1] / "traces" / "lesson.npz"
REPORT, PADDING = 0, 1
PHASE_S = 12.0


@pytest.fixture(scope="module")
def history():
    """(time, available bit/s) after each report."""
    with np.load(TRACE) as trace:
        columns = {name: trace[name] for name in trace.files}
    log = SentLog()
    log.reserve(1)
    estimator = Estimator(log, 0)
    reports = columns["reports"].tobytes()
    sent = list(
        zip(*(columns[f"sent_{name}"].tolist() for name in ("order", "at", "number", "bytes")), strict=True)
    )
    names = ("order", "kind", "at", "value", "number")
    found, at_report, at_sent = [], 0, 0
    for order, kind, now, value, number in zip(
        *(columns[f"call_{name}"].tolist() for name in names), strict=True
    ):
        while at_sent < len(sent) and sent[at_sent][0] < order:
            _, sent_at, sent_number, length = sent[at_sent]
            log.record(
                np.zeros(1, np.int32),
                np.array([sent_number], np.int32),
                np.array([length], np.int32),
                sent_at,
            )
            at_sent += 1
        if kind == REPORT:
            estimator.on_feedback(reports[at_report : at_report + int(value)], now)
            at_report += int(value)
            found.append((now, estimator.available_bps))
        elif kind == PADDING:
            estimator.padding(value, number, now)
        else:
            estimator.tick(-1, now)
    return dict(zip(columns["names"].tolist(), columns["phases"].tolist(), strict=True)), np.array(found)


def during(history, phase, begin_s, end_s=PHASE_S):
    phases, found = history
    at = found[:, 0] - phases[phase]
    return found[(at >= begin_s) & (at < end_s), 1]


def test_a_free_link_shows_no_limit(history):
    assert np.isinf(during(history, "free", 0)).all()


def test_the_rate_of_a_weak_link_is_found_and_kept_to(history):
    weak = during(history, "300 kbit/s", 3)
    assert 240_000 < np.median(weak) < 300_000
    assert weak.min() > 200_000
    assert weak.max() < 1.15 * 300_000


def test_a_link_that_is_free_again_is_used_again_as_far_as_there_is_something_to_send(history):
    assert during(history, "free again", 3).min() > 700_000
    assert during(history, "free again", 6).min() > 900_000


def test_little_loss_is_no_congestion(history):
    assert during(history, "3 % loss", 0).min() > 1_000_000


def test_much_loss_costs_rate_for_a_moment(history):
    assert during(history, "10 % loss", 0).min() > 450_000
    assert during(history, "10 % loss", 8).min() > 900_000


def test_a_way_that_becomes_longer_is_no_queue(history):
    assert during(history, "200 ms", 3).min() > 1_000_000
