"""The event log, and the sessions that follow from it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signaling.store.access import transaction
from signaling.store.records import LogEntry
from signaling.store.tables import events, sessions, stays


class Events:
    """The log: entries are added and read, never changed."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use the store's engine."""
        self._engine = engine

    async def append(self, entries: Sequence[LogEntry]) -> None:
        """Add entries, and what they mean for sessions and stays, in one transaction. StoreError: none is added."""
        async with transaction(self._engine) as connection:
            for entry in entries:
                await connection.execute(
                    insert(events).values(
                        session_sid=entry.session_sid,
                        seq=entry.seq,
                        kind=entry.kind,
                        data=dict(entry.data),
                        at=entry.at,
                    )
                )
                project = _PROJECTIONS.get(entry.kind)
                if project is not None:
                    await project(connection, entry)

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


async def _begin_session(connection: AsyncConnection, entry: LogEntry) -> None:
    await connection.execute(
        insert(sessions).values(sid=entry.session_sid, room=entry.data["room"], started_at=entry.at)
    )


async def _end_session(connection: AsyncConnection, entry: LogEntry) -> None:
    here = sessions.c.sid == entry.session_sid
    await connection.execute(update(sessions).where(here).values(ended_at=entry.at))


async def _begin_stay(connection: AsyncConnection, entry: LogEntry) -> None:
    # Who comes back by a move has been here under the same id: the stay goes on.
    here = (stays.c.session_sid == entry.session_sid) & (stays.c.participant_sid == entry.data["sid"])
    resumed = await connection.execute(update(stays).where(here).values(left_at=None))
    if not resumed.rowcount:
        await connection.execute(
            insert(stays).values(
                session_sid=entry.session_sid,
                participant_sid=entry.data["sid"],
                identity=entry.data["identity"],
                name=entry.data["name"],
                joined_at=entry.at,
            )
        )


async def _end_stay(connection: AsyncConnection, entry: LogEntry) -> None:
    here = (stays.c.session_sid == entry.session_sid) & (stays.c.participant_sid == entry.data["sid"])
    await connection.execute(update(stays).where(here).values(left_at=entry.at))


_PROJECTIONS: Mapping[str, Callable[[AsyncConnection, LogEntry], Awaitable[None]]] = {
    "room_started": _begin_session,
    "room_finished": _end_session,
    "participant_joined": _begin_stay,
    "participant_moved_in": _begin_stay,
    "participant_moved_out": _end_stay,
    "participant_left": _end_stay,
}
