"""A server that a proxy shows under a path of its own host."""

import asyncio
import json

import aiohttp
import pytest
from livekit.protocol import models, rtc

from signaling.app import Server
from signaling.config import DEV_KEYS, ServerConfig
from signaling.http import prefix
from signaling.rooms.media import MediaEvents
from tests.signaling.fake_media import FakeMedia
from tests.signaling.livekit_client import Client, make_token, pack


@pytest.mark.parametrize(
    ("url", "path"),
    [("", ""), ("https://a.example", ""), ("https://a.example/", ""), ("https://a.example/b/c/", "/b/c")],
)
def test_the_prefix_is_the_path_of_the_public_address(url, path):
    assert prefix.prefix_of(url) == path


@pytest.fixture
async def server(store, tmp_path, monkeypatch):
    for name in ("index.html", "sessions.html", "room.html", "docs.html"):
        (tmp_path / name).write_text('<!doctype html><base href="/" /><script src="./assets/a.js"></script>')
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "a.js").write_text("1")
    monkeypatch.setattr("signaling.app.find_page", lambda: tmp_path)
    events = MediaEvents()
    media = FakeMedia(events.dispatch, asyncio.get_running_loop().call_soon)
    config = ServerConfig(
        dev=True, http_port=0, keys=dict(DEV_KEYS), public_url="https://school.example/lectern/"
    )
    running = Server(config, media, events, store)
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def http():
    async with aiohttp.ClientSession() as session:
        yield session


# A proxy passes the path on as it is, or without the prefix.
@pytest.mark.parametrize("shown", ["/lectern", ""])
async def test_everything_is_under_the_prefix(server, http, shown):
    url = f"http://127.0.0.1:{server.http_port}{shown}"
    keys = {"Authorization": "Bearer secret"}
    async with http.post(f"{url}/v1/rooms", json={"name": "maths"}, headers=keys) as answer:
        assert (answer.status, (await answer.json())["url"]) == (200, "https://school.example/lectern/maths")
    for path, status in (("/", 200), ("/join/algebra", 200), ("/maths", 200), ("/none", 404), ("/docs", 200)):
        async with http.get(f"{url}{path}") as answer:
            assert answer.status == status
            assert '<base href="/lectern/" />' in await answer.text()
            assert "base-uri 'self'" in answer.headers["Content-Security-Policy"]
    async with http.get(f"{url}/assets/a.js") as answer:
        assert (answer.status, await answer.text()) == (200, "1")
        assert "immutable" in answer.headers["Cache-Control"]
    async with http.get(f"{url}/page/config?x=%2Flectern%2F") as answer:
        assert (await answer.json())["dev"] is True
    async with http.get(f"{url}/openapi.json") as answer:
        assert json.loads(await answer.read())["servers"] == [{"url": "/lectern"}]
    admin = {"Authorization": f"Bearer {make_token(video={'roomList': True})}"}
    async with http.post(f"{url}/twirp/livekit.RoomService/ListRooms", json={}, headers=admin) as answer:
        assert answer.status == 200
    params = {"access_token": make_token(), "join_request": pack(rtc.JoinRequest())}
    async with http.ws_connect(f"{url}/rtc/v1", params=params) as ws:
        join = await Client(ws).until("join")
        assert join.participant.state == models.ParticipantInfo.JOINED


async def test_the_prefix_alone_is_the_page_and_what_only_begins_like_it_is_not(server, http):
    url = f"http://127.0.0.1:{server.http_port}"
    for path, status in (("/lectern", 200), ("/lectern?a=b", 200), ("/lecterns/page/config", 404)):
        async with http.get(f"{url}{path}", allow_redirects=False) as answer:
            assert answer.status == status, path
