"""The server's main process is killed while a session is recorded, and started again: the recording continues."""

import asyncio
import itertools
import random
import time
from contextlib import suppress

import aiohttp
import numpy as np
import psutil
import pytest

from tests.e2e.conftest import UNBUFFERED, Server, eventually, serve_command
from tests.e2e.test_recorded_session import (
    CAMERA,
    FPS,
    MICROPHONE,
    Lesson,
    Publisher,
    bursts,
    in_step,
    join,
    pictures,
)
from tests.signaling.school_client import School

pytestmark = pytest.mark.timeout(240)


def runs(process):
    with suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


class Restarted:
    """A server that is killed and started again, each time with the same ports and folders."""

    def __init__(self, folder):
        command, http_port, udp_port = serve_command(folder / "data")
        options = [
            "--recordings",
            str(folder / "recordings"),
            "--recordings-reserve-mb",
            "0",
            "--workers",
            "1",
        ]
        self.command = [*command, *options]
        self.server = Server(http_port, udp_port, 0)
        self.process = None

    async def start(self):
        self.process = await asyncio.create_subprocess_exec(
            *self.command, stdout=asyncio.subprocess.PIPE, env=UNBUFFERED
        )
        async with asyncio.timeout(60):
            assert b"ready" in await self.process.stdout.readline()

    async def kill(self):
        """Kill the main process alone; those that it started have to end by themselves."""
        started = psutil.Process(self.process.pid).children(recursive=True)
        assert len(started) >= 2, "a worker and a recorder"
        self.process.kill()
        await self.process.communicate()
        await eventually(lambda: not any(map(runs, started)), "worker and recorder have ended")

    async def stop(self):
        self.process.terminate()
        await self.process.communicate()


@pytest.mark.parametrize("kills", [1, pytest.param(8, marks=pytest.mark.long)])
async def test_a_killed_server_costs_less_than_a_second_and_the_recording_continues(tmp_path, kills):
    restarted, chance = Restarted(tmp_path), random.Random(kills)
    await restarted.start()
    try:
        async with aiohttp.ClientSession() as http:
            school = School(http, restarted.server.page)
            session = await school.lesson()
            room = await join(school, restarted.server, session, "tutor", "tutor")
            publisher = Publisher(room, time.monotonic())
            lesson = Lesson(http, school, session, publisher)
            await publisher.publish()
            await asyncio.sleep(1)
            await lesson.start()
            reconnected = asyncio.Event()
            room.on("reconnected", reconnected.set)
            absences = []
            for _ in range(kills):
                await asyncio.sleep(chance.uniform(4, 6))  # what is recorded
                reconnected.clear()
                killed = time.monotonic() - publisher.began
                await restarted.kill()
                await restarted.start()
                async with asyncio.timeout(60):
                    await reconnected.wait()
                absences.append((killed, time.monotonic() - publisher.began))
            await asyncio.sleep(5)
            archive, tracks = await lesson.archive()
            await publisher.stop()
            await room.disconnect()
    finally:
        await restarted.stop()
    assert set(tracks) == {CAMERA, MICROPHONE}
    shown, heard = pictures(archive, tracks[CAMERA]), bursts(archive, tracks[MICROPHONE])
    times = np.array([number / FPS for _, number in shown])
    assert list(times) == sorted(times)
    for killed, back in absences:
        assert killed - times[times < killed].max() < 1, (absences, times)
        assert times[times > killed].min() - back < 1, (absences, times)
    start = np.median([at - number / FPS for at, number in shown])
    in_step(shown, heard, [start + back - 1 for _, back in absences])
    holes = [(a, b) for a, b in itertools.pairwise(times) if b - a > 1]
    assert len(holes) <= len(absences), holes
    assert all(any(a < back and b > killed for killed, back in absences) for a, b in holes), holes
    reasons = {gap["reason"] for gap in tracks[CAMERA]["gaps"]}
    assert reasons & {"interrupted", "absent"}, tracks[CAMERA]["gaps"]
