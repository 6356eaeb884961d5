"""A session at run time: what is stored before it is acknowledged, and what its feeds get."""

import asyncio
import json

import pytest

from classroom import codec
from classroom.errors import Conflict, NotFound
from classroom.features import chat, hands, people, session
from classroom.roles import Role
from signaling.errors import StoreError
from signaling.store.classroom.shelf import session_log
from signaling.teaching import live as module
from signaling.teaching.feed import Feed
from signaling.teaching.live import changed_roles, load
from tests.signaling.teaching.harness import ID, teaching


async def test_a_state_is_the_same_after_a_restart_also_from_a_snapshot(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SNAPSHOT_EVENTS", 5)
    async with teaching(tmp_path) as world:
        await world.lesson("sam", "kim")
        before = codec.encode(world.live.loaded)
        snapshot = await world.live.shelf.snapshot(session_log(ID))
        assert 5 <= snapshot.seq <= world.live.loaded.seq
        world.restart()
        assert await world.live.read(codec.encode) == before
        row = await world.live.shelf.session(ID)
        assert (row.phase, row.present, row.seq) == ("live", 3, world.live.loaded.seq)


async def test_what_cannot_be_stored_did_not_happen(tmp_path, monkeypatch):
    async with teaching(tmp_path) as world:
        await world.lesson()
        before = await world.kinds()

        async def broken(*_arguments, **_more):
            raise StoreError("the disk is full")

        with monkeypatch.context() as patch:
            patch.setattr(type(world.live.shelf), "append", broken)
            with pytest.raises(StoreError):
                await world.do(session.Pause(by="tutor"))
        assert await world.kinds() == before
        assert (await world.live.read(lambda room: room.session.phase)) == "live"
        await world.do(session.Pause(by="tutor"))


async def test_another_writer_is_noticed_and_the_log_is_read_again(tmp_path):
    async with teaching(tmp_path) as world:
        await world.lesson()
        first = world.live
        world.restart()
        await world.do(session.Pause(by="tutor"))
        with pytest.raises(StoreError):
            await first.do(session.Pause(by="tutor"), lambda *_: None)
        with pytest.raises(Conflict):
            await first.do(session.Pause(by="tutor"), lambda *_: None)


async def test_commands_that_wait_share_a_transaction_and_a_refusal_is_its_authors(tmp_path, monkeypatch):
    async with teaching(tmp_path) as world:
        students = [f"s{number}" for number in range(20)]
        await world.lesson(*students)
        appended = []
        append = type(world.live.shelf).append

        async def counted(shelf, log, events, **more):
            appended.append(len(events))
            await append(shelf, log, events, **more)

        monkeypatch.setattr(type(world.live.shelf), "append", counted)
        raised = [world.live.do(hands.Raise(by=student), lambda *_: None) for student in [*students, "s0"]]
        results = await asyncio.gather(*raised, return_exceptions=True)
        assert [type(result) for result in results if result is not None] == [Conflict]
        assert appended == [20]


async def test_what_does_not_exist_refuses_everything(tmp_path):
    async with teaching(tmp_path) as world:
        with pytest.raises(NotFound):
            await world.live.read(lambda _room: None)
        with pytest.raises(NotFound):
            await world.do(session.Start(by="tutor"))
        assert (await load(world.live.shelf, session_log(ID))).seq == 0


async def test_a_feed_that_begins_in_the_middle_misses_nothing_and_repeats_nothing(tmp_path):
    async with teaching(tmp_path) as world:
        await world.lesson("sam")
        texts = [f"{number}" for number in range(40)]

        async def talk():
            for text in texts:
                await world.do(chat.Send(by="tutor", message=f"m{text}", text=text))

        talking = asyncio.create_task(talk())
        feed, seen = Feed("sam"), []
        await asyncio.sleep(0)
        await world.live.follow(feed, 0)
        await talking
        while len([event for event in seen if event["type"] == "chat.sent"]) < len(texts):
            message = json.loads((await feed.next()).data)
            assert message["type"] == "events"
            for run in message["runs"]:
                columns = run["columns"]
                seen += [
                    {"type": run["type"], **run["same"], **{name: columns[name][index] for name in columns}}
                    for index in range(run["count"])
                ]
        assert [event["text"] for event in seen if event["type"] == "chat.sent"] == texts
        world.live.leave_feed(feed)
        assert await feed.next() is None


async def test_roles_that_are_new_go_to_the_index(tmp_path):
    async with teaching(tmp_path) as world:
        await world.lesson("sam")
        events = await world.do(people.SetRole(by="tutor", person="sam", role=Role.ASSISTANT))
        assert changed_roles(world.live.loaded, events) == {"sam": "assistant"}
        assert world.live.is_idle is False
