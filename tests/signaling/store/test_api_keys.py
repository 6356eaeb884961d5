import pytest
from sqlalchemy import text

from signaling.errors import VaultError
from signaling.store import ApiKey, Store
from signaling.store.vault import Vault


async def test_keys_are_added_once_listed_and_revoked(store):
    assert await store.api_keys.add("school", "secret-1", "the school", 5.0)
    assert await store.api_keys.add("exam", "secret-2", "", 6.0)
    assert not await store.api_keys.add("school", "other", "", 7.0)
    assert await store.api_keys.in_force() == {"school": "secret-1", "exam": "secret-2"}
    assert await store.api_keys.revoke("school", 8.0)
    assert not await store.api_keys.revoke("school", 9.0)
    assert not await store.api_keys.revoke("nobody", 9.0)
    assert not await store.api_keys.add("school", "again", "", 10.0)
    assert await store.api_keys.in_force() == {"exam": "secret-2"}
    assert await store.api_keys.list() == [
        ApiKey("school", "the school", 5.0, 8.0),
        ApiKey("exam", "", 6.0, None),
    ]


async def test_secrets_cannot_be_read_in_the_database(store):
    await store.api_keys.add("school", "hunter2-hunter2", "", 5.0)
    async with store._engine.connect() as connection:
        row = (await connection.execute(text("SELECT * FROM api_keys"))).one()
    assert "hunter2" not in str(row)


async def test_secrets_need_the_master_key_they_were_sealed_with(database_url):
    store = await Store.open(database_url, Vault("one"))
    await store.api_keys.add("school", "secret", "", 5.0)
    await store.close()
    for master, opens in (("one", True), ("two", False)):
        store = await Store.open(database_url, Vault(master))
        if opens:
            assert await store.api_keys.in_force() == {"school": "secret"}
        else:
            with pytest.raises(VaultError, match="school"):
                await store.api_keys.in_force()
        await store.close()


async def test_a_sealed_secret_does_not_open_under_another_name(store):
    await store.api_keys.add("school", "secret", "", 5.0)
    async with store._engine.begin() as connection:
        await connection.execute(text("UPDATE api_keys SET key = 'other'"))
    with pytest.raises(VaultError):
        await store.api_keys.in_force()
