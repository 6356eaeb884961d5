import pytest

from signaling.errors import StoreError
from signaling.store import LogEntry


def entry(seq, kind="note", data=None, at=0.0):
    return LogEntry("RM_1", seq, kind, data or {}, at)


async def test_entries_are_read_in_order(store):
    await store.events.append([entry(1), entry(2), entry(3)])
    assert [line.seq for line in await store.events.read("RM_1", after=1)] == [2, 3]
    assert [line.seq for line in await store.events.read("RM_1", limit=1)] == [1]


async def test_a_batch_with_a_number_that_is_taken_leaves_nothing_behind(store):
    await store.events.append([entry(1)])
    with pytest.raises(StoreError):
        await store.events.append([entry(2), entry(1)])
    assert [line.seq for line in await store.events.read("RM_1")] == [1]
