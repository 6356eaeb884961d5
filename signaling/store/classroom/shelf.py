"""All rows of one tenant: the only place where they are read or written.

Each query of `TenantShelf` names its tenant, which comes from the caller's credentials only: other tenants'
sessions cannot be reached.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from sqlalchemy import Row, Select, and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from classroom.ids import PersonId, SessionId
from signaling.ids import TenantId
from signaling.store.access import transaction
from signaling.store.classroom.bans import Ban, TenantBans, change_bans
from signaling.store.classroom.library import TenantLibrary
from signaling.store.classroom.library_files import TenantLibraryFiles
from signaling.store.classroom.records import (
    LoggedEvent,
    SavedAnswer,
    SessionQuery,
    SessionRow,
    Snapshot,
    Timer,
    Usage,
)
from signaling.store.classroom.tables import (
    classroom_answers,
    classroom_events,
    classroom_people,
    classroom_sessions,
    classroom_snapshots,
    classroom_timers,
)
from signaling.store.people.audit import AuditEntry, insert_entries
from signaling.store.people.mails import NewMail, insert_mails
from signaling.store.records import NewDelivery
from signaling.store.webhooks import delivery_queue

# Statements of each append. SQLAlchemy takes longer to build a statement than SQLite to carry it out.
_ADD_EVENTS: Final = insert(classroom_events)
_CHANGE_ROW: Final = update(classroom_sessions).where(
    classroom_sessions.c.tenant == bindparam("here_tenant"), classroom_sessions.c.id == bindparam("here_id")
)
_ROW_FIELDS: Final = tuple(each.name for each in fields(SessionRow))


class TenantShelf:
    """The rows of one tenant. All methods raise StoreError when the database fails."""

    def __init__(self, engine: AsyncEngine, tenant: TenantId) -> None:
        """Use the store's engine."""
        self._engine = engine
        self.tenant = tenant
        self.bans = TenantBans(engine, tenant)
        self.library = TenantLibrary(engine, tenant)
        self.library_files = TenantLibraryFiles(engine, tenant)

    async def append(  # noqa: PLR0913 - one transaction is one call
        self,
        log: str,
        events: Sequence[LoggedEvent],
        *,
        row: SessionRow | None = None,
        people: Mapping[PersonId, str] | None = None,
        snapshot: Snapshot | None = None,
        deliveries: Sequence[NewDelivery] = (),
        mails: Sequence[NewMail] = (),
        audit: Sequence[AuditEntry] = (),
        timer: Timer | None = None,
        bans: Mapping[PersonId, Ban | None] | None = None,
    ) -> None:
        """Add events and their effects to a log, in one transaction.

        `people` are the roles of those who are new or have another role than before, `bans` those from all sessions
        of the owner in `row`, None for a lifted one. UnstorableError, and nothing is
        stored, when another writer has added an event with one of these numbers.
        """
        here = {"tenant": self.tenant, "log": log}
        async with transaction(self._engine) as connection:
            if events:
                await connection.execute(
                    _ADD_EVENTS,
                    [
                        {
                            **here,
                            "seq": each.seq,
                            "kind": each.kind,
                            "data": each.data.decode(),
                            "at": each.at,
                        }
                        for each in events
                    ],
                )
            if row is not None:
                await self._put_row(connection, row)
                await self._put_people(connection, row.id, people or {})
                await change_bans(connection, self.tenant, row.owner, bans or {})
            if snapshot is not None:
                table = classroom_snapshots
                await connection.execute(delete(table).where(*self._log(table, log)))
                values = {**here, "seq": snapshot.seq, "data": snapshot.data.decode()}
                await connection.execute(insert(table).values(values))
            if deliveries:
                await delivery_queue.add(connection, deliveries, events[-1].at)
            if mails:
                await insert_mails(connection, self.tenant, mails, events[-1].at)
            await insert_entries(connection, self.tenant, audit)
            if timer is not None:
                table = classroom_timers
                await connection.execute(delete(table).where(*self._log(table, log)))
                if timer.due_at is not None:
                    await connection.execute(insert(table).values({**here, "due_at": timer.due_at}))

    async def snapshot(self, log: str) -> Snapshot | None:
        """Return the last snapshot of a log."""
        table = classroom_snapshots
        async with transaction(self._engine) as connection:
            row = (await connection.execute(select(table).where(*self._log(table, log)))).first()
        return None if row is None else Snapshot(row.seq, row.data.encode())

    async def read(
        self, log: str, after: int = 0, limit: int = 1000, upto: int | None = None
    ) -> list[LoggedEvent]:
        """Return events of a log in order, from the one after number `after` on."""
        table = classroom_events
        query = select(table).where(*self._log(table, log), table.c.seq > after)
        if upto is not None:
            query = query.where(table.c.seq <= upto)
        async with transaction(self._engine) as connection:
            rows = await connection.execute(query.order_by(table.c.seq).limit(limit))
            return [LoggedEvent(row.seq, row.kind, row.data.encode(), row.at) for row in rows]

    async def logs(self, prefix: str, limit: int = 1000) -> list[str]:
        """Return the names of the logs that begin so, in order."""
        table = classroom_events
        query = (
            select(table.c.log)
            .where(
                table.c.tenant == self.tenant,
                table.c.seq == 1,
                table.c.log.startswith(prefix, autoescape=True),
            )
            .order_by(table.c.log)
            .limit(limit)
        )
        async with transaction(self._engine) as connection:
            return list((await connection.execute(query)).scalars())

    async def session(self, session_id: SessionId) -> SessionRow | None:
        """Return a session's row in the index."""
        return await self._one(classroom_sessions.c.id == session_id)

    async def by_code(self, code: str) -> SessionRow | None:
        """Return the session with a join code."""
        return await self._one(classroom_sessions.c.code == code)

    async def by_external_id(self, external_id: str) -> SessionRow | None:
        """Return the newest session with an application's id."""
        return await self._one(classroom_sessions.c.external_id == external_id)

    async def sessions(self, query: SessionQuery, limit: int) -> list[SessionRow]:
        """Return sessions, the newest first."""
        table = classroom_sessions
        async with transaction(self._engine) as connection:
            found = await connection.execute(
                self._matching(query).order_by(table.c.created_at.desc(), table.c.id.desc()).limit(limit)
            )
            return [record(row) for row in found]

    async def ended(
        self, first: float, last: float, after: tuple[float, str] | None, limit: int
    ) -> list[SessionRow]:
        """Return sessions that ended from `first` until before `last`, in this order, behind an end time and id."""
        table = classroom_sessions
        conditions = [table.c.tenant == self.tenant, table.c.ended_at >= first, table.c.ended_at < last]
        if after is not None:
            ended_at, session_id = after
            same = and_(table.c.ended_at == ended_at, table.c.id > session_id)
            conditions.append(or_(table.c.ended_at > ended_at, same))
        query = select(table).where(*conditions).order_by(table.c.ended_at, table.c.id).limit(limit)
        async with transaction(self._engine) as connection:
            return [record(row) for row in await connection.execute(query)]

    async def usage(self, first: float, last: float) -> list[Usage]:
        """Return the sums of the sessions that ended from `first` until before `last`, by tutor."""
        table = classroom_sessions
        query = (
            select(table.c.owner, func.count(), func.sum(table.c.taught_s), func.sum(table.c.attended_s))
            .where(table.c.tenant == self.tenant, table.c.ended_at >= first, table.c.ended_at < last)
            .group_by(table.c.owner)
            .order_by(table.c.owner)
        )
        async with transaction(self._engine) as connection:
            return [Usage(*row) for row in await connection.execute(query)]

    async def delete_session(self, session_id: SessionId) -> bool:
        """Delete a session with its whole log; False when there is none."""
        log = session_log(session_id)
        async with transaction(self._engine) as connection:
            here = (classroom_sessions.c.tenant == self.tenant) & (classroom_sessions.c.id == session_id)
            found = (await connection.execute(delete(classroom_sessions).where(here))).rowcount > 0
            for table in (classroom_events, classroom_snapshots):
                await connection.execute(delete(table).where(*self._log(table, log)))
            people = classroom_people
            await connection.execute(
                delete(people).where(people.c.tenant == self.tenant, people.c.session == session_id)
            )
        return found

    async def rewrite(
        self,
        log: str,
        events: Mapping[int, bytes],
        *,
        session: SessionId | None = None,
        person: PersonId | None = None,
        other: str = "",
    ) -> None:
        """Replace events of a log by number, for erasure alone, all or none: half of a log could not be replayed.

        The snapshot goes, since it holds what the events held. In the index of `session`, `person` becomes `other`.
        """
        table = classroom_events
        async with transaction(self._engine) as connection:
            for seq, data in events.items():
                here = (*self._log(table, log), table.c.seq == seq)
                await connection.execute(update(table).where(*here).values(data=data.decode()))
            snapshots = self._log(classroom_snapshots, log)
            await connection.execute(delete(classroom_snapshots).where(*snapshots))
            if session is not None and person is not None:
                await self._rename(connection, session, person, other)

    async def _rename(
        self, connection: AsyncConnection, session: SessionId, person: PersonId, other: str
    ) -> None:
        people, table = classroom_people, classroom_sessions
        mine = (people.c.tenant == self.tenant, people.c.session == session, people.c.person == person)
        await connection.execute(update(people).where(*mine).values(person=other))
        owned = (table.c.tenant == self.tenant, table.c.id == session, table.c.owner == person)
        await connection.execute(update(table).where(*owned).values(owner=other))

    async def delete_log(self, log: str) -> None:
        """Delete a log that belongs to no session."""
        async with transaction(self._engine) as connection:
            for table in (classroom_events, classroom_snapshots, classroom_timers):
                await connection.execute(delete(table).where(*self._log(table, log)))

    async def answer(self, caller: str, key: str) -> SavedAnswer | None:
        """Return the answer to the call that `caller` made with an idempotency key."""
        table = classroom_answers
        query = select(table).where(
            table.c.tenant == self.tenant, table.c.caller == caller, table.c.key == key
        )
        async with transaction(self._engine) as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        return SavedAnswer(row.fingerprint, row.status, row.body, json.loads(row.headers))

    async def save_answer(self, caller: str, key: str, answer: SavedAnswer, at: float) -> None:
        """Store the answer to a call that was made with an idempotency key."""
        values = {
            "tenant": self.tenant,
            "caller": caller,
            "key": key,
            "fingerprint": answer.fingerprint,
            "status": answer.status,
            "body": answer.body,
            "headers": json.dumps(dict(answer.headers)),
            "created_at": at,
        }
        async with transaction(self._engine) as connection:
            await connection.execute(insert(classroom_answers).values(values))

    def _log(self, table: Any, log: str) -> tuple[Any, Any]:
        return table.c.tenant == self.tenant, table.c.log == log

    async def _one(self, condition: Any) -> SessionRow | None:
        table = classroom_sessions
        query = select(table).where(table.c.tenant == self.tenant, condition)
        async with transaction(self._engine) as connection:
            row = (await connection.execute(query.order_by(table.c.created_at.desc()).limit(1))).first()
        return None if row is None else record(row)

    def _matching(self, query: SessionQuery) -> Select[Any]:
        table, people = classroom_sessions, classroom_people
        conditions: list[Any] = [table.c.tenant == self.tenant]
        if query.person is not None:
            mine = select(people.c.session).where(
                people.c.tenant == self.tenant, people.c.person == query.person
            )
            conditions.append(table.c.id.in_(mine))
        for column, value in ((table.c.owner, query.owner), (table.c.external_id, query.external_id)):
            if value is not None:
                conditions.append(column == value)
        if query.phases is not None:
            conditions.append(table.c.phase.in_(query.phases))
        if query.starts_from is not None:
            conditions.append(table.c.starts_at >= query.starts_from)
        if query.starts_until is not None:
            conditions.append(table.c.starts_at < query.starts_until)
        if query.before is not None:
            created_at, session_id = query.before
            same_age = and_(table.c.created_at == created_at, table.c.id < session_id)
            conditions.append(or_(table.c.created_at < created_at, same_age))
        return select(table).where(*conditions)

    async def _put_row(self, connection: AsyncConnection, row: SessionRow) -> None:
        values = {name: getattr(row, name) for name in _ROW_FIELDS}
        values["tenant"] = self.tenant
        here = {"here_tenant": self.tenant, "here_id": row.id}
        changed = await connection.execute(_CHANGE_ROW, values | here)
        if not changed.rowcount:
            await connection.execute(insert(classroom_sessions), values)

    async def _put_people(
        self, connection: AsyncConnection, session_id: SessionId, people: Mapping[PersonId, str]
    ) -> None:
        if not people:
            return
        table = classroom_people
        await connection.execute(
            delete(table).where(
                table.c.tenant == self.tenant, table.c.session == session_id, table.c.person.in_(list(people))
            )
        )
        await connection.execute(
            insert(table),
            [
                {"tenant": self.tenant, "session": session_id, "person": person, "role": role}
                for person, role in people.items()
            ],
        )


def session_log(session_id: SessionId) -> str:
    """Return the name of a session's log."""
    return f"session/{session_id}"


def record(row: Row[Any]) -> SessionRow:
    """Return a row of the index as a value."""
    return SessionRow(**row._mapping)  # noqa: SLF001 - SQLAlchemy's documented name for a row as a mapping
