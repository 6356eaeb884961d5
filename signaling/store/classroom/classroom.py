"""The tables of teaching sessions of all tenants, for the server's own work; each tenant has a `TenantShelf`."""

from collections.abc import Sequence

from sqlalchemy import and_, delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from classroom.ids import PersonId, SessionId
from signaling.ids import TenantId
from signaling.store.access import transaction
from signaling.store.classroom import library_files
from signaling.store.classroom.records import SessionRow
from signaling.store.classroom.shelf import TenantShelf, record
from signaling.store.classroom.tables import classroom_answers, classroom_sessions, classroom_timers
from signaling.store.tenants import is_of_key


class ClassroomStore:
    """What belongs to no tenant: deadlines, recovery, finding the tenant of a code or room."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use the store's engine."""
        self._engine = engine

    def of(self, tenant: TenantId) -> TenantShelf:
        """Return the rows of a tenant."""
        return TenantShelf(self._engine, tenant)

    async def tenant_of(self, session_id: SessionId) -> TenantId | None:
        """Return the tenant of a session. StoreError."""
        table = classroom_sessions
        async with transaction(self._engine) as connection:
            tenant: TenantId | None = await connection.scalar(
                select(table.c.tenant).where(table.c.id == session_id)
            )
            return tenant

    async def tenant_of_code(self, code: str) -> TenantId | None:
        """Return the tenant of the session with a join code. StoreError."""
        table = classroom_sessions
        async with transaction(self._engine) as connection:
            tenant: TenantId | None = await connection.scalar(
                select(table.c.tenant).where(table.c.code == code)
            )
            return tenant

    async def tenants(self, key: str) -> list[TenantId]:
        """Return the tenants of an API key that have sessions. StoreError."""
        column = classroom_sessions.c.tenant
        query = select(column).where(is_of_key(column, key)).distinct()
        async with transaction(self._engine) as connection:
            return list((await connection.execute(query)).scalars())

    async def due(self, now: float, limit: int) -> Sequence[tuple[TenantId, SessionId]]:
        """Return tenant and id of sessions whose deadline has passed, the longest overdue first. StoreError."""
        table = classroom_sessions
        query = (
            select(table.c.tenant, table.c.id)
            .where(table.c.due_at <= now)
            .order_by(table.c.due_at)
            .limit(limit)
        )
        async with transaction(self._engine) as connection:
            return [(row[0], row[1]) for row in await connection.execute(query)]

    async def next_due_at(self) -> float | None:
        """Return the earliest deadline of all sessions. StoreError."""
        async with transaction(self._engine) as connection:
            at: float | None = await connection.scalar(select(func.min(classroom_sessions.c.due_at)))
            return at

    async def timers_due(self, now: float, limit: int) -> Sequence[tuple[TenantId, str]]:
        """Return tenant and log of parts of schools that are due, the longest overdue first. StoreError."""
        table = classroom_timers
        query = select(table.c.tenant, table.c.log).where(table.c.due_at <= now).order_by(table.c.due_at)
        async with transaction(self._engine) as connection:
            return [(row[0], row[1]) for row in await connection.execute(query.limit(limit))]

    async def next_timer_at(self) -> float | None:
        """Return the earliest time at which a part of a school has something to do. StoreError."""
        async with transaction(self._engine) as connection:
            at: float | None = await connection.scalar(select(func.min(classroom_timers.c.due_at)))
            return at

    async def names(
        self, after: tuple[TenantId, SessionId], limit: int
    ) -> Sequence[tuple[TenantId, SessionId]]:
        """Return tenant and id of sessions in this order, from the one after `after` on. StoreError."""
        table = classroom_sessions
        tenant, session_id = after
        later = and_(table.c.tenant == tenant, table.c.id > session_id)
        query = select(table.c.tenant, table.c.id).where(or_(table.c.tenant > tenant, later))
        async with transaction(self._engine) as connection:
            rows = await connection.execute(query.order_by(table.c.tenant, table.c.id).limit(limit))
            return [(row[0], row[1]) for row in rows]

    async def libraries(
        self, after: tuple[TenantId, PersonId], limit: int
    ) -> Sequence[tuple[TenantId, PersonId]]:
        """Return tenant and owner of libraries with files in this order, from the one after `after` on. StoreError."""
        return await library_files.libraries(self._engine, after, limit)

    async def occupied(self) -> list[SessionRow]:
        """Return the sessions with a present or waiting person. StoreError."""
        table = classroom_sessions
        async with transaction(self._engine) as connection:
            rows = await connection.execute(select(table).where(table.c.present > 0).order_by(table.c.id))
            return [record(row) for row in rows]

    async def forget_answers(self, before: float) -> int:
        """Delete answers to repeated calls that are older than a time; return how many. StoreError."""
        table = classroom_answers
        async with transaction(self._engine) as connection:
            return (await connection.execute(delete(table).where(table.c.created_at < before))).rowcount
