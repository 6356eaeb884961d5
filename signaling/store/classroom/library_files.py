"""The rows of the files in tutors' libraries; the bytes are in a `BlobFolder`."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from sqlalchemy import Row, and_, func, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from classroom.ids import FileId, PersonId
from signaling.ids import TenantId
from signaling.store.access import transaction
from signaling.store.classroom.library import OwnedRows
from signaling.store.classroom.tables import classroom_library_files as table


@dataclass(frozen=True, slots=True)
class LibraryFile:
    """A file of a library."""

    owner: PersonId
    id: FileId
    name: str
    kind: str
    "Content type, as the bytes show it."
    size: int
    digest: str
    "SHA-256 in hex."
    created_at: float


class TenantLibraryFiles(OwnedRows):
    """The files in the libraries of one tenant's tutors. All methods raise StoreError when the database fails."""

    _table = table

    async def all(self, owner: PersonId) -> list[LibraryFile]:
        """Return a tutor's files, the oldest first; a library has at most `limits.LIBRARY_FILES`."""
        query = select(table).where(*self._of(owner)).order_by(table.c.created_at, table.c.id)
        async with transaction(self._engine) as connection:
            return [_file(row) for row in await connection.execute(query)]

    async def get(self, owner: PersonId, file: FileId) -> LibraryFile | None:
        """Return a file."""
        row = await self.row(owner, file)
        return None if row is None else _file(row)

    async def usage(self, owner: PersonId) -> tuple[int, int]:
        """Return the number of a tutor's files, and of their bytes."""
        query = select(func.count(), func.coalesce(func.sum(table.c.size), 0)).where(*self._of(owner))
        async with transaction(self._engine) as connection:
            count, size = (await connection.execute(query)).one()
        return count, int(size)

    async def add(self, file: LibraryFile) -> None:
        """Add a file, unless its id exists (a repeated call)."""
        known = select(table.c.id).where(*self._of(file.owner), table.c.id == file.id)
        async with transaction(self._engine) as connection:
            if await connection.scalar(known) is None:
                await connection.execute(insert(table).values({"tenant": self.tenant, **asdict(file)}))


async def libraries(
    engine: AsyncEngine, after: tuple[TenantId, PersonId], limit: int
) -> Sequence[tuple[TenantId, PersonId]]:
    """Return tenant and owner of libraries with files in this order, from the one after `after` on. StoreError."""
    tenant, owner = after
    later = and_(table.c.tenant == tenant, table.c.owner > owner)
    query = select(table.c.tenant, table.c.owner).where(or_(table.c.tenant > tenant, later)).distinct()
    async with transaction(engine) as connection:
        rows = await connection.execute(query.order_by(table.c.tenant, table.c.owner).limit(limit))
        return [(row[0], row[1]) for row in rows]


def _file(row: Row[Any]) -> LibraryFile:
    return LibraryFile(**{each.name: getattr(row, each.name) for each in fields(LibraryFile)})
