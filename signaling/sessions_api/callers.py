"""The callers of the API: an application by its API key, or a person by a token.

A token is a JSON Web Token signed by an application with its API key (HS256, `iss` is the key), by this server for a
person who joined, or by a configured issuer (`signaling.access.issuers`). It names the person (`sub`,
`name`), the role (`role`) and, where one key serves several schools, the tenant (`tenant`). It may name a student's
grade (`grade`).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final, TypeGuard

from aiohttp import hdrs, web

from classroom import checks, limits
from classroom.base import SERVER
from classroom.errors import Malformed
from classroom.ids import PersonId, SessionId
from classroom.roles import Role
from classroom.state import Classroom
from signaling import forwarded
from signaling.access import signed
from signaling.access.issuers import Issuer, IssuerError
from signaling.access.sign_ins import PREFIX, SignIns
from signaling.access.tokens import LEEWAY_S
from signaling.http.api import ApiError, bearer, key_of
from signaling.ids import TenantId
from signaling.store.tenants import tenant_name, tenant_parts
from signaling.teaching.names import derived_id, new_id

MAX_KEY_CHARS: Final = 255

# Where one API key serves several schools, a call with the key itself names the school here.
TENANT_HEADER: Final = "Lectern-Tenant"
IDEMPOTENCY_HEADER: Final = "Idempotency-Key"
# Browsers cannot set headers on EventSource and WebSocket (RFC 6750, section 2.3).
# The sign-in of this server's own pages.
COOKIE: Final = "lectern_session"
TOKEN_PARAMETER: Final = "access_token"  # noqa: S105 - the name of the parameter, not a token


class TenantRole(StrEnum):
    """A person's role in a school."""

    ADMIN = "admin"
    TUTOR = "tutor"
    ASSISTANT = "assistant"
    STUDENT = "student"


# The role in a session of a person who joins it without being on its roster.
_AS_STRANGER: Final = {
    TenantRole.ADMIN: Role.CO_TUTOR,
    TenantRole.TUTOR: Role.OBSERVER,
    TenantRole.ASSISTANT: Role.STUDENT,
    TenantRole.STUDENT: Role.STUDENT,
}

