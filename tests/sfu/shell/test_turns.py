"""Turns: in order, a slice of the loop at a time, with the loop's other work between."""

import asyncio
import time

import pytest

from sfu.shell import turns
from sfu.shell.turns import Turns


async def test_everybody_gets_a_turn_in_order():
    order, taken = [], Turns()
    waits = []
    for number in range(3):
        taken.ask(lambda number=number: order.append(number))
        waits.append(asyncio.ensure_future(taken.wait()))
    async with asyncio.timeout(5):
        await asyncio.gather(*waits)
    assert order == [0, 1, 2]


async def test_the_loop_serves_others_between_slices(monkeypatch):
    monkeypatch.setattr(turns, "SLICE_S", 0.001)
    taken, passes, done = Turns(), [], asyncio.Event()

    def work():
        until = time.perf_counter() + 0.002
        while time.perf_counter() < until:
            pass
        passes.append("work")

    def other():
        passes.append("other")
        if not done.is_set():
            asyncio.get_running_loop().call_soon(other)

    for _ in range(5):
        taken.ask(work)
    taken.ask(done.set)
    other()
    async with asyncio.timeout(5):
        await done.wait()
    assert passes.count("work") == 5
    assert "work,work" not in ",".join(passes)


async def test_tasks_share_a_slice_by_what_they_are_thought_to_cost():
    taken, done = Turns(), []

    async def one():
        await taken.wait()
        done.append(1)

    tasks = [asyncio.ensure_future(one()) for _ in range(100)]
    await asyncio.sleep(0)  # they ask
    await asyncio.sleep(0)  # they are given turns
    await asyncio.sleep(0)  # they take them
    assert 0 < len(done) <= turns.SLICE_S / turns.TASK_COST_S + 1
    async with asyncio.timeout(5):
        await asyncio.gather(*tasks)


async def test_who_gave_up_waiting_costs_nobody_a_turn():
    taken, done = Turns(), asyncio.Event()
    gone = asyncio.ensure_future(taken.wait())
    await asyncio.sleep(0)
    gone.cancel()
    taken.ask(done.set)
    async with asyncio.timeout(5):
        await done.wait()
    with pytest.raises(asyncio.CancelledError):
        await gone
