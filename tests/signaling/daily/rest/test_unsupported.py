"""Properties that change nothing are named in the answer, in the log and in the README."""

from pathlib import Path

import pytest

from signaling.daily import properties
from signaling.daily.properties import WITHOUT_EFFECT, RoomProperties, TokenProperties, without_effect
from signaling.daily.rest.unsupported import HEADER

README = Path(properties.__file__).with_name("README.md")
KNOWN = {*RoomProperties.__struct_fields__, *TokenProperties.__struct_fields__}


def test_the_readme_lists_them_all_and_no_others():
    section = README.read_text().partition("## Properties without effect")[2].partition("\n## ")[0]
    listed = {word.strip("`") for word in section.replace(",", " ").split() if word.startswith("`")}
    assert {name for name in listed if "_" in name or name in KNOWN} == WITHOUT_EFFECT
    assert WITHOUT_EFFECT < KNOWN


def test_only_what_is_set_to_something_else_than_its_default_is_named():
    raw = {"enable_chat": True, "enable_hand_raising": True, "enable_pip_ui": False, "geo": None, "nope": 1}
    assert without_effect(RoomProperties, raw) == ("enable_hand_raising", "nope")
    assert without_effect(TokenProperties, {"lang": "de", "is_owner": True}) == ("lang",)


@pytest.mark.parametrize(
    ("path", "body", "named"),
    [
        (
            "/rooms",
            {"properties": {"enable_hand_raising": True, "nope\n\xe4": 1}},
            "enable_hand_raising, nope%0A%C3%A4",
        ),
        ("/rooms", {"properties": {"enable_chat": True}}, None),
        ("/rooms", {}, None),
        (
            "/batch/rooms",
            {"rooms": [{"properties": {"geo": "eu-west-2"}}, {"properties": {"lang": "de"}}]},
            "geo, lang",
        ),
        (
            "/meeting-tokens",
            {"properties": {"room_name": "a", "close_tab_on_exit": True}},
            "close_tab_on_exit",
        ),
        ("/", {"properties": {"sfu_switchover": 3}}, "sfu_switchover"),
        ("/rooms", {"properties": {"x" * 900: 1, "y" * 900: 1}}, ("x" * 900 + ", " + "y" * 900)[:1000]),
    ],
)
async def test_applications_are_told(daily, caplog, path, body, named):
    caplog.set_level("INFO", "signaling.daily.rest.unsupported")
    headers = {"Authorization": "Bearer secret"}
    async with daily.world.http.post(f"{daily.world.url}/v1{path}", json=body, headers=headers) as answer:
        assert answer.status == 200
        assert answer.headers.get(HEADER) == named
    assert [record.getMessage() for record in caplog.records] == (
        [] if named is None else [f"API key devkey sets properties without effect here: {named}"]
    )


async def test_a_refused_call_names_nothing_and_the_next_one_neither(daily):
    headers = {"Authorization": "Bearer secret"}
    for body, status in (({"properties": {"nope": 1, "exp": "x"}}, 400), ({}, 200)):
        async with daily.world.http.post(f"{daily.world.url}/v1/rooms", json=body, headers=headers) as answer:
            assert answer.status == status
            assert HEADER not in answer.headers


async def test_a_change_of_a_room_names_them_too(daily):
    await daily.post("/rooms", {"name": "maths"})
    headers = {"Authorization": "Bearer secret"}
    body = {"properties": {"enable_breakout_rooms": True}}
    async with daily.world.http.post(
        f"{daily.world.url}/v1/rooms/maths", json=body, headers=headers
    ) as answer:
        assert answer.headers[HEADER] == "enable_breakout_rooms"
        assert (await answer.json())["config"]["enable_breakout_rooms"] is True
