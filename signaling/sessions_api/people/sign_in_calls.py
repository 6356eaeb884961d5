"""Sign-in with a built-in account, and the password that it needs."""

from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from aiohttp import web

from classroom.base import SERVER
from classroom.errors import Code, NotAllowed
from classroom.ids import PersonId
from signaling.access.keyring import Keyring
from signaling.access.passwords import PasswordError, Passwords
from signaling.access.sign_ins import PREFIX, SignIns
from signaling.http.api import ApiError, Route, add_header, bearer
from signaling.ids import TenantId
from signaling.limits import Limits
from signaling.sessions_api.callers import COOKIE, Caller, Callers, TenantRole, require_own_origin
from signaling.sessions_api.people.factor_calls import SecondFactor
from signaling.sessions_api.people.sign_in_limits import (
    Email,
    Password,
    School,
    limit_by_account,
    limit_by_address,
)
from signaling.store.people.accounts import Account, Accounts, TokenKind
from signaling.store.people.audit import AuditEntry, AuditLog
from signaling.store.tenants import tenant_name


class SignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Address and password."""

    email: Email
    password: Password
    tenant: School = ""
    "The school, where this server has several."
    code: Annotated[str, msgspec.Meta(max_length=40)] = ""
    "A code of the account's authenticator, or a recovery code, if the account has a second factor."
    cookie: bool = False
    "Set a cookie for this server's own pages, and answer without the token."


class AccountSignIn(msgspec.Struct, frozen=True):
    """A person who signed in."""

    person: PersonId
    name: str
    role: TenantRole
    expires_at: float
    access_token: str = ""
    "A bearer token of this API; empty if a cookie was requested."


class NewPassword(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A password, and the token of the invitation or reset that allows to set it."""

    token: Annotated[str, msgspec.Meta(max_length=200)]
    password: Password


class PasswordChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The present password and the next one."""

    old: Password
    new: Password


class PasswordSet(msgspec.Struct, frozen=True):
    """The password is set, and earlier sign-ins have ended."""

    person: PersonId
    email: str


class SignedOut(msgspec.Struct, frozen=True):
    """The sign-in has ended."""

    signed_out: bool


class SignInCalls:
    """The handlers."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a sign-in
        self,
        accounts: Accounts,
        audit: AuditLog,
        sign_ins: SignIns,
        callers: Callers,
        keyring: Keyring,
        limits_: Limits,
        passwords: Passwords,
        second: SecondFactor,
    ) -> None:
        """Accounts belong to the tenants of the first API key."""
        self._second = second
        self._accounts = accounts
        self._audit = audit
        self._sign_ins = sign_ins
        self._callers = callers
        self._keyring = keyring
        self._limits = limits_
        self._passwords = passwords

    def routes(self) -> list[Route]:
        """Return the routes."""
        wrong = {401: "address, password or code is wrong, or the code is missing"}
        ended = {400: "the password is not taken", 404: "the token has expired or was used"}
        return [
            Route("POST", "/sign-in", self.sign_in, wrong, open=True),
            Route("POST", "/sign-out", self.sign_out),
            Route("POST", "/passwords", self.set_password, ended, open=True),
            Route("PUT", "/me/password", self.change_password, {400: "the password is not taken", **wrong}),
        ]

    async def sign_in(self, body: SignIn, address: str, request: web.Request) -> AccountSignIn:
        """Sign in with a built-in account.

        Unknown addresses and wrong passwords get the same answer after the same time.
        """
        require_own_origin(request)
        email = body.email.strip().lower()
        tenant = self._tenant(body.tenant)
        limit_by_address(self._limits, address)
        limit_by_account(self._limits, tenant, email)
        account = await self._accounts.of(tenant).by_email(email)
        right = await self._passwords.verify(
            None if account is None else account.password_hash, body.password
        )
        if not right or account is None or account.disabled_at is not None:
            # Also for an address without an account: the time of the answer must not reveal whether there is one.
            known = SERVER if account is None else account.id
            await self._audit.add(tenant, AuditEntry(self._callers.now, "sign_in.refused", known, known))
            raise ApiError(401, "wrong_credentials", "Address or password is wrong.")
        await self._second.check(account, body.code)
        token, expires_at = await self._sign_ins.make(tenant, TokenKind.SIGN_IN, account.id)
        await self._note(account, "sign_in.accepted")
        if body.cookie:
            add_header("Set-Cookie", session_cookie(token, self._callers.origin(request)))
        return AccountSignIn(
            account.id, account.name, TenantRole(account.role), expires_at, "" if body.cookie else token
        )

    async def sign_out(self, caller: Caller, request: web.Request) -> SignedOut:
        """End the caller's sign-in; tokens of other kinds expire."""
        token = bearer(request) or request.cookies.get(COOKIE, "")
        add_header("Set-Cookie", session_cookie("", self._callers.origin(request)))
        if not token.startswith(PREFIX):
            return SignedOut(signed_out=False)
        await self._sign_ins.end(token)
        await self._audit.add(caller.tenant, AuditEntry(self._callers.now, "sign_in.ended", caller.person))
        return SignedOut(signed_out=True)

    async def set_password(self, body: NewPassword, address: str) -> PasswordSet:
        """Accept an invitation, or finish a reset, by setting a password."""
        limit_by_address(self._limits, address)
        token = await self._sign_ins.for_password(body.token)
        if token is None:
            raise _no_token()
        hashed = await self._hash(body.password)
        accounts = self._accounts.of(token.tenant)
        account = await accounts.get(token.person)
        if account is None or not await accounts.set_password(token.digest, hashed):
            raise _no_token()
        await self._note(account, "password.set")
        return PasswordSet(account.id, account.email)

    async def change_password(self, caller: Caller, body: PasswordChange) -> PasswordSet:
        """Change your own password. All of the account's sign-ins end, this one included."""
        accounts = self._accounts.of(caller.tenant)
        account = None if caller.is_application else await accounts.get(caller.person)
        if account is None or caller.session or not caller.by_sign_in:
            raise NotAllowed(Code.NOT_ALLOWED, "Only somebody who signed in here has a password.")
        limit_by_account(self._limits, caller.tenant, account.email)
        if not await self._passwords.verify(account.password_hash, body.old):
            raise ApiError(401, "wrong_credentials", "The present password is wrong.")
        await accounts.change(account.id, password_hash=await self._hash(body.new))
        await accounts.end_tokens(account.id)
        await self._note(account, "password.set")
        return PasswordSet(account.id, account.email)

    async def _hash(self, password: str) -> str:
        try:
            return await self._passwords.hash(password)
        except PasswordError as error:
            raise ApiError(400, "weak_password", str(error)) from error

    async def _note(self, account: Account, action: str) -> None:
        entry = AuditEntry(self._callers.now, action, account.id, account.id)
        await self._audit.add(account.tenant, entry)

    def _tenant(self, school: str) -> TenantId:
        return tenant_name(self._keyring.signer().key, school)


def session_cookie(token: str, origin: str) -> str:
    """Return the header that sets the cookie of a sign-in, or without a token removes it.

    Scripts cannot read it, and other sites' requests do not carry it (RFC 6265bis, section 5.6.7).
    """
    return cookie(COOKIE, token, origin, max_age_s=None if token else 0)


def cookie(name: str, value: str, origin: str, below: str = "", max_age_s: int | None = None) -> str:
    """Return the header of a cookie for the paths of this server from `below` on; None: until the browser is closed."""
    secure = "; Secure" if origin.startswith("https://") else ""
    lasting = "" if max_age_s is None else f"; Max-Age={max_age_s}"
    # Where this server shares its host with others, under its own path.
    path = f"{urlsplit(origin).path}{below}" or "/"
    return f"{name}={value}; Path={path}; HttpOnly; SameSite=Lax{secure}{lasting}"


def _no_token() -> ApiError:
    return ApiError(404, "token_not_found", "The invitation or reset has expired or was used.")
