import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signaling.errors import UnstorableError
from signaling.rooms.permissions import Permissions, Source
from signaling.store.meetings import entries
from signaling.store.meetings.entries import VERSION, Unknown, decode, encode, kind_of, room_name
from tests.signaling import all_kinds
from tests.signaling.entries import changed, joined, published, room, started

KINDS = sorted(kind_of.tag for kind_of in (of.__struct_config__ for of in entries.TYPES - {Unknown}))


@pytest.fixture(scope="module")
def rows():
    """The rows of the release before entries were typed: kind and data by meeting and number."""
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(all_kinds.DATABASE.read_text())
        found = connection.execute("SELECT session_sid, seq, kind, data, at FROM events").fetchall()
    return {(sid, seq): (kind, json.loads(data), at) for sid, seq, kind, data, at in found}


def in_json(entry):
    """Return what the database gives back."""
    kind, data = encode(entry)
    return kind, json.loads(json.dumps(data))


async def test_the_json_of_every_kind_is_that_of_the_release_before_and_a_version(rows):
    log = all_kinds.Log()
    await all_kinds.record(log)
    assert {kind for kind, _, _ in rows.values()} == set(KINDS)
    assert {(each.session_sid, each.seq) for each in log.entries} == rows.keys()
    for each in log.entries:
        kind, data, at = rows[each.session_sid, each.seq]
        assert in_json(each.entry) == (kind, {"version": 1, **data})
        assert (each.kind, each.at) == (kind, at)
        assert decode(kind, data) == each.entry
        assert decode(*in_json(each.entry)) == each.entry


# As commit 314d842 wrote it, whose server was the first with an event log.
OLDEST_ROOM = {
    "sid": "RM_1",
    "name": "algebra",
    "metadata": "",
    "created_at": 1000.5,
    "empty_timeout_s": 300,
    "departure_timeout_s": 20,
    "max_participants": 0,
    "participants": 1,
    "publishers": 0,
}
OLDEST_PERSON = {
    "sid": "PA_ada",
    "identity": "ada",
    "name": "Ada",
    "metadata": "",
    "attributes": {},
    "permissions": {
        "can_subscribe": True,
        "can_publish": True,
        "can_publish_data": True,
        "can_publish_sources": ["camera"],
        "can_update_own_metadata": False,
        "hidden": False,
        "recorder": False,
        "agent": False,
        "can_subscribe_metrics": False,
        "can_manage_agent_session": False,
    },
    "joined_at": 1001.0,
    "connected_at": 0.0,
    "kind": "standard",
    "state": "JOINING",
    "version": 1,
}


def test_fields_that_early_releases_did_not_write_have_their_defaults():
    entry = decode("participant_joined", {"room": OLDEST_ROOM, "participant": OLDEST_PERSON})
    assert isinstance(entry, entries.ParticipantJoined)
    assert (entry.room.owner, entry.room.visited_at, entry.room.created_at) == ("", None, 1000.5)
    person = entry.participant
    assert (person.leaves_at, person.is_publisher, person.joined_at) == (None, False, 1001.0)
    assert person.permissions == Permissions(can_publish_sources=(Source.CAMERA,))
    assert decode("room_finished", {"room": OLDEST_ROOM}) == entries.RoomFinished(entry.room, "")


def test_a_row_with_a_version_has_every_field_of_it():
    kind, data = in_json(started())
    del data["room"]["owner"]
    assert isinstance(decode(kind, data), Unknown)
    del data["version"]
    assert decode(kind, data) == started()


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        ("hand_raised", {"room": OLDEST_ROOM, "version": 1}, "no such kind"),
        ("room_started", {"room": OLDEST_ROOM, "version": VERSION + 1}, f"reads 0 to {VERSION}"),
        ("room_started", {"room": OLDEST_ROOM, "version": -1}, "version -1"),
        ("room_started", {"room": OLDEST_ROOM, "version": True}, "version True"),
        ("room_started", {"room": "algebra"}, "Expected `object`"),
        ("room_started", {"room": {**OLDEST_ROOM, "name": 5}}, r"\$.room.name"),
        ("room_started", {}, "room"),
        ("room_started", [], "not a JSON object"),
    ],
)
def test_a_row_that_cannot_be_read_is_unknown_and_unchanged(kind, data, why):
    entry = decode(kind, data)
    assert isinstance(entry, Unknown)
    assert why.replace("\\", "") in entry.why
    assert encode(entry) == (kind_of(entry), entry.data) == (kind, data)
    assert room_name(entry) == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = st.sampled_from(["version", "room", "participant", "track", "visitor", "reason", "entry", "kind"])


@given(st.sampled_from([*KINDS, "other"]), JSON | st.dictionaries(FIELDS, JSON))
def test_no_row_makes_reading_fail(kind, data):
    entry = decode(kind, data)
    assert kind_of(entry) == kind
    assert isinstance(entry, (Unknown, entries.Unstorable))


def test_an_entry_names_its_room():
    assert room_name(started("logic")) == "logic"
    assert room_name(published()) == "algebra"
    assert room_name(entries.Unstorable("room_started")) == ""


def test_sets_are_written_in_one_order():
    entry = joined(permissions=replace(Permissions(), admin=frozenset("zyx")))
    assert encode(entry)[1]["participant"]["permissions"]["admin"] == ["x", "y", "z"]


def test_what_has_no_form_in_json_is_unstorable_and_its_error_names_no_data():
    for broken in (object(), {"hunter2": object()}):
        with pytest.raises(UnstorableError, match="room_changed") as caught:
            encode(changed(broken))
        assert "hunter2" not in str(caught.value)


def test_entries_do_not_change():
    with pytest.raises(AttributeError):
        room().name = "logic"
