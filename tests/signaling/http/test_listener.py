"""Connections over real sockets, of several addresses of loopback."""

import asyncio
import errno
import os
import resource
import socket
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
import pytest
from livekit.protocol import rtc

from signaling.http import listener
from signaling.http.connections import Connections
from signaling.http.listener import Listener
from signaling.limits import parse_networks
from tests.signaling.livekit_client import make_token, pack

ROOT = Path(__file__).resolve().parents[2]


class Server:
    """A listener whose connections do nothing."""

    def __init__(self, most, trusted=""):
        self.connections = Connections(most)
        self.listener = Listener(Silent, self.connections, parse_networks(trusted))

    async def __aenter__(self):
        await self.listener.start("127.0.0.1", 0)
        return self

    async def __aexit__(self, *_exception):
        self.listener.close()

    async def open(self, address="127.0.0.1"):
        return await asyncio.open_connection("127.0.0.1", self.listener.port, local_addr=(address, 0))


class Silent(asyncio.Protocol):
    transport = None

    def connection_made(self, transport):
        self.transport = transport


async def settled(check):
    async with asyncio.timeout(5):
        while not check():  # noqa: ASYNC110 - the loop's own work has no event to wait for
            await asyncio.sleep(0.01)


async def closed(reader):
    async with asyncio.timeout(5):
        try:
            return await reader.read() == b""
        except ConnectionResetError:
            return True


async def test_silent_connections_of_one_address_give_way_to_each_other():
    async with Server(most=8) as server:
        mine = [await server.open() for _ in range(2)]
        await settled(lambda: len(server.connections) == 2)
        others = await server.open("127.0.0.2")
        third = await server.open()
        assert await closed(mine[0][0])
        await settled(lambda: len(server.connections) == 3)
        for _, writer in (*mine, others, third):
            writer.close()
        await settled(lambda: len(server.connections) == 0)


async def test_a_proxy_is_counted_as_a_whole_only():
    async with Server(most=8, trusted="127.0.0.0/8") as server:
        opened = [await server.open() for _ in range(9)]
        assert await closed(opened[0][0])
        await settled(lambda: len(server.connections) == 8)
        for _, writer in opened:
            writer.close()


async def test_who_sends_no_request_is_closed(monkeypatch):
    monkeypatch.setattr(listener, "FIRST_REQUEST_S", 0.05)
    async with Server(most=8) as server:
        reader, writer = await server.open()
        assert await closed(reader)
        writer.close()
        await settled(lambda: len(server.connections) == 0)


class Exhausted:
    """A listening socket whose `accept` fails so many times."""

    def __init__(self, inner, code, times):
        self._inner, self._code, self.times = inner, code, times

    def accept(self):
        if self.times > 0:
            self.times -= 1
            raise OSError(self._code, os.strerror(self._code))
        return self._inner.accept()

    def __getattr__(self, name):
        return getattr(self._inner, name)


async def test_without_descriptors_it_waits_a_moment_and_makes_room(monkeypatch, caplog):
    monkeypatch.setattr(listener, "_PAUSE_S", 0.05)
    async with Server(most=8) as server:
        first, writer = await server.open()
        await settled(lambda: len(server.connections) == 1)
        [inner] = server.listener._sockets
        loop = asyncio.get_running_loop()
        loop.remove_reader(inner)
        server.listener._sockets = [Exhausted(inner, errno.EMFILE, 2)]
        [broken] = server.listener._sockets
        loop.add_reader(broken, server.listener._accept, broken)
        _, other = await server.open("127.0.0.2")
        assert await closed(first)
        await settled(lambda: len(server.connections) == 1)
        assert [record.getMessage() for record in caplog.records] == [
            "no connection can be taken: too many open files"
        ] * 2
        writer.close()
        other.close()


async def test_a_connection_that_broke_in_the_queue_is_passed_over():
    async with Server(most=8) as server:
        [inner] = server.listener._sockets
        broken = Exhausted(inner, errno.ECONNABORTED, 3)
        _, writer = await server.open()
        server.listener._accept(broken)
        await settled(lambda: len(server.connections) == 1)
        writer.close()


async def test_when_all_places_are_participants_a_new_one_is_refused(caplog):
    async with Server(most=1) as server:
        server.connections.make_room = lambda: False
        _, first = await server.open()
        reader, writer = await server.open("127.0.0.2")
        assert await closed(reader)
        assert "all places are taken" in caplog.text
        first.close()
        writer.close()


async def test_a_participants_connection_is_known_as_long_as_the_participant(world):
    connections = world.server._connections
    ada, _ = await world.join("ada")
    await ada.quiet()
    known = [len(each) for each in connections._by_use.values()]
    assert known == [0, 0, 1]
    await ada.send(leave=rtc.LeaveRequest())
    await ada.ws.receive(timeout=5)
    await settled(lambda: not connections._by_use[next(reversed(connections._by_use))])


@pytest.mark.timeout(90)
async def test_a_thousand_silent_connections_lock_nobody_out(tmp_path):
    # The client's own descriptors are not what is tried.
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 2000:
        pytest.skip("needs 2,000 descriptors")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 2000), hard))
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))\n"
        "from signaling.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    log = tmp_path / "log"
    arguments = "serve --dev --workers 1 --http-port 0 --udp-port 0 --data-dir"
    with log.open("wb") as file:
        process = subprocess.Popen(  # noqa: ASYNC220 - starting it takes no time; its first line is awaited
            [sys.executable, "-c", code, *arguments.split(), str(tmp_path / "data")],
            stdout=subprocess.PIPE,
            stderr=file,
            cwd=ROOT,
        )
    sockets = []
    try:
        loop = asyncio.get_running_loop()
        first = await loop.run_in_executor(None, process.stdout.readline)
        port = int(first.decode().rstrip().rpartition(":")[2])
        for _ in range(1200):
            each = socket.socket()
            each.setblocking(False)
            each.bind(("127.0.0.2", 0))
            each.connect_ex(("127.0.0.1", port))
            sockets.append(each)
            await asyncio.sleep(0.001)
        url = f"http://127.0.0.1:{port}"
        for address in ("127.0.0.2", "127.0.0.3"):
            connector = aiohttp.TCPConnector(local_addr=(address, 0))
            async with aiohttp.ClientSession(connector=connector) as http:
                started = time.monotonic()
                async with http.get(f"{url}/readyz") as answer:
                    assert answer.status == 200
                query = {"access_token": make_token(), "join_request": pack(rtc.JoinRequest())}
                async with http.ws_connect(f"{url}/rtc/v1", params=query) as ws:
                    frame = await ws.receive(timeout=5)
                    assert rtc.SignalResponse.FromString(frame.data).HasField("join")
                assert time.monotonic() - started < 5
    finally:
        for each in sockets:
            each.close()
        process.terminate()
        process.wait(10)
        process.stdout.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert log.stat().st_size < 10_000
