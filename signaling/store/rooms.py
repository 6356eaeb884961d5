"""Durable rooms."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from signaling.store.access import transaction
from signaling.store.records import DurableRoom
from signaling.store.tables import rooms


class DurableRooms:
    """Rooms that applications made, open or not."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use the store's engine."""
        self._engine = engine

    async def put(self, room: DurableRoom) -> bool:
        """Add a room; False when its name is taken. StoreError."""
        async with transaction(self._engine) as connection:
            taken = await connection.execute(select(rooms.c.name).where(rooms.c.name == room.name))
            if taken.first() is not None:
                return False
            await connection.execute(
                insert(rooms).values(
                    name=room.name,
                    kind=room.kind,
                    made_by=room.made_by,
                    created_at=room.created_at,
                    settings=dict(room.settings),
                )
            )
            return True

    async def get(self, name: str) -> DurableRoom | None:
        """Return a room. StoreError."""
        async with transaction(self._engine) as connection:
            row = (await connection.execute(select(rooms).where(rooms.c.name == name))).first()
        return None if row is None else _record(row)

    async def list(self, after: str = "", limit: int = 100) -> list[DurableRoom]:
        """Return rooms in the order of their names, from behind `after`. StoreError."""
        query = select(rooms).where(rooms.c.name > after).order_by(rooms.c.name).limit(limit)
        async with transaction(self._engine) as connection:
            return [_record(row) for row in await connection.execute(query)]

    async def update(self, name: str, settings: Mapping[str, Any]) -> bool:
        """Replace a room's settings; False when there is no such room. StoreError."""
        change = update(rooms).where(rooms.c.name == name).values(settings=dict(settings))
        async with transaction(self._engine) as connection:
            return (await connection.execute(change)).rowcount > 0

    async def delete(self, name: str) -> bool:
        """Delete a room; False when there is no such room. StoreError."""
        async with transaction(self._engine) as connection:
            return (await connection.execute(delete(rooms).where(rooms.c.name == name))).rowcount > 0


def _record(row: Row[Any]) -> DurableRoom:
    return DurableRoom(row.name, row.kind, row.made_by, row.created_at, row.settings)
