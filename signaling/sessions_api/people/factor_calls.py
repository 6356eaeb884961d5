"""Second factors of built-in accounts: one-time passwords of an authenticator program, and recovery codes."""

from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec

from classroom.ids import PersonId
from signaling.access import one_time
from signaling.access.passwords import Passwords
from signaling.access.sign_ins import digest
from signaling.http.api import ApiError, Route
from signaling.limits import Limits, Rate
from signaling.sessions_api.callers import Caller, Callers
from signaling.sessions_api.path_ids import PersonPath
from signaling.sessions_api.people.mail_calls import own_account
from signaling.sessions_api.people.sign_in_limits import Password, limit_by_account
from signaling.sessions_api.people.user_calls import require_manager
from signaling.store.people.accounts import Account, Accounts
from signaling.store.people.audit import AuditEntry, AuditLog
from signaling.store.people.factors import Factor, Factors

# Three of a million codes are right at any time: at this rate, a search for one takes three years on average.
_CODES: Final = Rate(per_s=1 / 300, burst=10)

Code = Annotated[str, msgspec.Meta(max_length=40)]


class Enrolment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The present password: a page that was left open must not lock its person out."""

    password: Password


class NewFactor(msgspec.Struct, frozen=True):
    """A secret for an authenticator program; it counts after `/me/totp/confirm`."""

    uri: str
    "`otpauth://totp/...`, to be shown as a QR code."
    secret: str
    "The same secret for typing, in base32."


class Confirmation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A code of the authenticator program, or a recovery code."""

    code: Code


class RecoveryCodes(msgspec.Struct, frozen=True):
    """Codes for a person who lost the authenticator; shown here only."""

    recovery_codes: list[str]


class FactorState(msgspec.Struct, frozen=True):
    """Whether sign-in needs a code."""

    enabled: bool
    recovery_codes_left: int


class SecondFactor:
    """Checks codes at sign-in and elsewhere."""

    def __init__(self, factors: Factors, audit: AuditLog, limits_: Limits, callers: Callers) -> None:
        """Use the store."""
        self._factors = factors
        self._audit = audit
        self._limits = limits_
        self._callers = callers

    async def check(self, account: Account, code: str) -> None:
        """Require a code if the account has a second factor. ApiError, TooOftenError."""
        factor = await self._factors.of(account.tenant).get(account.id)
        if factor is None or factor.confirmed_at is None:
            return
        if not code:
            raise ApiError(401, "second_factor_needed", "The account needs a code of its authenticator, too.")
        await self.use(account, factor, code)

    async def use(self, account: Account, factor: Factor, code: str) -> None:
        """Use a code up. ApiError, TooOftenError."""
        self._limits.check("second factor", digest(f"{account.tenant}\0{account.id}"), _CODES)
        factors = self._factors.of(account.tenant)
        step = one_time.matching_step(factor.secret, code, self._callers.now)
        if step is not None and await factors.use_step(account.id, step):
            return
        if await factors.use_recovery(account.id, one_time.recovery_digest(code)):
            await self.record(account, "second_factor.recovery_used")
            return
        await self.record(account, "second_factor.refused")
        raise ApiError(401, "wrong_code", "The code is wrong, or was used.")

    async def record(self, account: Account, action: str, actor: PersonId | None = None) -> None:
        """Add an entry to the audit log. StoreError."""
        by = account.id if actor is None else actor
        await self._audit.add(account.tenant, AuditEntry(self._callers.now, action, by, account.id))


