"""What is kept about people, its erasure, and how long a tenant keeps it."""

from typing import Annotated, Final

import msgspec
from aiohttp import hdrs

from classroom.errors import Code, NotAllowed
from classroom.ids import PersonId
from signaling.http.api import Document, Route
from signaling.sessions_api.callers import Caller, Callers
from signaling.sessions_api.path_ids import PersonPath
from signaling.sessions_api.people.user_calls import require_manager
from signaling.store import Store
from signaling.store.people.audit import AuditEntry
from signaling.teaching.people.privacy import Erased, Privacy
from signaling.teaching.people.retention import retention_days, set_retention_days

MAX_DAYS: Final = 36_500


class TenantSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a tenant decides."""

    retention_days: Annotated[int, msgspec.Meta(ge=0, le=MAX_DAYS)]
    "Ended sessions, with all in them, and audit entries are deleted after so many days; 0: never."


class Tenant(msgspec.Struct, frozen=True):
    """A tenant: everybody of a school, and everything of theirs."""

    id: str
    retention_days: int


class TenantList(msgspec.Struct, frozen=True):
    """The tenants that the caller manages."""

    data: list[Tenant]


class PrivacyCalls:
    """The handlers."""

    def __init__(self, store: Store, privacy: Privacy, callers: Callers) -> None:
        """Use the store."""
        self._store = store
        self._privacy = privacy
        self._callers = callers

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("GET", "/me/data", self.own_data, long_lived=True),
            Route("GET", "/privacy/{person}", self.data, long_lived=True),
            Route(
                "POST",
                "/privacy/{person}/erase",
                self.erase,
                {409: "the person belongs to an open session"},
                long_lived=True,
            ),
            Route("GET", "/tenants", self.tenants),
            Route("GET", "/tenants/current", self.tenant),
            Route("PATCH", "/tenants/current", self.change_tenant),
        ]

    async def own_data(self, caller: Caller) -> Document:
        """Return all that is kept about the caller, as JSON."""
        if caller.is_application or caller.session:
            raise NotAllowed(Code.NOT_ALLOWED, "Only a person who is signed in may do this.")
        return await self._export(caller, caller.person)

    async def data(self, caller: Caller, person: PersonPath) -> Document:
        """Return all that is kept about a person, as JSON."""
        require_manager(caller)
        return await self._export(caller, person)

    async def erase(self, caller: Caller, person: PersonPath) -> Erased:
        """Erase a person: texts, names, files and the account go; who was where and when stays, under a pseudonym."""
        require_manager(caller)
        return await self._privacy.erase(caller.tenant, person, self._callers.now, caller.person)

    async def tenants(self, caller: Caller) -> TenantList:
        """List the tenants of the API key that have sessions or accounts; for administrators, their own."""
        require_manager(caller)
        names = [caller.tenant]
        if caller.is_application:
            found = await self._store.classroom.tenants(caller.key)
            names = sorted({caller.tenant, *found, *await self._store.accounts.tenants(caller.key)})
        return TenantList([Tenant(name, await retention_days(self._store, name)) for name in names])

    async def tenant(self, caller: Caller) -> Tenant:
        """Return the caller's tenant."""
        require_manager(caller)
        return Tenant(caller.tenant, await retention_days(self._store, caller.tenant))

    async def change_tenant(self, caller: Caller, body: TenantSettings) -> Tenant:
        """Change how long the tenant keeps things."""
        require_manager(caller)
        await set_retention_days(self._store, caller.tenant, body.retention_days)
        details = {"days": body.retention_days}
        entry = AuditEntry(self._callers.now, "retention.changed", caller.person, details=details)
        await self._store.audit.add(caller.tenant, entry)
        return await self.tenant(caller)

    async def _export(self, caller: Caller, person: PersonId) -> Document:
        content = await self._privacy.export(caller.tenant, person)
        entry = AuditEntry(self._callers.now, "person.exported", caller.person, person)
        await self._store.audit.add(caller.tenant, entry)
        headers = {str(hdrs.CONTENT_DISPOSITION): 'attachment; filename="data.json"'}
        return Document(msgspec.json.encode(content), "application/json", headers)
