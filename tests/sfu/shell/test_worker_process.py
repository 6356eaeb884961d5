import asyncio

import pytest
from stall import stalled

from sfu.dataplane import library
from sfu.settings import MediaSettings
from sfu.shell import worker_process
from sfu.shell.worker_process import MediaThread
from sfu.shell.workers import MediaWorkers


@pytest.fixture
async def process(monkeypatch):
    """A worker process that is pinged often; an idle data plane runs once a second."""
    monkeypatch.setattr(worker_process, "PING_INTERVAL_S", 0.4)
    monkeypatch.setattr(worker_process, "STALLED_AFTER", 10)
    media = MediaWorkers(MediaSettings(), 1, lambda _event: None)
    await media.start()
    yield media._workers[0]
    await media.stop()


async def until(check):
    async with asyncio.timeout(20):
        while not check():  # noqa: ASYNC110 - what happens in another process has no event here
            await asyncio.sleep(0.05)


async def test_a_stalled_interpreter_is_given_longer_while_media_is_forwarded(process):
    if library.load() is None:
        pytest.skip("the data plane was not built")
    with stalled(process.process.pid):
        await until(lambda: process.unanswered > worker_process.HUNG_AFTER)
        assert process.alive
    await until(lambda: process.unanswered <= 1)
    with stalled(process.process.pid):
        await until(lambda: not process.alive)
    assert process.unanswered == worker_process.STALLED_AFTER


def test_a_process_without_the_thread_forwards_nothing():
    assert not MediaThread(1).runs(1.0)
    assert not MediaThread(0).runs(1.0)
