"""Retention: what a tenant keeps for a limited time is deleted afterwards, and the audit log tells how much."""

import logging
from typing import Final

from classroom.base import SERVER
from signaling.ids import TenantId
from signaling.store import Store
from signaling.store.people.audit import AuditEntry
from signaling.teaching.registry import Registry

log = logging.getLogger(__name__)

NAMESPACE: Final = "tenant_settings"
"Of the documents with what each tenant decided."
_DAYS: Final = "retention_days"
_DAY_S: Final = 86_400.0
_PAGE: Final = 200


async def retention_days(store: Store, tenant: TenantId) -> int:
    """Return how many days a tenant keeps ended sessions; 0: for ever. StoreError."""
    settings = await store.documents.get(NAMESPACE, tenant)
    return int(settings[_DAYS]) if settings else 0


async def set_retention_days(store: Store, tenant: TenantId, days: int) -> None:
    """Keep ended sessions for so many days; 0: for ever. StoreError."""
    await store.documents.put(NAMESPACE, tenant, {_DAYS: days})


async def apply_retention(store: Store, registry: Registry) -> int:
    """Delete what is too old, of all tenants; return how many sessions. StoreError."""
    total = 0
    for tenant, settings in (await store.documents.all(NAMESPACE)).items():
        days = int(settings[_DAYS])
        if days:
            total += await _apply(store, registry, TenantId(tenant), days)
    await store.accounts.forget_expired(registry.wall_clock())
    return total


async def _apply(store: Store, registry: Registry, tenant: TenantId, days: int) -> int:
    shelf, now = store.classroom.of(tenant), registry.wall_clock()
    limit, sessions = now - days * _DAY_S, 0
    while page := await shelf.ended(0.0, limit, None, _PAGE):
        for row in page:
            live = registry.session(tenant, row.id)
            await live.finished()
            await shelf.delete_session(row.id)
            registry.forget(live)
            sessions += 1
    entries = await store.audit.forget(tenant, limit)
    if sessions or entries:
        log.info("retention: %d sessions and %d audit entries of a tenant are deleted", sessions, entries)
        details = {"days": days, "sessions": sessions, "audit_entries": entries}
        await store.audit.add(tenant, AuditEntry(now, "retention.applied", SERVER, details=details))
    return sessions
