import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest
from livekit import api

from signaling.app import Server
from signaling.config import DEV_KEYS, ServerConfig
from signaling.rooms.media import MediaEvents
from signaling.store import Store
from signaling.store.store import MEMORY_URL
from tests.signaling.fake_media import FakeMedia
from tests.signaling.livekit_client import World


class Recorded:
    """A server that records, on the fake engine, and the unchanged SDK's client."""

    def __init__(self, world, sdk, folder):
        self.world = world
        self.sdk = sdk
        self.folder = folder

    async def egresses(self, **query):
        return list((await self.sdk.egress.list_egress(api.ListEgressRequest(**query))).items)


@pytest.fixture
def recording_server(tmp_path):
    """Starts servers that record, one after another, on one database and one folder."""

    @asynccontextmanager
    async def start(url=MEMORY_URL, **options):
        events = MediaEvents()
        media = FakeMedia(events.dispatch, asyncio.get_running_loop().call_soon)
        folder = tmp_path / "recordings"
        options = {"recordings": str(folder), **options}
        config = ServerConfig(dev=True, http_port=0, keys=dict(DEV_KEYS), data_dir=str(tmp_path), **options)
        store = await Store.open(url)
        server = Server(config, media, events, store)
        await server.start()
        async with aiohttp.ClientSession() as http:
            world = World(server, media, http)
            sdk = api.LiveKitAPI(world.url, "devkey", "secret")
            try:
                yield Recorded(world, sdk, folder)
            finally:
                await sdk.aclose()
                await server.stop()
                for client in world.clients:
                    await client.ws.close()
        await store.close()

    return start