class FactorCalls:
    """The handlers."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of these calls
        self,
        accounts: Accounts,
        factors: Factors,
        second: SecondFactor,
        callers: Callers,
        limits_: Limits,
        passwords: Passwords,
    ) -> None:
        """Use the store."""
        self._accounts = accounts
        self._factors = factors
        self._second = second
        self._callers = callers
        self._limits = limits_
        self._passwords = passwords

    def routes(self) -> list[Route]:
        """Return the routes."""
        wrong = {401: "the password or the code is wrong", 409: "the present state does not allow this"}
        return [
            Route("GET", "/me/totp", self.get),
            # PUT, since answers to POST may be repeated by their idempotency key, which needs a digest of the body.
            Route("PUT", "/me/totp", self.enrol, wrong),
            Route("POST", "/me/totp/confirm", self.confirm, wrong),
            Route("POST", "/me/totp/recovery-codes", self.renew, wrong),
            Route("POST", "/me/totp/disable", self.disable, wrong),
            Route("DELETE", "/users/{user}/totp", self.reset, {404: "there is no such user or factor"}),
        ]

    async def get(self, caller: Caller) -> FactorState:
        """Return whether the caller's sign-in needs a code."""
        account = await own_account(self._accounts, caller)
        factor = await self._factors.of(account.tenant).get(account.id)
        if factor is None or factor.confirmed_at is None:
            return FactorState(enabled=False, recovery_codes_left=0)
        return FactorState(enabled=True, recovery_codes_left=len(factor.recovery))

    async def enrol(self, caller: Caller, body: Enrolment) -> NewFactor:
        """Return a secret for the caller's authenticator program; a code of it has to confirm it."""
        account = await own_account(self._accounts, caller)
        limit_by_account(self._limits, account.tenant, account.email)
        if not await self._passwords.verify(account.password_hash, body.password):
            raise ApiError(401, "wrong_credentials", "The present password is wrong.")
        factors = self._factors.of(account.tenant)
        present = await factors.get(account.id)
        if present is not None and present.confirmed_at is not None:
            raise ApiError(409, "second_factor_exists", "The account has a second factor; disable it first.")
        secret = one_time.new_secret()
        await factors.begin(account.id, secret)
        site = urlsplit(caller.origin).netloc
        return NewFactor(one_time.address(secret, account.email, site), secret)

    async def confirm(self, caller: Caller, body: Confirmation) -> RecoveryCodes:
        """Require codes from now on; the answer has recovery codes. The account's other sign-ins stay."""
        account = await own_account(self._accounts, caller)
        factors = self._factors.of(account.tenant)
        factor = await factors.get(account.id)
        if factor is None or factor.confirmed_at is not None:
            raise ApiError(409, "no_enrolment", "No secret waits for its first code.")
        self._limits.check("second factor", digest(f"{account.tenant}\0{account.id}"), _CODES)
        step = one_time.matching_step(factor.secret, body.code, self._callers.now)
        codes = one_time.new_recovery_codes()
        digests = [one_time.recovery_digest(code) for code in codes]
        if step is None or not await factors.confirm(account.id, self._callers.now, step, digests):
            raise ApiError(401, "wrong_code", "The code is wrong.")
        await self._second.record(account, "second_factor.enabled")
        return RecoveryCodes(codes)

    async def renew(self, caller: Caller, body: Confirmation) -> RecoveryCodes:
        """Return new recovery codes; the earlier ones are void."""
        account, factor = await self._confirmed(caller)
        await self._second.use(account, factor, body.code)
        codes = one_time.new_recovery_codes()
        digests = [one_time.recovery_digest(code) for code in codes]
        await self._factors.of(account.tenant).replace_recovery(account.id, digests)
        await self._second.record(account, "second_factor.recovery_renewed")
        return RecoveryCodes(codes)

    async def disable(self, caller: Caller, body: Confirmation) -> FactorState:
        """Require no codes any more."""
        account, factor = await self._confirmed(caller)
        await self._second.use(account, factor, body.code)
        await self._factors.of(account.tenant).delete(account.id)
        await self._second.record(account, "second_factor.disabled")
        return FactorState(enabled=False, recovery_codes_left=0)

    async def reset(self, caller: Caller, user: PersonPath) -> FactorState:
        """Remove the second factor of a person who lost authenticator and recovery codes; their sign-ins end."""
        require_manager(caller)
        accounts = self._accounts.of(caller.tenant)
        account = await accounts.get(user)
        if account is None:
            raise ApiError(404, "user_not_found", "There is no such user.")
        if not await self._factors.of(caller.tenant).delete(user):
            raise ApiError(404, "no_second_factor", "The user has no second factor.")
        await accounts.end_tokens(user)
        await self._second.record(account, "second_factor.reset", caller.person)
        return FactorState(enabled=False, recovery_codes_left=0)

    async def _confirmed(self, caller: Caller) -> tuple[Account, Factor]:
        account = await own_account(self._accounts, caller)
        factor = await self._factors.of(account.tenant).get(account.id)
        if factor is None or factor.confirmed_at is None:
            raise ApiError(409, "no_second_factor", "The account has no second factor.")
        return account, factor
