"""The audit log of a tenant."""

from typing import Annotated, Any

import msgspec

from classroom import limits
from classroom.ids import PersonId, SessionId
from signaling.http.api import Route
from signaling.sessions_api import paging
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.people.user_calls import require_manager
from signaling.store.people.audit import AuditLog


class AuditQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries."""

    person: Annotated[PersonId, msgspec.Meta(max_length=limits.IDENTIFIER_LENGTH)] | None = None
    "The id of the actor or of the subject."
    action: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    limit: paging.Limit = 50
    cursor: Annotated[int, msgspec.Meta(ge=1, le=2**53)] | None = None


class AuditItem(msgspec.Struct, frozen=True):
    """One thing that was done."""

    number: int
    at: float
    action: str
    actor: PersonId
    "The id of a person; empty: the application or the server."
    subject: str
    "The id of a person or file; may be empty."
    session: SessionId
    details: dict[str, Any]


class AuditPage(msgspec.Struct, frozen=True):
    """Entries, the newest first."""

    data: list[AuditItem]
    next_cursor: int | None


class AuditCalls:
    """The handlers."""

    def __init__(self, audit: AuditLog) -> None:
        """Use the store."""
        self._audit = audit

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route("GET", "/audit", self.list)]

    async def list(self, caller: Caller, query: AuditQuery) -> AuditPage:
        """List actions of people: sign-ins, accounts, admissions, removals, permissions, files."""
        require_manager(caller)
        rows = await self._audit.read(
            caller.tenant, query.cursor, query.limit + 1, query.person, query.action
        )
        page = [
            AuditItem(row.number, row.at, row.action, row.actor, row.subject, row.session, dict(row.details))
            for row in rows[: query.limit]
        ]
        return AuditPage(page, page[-1].number if len(rows) > query.limit else None)