ALL_SESSIONS: Final = SessionId("")
"In place of a session, of a token that is for all."


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller of a call, and its request headers."""

    tenant: TenantId
    "Whose rows there are for this call."
    key: str
    "The API key that the tenant belongs to."
    origin: str
    "Origin of this server as the caller sees it, without a trailing slash."
    person: PersonId = SERVER
    "Id of the person; empty for the application."
    name: str = ""
    role: TenantRole = TenantRole.ADMIN
    grade: str = ""
    "Class or year at school, as the token says."
    session: SessionId = ALL_SESSIONS
    "The only session that the token is for; empty: all."
    idempotency_key: str = ""
    if_match: str = ""
    by_sign_in: bool = False
    "Signed in at this server, not by a token of another issuer."
    _made: list[int] = field(default_factory=list, compare=False)

    @property
    def is_application(self) -> bool:
        """Whether the API key itself calls."""
        return self.person == SERVER

    @property
    def manages(self) -> bool:
        """Whether everything in the tenant may be seen and changed."""
        return self.role is TenantRole.ADMIN and not self.session

    @property
    def session_role(self) -> Role:
        """The role in a session without an invitation."""
        return _AS_STRANGER[self.role]

    def author(self, room: Classroom) -> PersonId:
        """Return the author of a command: an administrator who is not in the session acts for the server."""
        if self.manages and self.person not in room.people.everyone:
            return SERVER
        return self.person

    def viewer(self, room: Classroom) -> PersonId:
        """Return the person whose view of the session is shown: for administrators, its owner."""
        if self.manages and self.person not in room.people.everyone:
            return room.session.owner
        return self.person

    def new_id(self, prefix: str) -> str:
        """Return a new id; a repeated call gets the same one, so that nothing is created twice."""
        if not self.idempotency_key:
            return new_id(prefix)
        self._made.append(len(self._made))
        return derived_id(prefix, self.tenant, self.person, self.idempotency_key, str(len(self._made)))


class Callers:
    """Authenticates requests."""

    def __init__(
        self,
        keys: Mapping[str, str],
        public_url: str,
        wall_clock: Callable[[], float],
        issuer: Issuer | None = None,
        sign_ins: SignIns | None = None,
    ) -> None:
        """`keys` maps API keys to secrets, and is asked each time."""
        self._sign_ins = sign_ins
        self._keys = keys
        self._public_url = public_url.rstrip("/")
        self._wall_clock = wall_clock
        self._issuer = issuer

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self._wall_clock()

    def origin(self, request: web.Request) -> str:
        """Return this server's origin as the caller sees it, without a trailing slash."""
        return self._public_url or forwarded.origin(request.headers, request.scheme, request.host)

    async def authenticate(self, request: web.Request) -> Caller:
        """Return the caller of a request. ApiError."""
        given = bearer(request) or request.query.get(TOKEN_PARAMETER, "")
        if not given and COOKIE in request.cookies:
            # The browser adds it to requests of other sites' pages, too.
            require_own_origin(request)
            given = request.cookies[COOKIE]
        if not given:
            raise _unknown("no_credentials", "The call needs an Authorization header with a bearer token.")
        if given.startswith(PREFIX):
            return await self._signed_in(request, given)
        key = key_of(given, self._keys)
        if key is not None:
            school = request.headers.get(TENANT_HEADER, "")
            return self._caller(request, key, {"tenant": school} if school else {}, None)
        claims, key = await self._claims(given)
        return self._caller(request, key, claims, given)

    async def _signed_in(self, request: web.Request, token: str) -> Caller:
        found = None if self._sign_ins is None else await self._sign_ins.person(token)
        key, school = ("", "") if found is None else tenant_parts(found.tenant)
        if found is None or key not in self._keys:
            raise _unknown("expired_token", "The sign-in has ended.")
        claims = {"sub": found.person, "name": found.name, "role": found.role, "tenant": school}
        return replace(self._caller(request, key, claims, token), by_sign_in=True)

    async def _claims(self, token: str) -> tuple[Mapping[str, Any], str]:
        """Return what a token says, and to which API key its tenant belongs."""
        try:
            issuer = signed.peek(token).get("iss")
            if isinstance(issuer, str) and issuer in self._keys:
                claims: Mapping[str, Any] = signed.verify(token, self._keys[issuer])
                key = issuer
            elif self._issuer is not None and issuer == self._issuer.name:
                claims, key = await self._issuer.verify(token), self._issuer.key
            else:
                raise _unknown("bad_token", "The token was signed by nobody that this server knows.")
        except (signed.SignatureError, IssuerError) as error:
            raise _unknown("bad_token", f"The token cannot be used: {error}.") from error
        self._check_times(claims)
        return claims, key

    def _check_times(self, claims: Mapping[str, Any]) -> None:
        now = self._wall_clock()
        expires, valid_from = claims.get("exp"), claims.get("nbf", 0)
        if not _is_time(expires) or not _is_time(valid_from):
            raise _unknown("bad_token", "The token needs a time at which it expires.")
        if now > expires + LEEWAY_S or now < valid_from - LEEWAY_S:
            raise _unknown("expired_token", "The token has expired, or is not valid yet.")

    def _caller(self, request: web.Request, key: str, claims: Mapping[str, Any], token: str | None) -> Caller:
        idempotency_key = request.headers.get(IDEMPOTENCY_HEADER, "") if request.method == "POST" else ""
        if len(idempotency_key) > MAX_KEY_CHARS or not idempotency_key.isprintable():
            raise ApiError(
                400, "bad_idempotency_key", "An idempotency key has up to 255 printable characters."
            )
        try:
            school = _text(claims, "tenant")
            tenant = tenant_name(key, checks.identifier(school, "tenant") if school else "")
            person = SERVER if token is None else checks.identifier(PersonId(_text(claims, "sub")), "person")
            name = checks.line(_text(claims, "name") or person, limits.NAME_LENGTH, "name", empty=True)
        except Malformed as error:
            raise _unknown("bad_token", f"The token cannot be used: {error.message}") from error
        return Caller(
            tenant=tenant,
            key=key,
            origin=self.origin(request),
            person=person,
            name=name,
            role=TenantRole.ADMIN if token is None else _role(claims),
            grade=_grade(claims),
            session=SessionId(_text(claims, "session")),
            idempotency_key=idempotency_key,
            if_match=request.headers.get(hdrs.IF_MATCH, ""),
        )


def require_own_origin(request: web.Request) -> None:
    """Refuse a request caused by a page of another site (cross-site request forgery). ApiError.

    Browsers state the origin of a request (W3C Fetch Metadata, section 2.1); older ones send Origin, except with GET,
    whose answers other sites cannot read. Programs send neither.
    """
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get(hdrs.ORIGIN)
    if site is not None:
        own = site in {"same-origin", "none"}
    else:
        own = origin is None or origin.partition("://")[2] == request.headers.get(hdrs.HOST)
    if not own:
        raise ApiError(403, "other_origin", "Another site's page made this request.")


def _role(claims: Mapping[str, Any]) -> TenantRole:
    # LiveKit's tokens are signed with the same keys; they name no role, and so open nothing here.
    try:
        return TenantRole(_text(claims, "role"))
    except ValueError:
        names = ", ".join(TenantRole)
        raise _unknown("bad_token", f"The token has to name a role: {names}.") from None


def _grade(claims: Mapping[str, Any]) -> str:
    # Another issuer may mean something else by this claim; nobody is refused for it.
    value = claims.get("grade", "")
    try:
        text = str(value) if type(value) is int else value
        return checks.line(text, limits.GRADE_LENGTH, "grade", empty=True) if isinstance(text, str) else ""
    except Malformed:
        return ""


def _text(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name, "")
    if not isinstance(value, str):
        raise _unknown("bad_token", f"The token's {name} is not a text.")
    return value


def _is_time(value: object) -> TypeGuard[float]:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 2**53


def _unknown(code: str, text: str) -> ApiError:
    return ApiError(401, code, text, {hdrs.WWW_AUTHENTICATE: "Bearer"})
