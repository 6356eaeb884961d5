import pytest

from signaling.store.people.accounts import Account
from signaling.store.people.mails import MailKind, NewMail

NOW = 1000.0


async def add_account(store, person, tenant="north", **more):
    values = {"password_hash": "x", **more}
    password_hash = values.pop("password_hash")
    await store.accounts.of(tenant).add(
        Account(tenant, person, f"{person}@{tenant}.example", "Ada", "student", password_hash, NOW, **values)
    )


@pytest.fixture
async def people(store):
    await add_account(store, "ada")
    await add_account(store, "ben", reminders=False)
    await add_account(store, "cem", password_hash=None)
    await add_account(store, "eve", disabled_at=NOW)
    await add_account(store, "fay", tenant="south")
    return ["ada", "ben", "cem", "eve", "fay", "sam", "ada"]


async def of_kind(store, kind, people):
    await store.mails.add("north", NewMail(kind, people, {"starts_at": 5.0}), NOW)
    return await store.mails.due(NOW, 100)


async def test_reminders_are_for_those_who_want_them_and_messages_about_accounts_for_all(store, people):
    found = await of_kind(store, MailKind.SESSION_REMINDER, people)
    assert [(each.person, each.data) for each in found] == [("ada", {"starts_at": 5.0})]
    await store.mails.delete(found[0])
    found = await of_kind(store, MailKind.INVITATION, people)
    assert [each.person for each in found] == ["ada", "ben", "cem"]


async def test_more_people_than_one_statement_takes(store, people):
    found = await of_kind(store, MailKind.RESET, [*(f"p{number}" for number in range(1200)), "ada"])
    assert [each.person for each in found] == ["ada"]


async def test_an_attempt_that_began_is_counted_and_the_next_one_comes_later(store, people):
    (mail,) = await of_kind(store, MailKind.RESET, ["ada"])
    assert await store.mails.begin(mail, NOW + 30)
    assert await store.mails.due(NOW + 29, 10) == []
    assert await store.mails.next_at() == NOW + 30
    (again,) = await store.mails.due(NOW + 30, 10)
    assert (again.number, again.attempts, again.created_at) == (mail.number, 1, NOW)
    await store.mails.delete(again)
    assert not await store.mails.begin(again, NOW + 60)
    assert await store.mails.next_at() is None


async def test_a_deleted_account_gets_nothing(store, people):
    await of_kind(store, MailKind.RESET, ["ada", "ben"])
    await store.accounts.of("north").delete("ada")
    assert [each.person for each in await store.mails.due(NOW, 10)] == ["ben"]
    assert await store.mails.count() == 1
