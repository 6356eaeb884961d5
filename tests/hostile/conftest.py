"""The server that storms of one module share as long as it withstands them."""

import pytest_asyncio

from tests.hostile.arena import Arena, Server


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_arena(tmp_path_factory):
    arena = Arena(tmp_path_factory.mktemp("arena"))
    yield arena
    await arena.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def arena(shared_arena):
    return await shared_arena.ready()


@pytest_asyncio.fixture(loop_scope="module")
async def server(tmp_path):
    """A server of the test's own; the test starts it with the limits it needs."""
    server = Server(tmp_path)
    yield server
    if server.process is not None:
        await server.stop()
