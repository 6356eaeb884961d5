import pytest

from tests.signaling.school_client import School


@pytest.fixture
async def school(world):
    return School(world.http, world.url)
