"""Files of 5 MB both ways between real clients, and channels as browsers open, close and reopen them."""

import asyncio
import hashlib
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from tests.e2e.conftest import eventually
from tests.e2e.firefox import needs_firefox, running_firefox
from tests.e2e.native import joined
from tests.e2e.test_javascript import CLIENT, SDK
from tests.e2e.test_node import node

pytestmark = pytest.mark.timeout(180)

FILE = bytes((i * 7 + i // 251) % 251 for i in range(5_000_000))
DIGEST = hashlib.sha256(FILE).hexdigest()
CONNECT = """async ([url, token]) => {
    await join(url, token, {}, {});
    window.files = [];
    room.registerByteStreamHandler("files", async (reader, from) => {
        const whole = await new Blob(await reader.readAll()).arrayBuffer();
        const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
        const hex = [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
        window.files.push([from.identity, whole.byteLength, hex]);
    });
}"""
SEND_FILE = """async (size) => {
    const bytes = new Uint8Array(size);
    for (let i = 0; i < size; i += 1) bytes[i] = (i * 7 + Math.floor(i / 251)) % 251;
    await room.localParticipant.sendFile(new File([bytes], "slides.pdf"), { topic: "files" });
}"""
# A packet of LiveKit's protocol by hand: DataPacket.user.payload.
RAW_CHANNEL = """async ([label, options, text]) => {
    const transport = room.engine.pcManager.publisher;
    const channel = (transport._pc ?? transport.pc).createDataChannel(label, options);
    await new Promise((resolve) => { channel.onopen = resolve; });
    const payload = new TextEncoder().encode(text);
    channel.send(new Uint8Array([0x12, payload.length + 2, 0x12, payload.length, ...payload]));
    window.raw = channel;
}"""
CLOSE_RAW = """() => new Promise((resolve) => { window.raw.onclose = resolve; window.raw.close(); })"""


@asynccontextmanager
async def site():
    """The address of a page with LiveKit's SDK, for any browser."""
    pages = {
        "/": ("text/html", b'<!doctype html><script type="module" src="/client.js"></script>'),
        "/client.js": ("text/javascript", CLIENT.read_bytes()),
        "/livekit-client.esm.mjs": ("text/javascript", SDK.read_bytes()),
    }

    async def serve(request):
        kind, body = pages.get(request.path, ("text/plain", b""))
        return web.Response(body=body, content_type=kind)

    app = web.Application()
    app.router.add_get("/{path:.*}", serve)
    runner = web.AppRunner(app)
    await runner.setup()
    listening = web.TCPSite(runner, "127.0.0.1", 0)
    await listening.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/"
    finally:
        await runner.cleanup()


def receiving(room):
    """The files that a native client gets, as (sender, digest)."""
    got, tasks = [], set()

    async def read(reader, identity):
        whole = b"".join([chunk async for chunk in reader])
        got.append((identity, hashlib.sha256(whole).hexdigest()))

    def began(reader, identity):
        task = asyncio.ensure_future(read(reader, identity))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    room.register_byte_stream_handler("files", began)
    return got


async def send(room):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "slides.pdf"
        path.write_bytes(FILE)
        await room.local_participant.send_file(str(path), topic="files")


@pytest.mark.parametrize("single", [True, False], ids=["single", "dual"])
async def test_native_clients_exchange_files(server, single):
    alice = await joined(server, "alice", single_peer_connection=single)
    bob = await joined(server, "bob", single_peer_connection=single)
    at_alice, at_bob = receiving(alice), receiving(bob)
    await asyncio.gather(send(alice), send(bob))
    await eventually(lambda: (at_alice, at_bob) == ([("bob", DIGEST)], [("alice", DIGEST)]), "both files")
    for room in (alice, bob):
        await room.disconnect()


async def exchange(server, page, name):
    """A file each way between a browser's page and a native client; then channels of the page's own."""
    nell = await joined(server, "nell")
    at_nell, messages = receiving(nell), []
    nell.on("data_received", lambda packet: messages.append(packet.data))
    await eventually(lambda: page.evaluate("() => typeof window.join === 'function'"), "the SDK")
    await page.evaluate(CONNECT, [server.url, server.token(name)])
    await page.evaluate(SEND_FILE, len(FILE))
    await eventually(lambda: at_nell == [(name, DIGEST)], f"{name}'s file")
    await send(nell)
    await eventually(lambda: page.evaluate("() => window.files.length === 1"), "nell's file")
    assert await page.evaluate("() => window.files") == [["nell", len(FILE), DIGEST]]

    lossy = {"ordered": False, "maxRetransmits": 3}
    for text, options in (("first", lossy), ("again", {"maxPacketLifeTime": 500}), ("reliable", {})):
        label = "_reliable" if text == "reliable" else "_lossy"
        await page.evaluate(RAW_CHANNEL, [label, options, text])
        await eventually(lambda text=text: text.encode() in messages, f"a message on the {text} channel")
        await page.evaluate(CLOSE_RAW)
    await nell.local_participant.publish_data("still here")
    told = ["data", "nell", "still here"]
    heard = "(told) => window.events.some((one) => `${one}` === `${told}`)"
    await eventually(lambda: page.evaluate(heard, told), "a message on the channels that are left")
    await nell.disconnect()


async def test_chromium_exchanges_files_and_reopens_channels(server, chromium):
    async with site() as address:
        page = await chromium.new_page()
        await page.goto(address)
        await exchange(server, page, "chris")


@needs_firefox
async def test_firefox_exchanges_files_and_reopens_channels(server):
    async with site() as address, running_firefox() as firefox:
        page = await firefox.open(address)
        await exchange(server, page, "fay")


async def test_node_exchanges_files(server, tmp_path):
    alice = await joined(server, "alice")
    at_alice = receiving(alice)
    path = tmp_path / "slides.pdf"
    path.write_bytes(FILE)
    async with node(server, "nina", str(path)) as event:
        await event("published")
        await eventually(lambda: at_alice == [("nina", DIGEST)], "nina's file")
        await send(alice)
        assert await event("file") == {"from": "alice", "bytes": len(FILE), "sha256": DIGEST}
    await alice.disconnect()
