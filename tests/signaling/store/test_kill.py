"""A process that writes the log is killed in the middle of a burst."""

import subprocess
import sys

import pytest

from signaling.store import Store

WRITER = """
import asyncio, sys
from signaling.rooms.events import EventHub, RoomChanged, RoomStarted
from signaling.history.journal import Journal
from signaling.rooms.model import Room, RoomConfig
from signaling.store import Store

async def main():
    store, hub = await Store.open(sys.argv[1]), EventHub()
    journal = Journal(hub, store.events.append, lambda: 0.0)
    writer = asyncio.create_task(journal.run())
    room, noted = Room("RM_1", "algebra", RoomConfig(), 0.0), 1
    hub.emit(RoomStarted(room))
    while True:
        for _ in range(7):
            hub.emit(RoomChanged(room))
        noted += 7
        await journal.committed()
        print(noted, flush=True)

asyncio.run(main())
"""


def run_until_killed(url, acknowledgements):
    with subprocess.Popen([sys.executable, "-c", WRITER, url], stdout=subprocess.PIPE, text=True) as process:
        for _ in range(acknowledgements):
            process.stdout.readline()
        process.kill()
        rest = process.stdout.read().split()
    return int(rest[-1]) if rest else 1 + 7 * acknowledgements


@pytest.mark.parametrize("acknowledgements", [1, 10, 40])
async def test_what_was_acknowledged_survives_without_gap_or_duplicate(database_url, acknowledgements):
    acknowledged = run_until_killed(database_url, acknowledgements)
    store = await Store.open(database_url)
    numbers = [entry.seq for entry in await store.events.read("RM_1", limit=100_000)]
    await store.close()
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= acknowledged >= 1 + 7 * acknowledgements
