import asyncio
import re
import uuid

import aiohttp
import pytest
from livekit.protocol import models

from signaling.daily.rooms import RESERVED_NAMES
from signaling.rooms.permissions import AdminRight
from tests.signaling.livekit_client import make_token


async def test_a_room_from_its_creation_to_its_end(daily):
    made = await daily.post(
        "/rooms", {"name": "maths", "privacy": "private", "properties": {"enable_chat": True}}
    )
    assert list(made) == ["id", "name", "api_created", "privacy", "url", "created_at", "config"]
    assert uuid.UUID(made["id"]).version == 4
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", made["created_at"])
    assert (made["name"], made["api_created"], made["privacy"]) == ("maths", True, "private")
    assert (made["url"], made["config"]) == (f"{daily.origin}/maths", {"enable_chat": True})
    assert await daily.get("/rooms/maths") == made
    changed = await daily.post("/rooms/maths", {"properties": {"max_participants": 7, "enable_chat": None}})
    assert changed == {**made, "config": {"max_participants": 7}}
    assert await daily.post("/rooms/maths", {"privacy": "public"}) == {**changed, "privacy": "public"}
    assert await daily.post("/rooms/maths") == {**changed, "privacy": "public"}
    assert await daily.delete("/rooms/maths") == {"deleted": True, "name": "maths"}
    missing = (404, "not-found", "room maths not found")
    assert await daily.refused("GET", "/rooms/maths") == missing
    assert await daily.refused("DELETE", "/rooms/maths") == missing
    assert await daily.refused("POST", "/rooms/maths", {}) == missing


async def test_a_room_without_anything_is_public(daily):
    for body in (None, {}, {"name": None, "privacy": None, "properties": None}):
        made = await daily.post("/rooms", body)
        assert (made["privacy"], made["config"], len(made["name"])) == ("public", {}, 20)


async def test_the_same_room_twice(daily):
    answers = await asyncio.gather(*(daily.call("POST", "/rooms", {"name": "maths"}) for _ in range(4)))
    assert sorted(status for status, _ in answers) == [200, 400, 400, 400]
    refusals = [answer for status, answer in answers if status == 400]
    assert refusals == [{"error": "invalid-request-error", "info": "a room named maths already exists"}] * 3


@pytest.mark.parametrize(
    ("body", "info"),
    [
        (
            {"name": "a b"},
            "a b contains invalid characters (room names can contain A-Z, a-z, 0-9, '-', and '_')",
        ),
        ({"name": 3}, "Expected `str | null`, got `int` - at `$.name`"),
        ({"privacy": "org"}, "Invalid enum value 'org' - at `$.privacy`"),
        ({"properties": []}, "Expected `object | null`, got `array` - at `$.properties`"),
        ({"colour": "red"}, "Object contains unknown field `colour`"),
        ({"properties": {"exp": 12}}, "exp was '12', which is in the past rather than in the future"),
        (
            {"properties": {"exp": "soon"}},
            "exp was 'soon' but should be a number of seconds since the unix epoch",
        ),
        ({"properties": {"enable_chat": 1}}, "enable_chat: Expected `bool`, got `int`"),
    ],
)
async def test_wrong_values(daily, body, info):
    assert await daily.refused("POST", "/rooms", body) == (400, "invalid-request-error", info)
    await daily.post("/rooms", {"name": "kept"})
    body = {name: value for name, value in body.items() if name != "name"}
    if body:
        assert await daily.refused("POST", "/rooms/kept", body) == (400, "invalid-request-error", info)
    assert (await daily.get("/rooms"))["total_count"] == 1


async def test_listing(daily):
    assert await daily.get("/rooms") == {"total_count": 0, "data": []}
    made = [await daily.post("/rooms", {"name": f"room-{n}"}) for n in range(4)]
    listed = await daily.get("/rooms")
    assert listed == {"total_count": 4, "data": made[::-1]}
    page = await daily.get(f"/rooms?limit=2&starting_after={made[3]['id']}")
    assert page == {"total_count": 4, "data": [made[2], made[1]]}
    for query in ("limit=0", "limit=101", "limit=x", "starting_after=none"):
        assert (await daily.refused("GET", f"/rooms?{query}"))[:2] == (400, "invalid-request-error")


