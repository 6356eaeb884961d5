import asyncio

import pytest

from signaling.daily.rest.domains import Domains
from signaling.daily.rest.errors import DailyError
from signaling.daily.rest.pages import PageQuery
from signaling.daily.rooms import DailyRooms
from signaling.rooms.model import LeaveReason
from signaling.rooms.rooms import JoinSpec
from signaling.store import DurableRoom

NOW = 1_795_000_000.0
SCHOOL, OTHER = Domains({"school": "secret", "other": "more secret"})


@pytest.fixture
def rooms(store, harness):
    return DailyRooms(store, harness.rooms)


async def refused(call):
    with pytest.raises(DailyError) as error:
        await call
    return error.value.status, error.value.code, str(error.value)


async def test_a_room_is_made_found_changed_and_deleted(rooms):
    made = await rooms.create(SCHOOL, "maths", "private", {"enable_chat": True, "lang": "en"}, NOW)
    assert (made.name, made.domain, made.privacy, made.created_at) == ("maths", "school", "private", NOW)
    assert made.config == {"enable_chat": True}
    assert await rooms.find("maths") == await rooms.get(SCHOOL, "maths") == made
    changed = await rooms.update(SCHOOL, "maths", None, {"enable_chat": None, "max_participants": 5}, NOW)
    assert (changed.id, changed.privacy, changed.config) == (made.id, "private", {"max_participants": 5})
    changed = await rooms.update(SCHOOL, "maths", "public", {}, NOW)
    assert (await rooms.find("maths")).privacy == changed.privacy == "public"
    await rooms.delete(SCHOOL, "maths")
    assert await rooms.find("maths") is None
    assert await refused(rooms.delete(SCHOOL, "maths")) == (404, "not-found", "room maths not found")


async def test_names(rooms):
    made = await rooms.create(SCHOOL, None, "public", {}, NOW)
    assert len(made.name) == 20
    assert made.name.isalnum()
    rule = "contains invalid characters (room names can contain A-Z, a-z, 0-9, '-', and '_')"
    for name in ("", "a b", "ä", "a/b", "x" * 129, "a\n"):
        info = f"{name[:128]} {rule}"
        assert await refused(rooms.create(SCHOOL, name, "public", {}, NOW)) == (
            400,
            "invalid-request-error",
            info,
        )
    await rooms.create(SCHOOL, "x" * 128, "public", {}, NOW)


async def test_of_two_who_make_a_room_one_does(rooms):
    results = await asyncio.gather(
        *(rooms.create(SCHOOL, "maths", "public", {}, NOW) for _ in range(5)), return_exceptions=True
    )
    errors = [str(result) for result in results if isinstance(result, DailyError)]
    assert errors == ["a room named maths already exists"] * 4


async def test_wrong_properties_change_nothing(rooms):
    past = "exp was '5', which is in the past rather than in the future"
    assert (await refused(rooms.create(SCHOOL, "maths", "public", {"exp": 5}, NOW)))[2] == past
    assert (await refused(rooms.create(SCHOOL, "maths", "public", {"enable_chat": 1}, NOW)))[0] == 400
    assert await rooms.find("maths") is None
    made = await rooms.create(SCHOOL, "maths", "public", {"exp": NOW + 5}, NOW)
    # what has expired since can still be changed otherwise
    await rooms.update(SCHOOL, "maths", None, {"enable_chat": True}, NOW + 10)
    for change in ({"exp": NOW}, {"enable_chat": "no"}):
        assert (await refused(rooms.update(SCHOOL, "maths", "private", change, NOW + 10)))[0] == 400
    kept = await rooms.find("maths")
    assert (kept.given, kept.privacy) == ({"exp": NOW + 5, "enable_chat": True}, made.privacy)


async def test_a_domain_sees_its_own_rooms(rooms):
    await rooms.create(SCHOOL, "maths", "public", {}, NOW)
    assert (await refused(rooms.get(OTHER, "maths")))[0] == 404
    assert (await refused(rooms.update(OTHER, "maths", None, {}, NOW)))[0] == 404
    assert (await refused(rooms.delete(OTHER, "maths")))[0] == 404
    assert (await refused(rooms.create(OTHER, "maths", "public", {}, NOW)))[0] == 400


async def test_a_domain_sets_properties_for_its_rooms(rooms):
    await rooms.create(SCHOOL, "maths", "public", {"lang": "fr"}, NOW)
    config = await rooms.configure_domain(
        SCHOOL, {"lang": "de", "enable_chat": True, "hide_daily_branding": True}
    )
    assert config == {"lang": "de", "enable_chat": True, "hide_daily_branding": True}
    room = await rooms.find("maths")
    assert (room.properties.lang, room.properties.enable_chat) == ("fr", True)
    assert room.config == {"lang": "fr"}
    assert await rooms.configure_domain(SCHOOL, {"enable_chat": None}) == {
        "lang": "de",
        "hide_daily_branding": True,
    }
    assert (await refused(rooms.configure_domain(SCHOOL, {"lang": 3})))[0] == 400
    assert (await rooms.domain_config("school"))["lang"] == "de"
    assert await rooms.domain_config("other") == {}


