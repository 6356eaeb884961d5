"""Bans beyond one session: of a person from all sessions of one tutor."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from classroom.ids import PersonId, SessionId
from signaling.ids import TenantId
from signaling.store.access import transaction
from signaling.store.classroom.tables import classroom_bans, classroom_sessions


@dataclass(frozen=True, slots=True)
class Ban:
    """A lasting ban of one person by a tutor."""

    person: PersonId
    session: SessionId
    "Where it happened."
    at: float
    name: str = ""
    "Of the person at that time; empty for bans of releases that did not store it."


@dataclass(frozen=True, slots=True)
class ListedBan:
    """A ban with the title of the session in which it happened."""

    ban: Ban
    title: str
    "Empty if the session was deleted."


class TenantBans:
    """The bans of one tenant. All methods raise StoreError when the database fails."""

    def __init__(self, engine: AsyncEngine, tenant: TenantId) -> None:
        """Use the store's engine."""
        self._engine = engine
        self.tenant = tenant

    async def list(self, owner: PersonId) -> list[ListedBan]:
        """Return a tutor's lasting bans, newest first."""
        table, sessions = classroom_bans, classroom_sessions
        same = (sessions.c.tenant == table.c.tenant) & (sessions.c.id == table.c.session)
        query = (
            select(table, func.coalesce(sessions.c.title, "").label("title"))
            .select_from(table.outerjoin(sessions, same))
            .where(table.c.tenant == self.tenant, table.c.owner == owner)
            .order_by(table.c.at.desc(), table.c.person)
        )
        async with transaction(self._engine) as connection:
            rows = await connection.execute(query)
            return [ListedBan(Ban(row.person, row.session, row.at, row.name), row.title) for row in rows]

    async def has(self, owner: PersonId, person: PersonId) -> bool:
        """Return whether a tutor banned a person."""
        table = classroom_bans
        here = (table.c.tenant == self.tenant, table.c.owner == owner, table.c.person == person)
        async with transaction(self._engine) as connection:
            return await connection.scalar(select(table.c.at).where(*here)) is not None

    async def lift(self, owner: PersonId, person: PersonId) -> bool:
        """Lift a ban; False if there is none."""
        async with transaction(self._engine) as connection:
            return await _lift(connection, self.tenant, owner, person)

    async def erase(self, person: PersonId, pseudonym: str) -> None:
        """Delete the bans of a person, and rename the person as a tutor; for erasure alone."""
        table = classroom_bans
        async with transaction(self._engine) as connection:
            here = table.c.tenant == self.tenant
            await connection.execute(delete(table).where(here, table.c.person == person))
            await connection.execute(
                update(table).where(here, table.c.owner == person).values(owner=pseudonym)
            )


async def change_bans(
    connection: AsyncConnection,
    tenant: TenantId,
    owner: PersonId,
    changes: Mapping[PersonId, Ban | None],
) -> None:
    """Put bans, and lift those that are None, in a running transaction."""
    for person, ban in changes.items():
        await _lift(connection, tenant, owner, person)
        if ban is not None:
            values = {
                "tenant": tenant,
                "owner": owner,
                "person": person,
                "session": ban.session,
                "at": ban.at,
                "name": ban.name,
            }
            await connection.execute(insert(classroom_bans).values(values))


async def _lift(connection: AsyncConnection, tenant: TenantId, owner: PersonId, person: PersonId) -> bool:
    table = classroom_bans
    here = (table.c.tenant == tenant, table.c.owner == owner, table.c.person == person)
    return (await connection.execute(delete(table).where(*here))).rowcount > 0
