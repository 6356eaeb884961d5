"""Queued mail to people with accounts, stored in the same transaction as the change that causes it."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import delete, func, insert, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from classroom.ids import PersonId
from signaling.ids import TenantId
from signaling.store.access import transaction
from signaling.store.people.tables import accounts, mails

# Fewer than the parameters that a statement of any database may have.
_AT_ONCE: Final = 500


class MailKind(StrEnum):
    """What a mail is about."""

    INVITATION = "invitation"
    RESET = "reset"
    SESSION_REMINDER = "session_reminder"
    LESSON_REMINDER = "lesson_reminder"


REMINDERS: Final = frozenset({MailKind.SESSION_REMINDER, MailKind.LESSON_REMINDER})


@dataclass(frozen=True, slots=True)
class NewMail:
    """One message to several people; each person receives a separate mail."""

    kind: MailKind
    people: Sequence[PersonId]
    "People without an account, and people who want no reminders, are left out."
    data: Mapping[str, Any] = field(default_factory=dict)
    "What the message is about, without addresses and tokens."


@dataclass(frozen=True, slots=True)
class Mail:
    """A stored mail to one person."""

    number: int
    tenant: TenantId
    person: PersonId
    kind: MailKind
    data: Mapping[str, Any]
    created_at: float
    attempts: int
    "Attempts that began before this one."


class Mails:
    """The mail of all tenants. All methods raise StoreError when the database fails."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use the store's engine."""
        self._engine = engine

    async def add(self, tenant: TenantId, mail: NewMail, at: float) -> None:
        """Store mail, due at once."""
        async with transaction(self._engine) as connection:
            await insert_mails(connection, tenant, [mail], at)

    async def due(self, now: float, limit: int) -> list[Mail]:
        """Return mail whose time has come, the longest overdue first."""
        query = select(mails).where(mails.c.next_at <= now).order_by(mails.c.next_at, mails.c.number)
        async with transaction(self._engine) as connection:
            return [
                Mail(
                    row.number,
                    row.tenant,
                    row.person,
                    MailKind(row.kind),
                    json.loads(row.data),
                    row.created_at,
                    row.attempts,
                )
                for row in await connection.execute(query.limit(limit))
            ]

    async def next_at(self) -> float | None:
        """Return when the next mail is due; None if there is none."""
        async with transaction(self._engine) as connection:
            at: float | None = await connection.scalar(select(func.min(mails.c.next_at)))
            return at

    async def begin(self, mail: Mail, next_at: float) -> bool:
        """Record that an attempt begins, and when the next one would follow; False if the mail was deleted."""
        values = {"attempts": mail.attempts + 1, "next_at": next_at}
        async with transaction(self._engine) as connection:
            changed = await connection.execute(
                update(mails).where(mails.c.number == mail.number).values(values)
            )
            return changed.rowcount > 0

    async def delete(self, mail: Mail) -> None:
        """Delete a mail that was sent or given up."""
        async with transaction(self._engine) as connection:
            await connection.execute(delete(mails).where(mails.c.number == mail.number))

    async def count(self) -> int:
        """Return the number of stored mails."""
        async with transaction(self._engine) as connection:
            return await connection.scalar(select(func.count()).select_from(mails)) or 0


async def insert_mails(
    connection: AsyncConnection, tenant: TenantId, new: Sequence[NewMail], at: float
) -> None:
    """Store mail in a running transaction, for those of the people who have an account."""
    columns = ["tenant", "person", "kind", "data", "created_at", "attempts", "next_at"]
    for mail in new:
        data = json.dumps(dict(mail.data))
        people = list(dict.fromkeys(mail.people))
        for first in range(0, len(people), _AT_ONCE):
            some = people[first : first + _AT_ONCE]
            own = [accounts.c.tenant == tenant, accounts.c.id.in_(some), accounts.c.disabled_at.is_(None)]
            if mail.kind in REMINDERS:
                own += [accounts.c.reminders, accounts.c.password_hash.is_not(None)]
            rows = select(
                accounts.c.tenant,
                accounts.c.id,
                literal(mail.kind.value),
                literal(data),
                literal(at),
                literal(0),
                literal(at),
            ).where(*own)
            await connection.execute(insert(mails).from_select(columns, rows))
