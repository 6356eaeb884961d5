"""What hangs or is full: a media worker that stands still, and a disk that takes nothing more."""

import asyncio
import contextlib
import os
import resource
import shutil
import signal
import subprocess
import time

import pytest

from tests.hostile.arena import Server
from tests.hostile.client import Client

pytestmark = pytest.mark.asyncio(loop_scope="session")

# A worker that hangs is replaced within 5 s; the rest is for the new one to start on a busy machine.
REPLACED_S = 5.0
STARTED_S = 10.0
# `/readyz` may repeat an answer for two seconds, and a probe of the store for as long again.
TOLD_S = 6.0


async def until(condition, within_s):
    """Await `condition()` to be true; whether that was in time."""
    deadline = time.monotonic() + within_s
    while not await condition():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.1)  # another process's state
    return True


async def test_a_worker_that_hangs_is_replaced_and_its_people_are_told(server):
    await server.start()
    teacher = await Client(server.url, "lesson", "teacher", publish=True).connect()
    student = await Client(server.url, "lesson", "student").connect()
    (hung,) = server.workers()
    os.kill(hung, signal.SIGSTOP)
    try:
        # Whoever joins meanwhile gets an answer, if only that this is not the moment.
        late = Client(server.url, "another lesson", "late")
        joining = asyncio.create_task(late.connect(media=False))

        async def unready():
            return (await server.get("/readyz"))[0] == 503 or server.workers() != [hung]

        assert await until(unready, REPLACED_S + 1.0), await server.get("/readyz")

        async def replaced():
            return server.workers() not in ([], [hung])

        assert await until(replaced, REPLACED_S + STARTED_S), f"workers {server.workers()}"

        async def told():
            return bool(teacher.end and student.end)

        assert await until(told, 2.0), (teacher.end, student.end)

        async def ready():
            return (await server.get("/readyz"))[0] == 200

        assert await until(ready, STARTED_S)
        with contextlib.suppress(Exception):
            await asyncio.wait_for(joining, 10)
        assert joining.done()
        await Client(server.url, "lesson", "teacher", publish=True).connect()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(hung, signal.SIGKILL)
        await Client.close_all()


@contextlib.contextmanager
def short_file_limit(server, _folder):
    """The process may make no file longer, which every write of it meets."""
    _, hard = resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (1, hard))
    yield
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (hard, hard))


@contextlib.contextmanager
def filled(_server, folder):
    """The file system has no block left; what has blocks already can still be overwritten."""
    filler = folder / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    yield
    filler.unlink()


@pytest.fixture(params=[short_file_limit, filled])
def disk(request, tmp_path):
    """(folder of the server, a context in which its disk is full)."""
    folder = tmp_path / "small"
    if request.param is short_file_limit:
        yield folder, request.param
        return
    folder.mkdir()
    mount = shutil.which("mount")
    command = [mount, "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder]
    if mount is None or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("needs the right to mount a small file system (root)")
    yield folder, request.param
    subprocess.run(["umount", "--lazy", folder], check=True)


async def test_a_full_disk_is_told_and_ends_no_lesson(disk):
    folder, full = disk
    server = await Server(folder).start()
    try:
        teacher = await Client(server.url, "lesson", "teacher", publish=True).connect()
        student = await Client(server.url, "lesson", "student").connect()
        with full(server, folder):

            async def unready():
                # Something to write down, as there is all the time in a school.
                await Client(server.url, f"room {time.monotonic()}").connect(media=False)
                status, text = await server.get("/readyz")
                return status == 503 and '"store": false' in text

            assert await until(unready, TOLD_S), await server.get("/readyz")
            assert (await server.get("/healthz"))[0] == 200
            before = student.received
            for index in range(50):
                teacher.send_video(keyframe=index % 10 == 0)
                await asyncio.sleep(0.02)
            assert student.received - before >= 50
            assert (teacher.end, student.end) == ("", "")

        async def ready():
            return (await server.get("/readyz"))[0] == 200

        assert await until(ready, TOLD_S), await server.get("/readyz")
    finally:
        await Client.close_all()
        await server.stop()
