"""Sign-in at an OpenID provider, for this server's own pages."""

import re
from typing import Annotated, Any, Final

import msgspec
from aiohttp import hdrs, web

from classroom import checks, limits
from classroom.errors import Malformed
from classroom.ids import PersonId
from signaling.access import signed
from signaling.access.keyring import Keyring
from signaling.access.oidc import OidcClient, OidcError, Pending
from signaling.access.sign_ins import SignIns
from signaling.http.api import Answer, ApiError, Route, add_header
from signaling.ids import TenantId
from signaling.limits import Limits
from signaling.sessions_api.callers import Callers, TenantRole
from signaling.sessions_api.people.sign_in_calls import cookie, session_cookie
from signaling.sessions_api.people.sign_in_limits import limit_by_address
from signaling.store.people.accounts import TokenKind
from signaling.store.people.audit import AuditEntry, AuditLog
from signaling.store.tenants import tenant_name

_PATH: Final = "/api/v1/oidc"

# Remembers a sign-in that has begun, in the browser that began it.
COOKIE: Final = "lectern_oidc"
PENDING_S: Final = 600.0

# A path of this server: `//host` and `/\\host` lead to others.
_RETURN: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*")


class OidcQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Where to go afterwards."""

    return_to: Annotated[str, msgspec.Meta(max_length=1000)] = "/"
    "A path of this server."


class CallbackQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider says (RFC 6749, section 4.1.2; RFC 9207)."""

    state: str = ""
    code: str | None = None
    error: str | None = None
    iss: str | None = None


class Redirect(msgspec.Struct, frozen=True):
    """The browser continues at another URL."""

    location: str


class _Remembered(msgspec.Struct, frozen=True):
    pending: Pending
    return_to: str
    exp: float


class OidcCalls:
    """The handlers."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a sign-in
        self,
        client: OidcClient,
        audit: AuditLog,
        sign_ins: SignIns,
        callers: Callers,
        keyring: Keyring,
        limits_: Limits,
    ) -> None:
        """People belong to the tenant of the client's API key."""
        self._client = client
        self._audit = audit
        self._sign_ins = sign_ins
        self._callers = callers
        self._keyring = keyring
        self._limits = limits_

    def routes(self) -> list[Route]:
        """Return the routes."""
        failed = {502: "the provider failed"}
        refused = {400: "the sign-in was not begun in this browser", 401: "the provider refused", **failed}
        return [
            Route("GET", "/oidc/sign-in", self.begin, failed, status=303, open=True),
            Route("GET", "/oidc/callback", self.finish, refused, status=303, open=True),
        ]

    async def begin(self, query: OidcQuery, address: str, request: web.Request) -> Answer[Redirect]:
        """Send the browser to the OpenID provider."""
        limit_by_address(self._limits, address)
        if _RETURN.fullmatch(query.return_to) is None:
            raise ApiError(400, "invalid", "return_to has to be a path of this server.")
        origin = self._callers.origin(request)
        try:
            location, pending = await self._client.begin(_redirect_uri(origin))
        except OidcError as error:
            raise _refusal(error) from error
        remembered = _Remembered(pending, query.return_to, self._callers.now + PENDING_S)
        token = signed.sign(msgspec.to_builtins(remembered), self._keyring.signer().secret)
        add_header("Set-Cookie", _pending_cookie(token, origin))
        return Answer(Redirect(location), headers={hdrs.LOCATION: location})

    async def finish(self, query: CallbackQuery, address: str, request: web.Request) -> Answer[Redirect]:
        """Sign in the person identified by the provider, and redirect the browser to the page of the sign-in."""
        limit_by_address(self._limits, address)
        origin = self._callers.origin(request)
        remembered = self._remembered(request)
        given = {name: value for name, value in msgspec.to_builtins(query).items() if value is not None}
        try:
            claims = await self._client.finish(
                given, remembered.pending, _redirect_uri(origin), self._callers.now
            )
        except OidcError as error:
            raise _refusal(error) from error
        tenant, person, name, role = self._person(claims)
        token, _expires_at = await self._sign_ins.make(tenant, TokenKind.SIGN_IN, person, name, role)
        await self._audit.add(tenant, AuditEntry(self._callers.now, "sign_in.accepted", person, person))
        # The cookie of the attempt stays until it expires: an answer has one Set-Cookie, and a code holds once.
        add_header("Set-Cookie", session_cookie(token, origin))
        return Answer(Redirect(remembered.return_to), headers={hdrs.LOCATION: origin + remembered.return_to})

    def _remembered(self, request: web.Request) -> _Remembered:
        try:
            payload = signed.verify(request.cookies.get(COOKIE, ""), self._keyring.signer().secret)
            found = msgspec.convert(payload, _Remembered)
        except (signed.SignatureError, msgspec.ValidationError) as error:
            raise ApiError(400, "bad_state", "The sign-in was not begun in this browser.") from error
        if found.exp < self._callers.now:
            raise ApiError(400, "bad_state", "The sign-in took too long; begin again.")
        return found

    def _person(self, claims: Any) -> tuple[TenantId, PersonId, str, str]:
        """Return tenant, id, name and role of a person."""
        try:
            person = checks.identifier(PersonId(str(claims.get("sub", ""))), "person")
            given = claims.get("name") or claims.get("preferred_username") or person
            name = checks.line(str(given)[: limits.NAME_LENGTH], limits.NAME_LENGTH, "name")
            school = claims.get("tenant", "")
            school = checks.identifier(school, "tenant") if isinstance(school, str) and school else ""
        except Malformed as error:
            raise ApiError(401, "bad_id_token", f"The ID token cannot be used: {error.message}") from error
        if claims["role"] not in set(TenantRole):
            raise ApiError(403, "no_role", "The provider gives this person no role here.")
        return tenant_name(self._client.key, school), person, name, claims["role"]


def _redirect_uri(origin: str) -> str:
    return f"{origin}{_PATH}/callback"


def _pending_cookie(token: str, origin: str) -> str:
    return cookie(COOKIE, token, origin, _PATH, int(PENDING_S))


def _refusal(error: OidcError) -> ApiError:
    status = {"provider_failed": 502, "bad_state": 400}.get(error.code, 401)
    return ApiError(status, error.code, str(error))
