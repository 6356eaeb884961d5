import pytest

from signaling.errors import UnstorableError
from signaling.store import LogEntry, SessionFilter


def entry(seq, kind="note", data=None, at=0.0):
    return LogEntry("RM_1", seq, kind, data or {}, at)


async def test_entries_are_read_in_order(store):
    await store.events.append([entry(1), entry(2), entry(3)])
    assert [line.seq for line in await store.events.read("RM_1", after=1)] == [2, 3]
    assert [line.seq for line in await store.events.read("RM_1", limit=1)] == [1]


async def test_entries_that_are_there_already_are_skipped(store):
    await store.events.append([entry(1, data={"n": 1})])
    await store.events.append([entry(1, data={"n": 2}), entry(2)])
    await store.events.append([entry(1), entry(2)])
    assert [(line.seq, line.data) for line in await store.events.read("RM_1")] == [(1, {"n": 1}), (2, {})]


async def test_a_batch_that_is_refused_leaves_nothing_behind(store):
    with pytest.raises(UnstorableError):
        await store.events.append([entry(1), entry(2, data={"n": object()})])
    with pytest.raises(UnstorableError):
        await store.events.append([entry(1), entry(2), entry(2)])
    assert await store.events.read("RM_1") == []


async def test_names_are_stored_without_halves_of_characters(store):
    data = {"room": {"name": "al\ud800gebra"}}
    await store.events.append([entry(1, "room_started", data)])
    assert [each.room for each in await store.sessions.find(SessionFilter())] == ["al?gebra"]


async def test_names_go_without_what_postgresql_cannot_hold(store):
    room, person = {"name": "al\0gebra"}, {"sid": "PA_1", "identity": "a\0da", "name": "A\0"}
    data = {"room": room, "participant": person}
    await store.events.append([entry(1, "room_started", data), entry(2, "participant_joined", data)])
    assert await store.sessions.of_room("algebra")
    (stay,) = await store.sessions.stays("RM_1")
    assert (stay.identity, stay.name) == ("ada", "A")
