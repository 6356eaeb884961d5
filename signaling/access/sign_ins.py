"""Random tokens of people who signed in, were invited or reset their password. The database has their digests only."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from classroom.ids import PersonId
from signaling.ids import TenantId
from signaling.store.people.accounts import Accounts, AccountToken, TokenKind

# Tells them from JSON Web Tokens and the secrets of API keys, and lets scanners for leaked secrets find them.
PREFIX: Final = "lst_"

# A school day and its evening.
SIGN_IN_TTL_S: Final = 14 * 3600.0
# Over a weekend and its Monday.
PASSWORD_TTL_S: Final = 4 * 86_400.0


@dataclass(frozen=True, slots=True)
class SignedInPerson:
    """The person of a sign-in, with the name and role that the database has now."""

    tenant: TenantId
    person: PersonId
    name: str
    role: str


class SignIns:
    """Makes and resolves tokens."""

    def __init__(self, accounts: Accounts, wall_clock: Callable[[], float]) -> None:
        """`wall_clock` is seconds since 1970."""
        self._accounts = accounts
        self._wall_clock = wall_clock

    async def make(
        self, tenant: TenantId, kind: TokenKind, person: PersonId, name: str = "", role: str = ""
    ) -> tuple[str, float]:
        """Return a new token and when it expires. StoreError."""
        token, now = PREFIX + secrets.token_urlsafe(32), self._wall_clock()
        ttl_s = SIGN_IN_TTL_S if kind is TokenKind.SIGN_IN else PASSWORD_TTL_S
        row = AccountToken(digest(token), tenant, kind, person, now, now + ttl_s, name, role)
        await self._accounts.of(tenant).add_token(row)
        return token, now + ttl_s

    async def person(self, token: str) -> SignedInPerson | None:
        """Return the person of a sign-in; None if the sign-in has ended or the account is disabled. StoreError."""
        row = await self._accounts.token(digest(token), TokenKind.SIGN_IN, self._wall_clock())
        if row is None:
            return None
        if row.role:
            return SignedInPerson(row.tenant, row.person, row.name, row.role)
        account = await self._accounts.of(row.tenant).get(row.person)
        if account is None or account.disabled_at is not None:
            return None
        return SignedInPerson(row.tenant, account.id, account.name, account.role)

    async def for_password(self, token: str) -> AccountToken | None:
        """Return an invitation or reset that still holds. StoreError."""
        return await self._accounts.token(digest(token), TokenKind.PASSWORD, self._wall_clock())

    async def end(self, token: str) -> None:
        """End a sign-in. StoreError."""
        await self._accounts.end_token(digest(token))


def digest(token: str) -> str:
    """Return what the database has of a token. It is random, so that a plain hash cannot be searched."""
    return hashlib.sha256(token.encode(errors="surrogateescape")).hexdigest()
