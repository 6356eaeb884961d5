"""LiveKit's unchanged SDK for Go (`github.com/livekit/server-sdk-go/v2`), on which its CLI and many bots are built."""

import asyncio
import hashlib
import json
import os
import shutil
import subprocess
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from livekit import rtc

from tests.e2e.conftest import DEADLINE_S, eventually, serving
from tests.e2e.native import Viewer, publishing

# The first build on a machine compiles all of the SDK's packages.
pytestmark = pytest.mark.timeout(900)

FOLDER = Path(__file__).with_name("go_client")
GO = shutil.which("go", path=os.pathsep.join([os.environ["PATH"], "/usr/local/go/bin", "/usr/lib/go/bin"]))
SIZES = {"low": (160, 90), "medium": (320, 180), "high": (640, 360)}
MODES = {
    "two connections": (),
    "one connection": ("-single",),
    "one connection, published at the join": ("-single", "-publish-in-join"),
}


def go(*arguments):
    return subprocess.run([GO, *arguments], cwd=FOLDER, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def program():
    """The client's path. It is kept between test runs, since the first build takes minutes of a core."""
    if GO is None:
        pytest.skip("needs Go")
    version = go("env", "GOVERSION", "GOARCH").stdout
    sources = b"".join((FOLDER / name).read_bytes() for name in ("go.mod", "go.sum", "main.go"))
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lectern"
    built = cache / f"go_client-{hashlib.sha256(version.encode() + sources).hexdigest()[:16]}"
    if not built.is_file():
        fetched = go("mod", "download")
        if fetched.returncode:
            pytest.skip(f"needs the SDK's modules: {fetched.stderr.strip().splitlines()[-1]}")
        cache.mkdir(parents=True, exist_ok=True)
        partial = built.with_suffix(f".{os.getpid()}")
        made = go("build", "-o", str(partial), ".")
        assert made.returncode == 0, made.stderr
        partial.replace(built)
    return built


@pytest.fixture(scope="session")
def videos(tmp_path_factory):
    """A second of video for each simulcast layer; noise gives it the bitrate of a camera."""
    folder = tmp_path_factory.mktemp("videos")
    noise = np.random.default_rng(0)
    for name, (width, height) in SIZES.items():
        with av.open(str(folder / f"{name}.ivf"), "w") as file:
            stream = file.add_stream("libvpx", rate=Fraction(15))
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            stream.bit_rate = width * height * 3
            stream.options = {"cpu-used": "8", "deadline": "realtime"}
            for number in range(15):
                picture = noise.integers(100, 140, (height, width, 3), np.uint8)
                frame = av.VideoFrame.from_ndarray(picture, "rgb24")
                frame.pts = number
                file.mux(stream.encode(frame))
            file.mux(stream.encode())
    return folder


class Client:
    """A running client: commands go in, and each event is waited for once."""

    def __init__(self, process):
        self.process = process
        self.told = []
        self.round = 0

    def order(self, *words):
        self.process.stdin.write(" ".join(words).encode() + b"\n")

    async def event(self, name, **details):
        """The first event of this name with these details that has not been asked for; earlier ones stay."""
        wanted = {"event": name, **details}.items()
        async with asyncio.timeout(DEADLINE_S):
            while (event := next((e for e in self.told if wanted <= e.items()), None)) is None:
                line = await self.process.stdout.readline()
                assert line, f"the client ended before {dict(wanted)}; it told {self.told}"
                self.told.append(json.loads(line))
        self.told.remove(event)
        return event


@pytest.fixture(scope="module")
def server():
    """One for all tests of this module, each of which has a room of its own."""
    with asyncio.Runner() as runner:
        running = serving()
        yield runner.run(running.__aenter__())
        runner.run(running.__aexit__(None, None, None))


@pytest.fixture
def room(request):
    return request.node.name


@pytest.fixture
def go_client(program, videos, server, room):
    """Starts a participant of the Go SDK, who leaves at the end of the block: `go_client(identity, *flags)`."""

    @asynccontextmanager
    async def run(identity, *flags):
        process = await asyncio.create_subprocess_exec(
            program,
            "-videos",
            str(videos),
            *flags,
            server.url,
            server.token(identity, room),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        client = Client(process)
        try:
            await client.event("joined")
            yield client
            process.stdin.close()
            await client.event("left")
        finally:
            if process.returncode is None:
                process.terminate()
            await process.communicate()

    return run


@pytest.mark.parametrize("mode", MODES)
async def test_go_publishes_subscribes_and_resumes(go_client, mode):
    flags = MODES[mode]
    async with go_client("gina", *flags) as gina, go_client("glen", *flags) as glen:
        if "-publish-in-join" not in flags:
            # Glen already receives when he publishes: in one connection he sends on the sections on which he receives.
            for client in (gina, glen):
                client.order("publish")
                await client.event("published")
        for client, other in ((gina, "glen"), (glen, "gina")):
            for track in ("microphone", "camera"):
                await client.event("subscribed", track=track, **{"from": other})
            await client.event("size", size="640x360")
        await _media_flows(gina, glen)

        glen.order("quality", "camera", "LOW")
        await glen.event("size", size="160x90")
        glen.order("data", "good", "morning")
        assert await gina.event("data") == {"event": "data", "from": "glen", "text": "good morning"}
        gina.order("rpc", "glen", "gina")
        await gina.event("answer", text="hello gina, says go")

        glen.order("resume")
        await glen.event("reconnected")
        await _media_flows(gina, glen)
        glen.order("data", "back")
        await gina.event("data", text="back")


@pytest.mark.parametrize("mode", ["two connections", "one connection"])
async def test_go_is_told_of_muted_tracks_and_gets_them_later(go_client, mode):
    async with go_client("gina") as gina:
        gina.order("publish")
        await gina.event("published")
        for track in ("microphone", "camera"):
            gina.order("mute", track)
        async with go_client("glen", *MODES[mode]) as glen:
            for track in ("microphone", "camera"):
                await glen.event("subscribed", track=track, muted=True)
            for track in ("microphone", "camera"):
                gina.order("unmute", track)
            await glen.event("size", size="640x360")
            await _media_flows(glen)


@pytest.mark.parametrize("mode", ["two connections", "one connection"])
async def test_go_publishes_in_less_common_codecs(go_client, mode):
    async with (
        go_client("gina", *MODES[mode]) as gina,
        go_client("glen", *MODES[mode]) as glen,
    ):
        for codec in ("audio/PCMU", "audio/PCMA", "video/H265"):
            gina.order("publish-as", codec)
            await glen.event("subscribed", track=codec)
            if codec.startswith("audio"):
                await glen.event("packets", track=codec)
        # an answer that pion could not apply would have ended all negotiation
        gina.order("publish")
        await _media_flows(glen)


async def _media_flows(*clients):
    """Both tracks arrive at each of them from now on."""
    for client in clients:
        client.round += 1
        client.order("count")
    for client in clients:
        for track in ("microphone", "camera"):
            await client.event("packets", track=track, round=client.round)


async def test_go_meets_the_native_client(server, room, go_client):
    alice = rtc.Room()
    viewer = Viewer(alice)
    await alice.connect(server.url, server.token("alice", room))
    alice.local_participant.register_rpc_method("greet", lambda data: f"hello {data.payload}, says Python")
    async with publishing(alice), go_client("gina") as gina:
        await gina.event("subscribed", **{"from": "alice"})
        await gina.event("size", size="640x360")
        gina.order("publish")
        await eventually(lambda: viewer.frames >= 20, "alice decodes gina's picture")
        assert viewer.picture.shape[:2] == (360, 640)
        gina.order("rpc", "alice", "gina")
        await gina.event("answer", text="hello gina, says Python")
        answer = await alice.local_participant.perform_rpc(
            destination_identity="gina", method="greet", payload="alice"
        )
        assert answer == "hello alice, says go"
    await alice.disconnect()
