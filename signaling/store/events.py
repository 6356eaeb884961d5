"""The event log, and the sessions that follow from it."""

from collections.abc import Callable, Sequence

from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signaling.store import outbox, projection
from signaling.store.access import transaction
from signaling.store.endpoints import listening
from signaling.store.records import Draft, Endpoint, LogEntry
from signaling.store.tables import events

Announce = Callable[[LogEntry, Sequence[Endpoint]], Sequence[Draft]]
"Returns what endpoints are to be told of an entry; has no effects, and does not fail."


def announce_nothing(_entry: LogEntry, _endpoints: Sequence[Endpoint]) -> Sequence[Draft]:
    """Return that nobody is to be told."""
    return ()


class Events:
    """The log: entries are added and read, never changed."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use the store's engine."""
        self._engine = engine

    async def append(
        self, entries: Sequence[LogEntry], announce: Announce = announce_nothing, now: float = 0.0
    ) -> None:
        """Add entries, and what follows from them for sessions, stays and the outbox. StoreError: nothing is added.

        What is announced is due from `now` on.

        Those that are there already are skipped: a commit whose confirmation was lost is asked for again.
        """
        async with transaction(self._engine) as connection:
            last = await _last_numbers(connection, {entry.session_sid for entry in entries})
            new = [entry for entry in entries if entry.seq > last.get(entry.session_sid, 0)]
            if not new:
                return
            rows = [
                {"session_sid": e.session_sid, "seq": e.seq, "kind": e.kind, "data": dict(e.data), "at": e.at}
                for e in new
            ]
            await connection.execute(insert(events), rows)
            await projection.write(connection, projection.fold(new))
            told = await listening(connection)
            if told:
                drafts = [draft for entry in new for draft in announce(entry, told)]
                await outbox.add(connection, drafts, now)

    async def read(self, session_sid: str, after: int = 0, limit: int = 1000) -> list[LogEntry]:
        """Return a session's entries in order, from behind the sequence number `after`. StoreError."""
        query = (
            select(events)
            .where(events.c.session_sid == session_sid, events.c.seq > after)
            .order_by(events.c.seq)
            .limit(limit)
        )
        async with transaction(self._engine) as connection:
            return [
                LogEntry(row.session_sid, row.seq, row.kind, row.data, row.at)
                for row in await connection.execute(query)
            ]


async def _last_numbers(connection: AsyncConnection, session_sids: set[str]) -> dict[str, int]:
    query = (
        select(events.c.session_sid, func.max(events.c.seq))
        .where(events.c.session_sid.in_(session_sids))
        .group_by(events.c.session_sid)
    )
    return {row[0]: row[1] for row in await connection.execute(query)}