async def test_batches(daily):
    made = await daily.post("/batch/rooms", {"rooms": [{"name": "a"}, {"privacy": "private"}]})
    assert made["total_count"] == 2
    assert [room["privacy"] for room in made["data"]] == ["public", "private"]
    for body in ({"rooms": [{"name": "b"}, {"name": "a"}]}, {"rooms": []}, {}, {"rooms": [{"name": 1}]}):
        assert (await daily.refused("POST", "/batch/rooms", body))[0] == 400
    assert (await daily.get("/rooms"))["total_count"] == 2
    assert await daily.delete("/batch/rooms", {"names": ["a", "none"]}) == {"deleted_count": 1}
    for body in ({"names": []}, {"names": ["a", "a"]}, {"names": "a"}, {}):
        assert (await daily.refused("DELETE", "/batch/rooms", body))[0] == 400


async def test_rooms_of_livekit_are_dailys_too(daily):
    await daily.world.join("ada", video={"room": "choir", "roomJoin": True})
    assert (await daily.get("/rooms/choir"))["privacy"] == "private"
    assert [room["name"] for room in (await daily.get("/rooms"))["data"]] == ["choir"]
    refused = await daily.refused("POST", "/rooms", {"name": "choir"})
    assert refused[2] == "a room named choir already exists"


async def test_deleting_a_room_sends_everybody_out(daily):
    await daily.post("/rooms", {"name": "lesson"})
    ada, _ = await daily.world.join("ada")
    await daily.delete("/rooms/lesson")
    assert (await ada.until("leave")).reason == models.DisconnectReason.ROOM_DELETED


async def test_a_rooms_rules_hold_whichever_api_the_first_one_comes_through(daily):
    rules = {"max_participants": 1, "enforce_unique_user_ids": True, "eject_after_elapsed": 3600}
    await daily.post("/rooms", {"name": "lesson", "properties": rules})
    await daily.world.join("ada", attributes={"lectern.user_id": "u-1"})
    room = daily.server.services.rooms.room("lesson")
    assert (room.config.max_participants, room.config.owner) == (1, "devkey")
    ada = room.participants["ada"]
    assert ada.leaves_at == pytest.approx(ada.joined_at + 3600)
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await daily.world.connect(make_token(identity="bob"))
    assert refused.value.status == 503


async def test_the_end_of_a_stay_and_permissions_are_kept_on_a_reconnect(daily):
    await daily.post("/rooms", {"name": "lesson", "properties": {"eject_after_elapsed": 3600}})
    client, _ = await daily.world.join("ada")
    room = daily.server.services.rooms.room("lesson")
    first = room.participants["ada"]
    restricted = {"ada": {"canSend": ["audio"], "canReceive": {"base": False}, "canAdmin": ["streaming"]}}
    await daily.post("/rooms/lesson/update-permissions", {"data": restricted})
    # the room's rules change, what was computed at the join does not
    await daily.post("/rooms/lesson", {"properties": {"eject_after_elapsed": 60}})
    older = await client.until("refresh_token")
    await client.quiet()
    newest = [message.refresh_token for message in client.seen if message.HasField("refresh_token")][-1]
    assert newest != older
    # somebody may keep an older token, which says more
    for token in (newest, older):
        again = await daily.world.connect(token)
        await again.until("join")
        second = room.participants["ada"]
        assert second is not first
        assert (second.leaves_at, second.permissions) == (first.leaves_at, first.permissions)
        assert second.permissions.admin == {AdminRight.STREAMING}


async def test_a_room_has_no_name_that_the_server_needs_for_itself(daily):
    app = daily.server._runner.app
    own = {r.canonical.strip("/") for r in app.router.resources() if r.canonical.count("/") == 1}
    own = {name for name in own if re.fullmatch(r"[A-Za-z0-9_-]+", name)}
    assert own == RESERVED_NAMES
    for name in own:
        status, code, text = await daily.refused("POST", "/rooms", {"name": name})
        assert (status, code) == (400, "invalid-request-error")
        assert name in text
