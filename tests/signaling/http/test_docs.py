"""The description and its page, on a whole server."""

import json
import re

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from signaling.http.docs import Docs


async def test_the_description_is_there_for_everybody(world):
    async with world.http.get(f"{world.url}/openapi.json") as answer:
        described = json.loads(await answer.read())
        assert (answer.status, answer.content_type) == (200, "application/json")
    assert described["openapi"].startswith("3.1")
    assert "/twirp/livekit.RoomService/CreateRoom" in described["paths"]


async def page(tmp_path, folder):
    (tmp_path / "docs.html").write_text("the page")
    app = web.Application()
    Docs(dict, folder).add_routes(app.router)
    async with TestClient(TestServer(app)) as client, client.get("/docs") as answer:
        return answer.status, answer.headers["Content-Security-Policy"], await answer.text()


async def test_the_page_is_served_under_the_strict_policy(tmp_path):
    status, policy, text = await page(tmp_path, tmp_path)
    assert (status, text) == (200, "the page")
    assert "unsafe" not in policy


async def test_without_a_build_it_says_where_the_description_is(tmp_path):
    assert "/openapi.json" in (await page(tmp_path, None))[2]


# What is no REST: pages and their files, WebSockets and why they failed, what supervisors ask, and what the server's
# own page and developers ask.
NOT_DESCRIBED = re.compile(
    r"/(|docs|openapi\.json|{path}|{room}|join/({room})?|sessions(/.*)?|replay/.*|metrics|healthz|readyz|page/.*|debug/.*|dev/.*)|//?rtc(/.*)?|//twirp/.*"
    # preflight requests of the described calls, and LiveKit Cloud's regions, of which this server has none
    r"|/twirp/{service}/{method}|//?settings/regions|//?agent"
)


def once(path):
    """One of a path's forms: an API may be under two prefixes, and take a slash at the end."""
    return path.removeprefix("/api").rstrip("/")


async def test_every_route_of_the_server_is_described_or_no_rest(world):
    async with world.http.get(f"{world.url}/openapi.json") as answer:
        described = json.loads(await answer.read())["paths"]
    served = {
        (route.method.lower(), route.resource.canonical)
        for route in world.server._runner.app.router.routes()
        if route.method not in {"*", "HEAD"}
    }
    rest = {(method, once(path)) for method, path in served if not NOT_DESCRIBED.fullmatch(path)}
    apis = {path: methods for path, methods in described.items() if not path.startswith("/twirp/")}
    assert rest == {(method, once(path)) for path, methods in apis.items() for method in methods}
    assert ("post", "/daily/rooms/{name}/enter") in rest
