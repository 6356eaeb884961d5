"""The event log, and the meetings and attendance derived from it."""

import logging
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Row, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signaling.ids import RoomSid
from signaling.store.access import transaction
from signaling.store.meetings import projection
from signaling.store.meetings.entries import Unknown, decode, encode
from signaling.store.records import LogEntry, NewDelivery, WebhookEndpoint
from signaling.store.tables import events
from signaling.store.webhooks import delivery_queue
from signaling.store.webhooks.webhook_endpoints import listening

log = logging.getLogger(__name__)

MakeDeliveries = Callable[[LogEntry, Sequence[WebhookEndpoint]], Sequence[NewDelivery]]
"Returns the deliveries of an entry to these endpoints; has no side effects, and does not fail."


def no_deliveries(_entry: LogEntry, _endpoints: Sequence[WebhookEndpoint]) -> Sequence[NewDelivery]:
    """Return no deliveries: no endpoint is notified."""
    return ()


class Events:
    """The log: entries are added and read, never changed."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use the store's engine."""
        self._engine = engine

    async def append(
        self, entries: Sequence[LogEntry], make_deliveries: MakeDeliveries = no_deliveries, now: float = 0.0
    ) -> None:
        """Add entries, their effect on meetings and attendance, and their deliveries. StoreError: nothing is added.

        The deliveries are due from `now` on.

        Entries already in the log are skipped, since a commit whose confirmation was lost is repeated.
        """
        rows = [_values(entry) for entry in entries]
        async with transaction(self._engine) as connection:
            last = await _last_numbers(connection, {entry.session_sid for entry in entries})
            new = [entry for entry in entries if entry.seq > last.get(entry.session_sid, 0)]
            if not new:
                return
            await connection.execute(
                insert(events), [row for row in rows if row["seq"] > last.get(row["session_sid"], 0)]
            )
            await projection.write(connection, projection.fold(new))
            endpoints = await listening(connection)
            if endpoints:
                deliveries = [delivery for entry in new for delivery in make_deliveries(entry, endpoints)]
                await delivery_queue.add(connection, deliveries, now)

    async def read(self, session_sid: RoomSid, after: int = 0, limit: int = 1000) -> list[LogEntry]:
        """Return a meeting's entries in order, after the sequence number `after`. StoreError."""
        query = (
            select(events)
            .where(events.c.session_sid == session_sid, events.c.seq > after)
            .order_by(events.c.seq)
            .limit(limit)
        )
        async with transaction(self._engine) as connection:
            return [_record(row) for row in await connection.execute(query)]


def _values(entry: LogEntry) -> dict[str, Any]:
    kind, data = encode(entry.entry)
    return {"session_sid": entry.session_sid, "seq": entry.seq, "kind": kind, "data": data, "at": entry.at}


def _record(row: Row[Any]) -> LogEntry:
    entry = decode(row.kind, row.data)
    if isinstance(entry, Unknown):
        log.warning("entry %d of %s (%s) cannot be read: %s", row.seq, row.session_sid, row.kind, entry.why)
    return LogEntry(row.session_sid, row.seq, entry, row.at)


async def _last_numbers(connection: AsyncConnection, session_sids: set[str]) -> dict[str, int]:
    query = (
        select(events.c.session_sid, func.max(events.c.seq))
        .where(events.c.session_sid.in_(session_sids))
        .group_by(events.c.session_sid)
    )
    return {row[0]: row[1] for row in await connection.execute(query)}
