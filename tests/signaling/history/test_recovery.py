import asyncio

import pytest

from signaling.errors import StoreError, UnstorableError
from signaling.history.recovery import beat, end_abandoned, ending
from signaling.store import Meeting, MeetingFilter, Store
from signaling.store.meetings import entries
from tests.signaling.entries import (
    active,
    finished,
    joined,
    left,
    log,
    moved_in,
    moved_out,
    published,
    room,
    started,
    unpublished,
)


@pytest.fixture
async def store(database_url):
    opened = await Store.open(database_url)
    yield opened
    await opened.close()


SESSION = Meeting("RM_1", "algebra", 1.0, None)
COUNTED = {"participants": 2, "publishers": 1}

LESSON = log(
    started(**COUNTED),
    joined("ada"),
    active("ada", connected_at=3.0),
    published("TR_1", "ada"),
    published("TR_2", "ada"),
    unpublished("TR_1", "ada"),
    joined("bob"),
    left("bob"),
    moved_in("eve"),
    published("TR_3", "eve"),
    moved_out("eve"),
    entries.RoomChanged(room(metadata="m", **COUNTED)),
    entries.Unstorable("participant_joined"),
)


def test_what_was_there_is_ended_in_order_and_nothing_else():
    ends = ending(SESSION, LESSON, alive_at=20.0)
    assert [(entry.seq, entry.kind, entry.at) for entry in ends] == [
        (14, "track_unpublished", 20.0),
        (15, "participant_left", 20.0),
        (16, "room_finished", 20.0),
    ]
    assert ends[0].entry.track.sid == "TR_2"
    assert ends[1].entry.participant.connected_at == 3.0
    assert ends[2].entry == entries.RoomFinished(room(metadata="m"), "SERVER_SHUTDOWN")


def test_a_session_lasted_at_least_to_its_last_entry():
    assert ending(SESSION, LESSON, alive_at=2.0)[0].at == 13.0


def test_entries_of_a_newer_release_do_not_keep_a_session_open():
    newer = entries.Unknown("room_started", {"version": 99}, "version 99")
    seen = log(newer, joined("ada"), entries.Unknown("hand_raised", {}, "no such kind"))
    away, end = ending(SESSION, seen, alive_at=0.0)
    assert away.entry == entries.ParticipantLeft(end.entry.room, joined("ada").participant, "SERVER_SHUTDOWN")
    assert (end.seq, end.entry.room.sid, end.entry.room.name) == (5, "RM_1", "algebra")
    assert end.entry.room.visited_at is None


async def test_abandoned_sessions_are_ended_once_and_others_left_alone(store):
    await store.events.append(LESSON)
    await store.events.append(log(started("logic"), finished(), sid="RM_2"))
    await store.documents.put("server", "alive_at", 50.0)
    for _ in range(2):
        await end_abandoned(store, store.events.append)
    (session,) = await store.sessions.find(MeetingFilter(room="algebra"))
    assert session.ended_at == 50.0
    assert {stay.identity: stay.left_at for stay in await store.sessions.stays("RM_1")} == {
        "ada": 50.0,
        "bob": 8.0,
        "eve": 11.0,
    }
    assert len(await store.events.read("RM_1")) == 16
    assert len(await store.events.read("RM_2")) == 2


async def test_a_row_that_cannot_be_read_does_not_keep_the_server_from_starting(store, caplog):
    newer = entries.Unknown("hand_raised", {"version": 9, "hand": 1}, "")
    await store.events.append(log(started(), joined(), newer))
    await end_abandoned(store, store.events.append)
    assert "entry 3 of RM_1 (hand_raised) cannot be read: this release has no such kind" in caplog.text
    assert (await store.sessions.get("RM_1")).ended_at == 3.0
    assert (await store.sessions.stays("RM_1"))[0].left_at == 3.0
    (_, _, unread, left_entry, end) = await store.events.read("RM_1")
    assert (unread.kind, unread.entry.data) == ("hand_raised", {"version": 9, "hand": 1})
    assert (left_entry.kind, end.kind) == ("participant_left", "room_finished")


async def test_a_long_log_is_read_to_its_end(store, monkeypatch):
    monkeypatch.setattr("signaling.history.recovery._PAGE", 3)
    await store.events.append(LESSON)
    await end_abandoned(store, store.events.append)
    assert [entry.kind for entry in await store.events.read("RM_1", after=13)] == [
        "track_unpublished",
        "participant_left",
        "room_finished",
    ]


async def test_one_session_that_cannot_be_ended_does_not_keep_the_server_from_starting(store, caplog):
    await store.events.append(LESSON)

    async def refuse(_entries):
        raise UnstorableError("no")

    await end_abandoned(store, refuse)
    assert "RM_1 stays open" in caplog.text


async def test_the_sign_of_life_goes_on_when_the_database_fails(store, monkeypatch, caplog):
    times, pauses = iter([5.0, 6.0, 7.0]), []
    put = store.documents.put

    async def put_or_fail(*arguments):
        if len(pauses) == 2:
            raise StoreError("locked")
        await put(*arguments)

    async def pause(delay_s):
        pauses.append((delay_s, await store.documents.get("server", "alive_at")))
        if len(pauses) == 4:
            raise asyncio.CancelledError

    monkeypatch.setattr(store.documents, "put", put_or_fail)
    with pytest.raises(asyncio.CancelledError):
        await beat(store, lambda: next(times), pause)
    assert pauses == [(15.0, None), (15.0, 5.0), (15.0, 5.0), (15.0, 7.0)]
    assert "locked" in caplog.text
