import asyncio

import pytest

from signaling import catalogue as module
from signaling.catalogue import Catalogue
from signaling.errors import StoreError
from signaling.model import RoomConfig
from signaling.store import DurableRoom

CONFIG = RoomConfig(max_participants=3)


@pytest.fixture
async def catalogue(store):
    async def config(durable):
        return RoomConfig(max_participants=int(durable.settings["seats"]))

    made = Catalogue(store.rooms)
    made.add("daily", config)
    await store.rooms.put(DurableRoom("maths", "daily", "school", 5.0, {"seats": 3}))
    return made


async def test_a_room_opens_as_its_api_says(catalogue):
    assert await catalogue.config("maths") == CONFIG
    assert await catalogue.config("choir") is None
    assert [room.name for room in await catalogue.list()] == ["maths"]
    assert await catalogue.delete("maths")
    assert not await catalogue.delete("maths")


class Broken:
    def __init__(self, action):
        self.action = action

    async def get(self, name):
        await self.action()


async def fail():
    raise StoreError("gone")


async def hang():
    await asyncio.Event().wait()


@pytest.mark.parametrize("action", [fail, hang])
async def test_a_lesson_does_not_wait_for_the_database(action, monkeypatch, caplog):
    monkeypatch.setattr(module, "TIMEOUT_S", 0.01)
    assert await Catalogue(Broken(action)).config("maths") is None
    assert "without its rules" in caplog.text
