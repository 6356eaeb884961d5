import pytest

from signaling.errors import UnstorableError
from signaling.store import MeetingFilter
from tests.signaling.entries import changed, joined, logged, started


def entry(seq, metadata=""):
    return logged(seq, changed(metadata))


async def test_entries_are_read_in_order(store):
    await store.events.append([entry(1), entry(2), entry(3)])
    assert [each.seq for each in await store.events.read("RM_1", after=1)] == [2, 3]
    assert [each.seq for each in await store.events.read("RM_1", limit=1)] == [1]


async def test_entries_that_are_there_already_are_skipped(store):
    await store.events.append([entry(1, "one")])
    await store.events.append([entry(1, "two"), entry(2)])
    await store.events.append([entry(1), entry(2)])
    assert await store.events.read("RM_1") == [entry(1, "one"), entry(2)]


async def test_a_batch_that_is_refused_leaves_nothing_behind(store):
    with pytest.raises(UnstorableError):
        await store.events.append([entry(1), entry(2, object())])
    with pytest.raises(UnstorableError):
        await store.events.append([entry(1), entry(2), entry(2)])
    assert await store.events.read("RM_1") == []


async def test_names_are_stored_without_halves_of_characters(store):
    await store.events.append([logged(1, started("al\ud800gebra"))])
    assert [each.room for each in await store.sessions.find(MeetingFilter())] == ["al?gebra"]


async def test_names_go_without_what_postgresql_cannot_hold(store):
    ada = joined("a\0da", sid="PA_1", name="A\0")
    await store.events.append([logged(1, started("al\0gebra")), logged(2, ada)])
    assert await store.sessions.of_room("algebra")
    (stay,) = await store.sessions.stays("RM_1")
    assert (stay.identity, stay.name) == ("ada", "A")
