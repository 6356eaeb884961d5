from dataclasses import replace

import pytest

from signaling.errors import UnstorableError
from signaling.store import NewDelivery, SettledDelivery, WebhookEndpoint
from tests.signaling.entries import changed, logged


def new(event, resource="room", endpoint="e1"):
    return NewDelivery(endpoint, resource, f"EV_{event}", event, '{"a":"ü"}')


@pytest.fixture
async def outbox(store):
    for name in ("e1", "e2"):
        await store.endpoints.put(WebhookEndpoint(name, "livekit", "https://school.example", {}, 1.0))
    return store.outbox


async def events(outbox, now=5.0, limit=10, endpoint="e1"):
    return [each.content.event for each in await outbox.due(endpoint, now, limit)]


async def settle(outbox, delivered, retry_at=None, pause=False):
    (first, *_) = await outbox.due("e1", 100.0, 10)
    await outbox.settle("e1", [SettledDelivery(first, delivered, retry_at)], 50.0, pause=pause)


async def test_deliveries_about_the_same_wait_for_each_other_and_others_do_not(outbox):
    await outbox.add([new("a1", "a"), new("b1", "b"), new("a2", "a"), new("c1", "c", "e2")], 5.0)
    assert await outbox.waiting() == ["e1", "e2"]
    assert await events(outbox) == ["a1", "b1"]
    assert await events(outbox, limit=1) == ["a1"]
    assert await events(outbox, now=4.9) == []
    await settle(outbox, delivered=True)
    assert await events(outbox) == ["b1", "a2"]


async def test_a_failed_attempt_holds_up_its_resource_until_the_next(outbox, store):
    await outbox.add([new("a1", "a"), new("a2", "a")], 5.0)
    await settle(outbox, delivered=False, retry_at=8.0)
    assert await events(outbox, now=7.9) == []
    assert await outbox.next_at("e1") == 8.0
    (again,) = await outbox.due("e1", 8.0, 10)
    assert (again.content.event, again.attempts, again.created_at) == ("a1", 1, 5.0)
    assert (await store.endpoints.get("e1")).failures == 1
    await settle(outbox, delivered=False)  # given up
    assert await events(outbox) == ["a2"]
    assert (await store.endpoints.get("e1")).failures == 2
    await settle(outbox, delivered=True)
    endpoint = await store.endpoints.get("e1")
    assert (endpoint.failures, endpoint.last_at) == (0, 50.0)
    assert await outbox.waiting() == []
    assert await outbox.next_at("e1") is None


async def test_failures_are_counted_since_the_last_success(outbox, store):
    await outbox.add([new(str(number), str(number)) for number in range(4)], 5.0)
    deliveries = await outbox.due("e1", 5.0, 10)
    failed = [SettledDelivery(each, False, 9.0) for each in deliveries]
    await outbox.settle("e1", failed, 6.0, pause=False)
    await outbox.settle("e1", failed[:2], 6.0, pause=False)
    assert (await store.endpoints.get("e1")).failures == 6
    first, second, third, fourth = failed
    await outbox.settle("e1", [first, replace(second, delivered=True), third, fourth], 7.0, pause=False)
    endpoint = await store.endpoints.get("e1")
    assert (endpoint.failures, endpoint.last_at) == (2, 7.0)
    assert [each.number for each in await outbox.due("e1", 9.0, 10)] == [
        each.number for each in deliveries if each is not deliveries[1]
    ]


async def test_pausing_drops_what_waits(outbox, store):
    await outbox.add([new("a"), new("b"), new("c", endpoint="e2")], 5.0)
    await settle(outbox, delivered=False, retry_at=6.0, pause=True)
    assert (await store.endpoints.get("e1")).paused
    assert await outbox.waiting() == ["e2"]
    assert await outbox.count() == 1


async def test_what_is_announced_is_written_with_its_entry_or_not_at_all(outbox, store):
    def deliveries(entry, endpoints):
        return [new(f"{entry.seq}", endpoint=endpoint.id) for endpoint in endpoints]

    first, second = (logged(seq, changed()) for seq in (1, 2))
    await store.events.append([first], deliveries)
    await store.events.append([first], deliveries)
    assert await outbox.count() == 2
    with pytest.raises(UnstorableError):
        await store.events.append([second, second], deliveries)
    assert await outbox.count() == 2
    await settle(outbox, delivered=False, pause=True)
    await store.events.append([second], deliveries)
    assert await events(outbox) == []
    assert await events(outbox, endpoint="e2") == ["1"]


async def test_a_resource_goes_without_what_postgresql_cannot_hold(outbox):
    await outbox.add([new("a", "al\0gebra")], 5.0)
    assert (await outbox.due("e1", 5.0, 1))[0].content.resource == "algebra"


async def test_what_waits_can_be_listed_and_hurried(outbox):
    await outbox.add([new("a1", "a"), new("a2", "a"), new("c1", "c", "e2")], 5.0)
    await settle(outbox, delivered=False, retry_at=900.0)
    waiting = await outbox.queued("e1", 10)
    assert [(each.content.event, each.attempts, next_at) for each, next_at in waiting] == [
        ("a1", 1, 900.0),
        ("a2", 0, 5.0),
    ]
    assert len(await outbox.queued("e1", 1)) == 1
    assert await outbox.hurry("e1", "EV_a1", 60.0)
    assert await events(outbox, now=60.0) == ["a1"]
    assert not await outbox.hurry("e1", "EV_c1", 60.0)
