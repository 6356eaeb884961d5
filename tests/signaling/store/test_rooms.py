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
