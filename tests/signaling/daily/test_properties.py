import pytest

from signaling.daily.properties import (
    ROOM_SCHEMA,
    RoomProperties,
    TokenProperties,
    check_exp,
    merge,
    non_defaults,
    parse,
)
from signaling.daily.rest.errors import DailyError

NOW = 1_795_000_000.0


def test_config_is_what_differs_from_the_defaults():
    raw = {
        "enable_chat": True,
        "enable_screenshare": True,
        "max_participants": 200,
        "exp": 5,
        "new_thing": [1],
    }
    assert non_defaults(raw) == {"enable_chat": True, "exp": 5, "new_thing": [1]}
    assert non_defaults({"enable_chat": None, "permissions": {"canSend": ["video"]}, "other": None}) == {
        "permissions": {"canSend": ["video"]}
    }


@pytest.mark.parametrize(
    ("raw", "info"),
    [
        ({"exp": "x"}, "exp was 'x' but should be a number of seconds since the unix epoch"),
        ({"nbf": True}, "nbf was 'True' but should be a number of seconds since the unix epoch"),
        ({"exp": 1e300}, "exp was '1e+300' but should be a number of seconds since the unix epoch"),
        ({"enable_chat": "yes"}, "enable_chat: Expected `bool`, got `str`"),
        ({"max_participants": 0}, "max_participants: Expected `int` >= 1"),
        ({"eject_after_elapsed": -1}, "eject_after_elapsed: Expected `int` >= 1"),
        ({"enable_recording": "film"}, "enable_recording: Invalid enum value 'film'"),
        ({"permissions": {"canSend": ["smell"]}}, "permissions.canSend[0]: Invalid enum value 'smell'"),
        ({"permissions": 3}, "permissions: Expected `object | null`, got `int`"),
    ],
)
def test_wrong_values_are_named(raw, info):
    with pytest.raises(DailyError) as refused:
        parse(RoomProperties, raw)
    assert (refused.value.status, refused.value.code) == (400, "invalid-request-error")
    assert str(refused.value) == info


def test_a_user_id_is_short():
    assert parse(TokenProperties, {"user_id": "x" * 36}).user_id == "x" * 36
    with pytest.raises(DailyError):
        parse(TokenProperties, {"user_id": "x" * 37})


def test_what_expires_lies_ahead():
    check_exp({}, NOW)
    check_exp({"exp": NOW + 1}, NOW)
    with pytest.raises(DailyError, match="exp was '12', which is in the past rather than in the future"):
        check_exp({"exp": 12}, NOW)


def test_null_takes_a_property_back():
    assert merge({"a": 1, "b": 2}, {"b": None, "c": 3}) == {"a": 1, "c": 3}


def test_requests_are_described_by_the_very_types_that_are_checked():
    described = ROOM_SCHEMA["properties"]
    assert described.keys() == set(RoomProperties.__struct_fields__)
    null = {"type": "null"}
    assert described["enable_chat"] == {"anyOf": [{"type": "boolean"}, null]}
    assert described["eject_after_elapsed"]["anyOf"].count(null) == 1
    [permissions, _] = described["permissions"]["anyOf"]
    assert "canReceive" in permissions["properties"]
    assert "$ref" not in str(described)
