"""Records of recordings; the media are stored elsewhere."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from sfu.values import RecordingId
from signaling.ids import RoomName
from signaling.store.access import transaction
from signaling.store.records import Recording
from signaling.store.tables import recordings


class Recordings:
    """The table of recordings."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use the store's engine."""
        self._engine = engine

    async def add(self, recording: Recording) -> None:
        """Add a recording. StoreError."""
        async with transaction(self._engine) as connection:
            await connection.execute(insert(recordings).values(_values(recording)))

    async def replace(self, recording: Recording) -> bool:
        """Replace a recording's row; False if there is none with this id. StoreError."""
        change = update(recordings).where(recordings.c.id == recording.id).values(_values(recording))
        async with transaction(self._engine) as connection:
            return (await connection.execute(change)).rowcount > 0

    async def get(self, recording_id: RecordingId) -> Recording | None:
        """Return a recording, None if there is none. StoreError."""
        query = select(recordings).where(recordings.c.id == recording_id)
        async with transaction(self._engine) as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else _record(row)

    async def find(self, room: str = "", limit: int = 100) -> list[Recording]:
        """Return the latest recordings of a room, or of all, newest first. StoreError."""
        query = (
            select(recordings).order_by(recordings.c.started_at.desc(), recordings.c.id.desc()).limit(limit)
        )
        if room:
            query = query.where(recordings.c.room == room)
        async with transaction(self._engine) as connection:
            return [_record(row) for row in await connection.execute(query)]

    async def of_rooms(self, rooms: Sequence[RoomName]) -> list[Recording]:
        """Return the recordings of some rooms, in no order. StoreError."""
        query = select(recordings).where(recordings.c.room.in_(rooms))
        async with transaction(self._engine) as connection:
            return [_record(row) for row in await connection.execute(query)]

    async def delete(self, recording_id: RecordingId) -> bool:
        """Delete a recording's row; False if there is none with this id. StoreError."""
        gone = delete(recordings).where(recordings.c.id == recording_id)
        async with transaction(self._engine) as connection:
            return (await connection.execute(gone)).rowcount > 0


def _values(recording: Recording) -> Mapping[str, Any]:
    return {
        "id": recording.id,
        "room": recording.room,
        "session_sid": recording.session_sid,
        "status": recording.status,
        "started_at": recording.started_at,
        "ended_at": recording.ended_at,
        "details": dict(recording.details),
    }


def _record(row: Row[Any]) -> Recording:
    return Recording(row.id, row.room, row.session_sid, row.status, row.started_at, row.ended_at, row.details)
