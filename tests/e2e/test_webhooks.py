"""Webhooks of the running server, taken by the receivers of LiveKit's unchanged server SDKs."""

import asyncio
import json
import os
import shutil
from contextlib import asynccontextmanager

import pytest
from livekit import api

from tests.e2e.conftest import DEADLINE_S, eventually, serving
from tests.e2e.native import joined, publishing
from tests.e2e.test_node import FOLDER, PACKAGED
from tests.signaling.receiver import receiving

pytestmark = pytest.mark.timeout(120)

LESSON = {
    "room_started",
    "participant_joined",
    "track_published",
    "track_unpublished",
    "participant_left",
    "room_finished",
}


@asynccontextmanager
async def node_receiving():
    """The Node SDK's receiver; gives its address and a function that returns what it was told so far."""
    path = os.pathsep.join([str(PACKAGED), os.environ["PATH"]])
    process = await asyncio.create_subprocess_exec(
        shutil.which("node", path=path),
        "webhooks.mjs",
        "devkey",
        "secret",
        cwd=FOLDER,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(DEADLINE_S):
        port = int(await process.stdout.readline())
    told: list[dict[str, str]] = []

    async def collect():
        while line := await process.stdout.readline():
            told.append(json.loads(line))

    collector = asyncio.create_task(collect())
    try:
        yield f"http://127.0.0.1:{port}/hook", told
    finally:
        process.stdin.close()
        await process.wait()
        await collector


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
async def test_both_sdks_are_told_of_a_lesson(request, database):
    options = () if database == "sqlite" else ("--database-url", request.getfixturevalue("postgres")())
    sdk = api.WebhookReceiver(api.TokenVerifier("devkey", "secret"))
    async with (
        receiving() as python,
        node_receiving() as (node_url, node_told),
        serving("--webhook-url", f"{python.url},{node_url}", *options) as server,
    ):
        ada = await joined(server, "ada")
        async with publishing(ada):
            await eventually(
                lambda: [each["name"] for each in node_told].count("track_published") == 2, "two tracks"
            )
        await ada.disconnect()
        client = api.LiveKitAPI(server.page, "devkey", "secret")
        await client.room.delete_room(api.DeleteRoomRequest(room="maths"))
        await client.aclose()
        await eventually(
            lambda: {each["name"] for each in node_told} == LESSON, "the Node SDK is told of all"
        )
        await eventually(lambda: len(python.received) == len(node_told), "so is the Python SDK")
        told = [sdk.receive(body, headers["Authorization"]) for headers, body in python.received]
    assert {event.event for event in told} == LESSON
    tracks = [event.track.mime_type for event in told if event.event == "track_published"]
    assert sorted(tracks) == ["audio/red", "video/VP8"]
    assert {each["type"] for each in node_told} == {"application/webhook+json"}
    assert sorted(event.id for event in told) == sorted(each["id"] for each in node_told)
    assert {(each["room"], each.get("participant", "ada")) for each in node_told} == {("maths", "ada")}
