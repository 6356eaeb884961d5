"""The whole server is killed in the middle of a burst of joins, and started again."""

import asyncio
import json
import re
import signal
import sys
from contextlib import asynccontextmanager

import aiohttp
import pytest
from livekit.protocol import rtc

from signaling.access.tokens import Signer
from signaling.history.webhooks import event_id
from signaling.livekit.webhooks import LiveKitWebhooks
from signaling.store import MeetingFilter, Store
from tests.signaling.livekit_client import make_token, pack
from tests.signaling.receiver import receiving

ROOMS = 40
PEOPLE = 2


@asynccontextmanager
async def lectern(tmp_path, *options):
    """A server in a process of its own; gives the process and its address."""
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-m", "signaling.cli", "serve", "--dev", "--workers", "0"],
        *["--http-port", "0", "--udp-port", "0", "--data-dir", tmp_path / "data", *options],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(30):
            line = (await process.stdout.readline()).decode()
        port = re.search(r"http://localhost:(\d+)", line)[1]
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def join(http, url, room, identity):
    query = {"join_request": pack(rtc.JoinRequest()), "access_token": make_token(room, identity)}
    try:
        async with http.ws_connect(f"{url}/rtc/v1", params=query) as ws:
            async for _ in ws:
                pass
    except aiohttp.ClientError:
        pass  # the server is gone


async def burst(url):
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        people = [(f"room {i % ROOMS}", f"person {i}") for i in range(ROOMS * PEOPLE)]
        await asyncio.gather(*(join(http, url, room, identity) for room, identity in people))


async def written(database_url):
    """Every entry of the log, session by session."""
    store = await Store.open(database_url)
    sessions = await store.sessions.find(MeetingFilter(), 1000)
    logs = [await store.events.read(session.sid) for session in sessions]
    waiting = await store.outbox.count()
    await store.close()
    return sessions, logs, waiting


def told_of(logs):
    """Ids of the webhooks that a log makes."""
    api = LiveKitWebhooks(lambda: Signer("key", "s" * 32))
    return {event_id(entry) for log in logs for entry in log if api.message(entry, "") is not None}


def heard_of(receiver):
    """Ids of the webhooks that came; what comes twice must be the same both times."""
    bodies = {}
    for _, body in receiver.received:
        assert bodies.setdefault(json.loads(body)["id"], body) == body
    return bodies.keys()


def all_told(receiver, logs):
    """Whether every session is over, and its log told in full."""
    return all(log[-1].kind == "room_finished" for log in logs) and heard_of(receiver) == told_of(logs)


@pytest.mark.parametrize("heard", [1, 25])
async def test_a_kill_loses_and_doubles_nothing_and_applications_hear_of_all(tmp_path, database_url, heard):
    options = ("--database-url", database_url)
    async with receiving() as receiver:
        async with lectern(tmp_path, *options, "--webhook-url", receiver.url) as (process, url):
            joining = asyncio.create_task(burst(url))
            await receiver.has(heard)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            await joining
        before = len(receiver.received)
        sessions, logs, waiting = await written(database_url)
        assert waiting > 0  # it was in the middle of it
        for log in logs:
            assert [entry.seq for entry in log] == list(range(1, len(log) + 1))
        assert heard_of(receiver) <= told_of(logs)

        async with lectern(tmp_path, *options, "--webhook-url", receiver.url):
            # An entry is in the log before anybody hears of it: nothing is missing after the last delivery.
            async with asyncio.timeout(60):
                while not all_told(receiver, logs := (await written(database_url))[1]):
                    await receiver.more()

    # Whoever was in a room when the server was killed is out, and the room is over.
    for log in logs:
        assert [entry.seq for entry in log] == list(range(1, len(log) + 1))
        kinds = [entry.kind for entry in log]
        assert kinds.count("participant_joined") == kinds.count("participant_left")
        assert (kinds[0], kinds[-1]) == ("room_started", "room_finished")
    assert len(receiver.received) > before
    assert len(sessions) <= ROOMS
    # The server stopped in order: it noted what was delivered.
    assert (await written(database_url))[2] == 0
