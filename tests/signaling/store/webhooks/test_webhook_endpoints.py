from dataclasses import replace

from sqlalchemy import text

from signaling.store import NewDelivery, Store, WebhookEndpoint
from signaling.store.vault import Vault

HOOK = WebhookEndpoint("e1", "daily", "https://school.example/hook", {"events": ["meeting.ended"]}, 5.0)


async def test_an_endpoint_is_put_replaced_and_deleted_with_what_waits_for_it(store):
    other = replace(HOOK, id="e2", kind="livekit", room="algebra")
    for endpoint in (HOOK, other):
        await store.endpoints.put(endpoint)
    assert await store.endpoints.list("daily") == [HOOK]
    changed = replace(HOOK, url="https://school.example/new", failures=2, paused=True, last_at=7.0)
    await store.endpoints.put(changed)
    assert await store.endpoints.get("e1") == changed
    assert await store.endpoints.get("e2") == other
    await store.outbox.add([NewDelivery(each, "r", "EV_1", "x", "{}") for each in ("e1", "e2")], 5.0)
    assert await store.endpoints.delete("e1")
    assert not await store.endpoints.delete("e1")
    assert await store.endpoints.get("e1") is None
    assert await store.outbox.count() == 1


async def test_what_signs_webhooks_is_sealed(database_url, caplog):
    store = await Store.open(database_url, Vault("one"))
    secret = replace(HOOK, secrets={"hmac": "hunter2"})
    await store.endpoints.put(secret)
    assert "hunter2" not in repr(secret)
    async with store._engine.connect() as connection:
        assert "hunter2" not in str((await connection.execute(text("SELECT * FROM endpoints"))).one())
    assert await store.endpoints.get("e1") == secret
    assert await store.endpoints.list("daily") == [secret]
    await store.close()
    store = await Store.open(database_url, Vault("two"))
    assert await store.endpoints.get("e1") == HOOK
    assert "master key" in caplog.text
    await store.close()
