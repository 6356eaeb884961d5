"""A loop's pause that ends when the server stops.

Loops that use the database are not cancelled: a cancelled statement loses its connection, and with it a database in
memory.
"""

import asyncio


class Running:
    """Whether the server still runs."""

    def __init__(self) -> None:
        """It does."""
        self._stopped = asyncio.Event()

    @property
    def goes_on(self) -> bool:
        """Whether to do another round."""
        return not self._stopped.is_set()

    def stop(self) -> None:
        """End all pauses."""
        self._stopped.set()

    async def pause(self, seconds: float) -> None:
        """Wait, or return at once when the server stops."""
        try:
            async with asyncio.timeout(seconds):
                await self._stopped.wait()
        except TimeoutError:
            return
