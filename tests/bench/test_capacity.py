"""The capacity's measurement at a rate that any machine bears: it has to find neither loss nor silence."""

from bench.capacity import measure
from bench.load.plan import Plan
from bench.server import serving


async def test_what_viewers_get_is_what_was_sent():
    with serving("--workers", "1", core=None) as (url, pid):
        steps = await measure(Plan(url, viewers=3, duration=0.5, burst=7, pid=pid), (70, 140))
    assert [step.loss for step in steps] == [0, 0]
    assert all(0.7 * 3 * step.rate < step.sent_per_s < 1.5 * 3 * step.rate for step in steps)
    # a process's CPU time is told in steps of 10 ms, which so few packets need not take
    assert all(0 <= step.us_per_packet < 10_000 for step in steps)
