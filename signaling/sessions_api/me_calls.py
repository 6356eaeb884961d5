"""The caller's identity, and sign-in in development mode."""

from collections.abc import Callable
from typing import Annotated, Final

import msgspec
from aiohttp import web

from classroom import checks, limits
from classroom.ids import PersonId, SessionId
from signaling.access import tokens
from signaling.access.keyring import Keyring
from signaling.http.api import ApiError, Route
from signaling.http.invitations import CHECK_TOKEN_TTL_S, check_claims
from signaling.ids import TenantId
from signaling.sessions_api import credentials
from signaling.sessions_api.callers import Caller, Callers, TenantRole
from signaling.store.tenants import tenant_name
from signaling.teaching.names import new_id

SIGN_IN_TTL_S: Final = 12 * 3600.0


class Me(msgspec.Struct, frozen=True):
    """The caller."""

    person: PersonId
    "Empty for an application."
    name: str
    role: TenantRole
    tenant: TenantId
    session: SessionId
    "The only session that the token is for; empty: all."


class ConnectionCheck(msgspec.Struct, frozen=True):
    """Access to a room in which a page tests its connection."""

    token: str
    "A LiveKit access token for a hidden room of its own."


class DevSignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The identity to sign in with."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.NAME_LENGTH)]
    role: TenantRole = TenantRole.STUDENT
    person: Annotated[str, msgspec.Meta(max_length=limits.IDENTIFIER_LENGTH)] | None = None
    "Id; a new one when absent."


class SignedIn(msgspec.Struct, frozen=True):
    """A person with a token."""

    person: PersonId
    access_token: str
    expires_at: float


class MeCalls:
    """The handlers."""

    def __init__(self, callers: Callers, keyring: Keyring, wall_clock: Callable[[], float]) -> None:
        """`wall_clock` is seconds since 1970."""
        self._callers = callers
        self._keyring = keyring
        self._wall_clock = wall_clock

    def routes(self, own_page: Callable[[web.Request], bool] | None) -> list[Route]:
        """Return the routes; in development mode `own_page` says whether this server's own page asks."""
        always = [
            Route("GET", "/me", self.me),
            Route("POST", "/me/connection-check", self.connection_check),
        ]
        if own_page is None:
            return always

        async def sign_in(body: DevSignIn, request: web.Request) -> SignedIn:
            """Give the page of development mode a token for anybody."""
            if not own_page(request):
                raise ApiError(
                    403, "not_allowed", "Sign-in of development mode is for this server's own page."
                )
            return self.sign_in(body, request)

        return [*always, Route("POST", "/dev/sign-in", sign_in, {403: "another site asks"}, open=True)]

    async def me(self, caller: Caller) -> Me:
        """Return the caller's identity."""
        return Me(caller.person, caller.name, caller.role, caller.tenant, caller.session)

    async def connection_check(self, caller: Caller) -> ConnectionCheck:
        """Return a token for a room in which to test the connection before a lesson."""
        signer = self._keyring.successor(caller.key)
        return ConnectionCheck(tokens.mint(check_claims(), signer, self._wall_clock(), CHECK_TOKEN_TTL_S))

    def sign_in(self, body: DevSignIn, request: web.Request) -> SignedIn:
        """Return a token for a person. `Malformed`."""
        person = (
            PersonId(new_id("p_"))
            if body.person is None
            else checks.identifier(PersonId(body.person), "person")
        )
        name = checks.line(body.name, limits.NAME_LENGTH, "name")
        signer, now = self._keyring.signer(), self._wall_clock()
        nobody = Caller(
            tenant=tenant_name(signer.key, ""), key=signer.key, origin=self._callers.origin(request)
        )
        token = credentials.api_token(signer, nobody, person, name, body.role, now=now, ttl_s=SIGN_IN_TTL_S)
        return SignedIn(person, token, float(int(now + SIGN_IN_TTL_S)))
