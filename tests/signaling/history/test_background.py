import asyncio
import sqlite3
from contextlib import asynccontextmanager, closing

import pytest

from signaling.access.keyring import Keyring
from signaling.history.background import Background
from signaling.history.webhook_client import WebhookClient
from signaling.history.webhooks import Outcome, WebhookMessage
from signaling.rooms.rooms import JoinSpec
from signaling.store import Store, WebhookEndpoint
from tests.signaling.entries import logged, started
from tests.signaling.receiver import receiving


class FakeApi:
    kind = "fake"

    def message(self, entry, event_id):
        return WebhookMessage(entry.kind, entry.session_sid, entry.kind)

    def wants(self, endpoint, message):
        return True

    def headers(self, endpoint, body, now):
        return {}

    def judge(self, endpoint, delivery, status, now):
        return Outcome(delivered=status == 200, retry_in_s=3600.0)


@pytest.fixture
async def store(tmp_path):
    # A cancelled call closes its connection, and a database in memory ends with its only connection.
    opened = await Store.open(f"sqlite:///{tmp_path}/lectern.db")
    yield opened
    await opened.close()


@pytest.fixture
async def background(store, harness):
    made = Background(harness.services, store, Keyring({}), [FakeApi()], WebhookClient(allow_private=True))
    yield made
    await made.stop()


async def test_what_a_killed_server_did_not_send_and_did_not_end_is_told_at_the_next_start(
    store, background, harness
):
    async with receiving() as receiver:
        await store.endpoints.put(WebhookEndpoint("e1", "fake", receiver.url, {}, 1.0))
        await store.events.append([logged(1, started(), "RM_0")], background.webhooks.deliveries)
        await background.start()
        assert [body for _, body in await receiver.has(2)] == ["room_started", "room_finished"]
        harness.rooms.join(JoinSpec("logic", "ada"))
        told = [body for _, body in await receiver.has(5)][2:]
        assert told == ["room_started", "room_visited", "participant_joined"]
        await background.stop()
    assert await store.outbox.count() == 0


async def test_keys_and_the_sign_of_life_are_looked_after(store, background, monkeypatch):
    monkeypatch.setattr("signaling.history.recovery.ALIVE_S", 0.01)
    monkeypatch.setattr("signaling.access.keyring.FOLLOW_S", 0.01)
    await store.api_keys.add("school", "s" * 32, "", 1.0)
    await background.start()
    async with asyncio.timeout(5):
        while "school" not in background._keyring or not await store.documents.get("server", "alive_at"):  # noqa: ASYNC110 - both come by tasks of their own
            await asyncio.sleep(0.01)


async def test_a_part_that_fails_begins_again(background, harness, monkeypatch, caplog):
    monkeypatch.setattr("signaling.history.background.AGAIN_S", 0.0)
    settle, faults = background.journal._settle, [KeyError("fault")]

    async def settle_or_fail(count):
        if faults:
            raise faults.pop()
        await settle(count)

    monkeypatch.setattr(background.journal, "_settle", settle_or_fail)
    await background.start()
    harness.rooms.join(JoinSpec("algebra", "ada"))
    async with asyncio.timeout(5):
        while "is restarted" not in caplog.text:  # noqa: ASYNC110 - said by another task
            await asyncio.sleep(0.01)
        harness.rooms.join(JoinSpec("algebra", "bob"))
        await background.journal.committed()
    assert (await kinds(background._store, "algebra")).count("participant_joined") == 2


async def test_a_receiver_that_is_away_does_not_hold_up_the_end(
    store, background, harness, monkeypatch, caplog
):
    monkeypatch.setattr("signaling.history.background.LAST_WEBHOOKS_S", 0.01)
    async with receiving() as receiver:
        receiver.answers = [500]
        await store.endpoints.put(WebhookEndpoint("e1", "fake", receiver.url, {}, 1.0))
        await background.start()
        harness.rooms.open_room("logic")
        await receiver.has(1)
        await background.stop()
    assert "webhooks wait for the next start" in caplog.text
    assert await store.outbox.count() == 1


@asynccontextmanager
async def background_on(url, harness):
    store = await Store.open(url)
    made = Background(harness.services, store, Keyring({}), [FakeApi()], WebhookClient(allow_private=True))
    await made.start()
    yield store, made
    await made.stop()
    await store.close()


async def kinds(store, room):
    (session,) = await store.sessions.of_room(room)
    return [entry.kind for entry in await store.events.read(session.sid)]


async def test_a_locked_database_delays_records_and_no_lesson(harness, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("signaling.store.store.PATIENCE_S", 0.1)
    monkeypatch.setattr("signaling.history.journal.RETRY_S", 0.01)
    path = tmp_path / "lectern.db"
    async with background_on(f"sqlite:///{path}", harness) as (store, background):
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            harness.rooms.join(JoinSpec("algebra", "ada"))
            async with asyncio.timeout(10):
                while "entries are waiting" not in caplog.text:  # noqa: ASYNC110 - said by another task
                    await asyncio.sleep(0.01)
            harness.rooms.join(JoinSpec("algebra", "bob"))
            assert background.journal.backlog == 4
            other.execute("ROLLBACK")
        async with asyncio.timeout(10):
            await background.journal.committed()
        assert await kinds(store, "algebra") == [
            "room_started",
            "room_visited",
            "participant_joined",
            "participant_joined",
        ]


async def test_a_database_server_that_is_restarted_delays_records_and_loses_none(
    harness, postgres, monkeypatch, caplog
):
    monkeypatch.setattr("signaling.history.journal.RETRY_S", 0.05)
    async with background_on(postgres(), harness) as (store, background):
        harness.rooms.join(JoinSpec("algebra", "ada"))
        await background.journal.committed()
        try:
            await asyncio.to_thread(postgres.stop)
            harness.rooms.join(JoinSpec("algebra", "bob"))
            async with asyncio.timeout(10):
                while "cannot be reached" not in caplog.text:  # noqa: ASYNC110 - said by another task
                    await asyncio.sleep(0.01)
            assert background.journal.backlog == 1
        finally:
            await asyncio.to_thread(postgres.start)
        async with asyncio.timeout(30):
            await background.journal.committed()
        assert (await kinds(store, "algebra"))[-2:] == ["participant_joined", "participant_joined"]
