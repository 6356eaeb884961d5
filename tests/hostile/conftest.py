"""The server that all storms share as long as it withstands them."""

import pytest
import pytest_asyncio

from tests.hostile.arena import Arena, Server


def pytest_collection_modifyitems(items):
    """Give storms their time, and expect tokens that are signed with LiveKit's short development secret."""
    for item in items:
        if "hostile" in item.path.parts:
            # a storm has two rounds at most, and after a failure a new server before it
            item.add_marker(pytest.mark.timeout(240))
            item.add_marker(pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def shared_arena(tmp_path_factory):
    arena = Arena(tmp_path_factory.mktemp("arena"))
    yield arena
    await arena.stop()


@pytest_asyncio.fixture(loop_scope="session")
async def arena(shared_arena):
    return await shared_arena.ready()


@pytest_asyncio.fixture(loop_scope="session")
async def server(tmp_path):
    """A server of the test's own; the test starts it with the limits it needs."""
    server = Server(tmp_path)
    yield server
    if server.process is not None:
        await server.stop()
