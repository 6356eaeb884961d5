"""Sessions of rooms and who was in them, as the event log has them."""

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from signaling.store.access import transaction
from signaling.store.records import Session, Stay
from signaling.store.tables import sessions, stays


class Sessions:
    """What `Events.append` derives; read here."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use the store's engine."""
        self._engine = engine

    async def of_room(self, room: str, limit: int = 100) -> list[Session]:
        """Return the latest sessions of a room, newest first. StoreError."""
        query = (
            select(sessions)
            .where(sessions.c.room == room)
            .order_by(sessions.c.started_at.desc())
            .limit(limit)
        )
        async with transaction(self._engine) as connection:
            return [
                Session(row.sid, row.room, row.started_at, row.ended_at)
                for row in await connection.execute(query)
            ]

    async def stays(self, session_sid: str) -> list[Stay]:
        """Return who was in a session, in the order of joining. StoreError."""
        query = select(stays).where(stays.c.session_sid == session_sid).order_by(stays.c.joined_at)
        async with transaction(self._engine) as connection:
            return [
                Stay(row.session_sid, row.participant_sid, row.identity, row.name, row.joined_at, row.left_at)
                for row in await connection.execute(query)
            ]

    async def close_abandoned(self, at: float) -> None:
        """End what a killed server left open. StoreError."""
        async with transaction(self._engine) as connection:
            for table in (stays, sessions):
                column = table.c.left_at if table is stays else table.c.ended_at
                await connection.execute(update(table).where(column.is_(None)).values({column: at}))
