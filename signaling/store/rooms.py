"""Durable rooms."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncEngine

from signaling.ids import RoomName
from signaling.store.access import transaction
from signaling.store.records import DurableRoom
from signaling.store.tables import rooms


class DurableRooms:
    """The rooms that applications created, open or not."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use the store's engine."""
        self._engine = engine
        # At least the names of all rooms: one whose creation failed may remain, since a commit that fails may have
        # taken effect.
        self._names: set[RoomName] = set()
        self._changing = asyncio.Lock()  # so that `_names` changes in the order of the commits

    async def load(self) -> None:
        """Read the names of all rooms, for `may_exist`. StoreError."""
        async with transaction(self._engine) as connection:
            self._names = set((await connection.execute(select(rooms.c.name))).scalars())

    def may_exist(self, name: RoomName) -> bool:
        """Return whether there may be such a room, without a look at the database."""
        return name in self._names

    async def put(self, room: DurableRoom) -> bool:
        """Add a room; False if its name is taken. StoreError."""
        return await self.put_all([room]) is None

    async def put_all(self, new: Sequence[DurableRoom]) -> RoomName | None:
        """Add all rooms and return None; if a name is taken, add none and return that name. StoreError."""
        async with self._changing, transaction(self._engine) as connection:
            self._names.update(room.name for room in new)
            query = select(rooms.c.name).where(rooms.c.name.in_([room.name for room in new]))
            taken = (await connection.execute(query)).scalars().first()
            if taken is not None:
                return RoomName(taken)
            for room in new:
                await connection.execute(
                    insert(rooms).values(
                        name=room.name,
                        kind=room.kind,
                        made_by=room.made_by,
                        created_at=room.created_at,
                        settings=dict(room.settings),
                    )
                )
        return None

    async def existing(self, names: Iterable[RoomName]) -> frozenset[RoomName]:
        """Return the names that belong to existing rooms. StoreError."""
        query = select(rooms.c.name).where(rooms.c.name.in_(list(names)))
        async with transaction(self._engine) as connection:
            return frozenset((await connection.execute(query)).scalars())

    async def foreign(self, kind: str, made_by: str, names: Iterable[RoomName]) -> frozenset[RoomName]:
        """Return the names of existing rooms of another kind or another API key. StoreError."""
        query = select(rooms.c.name).where(rooms.c.name.in_(list(names)), ~_made(kind, made_by))
        async with transaction(self._engine) as connection:
            return frozenset((await connection.execute(query)).scalars())

    async def count(self, kind: str, made_by: str) -> int:
        """Return how many rooms of a kind an API key has created. StoreError."""
        query = select(func.count()).select_from(rooms).where(_made(kind, made_by))
        async with transaction(self._engine) as connection:
            return (await connection.execute(query)).scalar_one()

    async def page(
        self, kind: str, made_by: str, *, behind: tuple[float, str] | None, oldest_first: bool, limit: int
    ) -> list[DurableRoom]:
        """Return an API key's rooms of a kind, ordered by age, starting after `behind`. StoreError.

        `behind` is (created_at, name).
        """
        query = select(rooms).where(_made(kind, made_by)).limit(limit)
        place = tuple_(rooms.c.created_at, rooms.c.name)
        if behind is not None:
            query = query.where(place > behind if oldest_first else place < behind)
        columns = (rooms.c.created_at, rooms.c.name)
        query = query.order_by(*(column if oldest_first else column.desc() for column in columns))
        async with transaction(self._engine) as connection:
            return [_record(row) for row in await connection.execute(query)]

    async def by_id(self, kind: str, made_by: str, room_id: str) -> DurableRoom | None:
        """Return the room whose settings have this `id`. StoreError."""
        query = select(rooms).where(_made(kind, made_by), rooms.c.settings["id"].as_string() == room_id)
        async with transaction(self._engine) as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _record(row)

    async def get(self, name: RoomName) -> DurableRoom | None:
        """Return a room. StoreError."""
        async with transaction(self._engine) as connection:
            row = (await connection.execute(select(rooms).where(rooms.c.name == name))).first()
        return None if row is None else _record(row)

    async def list(self, after: str = "", limit: int = 100) -> list[DurableRoom]:
        """Return rooms ordered by name, starting after `after`. StoreError."""
        query = select(rooms).where(rooms.c.name > after).order_by(rooms.c.name).limit(limit)
        async with transaction(self._engine) as connection:
            return [_record(row) for row in await connection.execute(query)]

    async def update(self, name: RoomName, settings: Mapping[str, Any]) -> bool:
        """Replace a room's settings; False if there is no such room. StoreError."""
        change = update(rooms).where(rooms.c.name == name).values(settings=dict(settings))
        async with transaction(self._engine) as connection:
            return (await connection.execute(change)).rowcount > 0

    async def delete(self, name: RoomName) -> bool:
        """Delete a room; False if there is no such room. StoreError."""
        async with self._changing:
            async with transaction(self._engine) as connection:
                existed = (await connection.execute(delete(rooms).where(rooms.c.name == name))).rowcount > 0
            self._names.discard(name)
        return existed


def _made(kind: str, made_by: str) -> ColumnElement[bool]:
    return (rooms.c.kind == kind) & (rooms.c.made_by == made_by)


def _record(row: Row[Any]) -> DurableRoom:
    return DurableRoom(row.name, row.kind, row.made_by, row.created_at, row.settings)
