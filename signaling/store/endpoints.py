"""Where webhooks go."""

from dataclasses import asdict
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signaling.store.access import transaction
from signaling.store.records import Endpoint
from signaling.store.tables import deliveries, endpoints


class Endpoints:
    """The receivers of webhooks, of all APIs."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use the store's engine."""
        self._engine = engine

    async def put(self, endpoint: Endpoint) -> None:
        """Add an endpoint, or replace the one of the same id; what waits for it stays. StoreError."""
        values = {**asdict(endpoint), "settings": dict(endpoint.settings)}
        here = endpoints.c.id == endpoint.id
        async with transaction(self._engine) as connection:
            changed = await connection.execute(update(endpoints).where(here).values(values))
            if not changed.rowcount:
                await connection.execute(insert(endpoints).values(values))

    async def get(self, endpoint_id: str) -> Endpoint | None:
        """Return an endpoint. StoreError."""
        async with transaction(self._engine) as connection:
            query = select(endpoints).where(endpoints.c.id == endpoint_id)
            row = (await connection.execute(query)).first()
        return None if row is None else record(row)

    async def list(self, kind: str) -> list[Endpoint]:
        """Return an API's endpoints, oldest first. StoreError."""
        query = (
            select(endpoints).where(endpoints.c.kind == kind).order_by(endpoints.c.created_at, endpoints.c.id)
        )
        async with transaction(self._engine) as connection:
            return [record(row) for row in await connection.execute(query)]

    async def delete(self, endpoint_id: str) -> bool:
        """Delete an endpoint with all that waits for it; False when there is none. StoreError."""
        async with transaction(self._engine) as connection:
            await connection.execute(delete(deliveries).where(deliveries.c.endpoint_id == endpoint_id))
            gone = await connection.execute(delete(endpoints).where(endpoints.c.id == endpoint_id))
            return gone.rowcount > 0


async def listening(connection: AsyncConnection) -> list[Endpoint]:
    """Return the endpoints that are not paused."""
    return [record(row) for row in await connection.execute(select(endpoints).where(~endpoints.c.paused))]


def record(row: Row[Any]) -> Endpoint:
    """Return the endpoint of a row."""
    return Endpoint(**row._mapping)  # noqa: SLF001 - its public name, which SQLAlchemy spells so to keep columns apart
