"""What a fresh install shows and contacts, and what a server outside development mode answers without a key."""

import re
import secrets
from pathlib import Path

import aiohttp
import pytest

from tests.hostile.client import Client

pytestmark = pytest.mark.asyncio(loop_scope="session")

# Open by design: how the server is, its description, the page, and what people at a door may ask.
OPEN = re.compile(r"^/(daily/rooms/\{[a-z]+\}/(look|enter|knocks/.*))$")
# Addresses of /proc/net/tcp and tcp6 are hexadecimal, in the machine's order of octets.
LOOPBACK = {"0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F"}


def remote_addresses(pids):
    """Remote addresses of the established TCP connections of these processes."""
    sockets = set()
    for pid in pids:
        for descriptor in Path(f"/proc/{pid}/fd").iterdir():
            found = re.fullmatch(r"socket:\[(\d+)\]", str(descriptor.readlink()))
            sockets.update(found.groups() if found else ())
    lines = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path(f"/proc/net/{name}").read_text().splitlines()
    ]
    return {line[2].partition(":")[0] for line in lines if line[3] in {"01", "02"} and line[9] in sockets}


async def test_a_fresh_install_names_and_contacts_no_outside_host(server):
    await server.start()
    try:
        client = await Client(server.url, "lesson", "ada", publish=True).connect()
        assert list(client.join.ice_servers) == []
        assert re.findall(r"stun:|turn:|turns:", client.answer.sdp) == []
        found = remote_addresses([server.process.pid, *server.workers()])
        assert found  # the client's own connection is seen
        assert found <= LOOPBACK
    finally:
        await Client.close_all()
    _, page = await server.get("/")
    assert re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", page) == []


async def test_no_call_of_an_operator_answers_without_a_key(server):
    key, secret = "school", secrets.token_hex(32)
    await server.start(dev=False, environment={"LECTERN_KEYS": f"{key}: {secret}"})
    answered = []
    async with aiohttp.ClientSession() as http:
        async with http.get(f"{server.url}/openapi.json") as answer:
            paths = (await answer.json())["paths"]
        calls = [
            (path, method) for path, methods in paths.items() for method in methods if not OPEN.match(path)
        ]
        assert len(calls) > 30
        for bearer in ("", "secret", "devkey", secrets.token_hex(32)):
            headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
            for path, method in calls:
                address = server.url + re.sub(r"\{[^}]*\}", "x", path)
                async with http.request(method, address, headers=headers, json={}) as answer:
                    # Daily says 400 where there is no key at all.
                    if answer.status not in {400, 401, 403, 404}:
                        answered.append((method, path, bearer, answer.status))
        for path in ("/metrics", "/debug/media", "/debug/rooms"):
            async with http.get(server.url + path) as answer:
                if answer.status not in {401, 403, 404}:
                    answered.append(("get", path, "", answer.status))
        async with http.post(f"{server.url}/page/token", json={"room": "x"}) as answer:
            assert answer.status == 403
    assert answered == []
