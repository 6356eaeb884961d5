import asyncio
import sqlite3
from contextlib import closing

import pytest

from signaling.errors import StoreError
from signaling.rooms.model import RoomConfig
from signaling.store import DurableRoom, Store
from signaling.store import catalogue as module
from signaling.store.catalogue import Catalogue

CONFIG = RoomConfig(max_participants=3)
ROOM = DurableRoom("maths", "daily", "school", 5.0, {"seats": 3})


@pytest.fixture
async def catalogue(store):
    async def config(durable):
        return RoomConfig(max_participants=int(durable.settings["seats"]))

    made = Catalogue(store.rooms)
    made.add("daily", config)
    await store.rooms.put(ROOM)
    return made


async def test_a_room_opens_as_its_api_says(catalogue, store):
    assert await catalogue.config("maths") == CONFIG
    assert await catalogue.config("choir") is None
    await store.rooms.put(DurableRoom("logic", "unheard of", "school", 5.0, {}))
    assert await catalogue.config("logic") is None
    assert await catalogue.delete("logic")
    assert [room.name for room in await catalogue.list()] == ["maths"]
    assert await catalogue.delete("maths")
    assert not await catalogue.delete("maths")


class Broken:
    def __init__(self, action):
        self.action = action

    def may_exist(self, name):
        return name == "maths"

    async def get(self, name):
        await self.action()


async def fail():
    raise StoreError("gone")


async def hang():
    await asyncio.Event().wait()


@pytest.mark.parametrize("action", [fail, hang])
async def test_a_room_does_not_open_without_its_settings(action, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT_S", 0.01)
    with pytest.raises(StoreError, match=r"gone|does not respond"):
        await Catalogue(Broken(action)).config("maths")


async def test_a_room_that_nobody_created_does_not_wait_for_a_locked_file(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT_S", 0.05)
    path = tmp_path / "lectern.db"
    store = await Store.open(f"sqlite:///{path}")
    await store.rooms.put(ROOM)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(5):
            assert await Catalogue(store.rooms).config("choir") is None
            with pytest.raises(StoreError, match="does not respond"):
                await Catalogue(store.rooms).config("maths")
        other.execute("ROLLBACK")
    assert await store.rooms.get("maths") == ROOM
    await store.close()


async def test_rooms_that_exist_are_known_from_the_start_until_they_are_deleted(tmp_path):
    url = f"sqlite:///{tmp_path / 'lectern.db'}"
    store = await Store.open(url)
    await store.rooms.put(ROOM)
    await store.close()
    again = await Store.open(url)
    assert again.rooms.may_exist("maths")
    await again.rooms.delete("maths")
    assert not again.rooms.may_exist("maths")
    await again.rooms.put(ROOM)
    assert again.rooms.may_exist("maths")
    await again.close()
