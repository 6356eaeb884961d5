import pytest

from tests.signaling.livekit_client import make_token

ORIGIN = "https://classroom.example"
PATHS = [
    "/twirp/livekit.RoomService/ListRooms",
    "/rtc/validate",
    "/rtc/v1/validate",
    "/settings/regions",
    "//settings/regions",
]


@pytest.mark.parametrize("path", PATHS)
async def test_a_browser_may_ask_from_a_page_of_any_origin(world, path):
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    async with world.http.options(world.url + path, headers=asked) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert response.headers["Access-Control-Allow-Methods"] == "POST"
        assert response.headers["Access-Control-Allow-Headers"] == "authorization, content-type"
        assert response.headers["Access-Control-Max-Age"] == "86400"
        assert "Origin" in response.headers["Vary"]


@pytest.mark.parametrize("path", PATHS)
async def test_it_may_read_the_answer_and_the_reason_of_a_refusal(world, path):
    for method in ("GET", "POST"):
        async with world.http.request(method, world.url + path, headers={"Origin": ORIGIN}) as response:
            if response.status != 405:  # of the path, which no handler sees
                assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
                assert "Origin" in response.headers["Vary"]


async def test_a_client_that_is_no_browser_gets_the_same_answer(world):
    query = {"access_token": make_token()}
    async with world.http.get(f"{world.url}/rtc/validate", params=query) as response:
        assert (response.status, await response.text()) == (200, "success")
        assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_there_are_no_regions(world):
    async with world.http.get(f"{world.url}/settings/regions") as response:
        assert response.status == 404
        assert await response.text() == "this server has no regions"
