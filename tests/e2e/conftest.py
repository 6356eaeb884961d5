"""A real server and a real browser for the tests end to end."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from livekit import api
from playwright.async_api import Browser, Page, async_playwright

from signaling.store import Store
from tests.postgres import Postgres, running

CHROMIUM = "/usr/bin/chromium"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-device-for-media-stream=fps=15",
    "--auto-accept-this-tab-capture",
    "--allow-loopback-in-peer-connection",
    "--disable-background-networking",
    "--disable-component-update",
]
DEADLINE_S = 30.0


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """LiveKit's own development secret is short, and its SDK signs with it as it is."""
    for item in items:
        if "e2e" in item.path.parts:
            item.add_marker(pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning"))


@dataclass(frozen=True)
class Server:
    http_port: int
    udp_port: int
    pid: int
    secret: str = "secret"

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.http_port}"

    @property
    def page(self) -> str:
        return f"http://localhost:{self.http_port}"

    def token(self, identity: str, room: str = "maths", **grants) -> str:
        return (
            api.AccessToken("devkey", self.secret)
            .with_identity(identity)
            .with_name(identity.title())
            .with_grants(api.VideoGrants(room_join=True, room=room, can_update_own_metadata=True, **grants))
            .to_jwt()
        )


def free_port(kind: int) -> int:
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


def free_media_port(count: int) -> int:
    """The first of as many UDP ports in a row as there are workers."""
    while True:
        first = free_port(socket.SOCK_DGRAM)
        with contextlib.ExitStack() as stack, contextlib.suppress(OSError, OverflowError):
            for port in range(first, first + count):
                sock = stack.enter_context(socket.socket(socket.AF_INET6, socket.SOCK_DGRAM))
                sock.bind(("::", port))
            return first


NETWORK_SECRET = "of-these-tests-alone-" + "x" * 32


def network_options(folder: Path, address: str) -> tuple[str, ...]:
    """Options of `serving` for clients beyond loopback, where development mode wants a key that nobody knows.

    The page gets its tokens from the server; tests that make tokens take NETWORK_SECRET.
    """
    config = folder / "lectern.toml"
    config.write_text(f'[keys]\ndevkey = "{NETWORK_SECRET}"\n')
    return "--host", "0.0.0.0", "--external-ip", address, "--dev-on-network", "--config", str(config)


_empty: list[bytes] = []


async def empty_database() -> bytes:
    """A database file with the newest schema and nothing in it: making one takes a second of a core."""
    if not _empty:
        with tempfile.TemporaryDirectory() as folder:
            store = await Store.open(f"sqlite:///{folder}/lectern.db")
            await store.close()
            _empty.append((Path(folder) / "lectern.db").read_bytes())
    return _empty[0]


UNBUFFERED = {**os.environ, "PYTHONUNBUFFERED": "1"}


def serve_command(data: str | Path) -> tuple[list[str], int, int]:
    """`lectern serve --dev` with a data folder on free ports, and its HTTP and first UDP port."""
    http_port, udp_port = free_port(socket.SOCK_STREAM), free_media_port(len(os.sched_getaffinity(0)))
    lectern = Path(sys.executable).with_name("lectern")
    options = ["--http-port", http_port, "--udp-port", udp_port, "--data-dir", data]
    return [str(lectern), "serve", "--dev", *map(str, options)], http_port, udp_port


