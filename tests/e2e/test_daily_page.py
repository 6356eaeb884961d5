"""Rooms embedded by Daily's unchanged browser SDK (npm `@daily-co/daily-js`, iframe mode)."""

import aiohttp
import pytest

from tests.e2e.embedding import VERSIONS, school, visitor
from tests.e2e.test_page import frames_grow

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
async def site():
    async with school() as address:
        yield address


class Application:
    """What an application's backend does, by Daily's REST API."""

    def __init__(self, server, http):
        self.server = server
        self.http = http

    async def ask(self, method, path, body=None):
        headers = {"Authorization": "Bearer secret"}  # the secret of the development key
        async with self.http.request(
            method, f"{self.server.page}/v1{path}", json=body, headers=headers
        ) as answer:
            content = await answer.json()
            assert answer.status == 200, content
            return content

    async def room(self, **room):
        properties = {"enable_prejoin_ui": False, **room.pop("properties", {})}
        made = await self.ask("POST", "/rooms", {"name": "maths", **room, "properties": properties})
        assert made["url"].endswith("/maths")
        return f"{self.server.page}/maths"

    async def token(self, **properties):
        properties = {"room_name": "maths", **properties}
        return (await self.ask("POST", "/meeting-tokens", {"properties": properties}))["token"]


@pytest.fixture
async def application(server):
    async with aiohttp.ClientSession() as http:
        yield Application(server, http)


@pytest.mark.parametrize("version", VERSIONS)
async def test_two_pages_meet(application, chromium, site, version):
    room = await application.room(privacy="private")
    tutor, student = await visitor(chromium, site, version), await visitor(chromium, site, version)
    ada = await tutor.join(
        room, token=await application.token(user_name="Ada", is_owner=True, user_id="teacher-1")
    )
    assert (ada["user_name"], ada["owner"], ada["user_id"]) == ("Ada", True, "teacher-1")
    ben = await student.join(room, token=await application.token(user_name="Ben"))
    assert (ben["user_name"], ben["owner"], ben["user_id"]) == ("Ben", False, ben["session_id"])

    await tutor.event("participant-joined")
    for who, other in ((tutor, ben), (student, ada)):
        await who.sees(other["session_id"], "video", "playable")
        await frames_grow(who.frame, "camera")
    assert await student.call("call.meetingState()") == "joined-meeting"

    await tutor.call("call.setLocalVideo(false) && null")
    await student.sees(ada["session_id"], "video", "off")

    await tutor.call("call.leave()")
    assert await tutor.call("call.meetingState()") == "left-meeting"
    await student.event("participant-left")
    await student.call("call.destroy()")
    assert await student.call("call.isDestroyed()")
    assert tutor.problems == student.problems == []
