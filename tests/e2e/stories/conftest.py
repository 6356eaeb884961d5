"""Each story's application has a tenant of its own on the shared server."""

import aiohttp
import pytest

from tests.signaling.school_client import School


@pytest.fixture
async def school(server, request):
    """The application of one story and its people."""
    async with aiohttp.ClientSession() as http:
        yield School(http, server.page, tenant=request.module.__name__.rpartition(".")[2])
