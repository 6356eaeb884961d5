"""Work that is done at the start of the server, and then again and again."""

import asyncio
import logging
from abc import ABC, abstractmethod

from signaling.errors import StoreError

log = logging.getLogger(__name__)


class Recurring(ABC):
    """A task that calls `apply` at intervals, and sooner after `hasten`."""

    def __init__(self, interval_s: float, otherwise: str) -> None:
        """`otherwise` is what the log says happens while the database does not answer."""
        self._interval_s = interval_s
        self._otherwise = otherwise
        self._hastened = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    def hasten(self) -> None:
        """Let `apply` be called soon."""
        self._hastened.set()

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    @abstractmethod
    async def apply(self) -> int:
        """Do what is due; return how much was done. StoreError."""

    async def _run(self) -> None:
        while True:
            self._hastened.clear()
            try:
                await self.apply()
            except StoreError as error:
                log.warning("%s: %s", self._otherwise, error)
            try:
                async with asyncio.timeout(self._interval_s):
                    await self._hastened.wait()
            except TimeoutError:
                continue
