"""A running server's whole output, after everything that brings it a token or a secret: none of them is in there."""

import asyncio
import base64
import json
import re
import signal
import socket
import sys
from pathlib import Path

import aiohttp
import pytest
from livekit import api, rtc

from tests.e2e.conftest import DEADLINE_S, free_media_port, free_port

KEY, SECRET = "school", "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
METRICS_TOKEN = "metrics-4f5a69788796a5b4"
TURN_SECRET = "turn-8796a5b4c3d2e1f00f1e"


def token(secret=SECRET, **grants):
    minted = api.AccessToken(KEY, secret).with_identity("ada").with_metadata("private")
    return minted.with_grants(api.VideoGrants(**grants)).to_jwt()


@pytest.fixture
async def server(tmp_path):
    """A server for others, whose output is kept; the test ends it."""
    http_port = free_port(socket.SOCK_STREAM)
    (tmp_path / "keys.toml").write_text(f'metrics_token = "{METRICS_TOKEN}"\n[keys]\n{KEY} = "{SECRET}"\n')
    options = {
        "config": tmp_path / "keys.toml",
        "host": "127.0.0.1",
        "http-port": http_port,
        "udp-port": free_media_port(1),
        "workers": 1,
        "data-dir": tmp_path / "data",
        "log-format": "json",
        "turn-url": "turn:127.0.0.1:3478",
        "turn-secret": TURN_SECRET,
    }
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("lectern"),
        "serve",
        *(f"--{name}={value}" for name, value in options.items()),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    process.first_lines = b""
    async with asyncio.timeout(DEADLINE_S):
        while b"ready" not in process.first_lines:
            line = await process.stderr.readline()
            assert line, process.first_lines
            process.first_lines += line
    process.url = f"127.0.0.1:{http_port}"
    yield process
    if process.returncode is None:
        process.kill()
        await process.communicate()


async def raw(url, content):
    host, port = url.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(content)
    async with asyncio.timeout(DEADLINE_S):
        await reader.read()
    writer.close()


async def test_no_token_and_no_secret_is_in_anything_that_the_server_writes(server):
    joining = token(room_join=True, room="maths")
    forged = token("another secret of thirty-two chars", room_join=True, room="maths")
    listing = token(room_list=True)
    secrets = [
        SECRET,
        METRICS_TOKEN,
        TURN_SECRET,
        *(each for jwt in (joining, forged, listing) for each in jwt.split(".")),
    ]

    room = rtc.Room()
    await room.connect(f"ws://{server.url}", joining)
    async with aiohttp.ClientSession(f"http://{server.url}") as http:
        for path in ("/rtc", "/rtc/v1", "/rtc/validate", "/maths", "/join/maths"):
            for given in (joining, forged, joining[:70], joining + "x"):
                params = {"access_token": given, "t": given, "token": given, "join_request": given}
                async with http.get(path, params=params, headers={"Authorization": f"Bearer {given}"}):
                    pass
        for given in (SECRET, METRICS_TOKEN, listing, forged):
            headers = {"Authorization": f"Bearer {given}"}
            for method, path in (
                ("GET", "/metrics"),
                ("GET", f"/v1/meeting-tokens/{given}"),
                ("POST", "/v1/rooms"),
                ("POST", "/daily/rooms/maths/enter"),
                ("POST", f"/daily/rooms/maths/knocks/{given}"),
                ("POST", "/daily/rooms/maths/waiting"),
                ("POST", "/twirp/livekit.RoomService/ListRooms"),
                ("GET", f"/{given}"),
            ):
                async with http.request(
                    method, path, headers=headers, json={"secret": given, "token": given}
                ):
                    pass
        async with http.ws_connect("/rtc", params={"access_token": joining}) as ws:
            await ws.send_bytes(joining.encode())
            await ws.receive()
    # What the HTTP parser itself refuses, it writes down with all there is.
    await raw(server.url, f"BREW /rtc?access_token={joining} HTTP/1.1\r\n\r\n".encode())
    await raw(
        server.url,
        f"GET /rtc?access_token={joining} HTTP/9\r\nAuthorization: Bearer {joining}\r\n\r\n".encode(),
    )
    await raw(server.url, f"GET /{joining}{'x' * 90_000} HTTP/1.1\r\n\r\n".encode())
    await room.disconnect()

    server.send_signal(signal.SIGTERM)
    out, err = await server.communicate()
    err = server.first_lines + err
    text = (out + err).decode()
    found = [
        secret for secret in secrets if secret in text or base64.b64encode(secret.encode()).decode() in text
    ]
    assert found == []
    assert not re.search(r"eyJ\w{4}", text)

    lines = [json.loads(line) for line in err.decode().splitlines()]
    joined = [line for line in lines if line["message"] == "joined"]
    assert joined
    left = [line for line in lines if line["message"].startswith("left: ")]
    assert {(line["room"], line["participant"]) for line in (*joined, *left)} == {("maths", "ada")}
    assert all(line["participant_id"].startswith("PA_") for line in (*joined, *left))
    assert all(line["room_id"].startswith("RM_") for line in (*joined, *left))
