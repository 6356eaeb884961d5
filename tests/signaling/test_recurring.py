"""Recurring work: at the start, at intervals, when hastened, and after a failure of the database."""

import asyncio

from signaling.errors import StoreError
from signaling.recurring import Recurring


class Counted(Recurring):
    """Tells each call, and fails as it is told."""

    def __init__(self, interval_s):
        super().__init__(interval_s, "nothing is counted")
        self.calls = asyncio.Queue()
        self.error = None

    async def apply(self):
        self.calls.put_nowait(None)
        if self.error is not None:
            raise self.error
        return 1


async def next_call(counted):
    async with asyncio.timeout(5):
        await counted.calls.get()


async def test_work_begins_at_once_and_recurs():
    counted = Counted(0.001)
    counted.start()
    for _ in range(3):
        await next_call(counted)
    await counted.close()


async def test_hastened_work_does_not_wait_for_its_interval():
    counted = Counted(3600)
    counted.start()
    await next_call(counted)
    counted.hasten()
    await next_call(counted)
    await counted.close()
    assert counted.calls.empty()


async def test_a_database_that_does_not_answer_is_tried_again(caplog):
    counted = Counted(3600)
    counted.error = StoreError("it is locked")
    counted.start()
    await next_call(counted)
    counted.hasten()
    await next_call(counted)
    await counted.close()
    assert "nothing is counted: it is locked" in caplog.text


async def test_what_was_never_started_can_be_closed():
    await Counted(1).close()
