"""Forgotten passwords, and what people with accounts want to get mail about."""

from typing import Annotated, Final

import msgspec

from classroom.base import SERVER
from classroom.errors import Code, NotAllowed
from classroom.ids import PersonId
from classroom.school import recurrence
from signaling.access.keyring import Keyring
from signaling.http.api import ApiError, Route
from signaling.limits import Limits
from signaling.sessions_api.callers import Caller, Callers
from signaling.sessions_api.people.mailing import Mailing
from signaling.sessions_api.people.sign_in_limits import Email, School, limit_by_address
from signaling.store.people.accounts import Account, Accounts
from signaling.store.people.audit import AuditEntry, AuditLog
from signaling.store.people.mails import MailKind
from signaling.store.tenants import tenant_name

# In place of a person, so that an address without an account costs the same work.
_NOBODY: Final = PersonId("nobody")

_TIME_ZONE_LENGTH: Final = 64


class Forgotten(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The address of an account."""

    email: Email
    tenant: School = ""
    "The school, where this server has several."


class Requested(msgspec.Struct, frozen=True):
    """The same answer for every address."""

    requested: bool


class MailChoice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person wants; absent fields stay unchanged."""

    time_zone: Annotated[str, msgspec.Meta(max_length=_TIME_ZONE_LENGTH)] | None = None
    "IANA name in which times are written; empty: unknown."
    reminders: bool | None = None
    "Mail before lessons."


class MailState(msgspec.Struct, frozen=True):
    """What a person gets."""

    email: str
    time_zone: str
    reminders: bool
    sent: bool
    "Whether this server sends mail at all."


class MailCalls:
    """The handlers."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of these calls
        self,
        accounts: Accounts,
        audit: AuditLog,
        callers: Callers,
        keyring: Keyring,
        limits_: Limits,
        mailing: Mailing,
    ) -> None:
        """Accounts belong to the tenants of the first API key."""
        self._accounts = accounts
        self._audit = audit
        self._callers = callers
        self._keyring = keyring
        self._limits = limits_
        self._mailing = mailing

    def routes(self) -> list[Route]:
        """Return the routes."""
        off = {501: "this server sends no mail"}
        return [
            Route("POST", "/passwords/forgotten", self.forgotten, off, open=True, status=202),
            Route("GET", "/me/mail", self.get),
            Route("PUT", "/me/mail", self.put),
        ]

    async def forgotten(self, body: Forgotten, address: str) -> Requested:
        """Send a message with which the person of an account sets another password, if there is one."""
        if not self._mailing.is_on:
            raise ApiError(501, "mail_off", "This server sends no mail; an administrator resets passwords.")
        tenant = tenant_name(self._keyring.signer().key, body.tenant)
        email = body.email.strip().lower()
        limit_by_address(self._limits, address)
        self._mailing.check(tenant, email)
        account = await self._accounts.of(tenant).by_email(email)
        known = SERVER if account is None else account.id
        await self._audit.add(tenant, AuditEntry(self._callers.now, "password.forgotten", known, known))
        kind = MailKind.RESET if account is None or account.password_hash else MailKind.INVITATION
        await self._mailing.send(tenant, kind, known or _NOBODY)
        return Requested(requested=True)

    async def get(self, caller: Caller) -> MailState:
        """Return what the caller gets mail about."""
        return self._state(await self._own(caller))

    async def put(self, caller: Caller, body: MailChoice) -> MailState:
        """Choose what to get mail about, and in which time zone."""
        account = await self._own(caller)
        values: dict[str, object] = {}
        if body.time_zone is not None:
            if body.time_zone:
                recurrence.zone(body.time_zone)
            values["time_zone"] = body.time_zone
        if body.reminders is not None:
            values["reminders"] = body.reminders
        if values:
            await self._accounts.of(caller.tenant).change(account.id, **values)
        return self._state(await self._own(caller))

    async def _own(self, caller: Caller) -> Account:
        return await own_account(self._accounts, caller)

    def _state(self, account: Account) -> MailState:
        return MailState(account.email, account.time_zone, account.reminders, self._mailing.is_on)


async def own_account(accounts: Accounts, caller: Caller) -> Account:
    """Return the account of a caller who signed in here. `NotAllowed`."""
    account = None if caller.is_application else await accounts.of(caller.tenant).get(caller.person)
    if account is None or caller.session or not caller.by_sign_in:
        raise NotAllowed(Code.NOT_ALLOWED, "Only somebody who signed in here has an account.")
    return account
