import pytest

from signaling.errors import VaultError
from signaling.store.people.factors import Factors
from signaling.store.vault import Vault


@pytest.fixture
def factors(store):
    return store.factors.of("north")


async def test_a_secret_is_stored_encrypted_and_is_of_one_person_and_tenant(store, factors):
    await factors.begin("ada", "SECRET")
    factor = await factors.get("ada")
    assert (factor.secret, factor.confirmed_at) == ("SECRET", None)
    assert "SECRET" not in repr(factor)
    assert await store.factors.of("south").get("ada") is None
    with pytest.raises(VaultError):
        await Factors(store._engine, Vault("another master key")).of("north").get("ada")


async def test_a_step_and_a_recovery_code_are_used_once(factors):
    await factors.begin("ada", "SECRET")
    assert await factors.confirm("ada", 5.0, 10, ["a", "b"])
    assert not await factors.confirm("ada", 6.0, 11, ["c"])
    assert [await factors.use_step("ada", step) for step in (9, 10, 11, 11)] == [False, False, True, False]
    assert [await factors.use_recovery("ada", each) for each in ("x", "a", "a")] == [False, True, False]
    assert (await factors.get("ada")).recovery == {"b"}
    assert await factors.replace_recovery("ada", ["d"])
    assert (await factors.get("ada")).recovery == {"d"}
    assert not await factors.use_recovery("ben", "d")


async def test_a_deleted_factor_is_gone(store, factors):
    await factors.begin("ada", "SECRET")
    assert not await store.factors.of("south").delete("ada")
    assert await factors.delete("ada")
    assert not await factors.delete("ada")
    assert await factors.get("ada") is None
