"""LiveKit's unchanged SDK for Node (npm `@livekit/rtc-node`)."""

import asyncio
import json
import os
import shutil
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from livekit import rtc

from tests.e2e.conftest import DEADLINE_S, eventually
from tests.e2e.native import Viewer, publishing

pytestmark = pytest.mark.timeout(120)

FOLDER = Path(__file__).with_name("node")
PACKAGED = Path(".make/bin").resolve()  # where the setup puts Node on a machine without
GREEN = (30, 180, 30)


@asynccontextmanager
async def node(server, identity, *arguments):
    """A participant of the Node SDK until the end of the block; gives what waits for one of its events."""
    path = os.pathsep.join([str(PACKAGED), os.environ["PATH"]])
    process = await asyncio.create_subprocess_exec(
        shutil.which("node", path=path),
        "lesson.mjs",
        server.url,
        server.token(identity),
        *arguments,
        cwd=FOLDER,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    told = {}

    async def event(name):
        async with asyncio.timeout(DEADLINE_S):
            while name not in told:
                line = await process.stdout.readline()
                assert line, f"the client ended before {name}"
                said = json.loads(line)
                told[said.pop("event", "log")] = said  # the SDK logs in JSON on the same stream
        return told[name]

    try:
        yield event
        process.stdin.close()
        await event("left")
    finally:
        if process.returncode is None:
            process.terminate()
        await process.communicate()


async def test_node_publishes_and_subscribes(server):
    alice = rtc.Room()
    viewer = Viewer(alice)
    await alice.connect(server.url, server.token("alice"))
    async with publishing(alice), node(server, "nina") as event:
        await event("published")
        assert await event("frames") == {"width": 640, "height": 360}
        await event("loud")
        await eventually(lambda: viewer.frames >= 30, "alice decodes nina's picture")
        assert viewer.picture.shape[:2] == (180, 320)
        assert np.abs(viewer.picture[90, 160, :3].astype(int) - GREEN).max() < 30
        await eventually(lambda: viewer.loudest > 2000, "alice hears nina")
        await eventually(lambda: viewer.data == [b"from node"], "alice gets nina's data")
        await alice.local_participant.publish_data(b"to node", reliable=True)
        assert await event("data") == {"from": "alice", "text": "to node"}
    await eventually(lambda: not alice.remote_participants, "nina has left")
    await alice.disconnect()
