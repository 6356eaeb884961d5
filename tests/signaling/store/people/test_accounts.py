from dataclasses import replace

import pytest

from signaling.errors import UnstorableError
from signaling.store.people.accounts import Account, AccountToken, TokenKind
from signaling.store.store import Store

ADA = Account("north", "u_1", "ada@school.example", "Ada", "admin", None, 1.0)


@pytest.fixture
async def store(database_url):
    opened = await Store.open(database_url)
    yield opened
    await opened.close()


async def test_accounts_belong_to_one_tenant(store):
    north, south = store.accounts.of("north"), store.accounts.of("south")
    await north.add(ADA)
    await south.add(replace(ADA, tenant="south", name="Another Ada"))
    assert await north.get("u_1") == await north.by_email("ada@school.example") == ADA
    assert await south.change("u_1", role="student")
    assert await north.get("u_1") == ADA
    assert await south.delete("u_1")
    assert (await north.count(), await south.count()) == (1, 0)
    assert not await south.change("u_1", role="tutor")
    assert not await south.delete("u_1")


async def test_an_address_has_one_account(store):
    north = store.accounts.of("north")
    await north.add(ADA)
    with pytest.raises(UnstorableError):
        await north.add(replace(ADA, id="u_2"))
    await north.add(replace(ADA, id="u_0", email="eve@school.example"))
    assert [each.id for each in await north.list("", 10)] == ["u_0", "u_1"]
    assert [each.id for each in await north.list("u_0", 10)] == ["u_1"]


async def test_a_token_that_sets_a_password_holds_once_and_ends_all_sign_ins(store):
    north = store.accounts.of("north")
    await north.add(ADA)
    sign_in = AccountToken("a" * 64, "north", TokenKind.SIGN_IN, "u_1", 1.0, 100.0)
    invitation = AccountToken("b" * 64, "north", TokenKind.PASSWORD, "u_1", 1.0, 100.0)
    for token in (sign_in, invitation):
        await north.add_token(token)
    assert await store.accounts.token("a" * 64, TokenKind.SIGN_IN, 99.0) == sign_in
    assert await store.accounts.token("a" * 64, TokenKind.PASSWORD, 99.0) is None
    assert await store.accounts.token("a" * 64, TokenKind.SIGN_IN, 100.0) is None
    assert not await north.set_password("a" * 64, "hash"), "a sign-in sets no password"
    assert not await store.accounts.of("south").set_password("b" * 64, "hash")
    assert await north.set_password("b" * 64, "hash")
    assert (await north.get("u_1")).password_hash == "hash"
    assert await store.accounts.token("a" * 64, TokenKind.SIGN_IN, 2.0) is None
    assert not await north.set_password("b" * 64, "other")


async def test_expired_tokens_are_forgotten(store):
    north = store.accounts.of("north")
    for letter, expires_at in (("a", 10.0), ("b", 20.0)):
        await north.add_token(AccountToken(letter * 64, "north", TokenKind.SIGN_IN, "u", 1.0, expires_at))
    assert await store.accounts.forget_expired(10.0) == 1
    assert await store.accounts.token("b" * 64, TokenKind.SIGN_IN, 1.0)
