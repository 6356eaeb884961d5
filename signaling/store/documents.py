"""Small JSON documents by namespace and key."""

from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from signaling.store.access import transaction
from signaling.store.tables import documents


class Documents:
    """Values too small for a table of their own: session data, a domain's configuration, revoked ids."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use the store's engine."""
        self._engine = engine

    async def put(self, namespace: str, key: str, value: object) -> None:
        """Store a JSON value under a key, replacing an older one. StoreError."""
        here = (documents.c.namespace == namespace) & (documents.c.key == key)
        async with transaction(self._engine) as connection:
            changed = await connection.execute(update(documents).where(here).values(value=value))
            if not changed.rowcount:
                await connection.execute(insert(documents).values(namespace=namespace, key=key, value=value))

    async def get(self, namespace: str, key: str) -> Any:
        """Return the value of a key, None if there is none. StoreError."""
        here = (documents.c.namespace == namespace) & (documents.c.key == key)
        async with transaction(self._engine) as connection:
            return (await connection.execute(select(documents.c.value).where(here))).scalar()

    async def all(self, namespace: str) -> dict[str, Any]:
        """Return the values of a namespace by key. StoreError."""
        query = select(documents.c.key, documents.c.value).where(documents.c.namespace == namespace)
        async with transaction(self._engine) as connection:
            return {row.key: row.value for row in await connection.execute(query)}

    async def delete(self, namespace: str, key: str) -> bool:
        """Delete a key; False if there is none. StoreError."""
        here = (documents.c.namespace == namespace) & (documents.c.key == key)
        async with transaction(self._engine) as connection:
            return (await connection.execute(delete(documents).where(here))).rowcount > 0
