import logging

import pytest

from signaling.store import Store
from signaling.store.people.audit import AuditEntry
from signaling.teaching.people.retention import apply_retention, retention_days, set_retention_days
from signaling.teaching.registry import Registry
from tests.signaling.sessions_api.people.test_usage_calls import row

DAY_S = 86_400.0


@pytest.fixture
async def store(database_url):
    opened = await Store.open(database_url)
    yield opened
    await opened.close()


async def add(store, tenant, number, ended_at):
    shelf = store.classroom.of(tenant)
    await shelf.append(f"session/ses_{number}", [], row=row(number, ended_at, tenant=tenant))


async def test_what_is_too_old_goes_of_those_tenants_that_want_it_and_the_log_tells(store, caplog):
    now = 100 * DAY_S
    for number, (tenant, age) in enumerate([("north", 31), ("north", 29), ("south", 90), ("north", 60)]):
        await add(store, tenant, number, now - age * DAY_S)
    await store.audit.add("north", AuditEntry(now - 31 * DAY_S, "old", "sam"), AuditEntry(now, "new", "sam"))
    await set_retention_days(store, "north", 30)
    await set_retention_days(store, "south", 0)
    deleted = []
    registry = Registry(store.classroom, lambda: now)
    registry.observe_deletions(lambda live: deleted.append(live.id))
    with caplog.at_level(logging.INFO):
        assert await apply_retention(store, registry) == 2
    assert sorted(deleted) == ["ses_0", "ses_3"], "their files go, too"
    assert await store.classroom.of("north").session("ses_1")
    assert await store.classroom.of("south").session("ses_2")
    told, kept = await store.audit.read("north", None, 9)
    assert (told.action, told.details) == (
        "retention.applied",
        {"days": 30, "sessions": 2, "audit_entries": 1},
    )
    assert kept.action == "new"
    assert [record.getMessage() for record in caplog.records] == [
        "retention: 2 sessions and 1 audit entries of a tenant are deleted"
    ]
    assert await apply_retention(store, registry) == 0
    assert len(await store.audit.read("north", None, 9)) == 2, "nothing to tell"


async def test_a_tenant_keeps_everything_until_it_says_otherwise(store):
    assert await retention_days(store, "north") == 0
    await set_retention_days(store, "north", 7)
    assert await retention_days(store, "north") == 7
    assert await retention_days(store, "south") == 0
