import hashlib
import json
import os
import re
import typing
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classroom import codec
from classroom.catalogue import COMMANDS, EVENTS
from classroom.errors import Code, Malformed
from classroom.features import chat, hands, session
from classroom.state import STATE_VERSION, Classroom
from tests.classroom.histories import commands
from tests.classroom.lesson import Lesson


@given(commands(set(COMMANDS)))
def test_any_command_survives_json(command):
    assert codec.decode_command(codec.encode(command)) == command


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"type":"hands.wave","by":"ada"}',
        b'{"type":"hands.raise","by":7}',
        b'{"type":"hands.raise","by":"ada","extra":1}',
        b'{"type":"hands.raise","by":"\xff"}',
        b'{"type":"chat.send","by":"ada","message":"m1"}',
        b'{"type":"chat.send","by":"ada","message":"m1","text":"x","scope":"everybody"}',
        b'{"type":"hands.raised","by":"ada","at":1.0}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_command_is_refused(data):
    with pytest.raises(Malformed) as refused:
        codec.decode_command(data)
    assert refused.value.code is Code.UNREADABLE


@given(st.binary())
def test_bytes_of_any_kind_are_refused_in_one_way(data):
    with pytest.raises(Malformed):
        codec.decode_command(data)


def test_a_command_of_a_later_version_is_refused():
    with pytest.raises(Malformed) as refused:
        codec.decode_command(b'{"type":"hands.raise","by":"ada","v":2}')
    assert refused.value.code is Code.UNSUPPORTED_VERSION


@pytest.mark.parametrize("header", [{"type": "hands.raised", "v": 2}, {"type": "hands.waved", "v": 1}])
def test_an_event_that_a_newer_program_wrote_is_refused(header):
    with pytest.raises(Malformed) as refused:
        codec.decode_event(json.dumps(header | {"at": 1.0, "by": "ada"}).encode())
    assert refused.value.code is Code.UNSUPPORTED_VERSION


def test_an_event_of_an_old_version_is_brought_up_to_date(monkeypatch):
    # Suppose that `hands.raised` had called `by` "who" in version 1 and had no `at` before version 2.
    monkeypatch.setitem(codec._EVENT_VERSIONS, "hands.raised", 3)
    steps = {
        ("hands.raised", 1): lambda old: old | {"at": 5.0},
        ("hands.raised", 2): lambda old: {"by": old["who"], "at": old["at"]},
    }
    for key, step in steps.items():
        monkeypatch.setitem(codec.UPCASTS, key, step)
    event = codec.decode_event(b'{"type":"hands.raised","who":"ada","v":1}')
    assert (event.by, event.at, event.v) == ("ada", 5.0, 3)


def test_there_is_an_upcast_for_each_old_version():
    for tag, current in codec._EVENT_VERSIONS.items():
        assert all((tag, version) in codec.UPCASTS for version in range(1, current))


def test_events_are_plain_json():
    lesson = Lesson(students=["ada"])
    (event,) = lesson.do(hands.Raise(by="ada"))
    plain = {"type": "hands.raised", "at": lesson.now, "by": "ada", "v": 1}
    assert json.loads(codec.encode(event)) == plain


def test_a_snapshot_is_the_state():
    lesson = Lesson(students=["ada"])
    lesson.do(chat.Send(by="ada", message="m1", text="x"))
    assert codec.decode_snapshot(codec.encode(lesson.room)) == lesson.room
    with pytest.raises(ValueError):
        codec.decode_snapshot(b'{"seq": "one"}')
    lesson.room.version += 1
    with pytest.raises(ValueError):
        codec.decode_snapshot(codec.encode(lesson.room))


GOLDEN = Path(__file__).parent / "kinds.json"


def test_no_kind_of_event_and_no_state_changes_without_a_new_version():
    """Logs are kept for years. A change of `kinds.json` needs a new `v` and an upcast, or a new STATE_VERSION.

    LECTERN_WRITE_KINDS=1 writes the file anew.
    """
    kinds = {tag: [codec._EVENT_VERSIONS[tag], shape(kind)] for tag, kind in sorted(EVENTS.items())}
    schemas, components = msgspec.json.schema_components([Classroom])
    plain = json.dumps(without_prose([schemas, components]), sort_keys=True)
    digest = hashlib.sha256(plain.encode()).hexdigest()
    present = {"events": kinds, "state": [STATE_VERSION, digest]}
    if os.environ.get("LECTERN_WRITE_KINDS"):
        GOLDEN.write_text(json.dumps(present, indent=1) + "\n")
    assert json.loads(GOLDEN.read_text()) == present


def plain(hint):
    """Return a type's name; an id is the string that is stored."""
    return re.sub(r"classroom\.ids\.\w+", "str", str(getattr(hint, "__supertype__", hint)))


def shape(kind):
    """Return the fields of a kind with their types; structs within it field by field."""
    return {
        info.name: shape(hint) if isinstance(hint, type) and issubclass(hint, msgspec.Struct) else plain(hint)
        for info in msgspec.structs.fields(kind)
        for hint in [typing.get_type_hints(kind)[info.name]]
    }


def test_the_schema_of_commands_can_be_published():
    schemas, components = msgspec.json.schema_components([session.Create, chat.Send])
    assert len(schemas) == 2
    assert components["Send"]["properties"]["type"] == {"enum": ["chat.send"]}


def without_prose(schema):
    """Return a schema without descriptions, which may change."""
    if isinstance(schema, dict):
        return {key: without_prose(value) for key, value in schema.items() if key != "description"}
    return [without_prose(item) for item in schema] if isinstance(schema, (list, tuple)) else schema
