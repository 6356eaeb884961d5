"""Webhook endpoints."""

import json
import logging
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signaling.errors import VaultError
from signaling.store.access import transaction
from signaling.store.records import WebhookEndpoint
from signaling.store.tables import deliveries, endpoints
from signaling.store.vault import Vault

log = logging.getLogger(__name__)


class WebhookEndpoints:
    """The webhook endpoints of all APIs."""

    def __init__(self, engine: AsyncEngine, vault: Vault) -> None:
        """Use the store's engine."""
        self._engine = engine
        self._vault = vault

    async def put(self, endpoint: WebhookEndpoint) -> None:
        """Add an endpoint, or replace the one with the same id; its deliveries stay. StoreError."""
        values = {
            "id": endpoint.id,
            "kind": endpoint.kind,
            "url": endpoint.url,
            "room": endpoint.room,
            "settings": dict(endpoint.settings),
            "sealed": self._seal(endpoint),
            "created_at": endpoint.created_at,
            "failures": endpoint.failures,
            "paused": endpoint.paused,
            "last_at": endpoint.last_at,
        }
        here = endpoints.c.id == endpoint.id
        async with transaction(self._engine) as connection:
            changed = await connection.execute(update(endpoints).where(here).values(values))
            if not changed.rowcount:
                await connection.execute(insert(endpoints).values(values))

    async def get(self, endpoint_id: str) -> WebhookEndpoint | None:
        """Return an endpoint, None if there is none. StoreError."""
        async with transaction(self._engine) as connection:
            query = select(endpoints).where(endpoints.c.id == endpoint_id)
            row = (await connection.execute(query)).first()
        return None if row is None else _record(row, self._open(row))

    async def list(self, kind: str) -> list[WebhookEndpoint]:
        """Return an API's endpoints, oldest first. StoreError."""
        query = (
            select(endpoints).where(endpoints.c.kind == kind).order_by(endpoints.c.created_at, endpoints.c.id)
        )
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        return [_record(row, self._open(row)) for row in rows]

    async def delete(self, endpoint_id: str) -> bool:
        """Delete an endpoint with its deliveries; False if there is none. StoreError."""
        async with transaction(self._engine) as connection:
            await connection.execute(delete(deliveries).where(deliveries.c.endpoint_id == endpoint_id))
            gone = await connection.execute(delete(endpoints).where(endpoints.c.id == endpoint_id))
            return gone.rowcount > 0

    def _seal(self, endpoint: WebhookEndpoint) -> str | None:
        if not endpoint.secrets:
            return None
        return self._vault.seal(json.dumps(dict(endpoint.secrets)), _purpose(endpoint.id))

    def _open(self, row: Row[Any]) -> Mapping[str, str]:
        if row.sealed is None:
            return {}
        try:
            secrets: dict[str, str] = json.loads(self._vault.open(row.sealed, _purpose(row.id)))
        except VaultError as error:
            # Its webhooks cannot be signed, so each delivery fails; the endpoint can still be changed or deleted.
            log.warning("%s", error)
            return {}
        return secrets


async def listening(connection: AsyncConnection) -> list[WebhookEndpoint]:
    """Return the endpoints that are not paused, without their secrets."""
    query = select(endpoints).where(~endpoints.c.paused)
    return [_record(row, {}) for row in await connection.execute(query)]


def _record(row: Row[Any], secrets: Mapping[str, str]) -> WebhookEndpoint:
    return WebhookEndpoint(
        row.id,
        row.kind,
        row.url,
        row.settings,
        row.created_at,
        room=row.room,
        failures=row.failures,
        paused=row.paused,
        last_at=row.last_at,
        secrets=secrets,
    )


def _purpose(endpoint_id: str) -> str:
    return f"what signs the webhooks of endpoint {endpoint_id}"
