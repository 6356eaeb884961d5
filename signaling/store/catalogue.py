"""Durable rooms of all APIs, as every front end sees them: known while not open, and opened with their settings."""

import asyncio
from collections.abc import Awaitable, Callable

from signaling.errors import StoreError
from signaling.ids import RoomName
from signaling.rooms.model import RoomConfig
from signaling.store import DurableRoom
from signaling.store.rooms import DurableRooms

# Opening a room waits no longer for the database. A room that exists there does not open without its settings.
TIMEOUT_S = 5.0

# Maximum number of rooms in a list.
MAX_LISTED = 1000


class Catalogue:
    """The durable rooms of all APIs."""

    def __init__(self, rooms: DurableRooms) -> None:
        """`rooms` is the store's."""
        self._rooms = rooms
        self._asking: set[asyncio.Task[RoomConfig | None]] = set()
        self._configs: dict[str, Callable[[DurableRoom], Awaitable[RoomConfig]]] = {}
        self._by_name: list[Callable[[RoomName], RoomConfig | None]] = []

    def add(self, kind: str, config: Callable[[DurableRoom], Awaitable[RoomConfig]]) -> None:
        """Register the function that converts a room of this kind to its settings."""
        self._configs[kind] = config

    def add_names(self, config: Callable[[RoomName], RoomConfig | None]) -> None:
        """Have a function say how rooms behave whose names alone tell; it returns None for other names."""
        self._by_name.append(config)

    async def config(self, name: RoomName) -> RoomConfig | None:
        """Return the settings for opening a room; None if no application created it. StoreError.

        Whether a room exists is known without the database, so a lesson in a room that nobody created never waits
        for it.
        """
        for by_name in self._by_name:
            config = by_name(name)
            if config is not None:
                return config
        if not self._rooms.may_exist(name):
            return None
        asked = asyncio.create_task(self._ask(name))
        self._asking.add(asked)
        asked.add_done_callback(self._asking.discard)
        # Not cancelled when it takes long: the driver waits for the end of the statement anyway, and the store would
        # lose its connection.
        await asyncio.wait([asked], timeout=TIMEOUT_S)
        if not asked.done():
            raise StoreError("the database does not respond")
        return asked.result()

    async def _ask(self, name: RoomName) -> RoomConfig | None:
        durable = await self._rooms.get(name)
        config = None if durable is None else self._configs.get(durable.kind)
        return None if durable is None or config is None else await config(durable)

    async def list(self) -> list[DurableRoom]:
        """Return rooms by name, at most MAX_LISTED. StoreError."""
        return await self._rooms.list(limit=MAX_LISTED)

    async def delete(self, name: RoomName) -> bool:
        """Delete a room; False if no application created it. StoreError."""
        return await self._rooms.delete(name)
