"""Deadlines are carried out at their time, also those that a server missed."""

import asyncio

from classroom.features import people
from signaling.errors import StoreError
from signaling.teaching.deadlines import AGAIN_S, LONGEST_SLEEP_S, Deadlines
from signaling.teaching.recovery import beat, recover
from tests.signaling.school_client import eventually
from tests.signaling.teaching.harness import START, teaching


async def test_the_grace_time_ends_also_after_a_restart(tmp_path):
    async with teaching(tmp_path) as world:
        await world.lesson("sam")
        await world.do(people.LoseConnection(person="sam", lost_at=START))
        world.restart()
        deadlines = Deadlines(world.registry)
        assert await deadlines._carry_out() == 30.0
        world.now += 31
        await deadlines._carry_out()
        assert (await world.kinds())[-1] == "people.left"
        assert await deadlines._carry_out() == LONGEST_SLEEP_S


async def test_a_session_that_cannot_be_read_does_not_keep_the_processor_busy(tmp_path, monkeypatch):
    async with teaching(tmp_path) as world:
        await world.lesson("sam")
        await world.do(people.LoseConnection(person="sam", lost_at=START))
        world.restart()
        world.now += 31

        async def broken(*_arguments):
            raise StoreError("the log cannot be read")

        with monkeypatch.context() as patch:
            patch.setattr("signaling.teaching.live.load", broken)
            assert await Deadlines(world.registry)._carry_out() == AGAIN_S
        await Deadlines(world.registry)._carry_out()
        assert (await world.kinds())[-1] == "people.left"


async def test_a_sooner_deadline_wakes_the_task(tmp_path):
    async with teaching(tmp_path) as world:
        await world.lesson("sam", grace_s=0)
        deadlines = Deadlines(world.registry)
        running = asyncio.create_task(deadlines.run())
        await asyncio.sleep(0.05)  # it sleeps until the lesson's own end, hours later
        await world.do(people.LoseConnection(person="sam", lost_at=START))

        async def left():
            return "people.left" in await world.kinds()

        await eventually(left)
        deadlines.stop()
        await running


async def test_a_restart_counts_the_time_up_to_the_last_sign_of_life(tmp_path):
    async with teaching(tmp_path) as world:
        await world.lesson("sam")
        world.now += 100
        await beat(world.registry, world.store.documents)
        world.now += 500
        world.restart()
        await recover(world.registry, world.store.documents)
        room = world.live.loaded
        assert {person: room.people.everyone[person].lost_at for person in room.people.present} == {
            "tutor": START + 100,
            "sam": START + 100,
        }
        world.now += 31
        await Deadlines(world.registry)._carry_out()
        assert (await world.kinds()).count("people.left") == 2
        assert world.live.loaded.attendance.records["sam"].visits[-1].active_s == 100
