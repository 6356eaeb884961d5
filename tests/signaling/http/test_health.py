"""Whether the server lives and whether it is ready."""

import asyncio
import os
from types import SimpleNamespace

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from signaling.errors import StoreError
from signaling.http.health import HOLDS_S, MIN_FREE_BYTES, Health, has_space


class Store:
    """Writes, fails or hangs, and counts."""

    def __init__(self):
        self.writes = 0
        self.error = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def write(self):
        self.writes += 1
        await self.gate.wait()
        if self.error is not None:
            raise self.error


class Server:
    def __init__(self):
        self.store = Store()
        self.now = 100.0
        self.media = True
        self.health = Health({"media": lambda: self.media}, self.store.write, lambda: self.now)

    async def ask(self, path="/readyz"):
        async with self.client.get(path) as answer:
            return answer.status, await answer.text()

    async def ready(self):
        async with self.client.get("/readyz") as answer:
            return answer.status, await answer.json()


@pytest.fixture
async def server():
    server = Server()
    app = web.Application()
    server.health.add_routes(app.router)
    async with TestClient(TestServer(app)) as server.client:
        yield server


async def test_ready_when_everything_is(server):
    assert await server.ready() == (200, {"media": True, "store": True})


async def test_a_server_without_workers_takes_nobody(server):
    server.media = False
    assert await server.ready() == (503, {"media": False, "store": True})
    assert await server.ask("/healthz") == (200, "OK")


async def test_a_failing_store_is_asked_again_but_not_by_everybody(server):
    server.store.error = StoreError("disk full")
    assert await server.ready() == (503, {"media": True, "store": False})
    server.store.error = None
    assert await server.ready() == (503, {"media": True, "store": False})
    assert server.store.writes == 1
    server.now += HOLDS_S
    assert (await server.ready())[0] == 200
    assert server.store.writes == 2


async def test_a_store_that_hangs_is_not_waited_for_and_not_asked_twice(server, monkeypatch):
    monkeypatch.setattr("signaling.http.health.STORE_TIMEOUT_S", 0.01)
    server.store.gate.clear()
    assert (await server.ready())[0] == 503
    server.now += 10 * HOLDS_S
    assert (await server.ready())[0] == 503
    assert server.store.writes == 1
    server.store.gate.set()
    assert (await server.ready())[0] == 200


async def test_a_whole_server_is_ready_until_it_stops(world):
    async with world.http.get(f"{world.url}/readyz") as answer:
        assert (answer.status, await answer.json()) == (
            200,
            {"listening": True, "media": True, "event_log": True, "disk": True, "store": True},
        )
    world.server.background.journal.failing = True
    async with world.http.get(f"{world.url}/readyz") as answer:
        assert (answer.status, (await answer.json())["event_log"]) == (503, False)
    world.server.background.journal.failing = False
    world.media.workers = 0
    async with world.http.get(f"{world.url}/readyz") as answer:
        assert (answer.status, (await answer.json())["media"]) == (503, False)
    world.media.workers = 1
    listener, world.server._listener = world.server._listener, None
    async with world.http.get(f"{world.url}/readyz") as answer:
        assert (answer.status, (await answer.json())["listening"]) == (503, False)
    world.server._listener = listener


def test_a_full_disk_is_seen_although_small_writes_succeed(tmp_path, monkeypatch):
    assert has_space(tmp_path)
    found = os.statvfs(tmp_path)
    full = SimpleNamespace(f_bavail=(MIN_FREE_BYTES - 1) // found.f_frsize, f_frsize=found.f_frsize)
    monkeypatch.setattr("signaling.http.health.os.statvfs", lambda _folder: full)
    assert not has_space(tmp_path)
    monkeypatch.undo()
    assert not has_space(tmp_path / "gone")
