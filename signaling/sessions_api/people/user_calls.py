"""Built-in accounts of a tenant, for its administrators."""

from typing import Annotated, Final

import msgspec

from classroom import checks, limits
from classroom.errors import Code, Conflict, NotAllowed
from classroom.ids import PersonId
from signaling.access.sign_ins import SignIns
from signaling.errors import UnstorableError
from signaling.http.api import ApiError, Route
from signaling.sessions_api import paging
from signaling.sessions_api.callers import Caller, Callers, TenantRole
from signaling.sessions_api.path_ids import PersonPath
from signaling.sessions_api.people.mailing import Mailing
from signaling.sessions_api.people.sign_in_limits import Email
from signaling.store.people.accounts import Account, Accounts, TokenKind, email_address
from signaling.store.people.audit import AuditEntry, AuditLog
from signaling.store.people.mails import MailKind

# Of one tenant: a large university.
MAX_ACCOUNTS: Final = 50_000

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=limits.NAME_LENGTH)]


class NewUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody to be invited."""

    email: Email
    name: Name
    role: TenantRole = TenantRole.STUDENT


class UserChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Changes of an account; absent fields stay unchanged."""

    name: Name | None = None
    role: TenantRole | None = None
    disabled: bool | None = None
    "A disabled person cannot sign in, and existing sign-ins end."


class User(msgspec.Struct, frozen=True):
    """An account."""

    id: str
    email: str
    name: str
    role: TenantRole
    active: bool
    "Has a password and is not disabled."
    disabled: bool
    created_at: float


class InvitedUser(msgspec.Struct, frozen=True):
    """An account, and the token with which its person sets a password."""

    user: User
    password_token: str
    "For `POST /passwords`, once; shown here only. The caller passes it on, unless the server sends it."
    expires_at: float
    mailed: bool
    "Whether this server sends another such token to the address."


class UserPage(msgspec.Struct, frozen=True):
    """Accounts by id."""

    data: list[User]
    next_cursor: str | None


class UsersQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which accounts."""

    limit: paging.Limit = 50
    cursor: Annotated[PersonId, msgspec.Meta(max_length=limits.IDENTIFIER_LENGTH)] = PersonId("")


class DeletedUser(msgspec.Struct, frozen=True):
    """A deleted account."""

    id: str
    deleted: bool


class UserCalls:
    """The handlers."""

    def __init__(
        self,
        accounts: Accounts,
        audit: AuditLog,
        sign_ins: SignIns,
        callers: Callers,
        mailing: Mailing,
    ) -> None:
        """Use the store."""
        self._mailing = mailing
        self._accounts = accounts
        self._audit = audit
        self._sign_ins = sign_ins
        self._callers = callers

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent = {404: "there is no such user"}
        last = {**absent, 409: "it is the caller's own account"}
        return [
            Route("POST", "/users", self.invite, {409: "the address has an account"}, status=201),
            Route("GET", "/users", self.list),
            Route("GET", "/users/{user}", self.get, absent),
            Route("PATCH", "/users/{user}", self.change, last),
            Route("DELETE", "/users/{user}", self.delete, last),
            Route("POST", "/users/{user}/reset-password", self.reset, absent),
        ]

    async def invite(self, caller: Caller, body: NewUser) -> InvitedUser:
        """Add an account. Its person sets a password with the token of the answer."""
        require_manager(caller)
        accounts = self._accounts.of(caller.tenant)
        if await accounts.count() >= MAX_ACCOUNTS:
            raise Conflict(Code.TOO_MANY, f"There may be {MAX_ACCOUNTS} users at most.")
        try:
            address = email_address(body.email)
        except ValueError as error:
            raise ApiError(400, "bad_email", "The address is no e-mail address.") from error
        name = checks.line(body.name, limits.NAME_LENGTH, "name")
        account = Account(
            caller.tenant, PersonId(caller.new_id("u_")), address, name, body.role, None, self._callers.now
        )
        try:
            await accounts.add(account)
        except UnstorableError as error:
            raise Conflict(Code.ALREADY_EXISTS, "There is a user with this address.") from error
        await self._note(caller, "user.invited", account.id, role=account.role)
        return await self._invited(account, MailKind.INVITATION)

    async def list(self, caller: Caller, query: UsersQuery) -> UserPage:
        """List the accounts of the tenant."""
        require_manager(caller)
        rows = await self._accounts.of(caller.tenant).list(query.cursor, query.limit + 1)
        page = [_answer(row) for row in rows[: query.limit]]
        return UserPage(page, page[-1].id if len(rows) > query.limit else None)

    async def get(self, caller: Caller, user: PersonPath) -> User:
        """Return an account."""
        return _answer(await self._find(caller, user))

    async def change(self, caller: Caller, user: PersonPath, body: UserChange) -> User:
        """Change name or role of an account, or disable it."""
        account = await self._find(caller, user)
        loses = body.disabled or body.role not in {None, TenantRole.ADMIN}
        if loses:
            self._refuse_own(caller, account)
        values: dict[str, object] = {}
        if body.name is not None:
            values["name"] = checks.line(body.name, limits.NAME_LENGTH, "name")
        if body.role is not None:
            values["role"] = body.role.value
        if body.disabled is not None:
            values["disabled_at"] = self._callers.now if body.disabled else None
        accounts = self._accounts.of(caller.tenant)
        if values:
            await accounts.change(user, **values)
        if body.disabled:
            await accounts.end_tokens(user)
        if body.role is not None and body.role != account.role:
            await self._note(caller, "user.role_changed", user, before=account.role, after=body.role.value)
        if body.disabled is not None:
            await self._note(caller, "user.disabled" if body.disabled else "user.enabled", user)
        return await self.get(caller, user)

    async def delete(self, caller: Caller, user: PersonPath) -> DeletedUser:
        """Delete an account; the person's data in sessions stays (see `/privacy`)."""
        account = await self._find(caller, user)
        self._refuse_own(caller, account)
        await self._accounts.of(caller.tenant).delete(user)
        await self._note(caller, "user.deleted", user)
        return DeletedUser(user, deleted=True)

    async def reset(self, caller: Caller, user: PersonPath) -> InvitedUser:
        """Let the person of an account set another password; the present one holds until then."""
        account = await self._find(caller, user)
        if self._mailing.is_on:
            self._mailing.check(account.tenant, account.email)
        await self._note(caller, "user.password_reset", user)
        again = MailKind.RESET if account.password_hash else MailKind.INVITATION
        return await self._invited(account, again)

    async def _invited(self, account: Account, kind: MailKind) -> InvitedUser:
        token, expires_at = await self._sign_ins.make(account.tenant, TokenKind.PASSWORD, account.id)
        await self._mailing.send(account.tenant, kind, account.id)
        return InvitedUser(_answer(account), token, expires_at, self._mailing.is_on)

    async def _find(self, caller: Caller, user: PersonId) -> Account:
        require_manager(caller)
        found = await self._accounts.of(caller.tenant).get(user)
        if found is None:
            raise ApiError(404, "user_not_found", "There is no such user.")
        return found

    @staticmethod
    def _refuse_own(caller: Caller, account: Account) -> None:
        # Otherwise the last administrator could leave a tenant without one.
        if caller.person == account.id:
            raise ApiError(409, "own_account", "Another administrator has to do this.")

    async def _note(self, caller: Caller, action: str, user: PersonId, **details: str) -> None:
        entry = AuditEntry(self._callers.now, action, caller.person, user, details=details)
        await self._audit.add(caller.tenant, entry)


def require_manager(caller: Caller) -> None:
    """Refuse callers other than administrators and the application. `NotAllowed`."""
    if not caller.manages:
        raise NotAllowed(Code.NOT_ALLOWED, "Only administrators and the application may do this.")


def _answer(account: Account) -> User:
    return User(
        id=account.id,
        email=account.email,
        name=account.name,
        role=TenantRole(account.role),
        active=account.password_hash is not None and account.disabled_at is None,
        disabled=account.disabled_at is not None,
        created_at=account.created_at,
    )
