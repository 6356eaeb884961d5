"""The delivery queue: deliveries are stored with their entries, and deleted when delivered or given up."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Select, bindparam, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signaling.store.access import transaction
from signaling.store.records import Delivery, NewDelivery, SettledDelivery
from signaling.store.tables import deliveries, endpoints


class DeliveryQueue:
    """Deliveries of all endpoints; those about one resource wait for each other."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use the store's engine."""
        self._engine = engine

    async def add(self, new: Sequence[NewDelivery], at: float) -> None:
        """Add deliveries without an entry of the event log, due at once. StoreError."""
        async with transaction(self._engine) as connection:
            await add(connection, new, at)

    async def waiting(self) -> list[str]:
        """Return the ids of endpoints that are not paused and have deliveries. StoreError."""
        query = (
            select(endpoints.c.id)
            .where(~endpoints.c.paused, endpoints.c.id.in_(select(deliveries.c.endpoint_id)))
            .order_by(endpoints.c.id)
        )
        async with transaction(self._engine) as connection:
            return list((await connection.execute(query)).scalars())

    async def due(self, endpoint_id: str, now: float, limit: int) -> list[Delivery]:
        """Return the deliveries to an endpoint that are due, at most one per resource, oldest first. StoreError."""
        query = (
            select(deliveries)
            .where(deliveries.c.number.in_(_firsts(endpoint_id)), deliveries.c.next_at <= now)
            .order_by(deliveries.c.number)
            .limit(limit)
        )
        async with transaction(self._engine) as connection:
            return [_record(row) for row in await connection.execute(query)]

    async def next_at(self, endpoint_id: str) -> float | None:
        """Return when the next delivery to an endpoint is due; None if there is none. StoreError."""
        query = select(func.min(deliveries.c.next_at)).where(deliveries.c.number.in_(_firsts(endpoint_id)))
        async with transaction(self._engine) as connection:
            at: float | None = await connection.scalar(query)
            return at

    async def settle(
        self, endpoint_id: str, settled: Sequence[SettledDelivery], at: float, *, pause: bool
    ) -> None:
        """Record attempts in one transaction; `pause` deletes the endpoint's other deliveries. StoreError."""
        done = [each.delivery.number for each in settled if each.delivered or each.retry_at is None]
        again = [
            {"of": each.delivery.number, "tries": each.delivery.attempts + 1, "at": each.retry_at}
            for each in settled
            if not each.delivered and each.retry_at is not None
        ]
        here = endpoints.c.id == endpoint_id
        async with transaction(self._engine) as connection:
            await connection.execute(delete(deliveries).where(deliveries.c.number.in_(done)))
            if again:
                await connection.execute(_TRY_AGAIN, again)
            await connection.execute(update(endpoints).where(here).values(_health(settled, at)))
            if pause:
                await connection.execute(update(endpoints).where(here).values(paused=True))
                await connection.execute(delete(deliveries).where(deliveries.c.endpoint_id == endpoint_id))

    async def queued(self, endpoint_id: str, limit: int) -> list[tuple[Delivery, float]]:
        """Return the oldest deliveries to an endpoint, with the times at which they are due. StoreError."""
        query = (
            select(deliveries)
            .where(deliveries.c.endpoint_id == endpoint_id)
            .order_by(deliveries.c.number)
            .limit(limit)
        )
        async with transaction(self._engine) as connection:
            return [(_record(row), row.next_at) for row in await connection.execute(query)]

    async def hurry(self, endpoint_id: str, event_id: str, now: float) -> bool:
        """Make a stored delivery due at once; False if none of this event is stored. StoreError."""
        change = (
            update(deliveries)
            .where(deliveries.c.endpoint_id == endpoint_id, deliveries.c.event_id == event_id)
            .values(next_at=now)
        )
        async with transaction(self._engine) as connection:
            return (await connection.execute(change)).rowcount > 0

    async def count(self) -> int:
        """Return the number of stored deliveries. StoreError."""
        async with transaction(self._engine) as connection:
            return await connection.scalar(select(func.count()).select_from(deliveries)) or 0


async def add(connection: AsyncConnection, new: Sequence[NewDelivery], at: float) -> None:
    """Add deliveries in the caller's transaction."""
    rows = [
        {
            "endpoint_id": delivery.endpoint_id,
            "resource": delivery.resource.replace("\0", ""),  # PostgreSQL cannot store U+0000
            "event_id": delivery.event_id,
            "event": delivery.event,
            "body": delivery.body,
            "created_at": at,
            "attempts": 0,
            "next_at": at,
        }
        for delivery in new
    ]
    if rows:
        await connection.execute(insert(deliveries), rows)


_TRY_AGAIN = (
    update(deliveries)
    .where(deliveries.c.number == bindparam("of"))
    .values(attempts=bindparam("tries"), next_at=bindparam("at"))
)


def _health(settled: Sequence[SettledDelivery], at: float) -> dict[str, Any]:
    """Return an endpoint's columns after attempts: failures since the last success, and its time."""
    delivered = [number for number, each in enumerate(settled, 1) if each.delivered]
    if delivered:
        return {"failures": len(settled) - delivered[-1], "last_at": at}
    return {"failures": endpoints.c.failures + len(settled)}


def _firsts(endpoint_id: str) -> Select[tuple[int]]:
    return (
        select(func.min(deliveries.c.number))
        .where(deliveries.c.endpoint_id == endpoint_id)
        .group_by(deliveries.c.resource)
    )


def _record(row: Row[Any]) -> Delivery:
    content = NewDelivery(row.endpoint_id, row.resource, row.event_id, row.event, row.body)
    return Delivery(row.number, content, row.created_at, row.attempts)
