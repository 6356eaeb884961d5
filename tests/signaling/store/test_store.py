import asyncio
import threading

import pytest

from signaling.errors import StoreError
from signaling.store import LogEntry, Store
from signaling.store.store import MEMORY_URL


async def test_what_was_stored_is_there_after_opening_again(tmp_path):
    url = f"sqlite+aiosqlite:///{tmp_path / 'lectern.db'}"
    store = await Store.open(url)
    await store.documents.put("domain", "config", {"hide": True})
    await store.close()
    store = await Store.open(url)
    assert await store.documents.get("domain", "config") == {"hide": True}
    await store.close()


async def test_a_store_in_memory_is_one_database_for_calls_at_the_same_time():
    store = await Store.open(MEMORY_URL)
    await asyncio.gather(*(store.documents.put("n", str(index), index) for index in range(20)))
    assert [await store.documents.get("n", str(index)) for index in range(20)] == list(range(20))
    await store.close()


@pytest.mark.parametrize("url", ["nonsense", "sqlite+aiosqlite:////nowhere/at/all/lectern.db"])
async def test_an_unusable_address_is_the_operators_to_mend(url):
    with pytest.raises(StoreError):
        await Store.open(url)
    # aiosqlite does not wait for the thread of a connection that failed; it must not outlive the test's loop.
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:
            await asyncio.to_thread(thread.join)


async def test_a_failure_names_no_data(store):
    entry = LogEntry("RM_1", 1, "note", {"secret": "hunter2"}, 1.0)
    with pytest.raises(StoreError) as caught:
        await store.events.append([entry, entry])
    assert "hunter2" not in str(caught.value)
