import asyncio

import pytest

from signaling.errors import StoreError
from signaling.history.retention import forget
from signaling.store import MeetingFilter
from tests.signaling.entries import finished, joined, left, logged, started

DAY_S = 86_400.0


async def session(store, sid, ended_at):
    happened = [started(), joined(), left()]
    happened += [] if ended_at is None else [finished()]
    await store.events.append(
        [logged(seq, entry, sid, ended_at or 0.0) for seq, entry in enumerate(happened, 1)]
    )


async def rounds(store, days, count, now=10 * DAY_S):
    pauses = []

    async def pause(delay_s):
        pauses.append(delay_s)
        if len(pauses) > count:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await forget(store, days, lambda: now, pause)
    return pauses


async def test_sessions_that_ended_long_ago_are_forgotten_with_all_of_them(store):
    await session(store, "RM_old", 2.9 * DAY_S)
    await session(store, "RM_new", 3.1 * DAY_S)
    await session(store, "RM_open", None)
    assert await rounds(store, 7, 1) == [3600.0, 3600.0]
    left = await store.sessions.find(MeetingFilter())
    assert sorted(each.sid for each in left) == ["RM_new", "RM_open"]
    assert await store.events.read("RM_old") == []
    assert await store.sessions.stays("RM_old") == []
    assert len(await store.events.read("RM_new")) == 4
    assert len(await store.sessions.stays("RM_new")) == 1


async def test_without_days_everything_is_kept(store):
    await forget(store, 0, lambda: 10 * DAY_S, None)
    await session(store, "RM_old", 1.0)
    assert await store.sessions.count(MeetingFilter()) == 1


async def test_a_failing_store_is_asked_again_later(store, monkeypatch, caplog):
    await session(store, "RM_old", 1.0)
    original, failures = store.sessions.forget, [StoreError("locked")]

    async def failing(*arguments):
        if failures:
            raise failures.pop()
        return await original(*arguments)

    monkeypatch.setattr(store.sessions, "forget", failing)
    await rounds(store, 1, 2)
    assert await store.sessions.count(MeetingFilter()) == 0
    assert "locked" in caplog.text
