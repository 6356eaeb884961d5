"""The rows of tutors' libraries: exercises, polls and sets, as JSON."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import ColumnElement, Row, Table, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from classroom.ids import FileId, PersonId
from signaling.ids import TenantId
from signaling.store.access import transaction
from signaling.store.classroom.tables import classroom_library as table


@dataclass(frozen=True, slots=True)
class Shelved:
    """An item of a library."""

    owner: PersonId
    id: str
    kind: str
    title: str
    version: int
    "Counts the changes, from 1."
    data: str
    "JSON."
    created_at: float
    changed_at: float


class OwnedRows:
    """The rows of one tenant in a table with `tenant`, `owner` and `id`. All methods raise StoreError."""

    _table: Table

    def __init__(self, engine: AsyncEngine, tenant: TenantId) -> None:
        """Use the store's engine."""
        self._engine = engine
        self.tenant = tenant

    async def row(self, owner: PersonId, row_id: str) -> Row[Any] | None:
        """Return a row."""
        query = select(self._table).where(*self._of(owner), self._table.c.id == row_id)
        async with transaction(self._engine) as connection:
            return (await connection.execute(query)).first()

    async def delete(self, owner: PersonId, row_id: str) -> bool:
        """Delete a row; False if there is none."""
        known = delete(self._table).where(*self._of(owner), self._table.c.id == row_id)
        async with transaction(self._engine) as connection:
            return (await connection.execute(known)).rowcount > 0

    async def erase(self, owner: PersonId) -> int:
        """Delete all rows of a tutor; return their number."""
        async with transaction(self._engine) as connection:
            return (await connection.execute(delete(self._table).where(*self._of(owner)))).rowcount

    def _of(self, owner: PersonId) -> list[ColumnElement[bool]]:
        return [self._table.c.tenant == self.tenant, self._table.c.owner == owner]


class TenantLibrary(OwnedRows):
    """The libraries of one tenant's tutors. All methods raise StoreError when the database fails."""

    _table = table

    async def page(
        self, owner: PersonId, kind: str, before: tuple[float, str] | None, limit: int
    ) -> list[Shelved]:
        """Return a tutor's items behind a creation time and id, the newest first; `kind` empty: of all kinds."""
        conditions = self._of(owner)
        if kind:
            conditions.append(table.c.kind == kind)
        if before is not None:
            at, item_id = before
            same = and_(table.c.created_at == at, table.c.id < item_id)
            conditions.append(or_(table.c.created_at < at, same))
        query = select(table).where(*conditions).order_by(table.c.created_at.desc(), table.c.id.desc())
        async with transaction(self._engine) as connection:
            return [_shelved(row) for row in await connection.execute(query.limit(limit))]

    async def get(self, owner: PersonId, item_id: str) -> Shelved | None:
        """Return an item."""
        row = await self.row(owner, item_id)
        return None if row is None else _shelved(row)

    async def is_named(self, owner: PersonId, file: FileId) -> bool:
        """Return whether an item names a file."""
        # In JSON as `"file":"lf_..."`, which texts cannot contain: their quotes are escaped.
        named = table.c.data.contains(f'"file":"{file}"', autoescape=True)
        query = select(table.c.id).where(*self._of(owner), named).limit(1)
        async with transaction(self._engine) as connection:
            return await connection.scalar(query) is not None

    async def add(self, item: Shelved, limit: int) -> bool:
        """Add an item, unless its id exists (a repeated call); False if the tutor has `limit` items."""
        async with transaction(self._engine) as connection:
            mine = self._of(item.owner)
            if await connection.scalar(select(table.c.id).where(*mine, table.c.id == item.id)) is not None:
                return True
            if (await connection.scalar(select(func.count()).where(*mine)) or 0) >= limit:
                return False
            await connection.execute(insert(table).values({"tenant": self.tenant, **asdict(item)}))
        return True

    async def change(self, item: Shelved) -> bool:
        """Replace the version before `item.version`; False if another version or none is stored."""
        known = (*self._of(item.owner), table.c.id == item.id, table.c.version == item.version - 1)
        async with transaction(self._engine) as connection:
            return (await connection.execute(update(table).where(*known).values(asdict(item)))).rowcount > 0


def _shelved(row: Row[Any]) -> Shelved:
    columns = [each.name for each in fields(Shelved)]
    return Shelved(**{name: getattr(row, name) for name in columns})
