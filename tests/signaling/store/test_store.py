import asyncio
import sqlite3
import threading
import traceback
from contextlib import closing

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from signaling.errors import StoreError
from signaling.http.server import REQUEST_TIMEOUT_S
from signaling.store import Store
from signaling.store.store import MEMORY_URL, PATIENCE_S
from tests.signaling.entries import changed, logged


async def test_what_was_stored_is_there_after_opening_again(database_url):
    store = await Store.open(database_url)
    await store.documents.put("domain", "config", {"hide": True})
    await store.close()
    store = await Store.open(database_url)
    assert await store.documents.get("domain", "config") == {"hide": True}
    await store.close()


async def test_a_store_in_memory_is_one_database_for_calls_at_the_same_time():
    store = await Store.open(MEMORY_URL)
    await asyncio.gather(*(store.documents.put("n", str(index), index) for index in range(20)))
    assert [await store.documents.get("n", str(index)) for index in range(20)] == list(range(20))
    await store.close()


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysql://ada:hunter2@db.example/lectern",
        "sqlite:////nowhere/at/all/lectern.db",
        "postgresql://ada:hunter2@127.0.0.1:1/lectern",
        "postgresql://ada:hunter2@127.0.0.1:1/lectern?sslmode=disable",
        "postgresql://ada:hunter2@127.0.0.1:port/lectern",
    ],
)
async def test_an_unusable_address_is_the_operators_to_mend(url):
    with pytest.raises(StoreError) as caught:
        await Store.open(url)
    assert "hunter2" not in str(caught.value)
    # aiosqlite does not wait for the thread of a connection that failed; it must not outlive the test's loop.
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join)


async def test_a_failure_names_no_data(store):
    entry = logged(1, changed("hunter2"))
    with pytest.raises(StoreError) as caught:
        await store.events.append([entry, entry])
    assert "hunter2" not in str(caught.value)


async def test_a_database_that_went_away_is_a_failure_and_its_return_is_noticed(postgres):
    url = postgres()
    store, other = await Store.open(url), await Store.open(url)
    async with other._engine.connect() as connection:
        kill = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE pid <> pg_backend_pid() AND datname = current_database()"
        )
        async with store._engine.connect() as victim:
            await connection.execute(text(kill))
            with pytest.raises(DBAPIError):
                await victim.execute(text("SELECT 1"))
    assert await store.documents.get("n", "k") is None
    await store.close()
    await other.close()


async def test_a_postgresql_database_has_one_server_at_a_time(postgres):
    url = postgres()
    first, second = await Store.open(url), await Store.open(url)
    assert await first.claim()
    assert not await second.claim()
    await second.close()
    await first.close()
    third = await Store.open(url)
    assert await third.claim()
    await third.close()


async def test_a_file_of_sqlite_is_claimed_by_its_folder():
    store = await Store.open(MEMORY_URL)
    assert await store.claim()
    await store.close()


async def test_two_processes_write_to_one_file_in_turn(tmp_path):
    url = f"sqlite:///{tmp_path / 'lectern.db'}"
    stores = [await Store.open(url), await Store.open(url)]
    await asyncio.gather(*(stores[i % 2].documents.put("n", str(i), i) for i in range(40)))
    assert [await stores[0].documents.get("n", str(i)) for i in range(40)] == list(range(40))
    for store in stores:
        await store.close()


async def test_transactions_are_timed(store):
    seen = []
    store.observe(lambda seconds, *, failed: seen.append((seconds > 0, failed)))
    await store.write()
    with pytest.raises(StoreError):
        await store.documents.put("a", "b", object())
    assert seen == [(True, False), (True, True)]


async def test_what_was_to_be_stored_is_in_no_error(database_url):
    store = await Store.open(database_url)
    async with store._engine.begin() as connection:
        await connection.execute(text("DROP TABLE documents"))
    name = "Lovelace"
    with pytest.raises(StoreError) as failure:
        await store.documents.put("people", "ada", {"name": name})
    assert name not in "".join(traceback.format_exception(failure.value))
    await store.close()


async def test_a_call_that_waits_for_a_locked_file_fails_in_time_also_when_it_is_not_its_turn(
    tmp_path, monkeypatch
):
    monkeypatch.setattr("signaling.store.store.PATIENCE_S", 0.1)
    path = tmp_path / "lectern.db"
    store = await Store.open(f"sqlite:///{path}")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(5):
            calls = [store.rooms.get(f"maths-{number}") for number in range(80)]
            failed = await asyncio.gather(*calls, return_exceptions=True)
        other.execute("ROLLBACK")
    assert {type(error) for error in failed} == {StoreError}
    assert await store.rooms.get("maths") is None
    await store.close()


def test_the_patience_with_a_database_ends_before_a_request_does():
    assert 2 * PATIENCE_S < REQUEST_TIMEOUT_S
