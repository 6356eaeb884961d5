from dataclasses import replace

from signaling.store import Draft, Endpoint

HOOK = Endpoint("e1", "daily", "https://school.example/hook", {"events": ["meeting.ended"]}, 5.0)


async def test_an_endpoint_is_put_replaced_and_deleted_with_what_waits_for_it(store):
    other = replace(HOOK, id="e2", kind="livekit", room="algebra")
    for endpoint in (HOOK, other):
        await store.endpoints.put(endpoint)
    assert await store.endpoints.list("daily") == [HOOK]
    changed = replace(HOOK, url="https://school.example/new", failures=2, paused=True, last_at=7.0)
    await store.endpoints.put(changed)
    assert await store.endpoints.get("e1") == changed
    assert await store.endpoints.get("e2") == other
    await store.outbox.add([Draft("e1", "r", "EV_1", "x", "{}"), Draft("e2", "r", "EV_1", "x", "{}")], 5.0)
    assert await store.endpoints.delete("e1")
    assert not await store.endpoints.delete("e1")
    assert await store.endpoints.get("e1") is None
    assert await store.outbox.count() == 1
