"""A whole server on the fake engine and a free port; and the skin alone, on a clock that tests move."""

import asyncio

import aiohttp
import pytest

from signaling.app import Server
from signaling.config import DEV_KEYS, ServerConfig
from signaling.media import MediaEvents
from tests.signaling.fake_media import FakeMedia
from tests.signaling.livekit_client import World
from tests.signaling.skin_harness import SkinHarness


@pytest.fixture
def harness():
    return SkinHarness()


@pytest.fixture
async def world():
    media_events = MediaEvents()
    media = FakeMedia(media_events.dispatch, asyncio.get_running_loop().call_soon)
    config = ServerConfig(dev=True, http_port=0, keys=dict(DEV_KEYS))
    server = Server(config, media, media_events)
    await server.start()
    async with aiohttp.ClientSession() as http:
        world = World(server, media, http)
        yield world
        await server.stop()
        for client in world.clients:
            await client.ws.close()
