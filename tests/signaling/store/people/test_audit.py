import pytest

from signaling.store.people.audit import ERASED, AuditEntry
from signaling.store.store import Store


@pytest.fixture
async def store(database_url):
    opened = await Store.open(database_url)
    yield opened
    await opened.close()


async def test_entries_come_newest_first_by_pages_and_of_one_tenant(store):
    await store.audit.add("north", *(AuditEntry(float(n), "file.loaded", "sam", f"f{n}") for n in range(5)))
    await store.audit.add("south", AuditEntry(9.0, "file.loaded", "sam"))
    first = await store.audit.read("north", None, 2)
    assert [each.subject for each in first] == ["f4", "f3"]
    second = await store.audit.read("north", first[-1].number, 9)
    assert [each.subject for each in second] == ["f2", "f1", "f0"]
    assert len(await store.audit.read("south", None, 9)) == 1


async def test_entries_are_found_by_person_and_action(store):
    await store.audit.add(
        "north",
        AuditEntry(1.0, "user.invited", "ada", "sam", details={"role": "student"}),
        AuditEntry(2.0, "file.loaded", "sam", "f1", "ses_1"),
        AuditEntry(3.0, "file.loaded", "eve", "f1", "ses_1"),
    )
    assert [each.at for each in await store.audit.read("north", None, 9, person="sam")] == [2.0, 1.0]
    assert [each.at for each in await store.audit.read("north", None, 9, action="file.loaded")] == [3.0, 2.0]
    assert (await store.audit.read("north", None, 9, action="user.invited"))[0].details == {"role": "student"}


async def test_erasure_keeps_the_entries_and_age_deletes_them(store):
    await store.audit.add("north", AuditEntry(1.0, "a", "sam", "eve"), AuditEntry(2.0, "b", "ada", "sam"))
    await store.audit.add("south", AuditEntry(1.0, "a", "sam"))
    assert await store.audit.erase("north", "sam") == 2
    kept = await store.audit.read("north", None, 9)
    assert [(each.actor, each.subject) for each in kept] == [("ada", ERASED), (ERASED, "eve")]
    assert (await store.audit.read("south", None, 9))[0].actor == "sam"
    assert await store.audit.forget("north", 2.0) == 1
    assert [each.action for each in await store.audit.read("north", None, 9)] == ["b"]
