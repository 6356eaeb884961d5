from dataclasses import replace

from signaling.store import DurableRoom

ROOM = DurableRoom("algebra", "daily", "school", 5.0, {"privacy": "private"})


async def test_a_room_is_put_once_and_read_back(store):
    assert await store.rooms.put(ROOM)
    assert not await store.rooms.put(replace(ROOM, kind="livekit"))
    assert await store.rooms.get("algebra") == ROOM
    assert await store.rooms.get("logic") is None


async def test_settings_are_replaced(store):
    await store.rooms.put(ROOM)
    assert await store.rooms.update("algebra", {"max": 3})
    assert (await store.rooms.get("algebra")).settings == {"max": 3}
    assert not await store.rooms.update("logic", {})


async def test_a_deleted_room_is_gone(store):
    await store.rooms.put(ROOM)
    assert await store.rooms.delete("algebra")
    assert not await store.rooms.delete("algebra")
    assert await store.rooms.get("algebra") is None


async def test_rooms_are_listed_page_by_page(store):
    for name in ("c", "a", "b"):
        await store.rooms.put(replace(ROOM, name=name))
    assert [room.name for room in await store.rooms.list(limit=2)] == ["a", "b"]
    assert [room.name for room in await store.rooms.list(after="b")] == ["c"]


async def test_several_are_put_or_none(store):
    logic, sets = replace(ROOM, name="logic"), replace(ROOM, name="sets")
    assert await store.rooms.put_all([ROOM, logic]) is None
    assert await store.rooms.put_all([sets, logic]) == "logic"
    assert await store.rooms.existing(["algebra", "logic", "sets"]) == {"algebra", "logic"}


async def test_an_api_keys_rooms_are_paged_by_age(store):
    # two of the same age, as a batch makes them
    ages = {"a": 1.25, "b": 2.5, "c": 2.5, "d": 4.0}
    await store.rooms.put_all([replace(ROOM, name=name, created_at=at) for name, at in ages.items()])
    await store.rooms.put(replace(ROOM, name="x", made_by="other"))
    await store.rooms.put(replace(ROOM, name="y", kind="livekit"))

    async def names(behind=None, limit=9, *, oldest_first=False):
        place = None if behind is None else (ages[behind], behind)
        found = await store.rooms.page(
            "daily", "school", behind=place, oldest_first=oldest_first, limit=limit
        )
        return "".join(room.name for room in found)

    assert await store.rooms.count("daily", "school") == 4
    assert [await names(), await names(limit=2), await names("c"), await names("a")] == [
        "dcba",
        "dc",
        "ba",
        "",
    ]
    assert [await names(oldest_first=True, limit=3), await names("b", oldest_first=True)] == ["abc", "cd"]
    assert await store.rooms.foreign("daily", "school", ["a", "x", "y", "z"]) == {"x", "y"}


async def test_a_room_is_found_by_the_id_in_its_settings(store):
    made = replace(ROOM, settings={"id": "1-2"})
    await store.rooms.put(made)
    assert await store.rooms.by_id("daily", "school", "1-2") == made
    assert await store.rooms.by_id("daily", "school", "1") is None
    assert await store.rooms.by_id("daily", "other", "1-2") is None
