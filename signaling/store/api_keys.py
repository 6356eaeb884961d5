"""API keys and their encrypted secrets: signatures (HS256) need the secret itself, so a hash would not do."""

from collections.abc import Sequence

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from signaling.store.access import transaction
from signaling.store.records import ApiKey
from signaling.store.tables import api_keys
from signaling.store.vault import Vault


class ApiKeys:
    """Keys created by the command line; a revoked key stays, so that its name is not used again."""

    def __init__(self, engine: AsyncEngine, vault: Vault) -> None:
        """Use the store's engine."""
        self._engine = engine
        self._vault = vault

    async def add(self, key: str, secret: str, note: str, at: float) -> bool:
        """Add a key; False if its name is taken. StoreError."""
        row = {
            "key": key,
            "sealed_secret": self._vault.seal(secret, _purpose(key)),
            "note": note,
            "created_at": at,
        }
        async with transaction(self._engine) as connection:
            taken = await connection.execute(select(api_keys.c.key).where(api_keys.c.key == key))
            if taken.first() is not None:
                return False
            await connection.execute(insert(api_keys).values(row))
            return True

    async def list(self) -> Sequence[ApiKey]:
        """Return all keys, oldest first. StoreError."""
        columns = (api_keys.c.key, api_keys.c.note, api_keys.c.created_at, api_keys.c.revoked_at)
        query = select(*columns).order_by(api_keys.c.created_at, api_keys.c.key)
        async with transaction(self._engine) as connection:
            return [ApiKey(*row) for row in await connection.execute(query)]

    async def in_force(self) -> dict[str, str]:
        """Return the keys that are not revoked, with their secrets, oldest first. StoreError, VaultError."""
        query = (
            select(api_keys.c.key, api_keys.c.sealed_secret)
            .where(api_keys.c.revoked_at.is_(None))
            .order_by(api_keys.c.created_at, api_keys.c.key)
        )
        async with transaction(self._engine) as connection:
            rows = (await connection.execute(query)).all()
        return {key: self._vault.open(sealed, _purpose(key)) for key, sealed in rows}

    async def revoke(self, key: str, at: float) -> bool:
        """Revoke a key; False if no such key is in force. StoreError."""
        change = (
            update(api_keys)
            .where(api_keys.c.key == key, api_keys.c.revoked_at.is_(None))
            .values(revoked_at=at)
        )
        async with transaction(self._engine) as connection:
            return (await connection.execute(change)).rowcount > 0


def _purpose(key: str) -> str:
    return f"the secret of API key {key}"
