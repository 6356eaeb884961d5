import asyncio
import errno
import gzip
import json

import pytest
from livekit.protocol import rtc

from signaling.app import Server
from signaling.config import DEV_KEYS, ServerConfig
from signaling.rooms.media import MediaEvents
from tests.signaling.fake_media import FakeMedia
from tests.signaling.livekit_client import Client, make_token, pack


async def test_figures_in_dev_mode(world):
    world.server.livekit.relay.dropped_packets["oversize"] = 2
    async with world.http.get(f"{world.url}/debug/media") as response:
        figures = json.loads(await response.text())
    assert figures.pop("tasks") >= 1
    assert figures == {"peers": 0, "workers": 1, "data_dropped_oversize": 2}


async def test_a_failing_endpoint_tells_nothing_and_logs_no_token(world, monkeypatch, caplog):
    token = make_token()

    def fail(*_args):
        raise RuntimeError("a bug")

    monkeypatch.setattr("signaling.access.tokens.verify", fail)
    async with world.http.get(f"{world.url}/rtc/v1/validate", params={"access_token": token}) as response:
        assert (response.status, await response.text()) == (500, "internal error")
        assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "a bug" in caplog.text
    assert token not in caplog.text


async def test_requests_are_not_logged(world, caplog):
    caplog.set_level("DEBUG")
    token = make_token()
    async with world.http.get(f"{world.url}/rtc/v1/validate", params={"access_token": token}):
        pass
    client, _ = await world.join("ada")
    await client.until("answer")
    assert token not in caplog.text
    assert "eyJ" not in caplog.text


async def raw(world, content, timeout_s=5):
    reader, writer = await asyncio.open_connection("127.0.0.1", world.server.http_port)
    writer.write(content)
    async with asyncio.timeout(timeout_s):
        answer = await reader.read()
    writer.close()
    return answer


async def test_long_addresses_are_fine_and_endless_ones_are_not(world):
    fine = "x" * 30_000
    head = "HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = await raw(world, f"GET /rtc/v1/validate?join_request={fine} {head}".encode())
    assert b"401" in answer.split(b"\r\n")[0]
    answer = await raw(world, f"GET /rtc/v1/validate?join_request={fine * 3} {head}".encode())
    assert b"400" in answer.split(b"\r\n")[0]


async def test_large_bodies_are_refused(world):
    async with world.http.post(f"{world.url}/page/token", data=b"x" * 500_000) as response:
        assert response.status == 413


async def test_a_request_that_cannot_be_parsed_fills_no_log(world, caplog):
    token = make_token()
    answer = await raw(world, f"BREW /rtc?access_token={token} HTTP/1.1\r\n\r\n".encode())
    assert b"400" in answer.split(b"\r\n")[0]
    assert caplog.text == ""


@pytest.mark.parametrize("content", [b"GET / HTTP/1.1\r\nHo", b""])
async def test_a_connection_that_dawdles_is_closed(world, store, monkeypatch, content):
    # The limit is the runner's; a server with a short one shows that it holds for unfinished requests.
    monkeypatch.setattr("signaling.http.server.IDLE_TIMEOUT_S", 0.1)
    events = MediaEvents()
    server = Server(
        ServerConfig(dev=True, http_port=0, keys=dict(DEV_KEYS)),
        FakeMedia(events.dispatch, asyncio.get_running_loop().call_soon),
        events,
        store,
    )
    await server.start()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.http_port)
        writer.write(content)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
    finally:
        await server.stop()


async def test_a_slow_body_times_out(world, monkeypatch):
    monkeypatch.setattr("signaling.http.server.REQUEST_TIMEOUT_S", 0.1)
    answer = await raw(
        world,
        b"POST /page/token HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\nConnection: close\r\n\r\n{",
    )
    assert b"408" in answer.split(b"\r\n")[0]


@pytest.mark.parametrize("body", [b"", b"{}"], ids=["no body", "a whole body"])
async def test_a_server_that_is_slow_blames_itself(world, monkeypatch, body):
    async def never(*_arguments):
        await asyncio.Event().wait()

    monkeypatch.setattr("signaling.http.server.REQUEST_TIMEOUT_S", 0.1)
    monkeypatch.setattr(world.server.daily.rooms, "find", never)
    head = b"POST" if body else b"GET"
    answer = await raw(
        world,
        head
        + b" /%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s"
        % (b"daily/rooms/maths/look" if body else b"maths", len(body), body),
    )
    assert b"503" in answer.split(b"\r\n")[0]
    assert b"Retry-After" in answer


