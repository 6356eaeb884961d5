"""Second factors of accounts: a shared secret, encrypted, and digests of recovery codes."""

import json
from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from classroom.ids import PersonId
from signaling.ids import TenantId
from signaling.store.access import transaction
from signaling.store.people.tables import account_factors
from signaling.store.vault import Vault


@dataclass(frozen=True, slots=True)
class Factor:
    """The second factor of an account."""

    secret: str = field(repr=False)
    "Shared with the person's authenticator, in base32."
    confirmed_at: float | None
    "None until the person has entered a first code; until then, sign-in does not need one."
    last_step: int
    "The time step of the last accepted code; codes of earlier steps are refused."
    recovery: frozenset[str]
    "Digests of the recovery codes that are left."


class TenantFactors:
    """The second factors of one tenant. All methods raise StoreError when the database fails."""

    def __init__(self, engine: AsyncEngine, vault: Vault, tenant: TenantId) -> None:
        """Use the store's engine and vault."""
        self._engine = engine
        self._vault = vault
        self.tenant = tenant

    async def get(self, person: PersonId) -> Factor | None:
        """Return the factor of a person. VaultError when the master key has changed."""
        query = select(account_factors).where(*self._own(person))
        async with transaction(self._engine) as connection:
            row = (await connection.execute(query)).first()
        if row is None:
            return None
        secret = self._vault.open(row.sealed, self._purpose(person))
        return Factor(secret, row.confirmed_at, row.last_step, frozenset(json.loads(row.recovery)))

    async def begin(self, person: PersonId, secret: str) -> None:
        """Store a secret that is not confirmed yet, in place of an earlier one."""
        values = {
            "tenant": self.tenant,
            "person": person,
            "sealed": self._vault.seal(secret, self._purpose(person)),
            "confirmed_at": None,
            "last_step": 0,
            "recovery": "[]",
        }
        async with transaction(self._engine) as connection:
            await connection.execute(delete(account_factors).where(*self._own(person)))
            await connection.execute(insert(account_factors).values(values))

    async def confirm(self, person: PersonId, at: float, step: int, recovery: Collection[str]) -> bool:
        """Confirm a secret by the code of a time step; False if it was confirmed already."""
        values = {"confirmed_at": at, "last_step": step, "recovery": json.dumps(sorted(recovery))}
        return await self._change(person, account_factors.c.confirmed_at.is_(None), **values)

    async def use_step(self, person: PersonId, step: int) -> bool:
        """Record that the code of a time step was used; False if it, or a later one, had been."""
        return await self._change(person, account_factors.c.last_step < step, last_step=step)

    async def use_recovery(self, person: PersonId, digest: str) -> bool:
        """Use a recovery code up; False if there is none with this digest."""
        async with transaction(self._engine) as connection:
            query = select(account_factors.c.recovery).where(*self._own(person)).with_for_update()
            left = set(json.loads(await connection.scalar(query) or "[]"))
            if digest not in left:
                return False
            values = {"recovery": json.dumps(sorted(left - {digest}))}
            await connection.execute(update(account_factors).where(*self._own(person)).values(values))
            return True

    async def replace_recovery(self, person: PersonId, recovery: Collection[str]) -> bool:
        """Replace all recovery codes; False without a factor."""
        return await self._change(person, recovery=json.dumps(sorted(recovery)))

    async def delete(self, person: PersonId) -> bool:
        """Delete the factor; False if there is none."""
        async with transaction(self._engine) as connection:
            gone = await connection.execute(delete(account_factors).where(*self._own(person)))
            return gone.rowcount > 0

    async def _change(self, person: PersonId, *conditions: ColumnElement[bool], **values: object) -> bool:
        statement = update(account_factors).where(*self._own(person), *conditions).values(values)
        async with transaction(self._engine) as connection:
            return (await connection.execute(statement)).rowcount > 0

    def _own(self, person: PersonId) -> tuple[ColumnElement[bool], ...]:
        return account_factors.c.tenant == self.tenant, account_factors.c.person == person

    def _purpose(self, person: PersonId) -> str:
        return f"the second factor of {person} in {self.tenant}"


class Factors:
    """The second factors of all tenants."""

    def __init__(self, engine: AsyncEngine, vault: Vault) -> None:
        """Use the store's engine and vault."""
        self._engine = engine
        self._vault = vault

    def of(self, tenant: TenantId) -> TenantFactors:
        """Return the factors of a tenant."""
        return TenantFactors(self._engine, self._vault, tenant)