async def test_open_rooms_of_livekit_are_rooms_too(rooms, harness):
    harness.rooms.open_room("choir")
    seen = await rooms.get(OTHER, "choir")
    assert (seen.domain, seen.privacy, seen.config) == ("", "private", {})
    assert (await rooms.get(SCHOOL, "choir")).id == seen.id
    assert (await refused(rooms.create(SCHOOL, "choir", "public", {}, NOW)))[
        2
    ] == "a room named choir already exists"
    adopted = await rooms.update(SCHOOL, "choir", None, {"enable_chat": True, "max_participants": 7}, NOW)
    assert (adopted.id, adopted.domain) == (seen.id, "school")
    assert (await rooms.find("choir")).config == {"enable_chat": True, "max_participants": 7}
    assert harness.rooms.room("choir").config.max_participants == 7


async def test_pages_are_newest_first(rooms, harness):
    made = [await rooms.create(SCHOOL, f"room-{n}", "public", {}, NOW + n // 2) for n in range(6)]
    await rooms.create(OTHER, "foreign", "public", {}, NOW)
    # An open room of LiveKit's API is the newest here, by the harness's clock.
    harness.rooms.open_room("choir")
    rooms.open(made[0])
    everything = ["choir", "room-5", "room-4", "room-3", "room-2", "room-1", "room-0"]
    ids = {room.name: room.id for room in [*made, await rooms.find("choir")]}

    async def names(**query):
        total, found = await rooms.page(SCHOOL, PageQuery(**query))
        assert total == 7
        return [room.name for room in found]

    assert await names() == everything
    assert await names(limit=2) == everything[:2]
    for index, name in enumerate(everything):
        behind, before = everything[index + 1 :], everything[:index]
        assert await names(starting_after=ids[name]) == behind
        assert await names(starting_after=ids[name], limit=2) == behind[:2]
        assert await names(ending_before=ids[name]) == before
        assert await names(ending_before=ids[name], limit=2) == before[-2:]
    assert await names(ending_before="OLDEST", limit=3) == everything[-3:]
    error = await refused(rooms.page(SCHOOL, PageQuery(starting_after="none")))
    assert error == (400, "invalid-request-error", "there is no room with the id none")
    assert (await refused(rooms.page(SCHOOL, PageQuery(starting_after="OLDEST"))))[0] == 400


async def test_several_rooms_are_made_together_or_none(rooms):
    made = await rooms.create_all(SCHOOL, [("a", "public", {}), (None, "private", {"lang": "de"})], NOW)
    assert [room.privacy for room in made] == ["public", "private"]
    for wanted in (
        [("b", "public", {}), ("a", "public", {})],
        [("b", "public", {}), ("b", "public", {})],
        [("b", "public", {}), ("c", "public", {"exp": 1})],
    ):
        assert (await refused(rooms.create_all(SCHOOL, wanted, NOW)))[0] == 400
    assert await rooms.find("b") is None
    assert await rooms.delete_all(SCHOOL, ["a", "none", made[1].name]) == 2
    assert await rooms.find("a") is None


async def test_durable_rooms_of_other_apis_are_seen_while_they_are_open(rooms, harness, store):
    await store.rooms.put(DurableRoom("logic", "another", "school", 5.0, {}))
    assert await rooms.find("logic") is None
    harness.rooms.open_room("logic")
    assert (await rooms.find("logic")).domain == ""
    assert (await refused(rooms.create(SCHOOL, "logic", "public", {}, NOW)))[0] == 400


async def test_a_room_is_opened_with_its_rules_and_ended_when_deleted(rooms, harness, caplog):
    caplog.set_level("INFO")
    now = harness.wall_clock()
    given = {"max_participants": 3, "exp": now + 60, "eject_at_room_exp": True, "eject_after_elapsed": 30}
    made = await rooms.create(SCHOOL, "maths", "public", given, now)
    config = rooms.open(made).config
    assert (config.max_participants, config.ends_at, config.max_attendance_s) == (3, now + 60, 30)
    assert (config.opens_at, config.closes_at) == (None, now + 60)
    harness.rooms.join(JoinSpec("maths", "ada"))
    await rooms.delete(SCHOOL, "maths")
    assert harness.rooms.room("maths") is None
    assert harness.events[-2].reason is LeaveReason.ROOM_DELETED
    assert "left: the room was deleted (deleted by API key school)" in caplog.messages
    without_end = await rooms.create(SCHOOL, "open", "public", {"exp": now + 60}, now)
    assert without_end.room_config.ends_at is None
