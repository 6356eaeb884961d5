import asyncio

import pytest

from signaling.errors import StoreError, UnstorableError
from signaling.recovery import beat, end_abandoned, ending
from signaling.store import LogEntry, SessionFilter, Store


@pytest.fixture
async def store(database_url):
    opened = await Store.open(database_url)
    yield opened
    await opened.close()


ROOM = {"sid": "RM_1", "name": "algebra", "participants": 2, "publishers": 1}


def person(name, **values):
    return {"sid": f"PA_{name}", "identity": name, "name": name, **values}


def log(*lines):
    return [LogEntry("RM_1", seq, kind, data, float(seq)) for seq, (kind, data) in enumerate(lines, 1)]


LESSON = log(
    ("room_started", {"room": ROOM}),
    ("participant_joined", {"room": ROOM, "participant": person("ada", connected_at=0.0)}),
    ("participant_active", {"room": ROOM, "participant": person("ada", connected_at=3.0)}),
    ("track_published", {"room": ROOM, "participant": person("ada"), "track": {"sid": "TR_1"}}),
    ("track_published", {"room": ROOM, "participant": person("ada"), "track": {"sid": "TR_2"}}),
    ("track_unpublished", {"room": ROOM, "participant": person("ada"), "track": {"sid": "TR_1"}}),
    ("participant_joined", {"room": ROOM, "participant": person("bob")}),
    ("participant_left", {"room": ROOM, "participant": person("bob"), "reason": "CLIENT_LEFT"}),
    ("participant_moved_in", {"room": ROOM, "participant": person("eve")}),
    ("track_published", {"room": ROOM, "participant": person("eve"), "track": {"sid": "TR_3"}}),
    ("participant_moved_out", {"room": ROOM, "participant": person("eve"), "to": "RM_2"}),
    ("room_changed", {"room": {**ROOM, "metadata": "m"}}),
    ("unstorable", {"kind": "participant_joined"}),
)


def test_what_was_there_is_ended_in_order_and_nothing_else():
    ends = ending(LESSON, alive_at=20.0)
    assert [(entry.seq, entry.kind, entry.at) for entry in ends] == [
        (14, "track_unpublished", 20.0),
        (15, "participant_left", 20.0),
        (16, "room_finished", 20.0),
    ]
    assert ends[0].data["track"] == {"sid": "TR_2"}
    assert ends[1].data["participant"]["connected_at"] == 3.0
    assert ends[2].data == {
        "room": {**ROOM, "metadata": "m", "participants": 0, "publishers": 0},
        "reason": "SERVER_SHUTDOWN",
    }


def test_a_session_lasted_at_least_to_its_last_entry():
    assert ending(LESSON, alive_at=2.0)[0].at == 13.0


async def test_abandoned_sessions_are_ended_once_and_others_left_alone(store):
    await store.events.append(LESSON)
    over = [LogEntry("RM_2", 1, "room_started", {"room": {**ROOM, "name": "logic"}}, 1.0)]
    over.append(LogEntry("RM_2", 2, "room_finished", {"room": ROOM}, 2.0))
    await store.events.append(over)
    await store.documents.put("server", "alive_at", 50.0)
    for _ in range(2):
        await end_abandoned(store, store.events.append)
    (session,) = await store.sessions.find(SessionFilter(room="algebra"))
    assert session.ended_at == 50.0
    assert {stay.identity: stay.left_at for stay in await store.sessions.stays("RM_1")} == {
        "ada": 50.0,
        "bob": 8.0,
        "eve": 11.0,
    }
    assert len(await store.events.read("RM_1")) == 16
    assert len(await store.events.read("RM_2")) == 2


async def test_a_long_log_is_read_to_its_end(store, monkeypatch):
    monkeypatch.setattr("signaling.recovery._PAGE", 3)
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
