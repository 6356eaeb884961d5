"""Accounts of one tenant, and the tokens with which people sign in, accept invitations and reset passwords."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from classroom.ids import PersonId
from signaling.ids import TenantId
from signaling.store.access import transaction
from signaling.store.people.tables import account_factors, account_tokens, accounts, mails
from signaling.store.tenants import is_of_key


class TokenKind(StrEnum):
    """What a token is for."""

    SIGN_IN = "sign_in"
    PASSWORD = "password"  # noqa: S105 - sets a password: an invitation, or a reset
    "Sets a password: an invitation, or a reset."


@dataclass(frozen=True, slots=True)
class Account:
    """A person with a password."""

    tenant: TenantId
    id: PersonId
    email: str
    "In lower case."
    name: str
    role: str
    password_hash: str | None
    "None until the invitation is accepted."
    created_at: float
    disabled_at: float | None = None
    time_zone: str = ""
    "IANA name; empty: unknown."
    reminders: bool = True
    "Whether the person wants mail about lessons that begin soon."


@dataclass(frozen=True, slots=True)
class AccountToken:
    """A token, without its text."""

    digest: str
    tenant: TenantId
    kind: str
    person: PersonId
    created_at: float
    expires_at: float
    name: str = ""
    "Name of a person without an account here, who signed in at an OpenID provider."
    role: str = ""


class TenantAccounts:
    """The accounts of one tenant. All methods raise StoreError when the database fails."""

    def __init__(self, engine: AsyncEngine, tenant: TenantId) -> None:
        """Use the store's engine."""
        self._engine = engine
        self.tenant = tenant

    async def add(self, account: Account) -> None:
        """Add an account. UnstorableError when its id or address is taken."""
        async with transaction(self._engine) as connection:
            await connection.execute(insert(accounts).values(_values(account)))

    async def get(self, account_id: PersonId) -> Account | None:
        """Return the account with an id."""
        return await self._one(accounts.c.id == account_id)

    async def by_email(self, email: str) -> Account | None:
        """Return the account with an address in lower case."""
        return await self._one(accounts.c.email == email)

    async def list(self, after: PersonId, limit: int) -> Sequence[Account]:
        """Return accounts by id, from the one after `after` on."""
        query = select(accounts).where(accounts.c.tenant == self.tenant, accounts.c.id > after)
        async with transaction(self._engine) as connection:
            rows = await connection.execute(query.order_by(accounts.c.id).limit(limit))
            return [Account(**row._mapping) for row in rows]  # noqa: SLF001 - SQLAlchemy's documented name

    async def count(self) -> int:
        """Return how many accounts there are."""
        query = select(func.count()).select_from(accounts).where(accounts.c.tenant == self.tenant)
        async with transaction(self._engine) as connection:
            return int(await connection.scalar(query) or 0)

    async def change(self, account_id: PersonId, **values: Any) -> bool:
        """Change columns of an account; False if there is none."""
        async with transaction(self._engine) as connection:
            changed = await connection.execute(
                update(accounts).where(*self._own(accounts, accounts.c.id == account_id)).values(values)
            )
            return changed.rowcount > 0

    async def delete(self, account_id: PersonId) -> bool:
        """Delete an account with all that belongs to it; False if there is none."""
        async with transaction(self._engine) as connection:
            for table in (account_tokens, account_factors, mails):
                await connection.execute(delete(table).where(*self._own(table, table.c.person == account_id)))
            gone = await connection.execute(
                delete(accounts).where(*self._own(accounts, accounts.c.id == account_id))
            )
            return gone.rowcount > 0

    async def add_token(self, token: AccountToken) -> None:
        """Add a token of this tenant."""
        values = {name: getattr(token, name) for name in AccountToken.__slots__} | {"tenant": self.tenant}
        async with transaction(self._engine) as connection:
            await connection.execute(insert(account_tokens).values(values))

    async def set_password(self, digest: str, password_hash: str) -> bool:
        """Use a token once to set a password, which ends all tokens of the account; False if it is no longer valid."""
        async with transaction(self._engine) as connection:
            own = self._own(
                account_tokens,
                account_tokens.c.digest == digest,
                account_tokens.c.kind == TokenKind.PASSWORD,
            )
            person = await connection.scalar(select(account_tokens.c.person).where(*own))
            if person is None:
                return False
            mine = self._own(account_tokens, account_tokens.c.person == person)
            await connection.execute(delete(account_tokens).where(*mine))
            changed = await connection.execute(
                update(accounts)
                .where(*self._own(accounts, accounts.c.id == person))
                .values(password_hash=password_hash)
            )
            return changed.rowcount > 0

    async def end_tokens(self, person: PersonId) -> None:
        """End all tokens of a person."""
        async with transaction(self._engine) as connection:
            own = self._own(account_tokens, account_tokens.c.person == person)
            await connection.execute(delete(account_tokens).where(*own))

    async def _one(self, condition: Any) -> Account | None:
        async with transaction(self._engine) as connection:
            row = (await connection.execute(select(accounts).where(*self._own(accounts, condition)))).first()
        return None if row is None else Account(**row._mapping)  # noqa: SLF001 - see above

    def _own(self, table: Any, *conditions: Any) -> tuple[Any, ...]:
        return (table.c.tenant == self.tenant, *conditions)


class Accounts:
    """What belongs to no tenant: which tenant a token is of."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use the store's engine."""
        self._engine = engine

    def of(self, tenant: TenantId) -> TenantAccounts:
        """Return the accounts of a tenant."""
        return TenantAccounts(self._engine, tenant)

    async def tenants(self, key: str) -> list[TenantId]:
        """Return the tenants of an API key that have accounts. StoreError."""
        column = accounts.c.tenant
        query = select(column).where(is_of_key(column, key)).distinct()
        async with transaction(self._engine) as connection:
            return list((await connection.execute(query)).scalars())

    async def token(self, digest: str, kind: TokenKind, now: float) -> AccountToken | None:
        """Return a token that has not expired. StoreError."""
        query = select(account_tokens).where(
            account_tokens.c.digest == digest,
            account_tokens.c.kind == kind,
            account_tokens.c.expires_at > now,
        )
        async with transaction(self._engine) as connection:
            row = (await connection.execute(query)).first()
        return None if row is None else AccountToken(**row._mapping)  # noqa: SLF001 - see above

    async def end_token(self, digest: str) -> None:
        """End a token. StoreError."""
        async with transaction(self._engine) as connection:
            await connection.execute(delete(account_tokens).where(account_tokens.c.digest == digest))

    async def forget_expired(self, now: float) -> int:
        """Delete tokens that have expired; return how many. StoreError."""
        async with transaction(self._engine) as connection:
            gone = await connection.execute(delete(account_tokens).where(account_tokens.c.expires_at <= now))
            return gone.rowcount


def email_address(text: str) -> str:
    """Return an e-mail address as accounts have it. ValueError if it is none."""
    address = text.strip().lower()
    local, at, domain = address.rpartition("@")
    if not (at and local and domain) or not address.isprintable() or " " in address or len(address) > 254:
        raise ValueError(f"{address} is no e-mail address")
    return address


def _values(account: Account) -> dict[str, Any]:
    return {name: getattr(account, name) for name in Account.__slots__}
