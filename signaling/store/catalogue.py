"""Rooms that applications made, as all skins see them: known while nobody is in them, and opened with their rules."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from signaling.errors import StoreError
from signaling.rooms.model import RoomConfig
from signaling.store import DurableRoom
from signaling.store.rooms import DurableRooms

log = logging.getLogger(__name__)

# A lesson does not wait longer for the database: its room opens without the rules.
TIMEOUT_S = 1.0

# More rooms than this are not told of at once.
MAX_LISTED = 1000


class Catalogue:
    """The durable rooms of all APIs."""

    def __init__(self, rooms: DurableRooms) -> None:
        """`rooms` is the store's."""
        self._rooms = rooms
        self._asking: set[asyncio.Task[RoomConfig | None]] = set()
        self._configs: dict[str, Callable[[DurableRoom], Awaitable[RoomConfig]]] = {}

    def add(self, kind: str, config: Callable[[DurableRoom], Awaitable[RoomConfig]]) -> None:
        """Have the API of this kind say how its rooms behave."""
        self._configs[kind] = config

    async def config(self, name: str) -> RoomConfig | None:
        """Return how a room is to behave when it opens; None when nobody made one of this name. Never fails."""
        asked = asyncio.create_task(self._ask(name))
        self._asking.add(asked)
        asked.add_done_callback(self._asking.discard)
        # Not cancelled when it takes long: a driver waits for the end of a statement all the same, and the store
        # would lose its connection.
        await asyncio.wait([asked], timeout=TIMEOUT_S)
        if asked.done():
            return asked.result()
        log.warning("a room opens without its rules: the database does not answer")
        return None

    async def _ask(self, name: str) -> RoomConfig | None:
        try:
            durable = await self._rooms.get(name)
            config = None if durable is None else self._configs.get(durable.kind)
            return None if durable is None or config is None else await config(durable)
        except StoreError as error:
            log.warning("a room opens without its rules: %s", error)
            return None

    async def list(self) -> list[DurableRoom]:
        """Return rooms by name, the first thousand. StoreError."""
        return await self._rooms.list(limit=MAX_LISTED)

    async def delete(self, name: str) -> bool:
        """Delete a room; False when nobody made it. StoreError."""
        return await self._rooms.delete(name)
