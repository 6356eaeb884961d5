"""Records of recordings; the media are stored elsewhere."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sfu.values import RecordingId
from signaling.ids import RoomName
from signaling.store.access import transaction
from signaling.store.records import NewDelivery, Recording, RecordingFilter, WebhookEndpoint
from signaling.store.tables import recordings
from signaling.store.webhooks import delivery_queue
from signaling.store.webhooks.webhook_endpoints import listening

MakeDeliveries = Callable[[Sequence[WebhookEndpoint]], Sequence[NewDelivery]]
"Returns the deliveries of a change to these endpoints; has no side effects, and does not fail."


def no_deliveries(_endpoints: Sequence[WebhookEndpoint]) -> Sequence[NewDelivery]:
    """Return no deliveries: no endpoint is notified."""
    return ()


class Recordings:
    """The table of recordings."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use the store's engine."""
        self._engine = engine

    async def add(
        self, recording: Recording, make_deliveries: MakeDeliveries = no_deliveries, now: float = 0.0
    ) -> None:
        """Add a recording and the deliveries about it, which are due from `now` on. StoreError: nothing is added."""
        async with transaction(self._engine) as connection:
            await connection.execute(insert(recordings).values(_values(recording)))
            await _deliver(connection, make_deliveries, now)

    async def replace(
        self,
        recording: Recording,
        make_deliveries: MakeDeliveries = no_deliveries,
        now: float = 0.0,
        *,
        unless_status: str | None = None,
    ) -> bool:
        """Replace a recording's row and add the deliveries about the change. StoreError: nothing is changed.

        Returns False, and changes nothing, if there is no row with this id, or if its status is `unless_status`.
        """
        change = update(recordings).where(recordings.c.id == recording.id).values(_values(recording))
        if unless_status is not None:
            change = change.where(recordings.c.status != unless_status)
        async with transaction(self._engine) as connection:
            if not (await connection.execute(change)).rowcount:
                return False
            await _deliver(connection, make_deliveries, now)
            return True

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

    async def ended(self, without_status: str, limit: int) -> list[Recording]:
        """Return recordings that have ended, the one that ended first before the others. StoreError."""
        over = (recordings.c.ended_at.is_not(None), recordings.c.status != without_status)
        query = select(recordings).where(*over).order_by(recordings.c.ended_at).limit(limit)
        async with transaction(self._engine) as connection:
            return [_record(row) for row in await connection.execute(query)]

    async def page(self, wanted: RecordingFilter, limit: int, *, oldest: bool = False) -> list[Recording]:
        """Return the latest recordings that meet the conditions, or the oldest, always newest first. StoreError.

        Those between two rows: `wanted.older_than` and `wanted.newer_than`.
        """
        at, number = recordings.c.started_at, recordings.c.id
        order = (at.asc(), number.asc()) if oldest else (at.desc(), number.desc())
        query = select(recordings).where(*_conditions(wanted)).order_by(*order).limit(limit)
        async with transaction(self._engine) as connection:
            found = [_record(row) for row in await connection.execute(query)]
        return found[::-1] if oldest else found

    async def count(self, wanted: RecordingFilter) -> int:
        """Return the number of recordings that meet the conditions. StoreError."""
        query = select(func.count()).select_from(recordings).where(*_conditions(wanted))
        async with transaction(self._engine) as connection:
            return await connection.scalar(query) or 0

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


async def _deliver(connection: AsyncConnection, make_deliveries: MakeDeliveries, now: float) -> None:
    if make_deliveries is no_deliveries:
        return
    endpoints = await listening(connection)
    if endpoints:
        await delivery_queue.add(connection, make_deliveries(endpoints), now)


def _conditions(wanted: RecordingFilter) -> list[ColumnElement[bool]]:
    details, place = recordings.c.details, tuple_(recordings.c.started_at, recordings.c.id)
    found: list[ColumnElement[bool]] = [
        details["tenant"].as_string() == wanted.tenant,
        details[wanted.made_by].as_string().is_not(None),
        recordings.c.status != wanted.without_status,
    ]
    if wanted.room is not None:
        found.append(recordings.c.room == wanted.room)
    if wanted.older_than is not None:
        found.append(place < (wanted.older_than.started_at, wanted.older_than.id))
    if wanted.newer_than is not None:
        found.append(place > (wanted.newer_than.started_at, wanted.newer_than.id))
    return found


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
