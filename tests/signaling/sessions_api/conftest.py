import pytest

from tests.signaling.school_client import School
from tests.signaling.school_world import make_template, serving


@pytest.fixture(scope="session")
def template(tmp_path_factory):
    return make_template(tmp_path_factory.mktemp("template"))


@pytest.fixture
async def world(template, tmp_path):
    async with serving(template, tmp_path) as world:
        yield world


@pytest.fixture
async def school(world):
    school = School(world.http, world.url)
    school.world = world
    return school