@asynccontextmanager
async def serving(*options: str) -> AsyncIterator[Server]:
    """`lectern serve --dev` on free ports, until the end of the block."""
    with tempfile.TemporaryDirectory() as data:
        if "--database-url" not in options:
            (Path(data) / "lectern.db").write_bytes(await empty_database())
        command, http_port, udp_port = serve_command(data)
        process = await asyncio.create_subprocess_exec(
            *command, *options, stdout=asyncio.subprocess.PIPE, env=UNBUFFERED
        )
        try:
            assert process.stdout is not None
            async with asyncio.timeout(DEADLINE_S):
                line = await process.stdout.readline()
            assert b"ready" in line, line
            yield Server(http_port, udp_port, process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            await process.communicate()
    assert process.returncode == 0


@asynccontextmanager
async def cuttable(port):
    """A TCP proxy in front of a local port; `cut()` breaks what is open, as a lost network does."""
    open_sockets = set()

    async def pump(reader, writer):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()

    async def accept(reader, writer):
        near, far = await asyncio.open_connection("127.0.0.1", port)
        open_sockets.update((writer, far))
        try:
            await asyncio.gather(pump(reader, far), pump(near, writer))
        except OSError:
            pass  # cut
        finally:
            for each in (writer, far):
                open_sockets.discard(each)
                each.transport.abort()

    def cut():
        for each in tuple(open_sockets):
            each.transport.abort()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], cut
    finally:
        server.close()
        cut()


# For tests of what is stored; the others are served with SQLite.
DATABASES = pytest.mark.parametrize(
    "server", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True
)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Makes empty databases; PostgreSQL starts when the first test asks for one."""
    with running() as made:
        yield made


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that leave nothing behind on it but rooms: each start takes seconds of a core."""
    command, http_port, udp_port = serve_command(tmp_path_factory.mktemp("data"))
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=UNBUFFERED) as process:
        assert process.stdout is not None
        assert b"ready" in process.stdout.readline()
        yield Server(http_port, udp_port, process.pid)
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert process.returncode == 0


@pytest.fixture
async def server(request: pytest.FixtureRequest) -> AsyncIterator[Server]:
    """The shared server without rooms; of its own for a test of databases, or one that is marked `own_server`."""
    if not hasattr(request, "param") and request.node.get_closest_marker("own_server") is None:
        shared = request.getfixturevalue("shared_server")
        yield shared
        await delete_rooms(shared)
        return
    options = ()
    if getattr(request, "param", "sqlite") == "postgresql":
        options = ("--database-url", request.getfixturevalue("postgres")())
    async with serving(*options) as served:
        yield served


async def delete_rooms(server: Server) -> None:
    """Delete all rooms, open or not, of a server in development mode."""
    async with api.LiveKitAPI(server.page, "devkey", server.secret) as client:
        for room in (await client.room.list_rooms(api.ListRoomsRequest())).rooms:
            await client.room.delete_room(api.DeleteRoomRequest(room=room.name))


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_FLAGS)
        yield browser
        await browser.close()


async def eventually(check: Callable, what: str) -> object:
    """The first true answer of `check` (a function or coroutine function), asked for until the deadline."""
    try:
        async with asyncio.timeout(DEADLINE_S):
            while True:
                answer = check()
                if asyncio.iscoroutine(answer):
                    answer = await answer
                if answer:
                    return answer
                await asyncio.sleep(0.1)  # a poll of something outside this process
    except TimeoutError:
        pytest.fail(f"did not happen in {DEADLINE_S:.0f} s: {what}")


async def person(browser: Browser, server: Server, name: str, room: str = "maths", init: str = "") -> Page:
    """Somebody who has joined a room by the page, with camera and microphone; `init` runs before its scripts."""
    context = await browser.new_context(
        permissions=["camera", "microphone"], viewport={"width": 1100, "height": 700}
    )
    page = await context.new_page()
    # headless, only the own tab can be shared
    await page.add_init_script(
        "const ask = navigator.mediaDevices.getDisplayMedia.bind(navigator.mediaDevices);"
        "navigator.mediaDevices.getDisplayMedia = (o) => ask({...o, preferCurrentTab: true});"
    )
    await page.add_init_script(init)
    await page.goto(f"{server.page}/join/{room}")
    await page.get_by_test_id("lobby-name").fill(name)
    await page.get_by_test_id("lobby-join").click()
    await page.get_by_test_id("lesson").wait_for()
    return page
