import pytest

from signaling.access.sign_ins import PASSWORD_TTL_S, SIGN_IN_TTL_S, SignedInPerson, SignIns
from signaling.store.people.accounts import Account, TokenKind


@pytest.fixture
def clock():
    return [1000.0]


@pytest.fixture
async def sign_ins(store, clock):
    await store.accounts.of("north").add(
        Account("north", "u_1", "ada@x.example", "Ada", "tutor", "hash", 1.0)
    )
    return SignIns(store.accounts, lambda: clock[0])


async def test_a_sign_in_stands_for_the_account_as_it_is_now_until_it_expires(sign_ins, store, clock):
    token, expires_at = await sign_ins.make("north", TokenKind.SIGN_IN, "u_1")
    assert expires_at == 1000 + SIGN_IN_TTL_S
    assert await sign_ins.person(token) == SignedInPerson("north", "u_1", "Ada", "tutor")
    await store.accounts.of("north").change("u_1", role="student")
    assert (await sign_ins.person(token)).role == "student"
    assert await sign_ins.person(token + "x") is None
    assert await sign_ins.for_password(token) is None
    clock[0] = expires_at
    assert await sign_ins.person(token) is None


async def test_a_disabled_or_deleted_account_signs_nobody_in(sign_ins, store):
    token, _ = await sign_ins.make("north", TokenKind.SIGN_IN, "u_1")
    await store.accounts.of("north").change("u_1", disabled_at=5.0)
    assert await sign_ins.person(token) is None
    await store.accounts.of("north").change("u_1", disabled_at=None)
    assert await sign_ins.person(token)
    await store.accounts.of("north").delete("u_1")
    assert await sign_ins.person(token) is None


async def test_somebody_of_an_openid_provider_needs_no_account(sign_ins):
    token, _ = await sign_ins.make("north", TokenKind.SIGN_IN, "sub-1", "Eve", "student")
    assert await sign_ins.person(token) == SignedInPerson("north", "sub-1", "Eve", "student")


async def test_an_invitation_signs_nobody_in(sign_ins, clock):
    token, _ = await sign_ins.make("north", TokenKind.PASSWORD, "u_1")
    assert await sign_ins.person(token) is None
    assert (await sign_ins.for_password(token)).person == "u_1"
    clock[0] += PASSWORD_TTL_S
    assert await sign_ins.for_password(token) is None


async def test_an_ended_sign_in_is_over_and_the_token_is_not_in_the_database(sign_ins, store):
    token, _ = await sign_ins.make("north", TokenKind.SIGN_IN, "u_1")
    await sign_ins.end(token)
    assert await sign_ins.person(token) is None
