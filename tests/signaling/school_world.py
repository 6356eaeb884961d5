"""A whole server for tests of the API of sessions, on a copy of an empty database, whose migrations run once."""

import asyncio
import shutil
from contextlib import asynccontextmanager

import aiohttp

from signaling.app import Server
from signaling.config import DEV_KEYS, ServerConfig
from signaling.rooms.media import MediaEvents
from signaling.store import Store
from signaling.store.vault import Vault
from tests.signaling.fake_media import FakeMedia
from tests.signaling.livekit_client import World


def make_template(folder):
    """An empty database, up to date."""
    path = folder / "template.db"

    async def make():
        store = await Store.open(f"sqlite:///{path}")
        await store.close()

    asyncio.run(make())
    return path


@asynccontextmanager
async def serving(template, folder, **options):
    """A server on the fake engine, with a copy of the template as its database, or the one that is there."""
    vault = Vault(options.pop("master_key", "the master key of all servers in one test"))
    database = folder / "lectern.db"
    if not database.exists():
        shutil.copy(template, database)
    media_events = MediaEvents()
    media = FakeMedia(media_events.dispatch, asyncio.get_running_loop().call_soon)
    store = await Store.open(f"sqlite:///{database}", vault)
    server = Server(
        ServerConfig(dev=True, http_port=0, keys=dict(DEV_KEYS), data_dir=str(folder), **options),
        media,
        media_events,
        store,
    )
    await server.start()
    async with aiohttp.ClientSession() as http:
        world = World(server, media, http)
        yield world
        await server.stop()
        for client in world.clients:
            await client.ws.close()
    await store.close()
