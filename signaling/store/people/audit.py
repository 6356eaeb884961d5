"""The audit log: entries of actor, action, subject and time, which are deleted by age or for erasure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from classroom.ids import PersonId, SessionId
from signaling.ids import TenantId
from signaling.store.access import transaction
from signaling.store.people.tables import audit_entries

ERASED = "erased"
"Stands for a person whose data was erased."


NO_SESSION = SessionId("")
"In place of a session, of an action outside of sessions."


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that was done."""

    at: float
    action: str
    actor: PersonId
    "The id of a person; empty: the application or the server."
    subject: str = ""
    "The id of a person or file; may be empty."
    session: SessionId = NO_SESSION
    details: Mapping[str, Any] = field(default_factory=dict)
    number: int = 0
    "Its place in the log; the database chooses it."


class AuditLog:
    """The log of all tenants; each call names one."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use the store's engine."""
        self._engine = engine

    async def add(self, tenant: TenantId, *entries: AuditEntry) -> None:
        """Add entries. StoreError."""
        async with transaction(self._engine) as connection:
            await insert_entries(connection, tenant, entries)

    async def read(
        self,
        tenant: TenantId,
        before: int | None,
        limit: int,
        person: PersonId | None = None,
        action: str | None = None,
    ) -> Sequence[AuditEntry]:
        """Return entries, the newest first, from the one before number `before` on. StoreError."""
        table = audit_entries
        query = select(table).where(table.c.tenant == tenant)
        if before is not None:
            query = query.where(table.c.number < before)
        if person is not None:
            query = query.where(or_(table.c.actor == person, table.c.subject == person))
        if action is not None:
            query = query.where(table.c.action == action)
        async with transaction(self._engine) as connection:
            rows = await connection.execute(query.order_by(table.c.number.desc()).limit(limit))
            return [
                AuditEntry(
                    row.at,
                    row.action,
                    row.actor,
                    row.subject,
                    row.session,
                    json.loads(row.details),
                    row.number,
                )
                for row in rows
            ]

    async def erase(self, tenant: TenantId, person: PersonId) -> int:
        """Replace a person in all entries; return how many changed. StoreError."""
        table, changed = audit_entries, 0
        async with transaction(self._engine) as connection:
            for column in (table.c.actor, table.c.subject):
                done = await connection.execute(
                    update(table)
                    .where(table.c.tenant == tenant, column == person)
                    .values({column.name: ERASED, "details": "{}"})
                )
                changed += done.rowcount
        return changed

    async def forget(self, tenant: TenantId, before: float) -> int:
        """Delete entries older than a time; return how many. StoreError."""
        table = audit_entries
        async with transaction(self._engine) as connection:
            gone = await connection.execute(
                delete(table).where(table.c.tenant == tenant, table.c.at < before)
            )
            return gone.rowcount


async def insert_entries(
    connection: AsyncConnection, tenant: TenantId, entries: Sequence[AuditEntry]
) -> None:
    """Add entries in a transaction that is under way."""
    if not entries:
        return
    await connection.execute(
        insert(audit_entries),
        [
            {
                "tenant": tenant,
                "at": each.at,
                "action": each.action,
                "actor": each.actor,
                "subject": each.subject,
                "session": each.session,
                "details": json.dumps(dict(each.details)),
            }
            for each in entries
        ],
    )
