from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from signaling.recordings.storage.bucket import Bucket
from tests.s3 import CREDENTIALS


@pytest.fixture
def bucket(s3):
    return Bucket(s3.address, CREDENTIALS, "school", max_retries=1)


@pytest.fixture
def aiohttp_server_of():
    """Serves every request by one handler."""

    @asynccontextmanager
    async def serve(handler):
        runner = web.ServerRunner(web.Server(handler))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield "http://{}:{}".format(*runner.addresses[0])
        await runner.cleanup()

    return serve
