import asyncio
from contextlib import asynccontextmanager

import aiohttp
import pytest
from livekit import api
from livekit.protocol import rtc

from signaling.app import Server
from signaling.config import DEV_KEYS, ServerConfig
from signaling.rooms.media import MediaEvents
from signaling.store import Store
from signaling.store.store import MEMORY_URL
from signaling.store.vault import Vault
from tests.signaling.fake_media import FakeMedia
from tests.signaling.livekit_client import World


async def publish(client):
    """Publish a video track."""
    await client.publish("cam")
    await client.send(offer=rtc.SessionDescription(type="offer", sdp="cam=mid a3 v3", id=2))
    await client.until("answer")


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
    async def start(*, persistent=False, **options):
        events = MediaEvents()
        media = FakeMedia(events.dispatch, asyncio.get_running_loop().call_soon)
        folder = tmp_path / "recordings"
        options = {"recordings": str(folder), **options}
        config = ServerConfig(dev=True, http_port=0, keys=dict(DEV_KEYS), data_dir=str(tmp_path), **options)
        url = f"sqlite:///{tmp_path / 'lectern.db'}" if persistent else MEMORY_URL
        store = await Store.open(url, Vault("a master key of thirty-two characters"))
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