@pytest.mark.parametrize("path", ["/rtc", "/rtc/v1", "//rtc", "//rtc/v1"])
async def test_a_websocket_outlives_the_time_for_requests(world, monkeypatch, path):
    monkeypatch.setattr("signaling.http.server.REQUEST_TIMEOUT_S", 0.0)
    params = {"access_token": make_token(), "join_request": pack(rtc.JoinRequest())}
    async with world.http.ws_connect(f"{world.url}{path}", params=params) as ws:
        client = Client(ws)
        await client.until("join")
        await client.quiet()  # a whole turn of the server's loop later
        assert not ws.closed


UNDECODABLE = {
    "a byte in a query": b"GET /rtc/v1/validate?access_token=\xff HTTP/1.1\r\nHost: x\r\n",
    "an escaped name in a query": b"GET /page/config?%ff=1 HTTP/1.1\r\nHost: x\r\n",
    "an escaped value in a query": b"GET /page/config?a=%C3%28 HTTP/1.1\r\nHost: x\r\n",
    "an escaped surrogate in a query": b"GET /rtc/validate?sdk=%ed%a0%80 HTTP/1.1\r\nHost: x\r\n",
    "an escaped byte in a query": b"GET /v1/rooms?limit=%ff HTTP/1.1\r\nHost: x\r\n",
    "a byte in a path": b"GET /v1/rooms/\xff HTTP/1.1\r\nHost: x\r\n",
    "an escaped byte in a path": b"POST /daily/rooms/%ff/look HTTP/1.1\r\nHost: x\r\n",
    "a byte in a host": b"GET /v1/rooms HTTP/1.1\r\nHost: \xff\r\n",
    "a byte in a header": b"GET /twirp/a/b HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer \xff\r\n",
    "a page": b"GET /%ff HTTP/1.1\r\nHost: x\r\n",
    "a debug page": b"GET /debug/rooms/%ff/%ff HTTP/1.1\r\nHost: x\r\n",
}


@pytest.mark.parametrize("head", UNDECODABLE.values(), ids=UNDECODABLE)
async def test_what_is_no_text_is_a_bad_request_everywhere(world, caplog, head):
    answer = await raw(world, head + b"Connection: close\r\nContent-Length: 0\r\n\r\n")
    status = int(answer.split(b" ")[1])
    # the parser itself refuses some of it, and what names nothing may be nowhere
    assert status in ({400, 404} if b"%ff" in head else {400})
    assert not caplog.records


POSTS = ["/page/token", "/v1/rooms", "/daily/rooms/a/look", "/twirp/livekit.RoomService/CreateRoom"]


@pytest.mark.parametrize("path", POSTS)
async def test_a_request_that_is_broken_off_leaves_no_line(world, caplog, path):
    token = make_token(video={"roomCreate": True}) if "twirp" in path else "secret"
    head = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    for _ in range(5):
        _, writer = await asyncio.open_connection("127.0.0.1", world.server.http_port)
        writer.write(head.encode())
        await writer.drain()
        await asyncio.sleep(0)
        writer.transport.abort()
    async with world.http.get(f"{world.url}/healthz") as response:
        assert response.status == 200
    assert not caplog.records


@pytest.mark.parametrize("path", POSTS)
async def test_a_broken_gzip_body_is_a_bad_request(world, caplog, path):
    token = make_token(video={"roomCreate": True}) if "twirp" in path else "secret"
    headers = {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Content-Encoding": "gzip",
    }
    async with world.http.post(f"{world.url}{path}", data=b"no gzip", headers=headers) as response:
        assert response.status == 400
    async with world.http.post(
        f"{world.url}{path}", data=gzip.compress(b"{")[:-3], headers=headers
    ) as response:
        assert response.status == 400
    assert not caplog.records


async def test_without_descriptors_a_request_is_told_to_come_later(world, monkeypatch):
    def fail(*_args):
        raise OSError(errno.EMFILE, "no")

    monkeypatch.setattr("signaling.access.tokens.verify", fail)
    async with world.http.get(f"{world.url}/rtc/v1/validate?access_token=x") as response:
        assert response.status == 503
