"""A newcomer's first lesson: production mode behind a TLS proxy under a path, a key, two links, and a restart."""

import asyncio
import datetime as dt
import os
import signal
import socket
import ssl
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.e2e.conftest import DEADLINE_S, free_media_port, free_port
from tests.e2e.embedding import school, visitor
from tests.e2e.test_page import frames_grow

pytestmark = pytest.mark.timeout(180)

LECTERN = Path(sys.executable).with_name("lectern")


def certificate(folder):
    """A certificate for localhost that nobody has signed but itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "localhost.pem"
    file.write_bytes(pem + made.public_bytes(serialization.Encoding.PEM))
    return file


@asynccontextmanager
async def tls_proxy(file, port):
    """Ends TLS on a free port, and passes everything on to a local port."""

    async def pump(reader, writer):
        try:
            while data := await reader.read(65_536):
                writer.write(data)
                await writer.drain()
        except OSError:
            pass  # one of the two is gone
        finally:
            writer.close()

    async def accept(reader, writer):
        try:
            near, far = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.transport.abort()  # the server is being started
            return
        await asyncio.gather(pump(reader, far), pump(near, writer))

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


class Installation:
    """A data folder and the options of `lectern`, as an operator has them."""

    def __init__(self, folder, http_port, public_port):
        self.public_url = f"https://localhost:{public_port}/lectern"
        self.environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("LECTERN_")},
            "LECTERN_DATA_DIR": str(folder / "data"),
            "LECTERN_PUBLIC_URL": self.public_url,
        }
        media_port = free_media_port(len(os.sched_getaffinity(0)))
        self.options = ["--host", "127.0.0.1", "--http-port", str(http_port), "--udp-port", str(media_port)]
        # Chromium takes candidates on loopback by a flag; others' addresses depend on the machine.
        self.options += ["--external-ip", "127.0.0.1"]

    async def run(self, *arguments):
        process = await asyncio.create_subprocess_exec(
            LECTERN, *arguments, stdout=asyncio.subprocess.PIPE, env=self.environ
        )
        printed, _ = await process.communicate()
        assert process.returncode == 0
        return printed.decode().strip()

    @asynccontextmanager
    async def serving(self):
        process = await asyncio.create_subprocess_exec(
            LECTERN, "serve", *self.options, stdout=asyncio.subprocess.PIPE, env=self.environ
        )
        try:
            # The server starts a worker for each core, twice in this test.
            async with asyncio.timeout(2 * DEADLINE_S):
                assert b"ready" in await process.stdout.readline()
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            await process.communicate()
        assert process.returncode == 0


async def embedded(chromium, public_url, secret):
    """An application makes a room by Daily's API, and puts it into its own site by daily-js."""
    headers = {"Authorization": f"Bearer {secret}"}
    body = {"name": "maths", "properties": {"enable_prejoin_ui": False}}
    async with aiohttp.ClientSession() as http:
        url = f"{public_url}/v1/rooms"
        async with http.post(url, json=body, headers=headers, ssl=False) as answer:
            room = await answer.json()
    assert room["url"] == f"{public_url}/maths"
    async with school() as site:
        eve = await visitor(chromium, site, ignore_https_errors=True)
        assert (await eve.join(room["url"], userName="Eve"))["user_name"] == "Eve"
        await eve.page.context.close()


@pytest.mark.long
async def test_a_newcomers_first_lesson(tmp_path, chromium):
    http_port = free_port(socket.SOCK_STREAM)
    async with tls_proxy(certificate(tmp_path), http_port) as public_port:
        installation = Installation(tmp_path, http_port, public_port)
        key, _, secret = (await installation.run("keys", "add")).partition(": ")
        assert key in await installation.run("keys", "list")
        pages = []
        async with installation.serving():
            for name in ("ada", "ben"):
                link = await installation.run(
                    "link", "--room", "algebra", "--identity", name, "--name", name.title()
                )
                assert link.startswith(f"{installation.public_url}/join/algebra#token=")
                context = await chromium.new_context(
                    permissions=["camera", "microphone"], ignore_https_errors=True
                )
                page = await context.new_page()
                await page.goto(link)
                await page.get_by_test_id("lobby-join").click()
                await page.get_by_test_id("lesson").wait_for()
                pages.append(page)
                assert page.url.startswith(f"{installation.public_url}/join/algebra")
            for page in pages:
                await frames_grow(page, "camera")
            listed = await installation.run("rooms", "list", *installation.options[:4])
            assert listed.startswith("algebra\t")
            assert "2 participants" in listed
            await embedded(chromium, installation.public_url, secret)
        # an update: the server stops, and starts again; nobody presses anything
        async with installation.serving():
            for page in pages:
                status = page.get_by_test_id("status").and_(page.locator("[data-state=connected]"))
                await status.wait_for()
                await frames_grow(page, "camera")
