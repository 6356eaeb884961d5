"""A whole server on the fake engine and a free port; and the front end alone, on a clock that tests move."""

import asyncio

import aiohttp
import pytest

from sfu.values import PublicationBound
from signaling.app import Server
from signaling.config import DEV_KEYS, ServerConfig
from signaling.limits import Limiter
from signaling.rooms.media import MediaEvents
from signaling.rooms.model import TrackSpec
from signaling.rooms.permissions import Source
from signaling.rooms.rooms import JoinSpec
from signaling.store import Store
from signaling.store.store import MEMORY_URL
from tests.postgres import running
from tests.signaling.fake_media import FakeMedia
from tests.signaling.frontend_harness import FrontendHarness
from tests.signaling.livekit_client import World


class Lesson:
    """People and tracks in the domain, without a front end."""

    def __init__(self, harness):
        self.harness = harness

    def join(self, identity, room="lesson", auto_subscribe=True, **fields):
        person = self.harness.rooms.join(JoinSpec(room, identity, auto_subscribe=auto_subscribe, **fields))
        self.harness.subscribing.start(person)
        return person

    def publish(self, person, cid="cam", kind="video", **fields):
        spec = TrackSpec(kind, Source.CAMERA, client_id=cid, **fields)
        track = self.harness.publishing.publish(person, spec)
        self.harness.media.emit(PublicationBound(person.sid, track.sid, f"mid-{cid}", "vp8"))
        return track.sid

    def received(self, person):
        return self.harness.media.peers[person.sid].subscriptions


@pytest.fixture
def harness():
    return FrontendHarness()


@pytest.fixture
async def world(tmp_path):
    media_events = MediaEvents()
    media = FakeMedia(media_events.dispatch, asyncio.get_running_loop().call_soon)
    config = ServerConfig(dev=True, http_port=0, keys=dict(DEV_KEYS), data_dir=str(tmp_path))
    store = await Store.open(MEMORY_URL)
    server = Server(config, media, media_events, store)
    await server.start()
    async with aiohttp.ClientSession() as http:
        world = World(server, media, http)
        yield world
        await server.stop()
        for client in world.clients:
            await client.ws.close()
    await store.close()


@pytest.fixture
async def store():
    opened = await Store.open(MEMORY_URL)
    yield opened
    await opened.close()


@pytest.fixture(scope="session")
def postgres():
    """Makes empty databases; PostgreSQL starts when the first test asks for one."""
    with running() as server:
        yield server


@pytest.fixture(scope="session", params=["moto", pytest.param("versitygw", marks=pytest.mark.long)])
def s3_server(request, tmp_path_factory):
    """The origin of an S3 server, which starts when the first test asks for it."""
    from tests import s3, versitygw  # moto and boto3 take more than a second

    server = (
        s3.running() if request.param == "moto" else versitygw.running(tmp_path_factory.mktemp("versitygw"))
    )
    with server as origin:
        yield origin


@pytest.fixture
def s3(s3_server):
    """A bucket in it."""
    from tests.s3 import S3

    return S3(s3_server).make_bucket()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'lectern.db'}"
    return request.getfixturevalue("postgres")()


@pytest.fixture
def room(harness):
    return Lesson(harness)


@pytest.fixture
def unlimited(monkeypatch):
    """No rates, for a test that calls every route; they are tested elsewhere."""
    monkeypatch.setattr(Limiter, "take_tokens", lambda *_arguments: 0.0)
