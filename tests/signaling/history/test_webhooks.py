import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from signaling.errors import DeliveryError, StoreError
from signaling.history.webhooks import Outcome, WebhookMessage, Webhooks, event_id
from signaling.store import NewDelivery, WebhookEndpoint
from signaling.store.meetings.entries import Unstorable
from signaling.store.records import Recording, RecordingChange
from tests.signaling.entries import changed, finished, logged, started

ENTRY = logged(3, changed())
SILENCE = Unstorable("participant_joined")
FAULT = finished()


class FakeApi:
    """Reports every entry but unstorable ones; tries again at once until the third attempt."""

    kind = "fake"

    def message(self, entry, event_id):
        if entry.entry == FAULT:
            raise KeyError("fault")
        silent = entry.entry == SILENCE
        return None if silent else WebhookMessage(entry.kind, "r", f"{entry.seq} {event_id}")

    def recording_message(self, recording, change, event_id, at):
        return WebhookMessage(change, recording.id, f"{event_id} {at}", recording.details["tenant"])

    def wants(self, endpoint, message):
        return message.event in endpoint.settings.get("events", [message.event])

    def headers(self, endpoint, body, now):
        if body == b"fault":
            raise KeyError("fault")
        if endpoint.settings.get("unsigned"):
            raise DeliveryError("no key")
        return {"signed": f"{endpoint.id} {body.decode()} {now}"}

    def judge(self, endpoint, delivery, status, now):
        if status == 200:
            return Outcome(delivered=True)
        if status == 410:
            return Outcome(delivered=False, pause=True)
        return Outcome(delivered=False, retry_in_s=0.0 if delivery.attempts < 2 else None)


class FakePost:
    def __init__(self, *answers):
        self.answers = list(answers)
        self.sent = []
        self.under_way = 0
        self.most = 0

    async def __call__(self, url, body, headers):
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        self.sent.append((url, body.decode(), headers))
        await asyncio.sleep(0)
        self.under_way -= 1
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return answer


def endpoint(name="e1", **fields):
    return WebhookEndpoint(name, "fake", f"https://{name}.example", fields.pop("settings", {}), 1.0, **fields)


def new(event, resource="r", to="e1"):
    return NewDelivery(to, resource, "EV_1", event, event)


@asynccontextmanager
async def sending(store, post):
    webhooks = Webhooks(store, [FakeApi()], post, lambda: 9.0)
    runner = asyncio.create_task(webhooks.run())
    try:
        yield webhooks
    finally:
        runner.cancel()
        await asyncio.gather(runner, return_exceptions=True)


async def all_sent(webhooks):
    async with asyncio.timeout(5):
        await webhooks.idle()


def test_endpoints_get_the_messages_that_concern_them():
    webhooks = Webhooks(None, [FakeApi()], FakePost(), lambda: 0.0)
    endpoints = [
        endpoint("all"),
        endpoint("room", room="algebra"),
        endpoint("other", room="logic"),
        endpoint("some", settings={"events": ["else"]}),
        WebhookEndpoint("foreign", "daily", "https://foreign.example", {}, 1.0),
    ]
    number = event_id(ENTRY)
    body = f"3 {number}"
    assert webhooks.deliveries(ENTRY, endpoints) == [
        NewDelivery("all", "r", number, "room_changed", body),
        NewDelivery("room", "r", number, "room_changed", body),
    ]


@pytest.mark.parametrize("entry", [SILENCE, FAULT])
def test_no_message_and_a_fault_are_no_delivery(entry, caplog):
    webhooks = Webhooks(None, [FakeApi()], FakePost(), lambda: 0.0)
    assert webhooks.deliveries(logged(1, entry), [endpoint()]) == []
    assert ("failed to make a webhook" in caplog.text) is (entry is FAULT)


def test_a_change_of_a_recording_has_one_id_and_reaches_the_endpoints_of_its_room():
    webhooks = Webhooks(None, [FakeApi()], FakePost(), lambda: 7.0)
    endpoints = [endpoint("all"), endpoint("room", room="algebra"), endpoint("other", room="logic")]
    row = Recording("rec_1", "algebra", "RM_1", "paused", 1.0, None, {"tenant": "school", "changes": 1})

    def made(row, change):
        return webhooks.recording_deliveries(row, change, endpoints)

    paused = made(row, RecordingChange.PAUSED)
    assert [(each.endpoint_id, each.resource, each.event) for each in paused] == [
        ("all", "rec_1", "paused"),
        ("room", "rec_1", "paused"),
    ]
    assert paused[0].body == f"{paused[0].event_id} 7.0"
    assert made(row, RecordingChange.PAUSED) == paused
    again = replace(row, details={"tenant": "school", "changes": 3})
    assert made(again, RecordingChange.PAUSED)[0].event_id != paused[0].event_id
    assert made(replace(row, details={}), RecordingChange.PAUSED) == []  # the API fails


def test_each_entry_has_one_id():
    assert event_id(ENTRY) == event_id(logged(3, started())) != event_id(logged(4, started()))


async def test_what_waits_from_before_is_sent_in_order(store):
    post = FakePost()
    await store.endpoints.put(endpoint())
    await store.outbox.add([new("one"), new("two"), new("three")], 5.0)
    async with sending(store, post) as webhooks:
        await all_sent(webhooks)
    assert [(url, body) for url, body, _ in post.sent] == [
        ("https://e1.example", body) for body in ("one", "two", "three")
    ]
    assert post.sent[0][2] == {"signed": "e1 one 9.0"}
    assert post.most == 1
    assert await store.outbox.count() == 0


async def test_what_is_new_is_sent_when_woken(store):
    post = FakePost()
    await store.endpoints.put(endpoint())
    async with sending(store, post) as webhooks:
        await all_sent(webhooks)
        await store.outbox.add([new("one")], 5.0)
        webhooks.wake()
        await all_sent(webhooks)
    assert len(post.sent) == 1


async def test_other_resources_and_endpoints_do_not_wait(store):
    post = FakePost()
    for name in ("e1", "e2"):
        await store.endpoints.put(endpoint(name))
    await store.outbox.add([new(str(i), f"r{i}", to) for to in ("e1", "e2") for i in range(20)], 5.0)
    async with sending(store, post) as webhooks:
        await all_sent(webhooks)
    assert len(post.sent) == 40
    assert 8 <= post.most <= 16


async def test_a_failed_attempt_is_repeated_before_what_follows(store, caplog):
    post, outcomes = FakePost(500, DeliveryError("nobody there"), 200), []
    await store.endpoints.put(endpoint())
    await store.outbox.add([new("one"), new("two")], 5.0)
    async with sending(store, post) as webhooks:
        webhooks.observe(lambda *outcome: outcomes.append(outcome))
        await all_sent(webhooks)
    assert outcomes == [("fake", outcome) for outcome in ("failed", "failed", "delivered", "delivered")]
    assert [body for _, body, _ in post.sent] == ["one", "one", "one", "two"]
    assert "status 500" in caplog.text
    assert "nobody there" in caplog.text
    assert (await store.endpoints.get("e1")).failures == 0


async def test_what_is_given_up_does_not_hold_up_the_rest(store, caplog):
    post = FakePost(500, 500, 500)
    await store.endpoints.put(endpoint())
    await store.outbox.add([new("one"), new("two")], 5.0)
    async with sending(store, post) as webhooks:
        await all_sent(webhooks)
    assert [body for _, body, _ in post.sent] == ["one", "one", "one", "two"]
    assert "given up" in caplog.text


async def test_an_endpoint_can_be_paused_by_its_answer(store):
    post = FakePost(410)
    await store.endpoints.put(endpoint())
    await store.outbox.add([new("one"), new("two")], 5.0)
    async with sending(store, post) as webhooks:
        await all_sent(webhooks)
    assert len(post.sent) == 1
    assert (await store.endpoints.get("e1")).paused


async def test_a_fault_in_one_delivery_repeats_no_other(store, caplog):
    post = FakePost()
    await store.endpoints.put(endpoint())
    await store.outbox.add([new("one", "a"), new("fault", "b"), new("two", "c")], 5.0)
    async with sending(store, post) as webhooks:
        await all_sent(webhooks)
    assert sorted(body for _, body, _ in post.sent) == ["one", "two"]
    assert "KeyError; given up" in caplog.text


def test_a_fault_in_choosing_endpoints_does_not_stop_the_event_log(caplog):
    webhooks = Webhooks(None, [FakeApi()], FakePost(), lambda: 0.0)
    assert webhooks.deliveries(ENTRY, [endpoint(settings={"events": 5})]) == []
    assert "failed to make a webhook" in caplog.text


async def test_what_cannot_be_signed_is_not_sent(store):
    post = FakePost()
    await store.endpoints.put(endpoint(settings={"unsigned": True}))
    await store.outbox.add([new("one")], 5.0)
    async with sending(store, post) as webhooks:
        await all_sent(webhooks)
    assert post.sent == []


async def test_an_endpoint_of_an_api_that_is_gone_gets_nothing(store, caplog):
    await store.endpoints.put(WebhookEndpoint("e1", "gone", "https://e1.example", {}, 1.0))
    await store.outbox.add([new("one")], 5.0)
    async with sending(store, FakePost()) as webhooks:
        await all_sent(webhooks)
    assert await store.outbox.count() == 0
    assert "unknown kind" in caplog.text


async def test_a_retry_is_waited_for_and_an_end_of_the_wait_is_noticed(store, monkeypatch):
    monkeypatch.setattr(
        FakeApi,
        "judge",
        lambda *_: Outcome(delivered=False, retry_in_s=3600.0),
    )
    post = FakePost(500)
    await store.endpoints.put(endpoint())
    await store.outbox.add([new("one")], 5.0)
    settled, settle = asyncio.Event(), store.outbox.settle

    async def settle_and_say(*arguments, **options):
        await settle(*arguments, **options)
        settled.set()

    monkeypatch.setattr(store.outbox, "settle", settle_and_say)
    async with sending(store, post) as webhooks:
        await settled.wait()
        await store.endpoints.delete("e1")
        webhooks.wake()
        await all_sent(webhooks)
    assert len(post.sent) == 1


@pytest.mark.parametrize(("place", "name"), [("outbox", "waiting"), ("outbox", "due"), ("endpoints", "get")])
@pytest.mark.parametrize("error", [StoreError("locked"), RuntimeError("fault")])
async def test_a_failing_store_delays_webhooks(store, monkeypatch, place, name, error):
    monkeypatch.setattr("signaling.history.webhooks.RETRY_S", 0.0)
    original, failures = getattr(getattr(store, place), name), [error, error]

    async def failing(*arguments):
        if failures:
            raise failures.pop()
        return await original(*arguments)

    monkeypatch.setattr(getattr(store, place), name, failing)
    post = FakePost()
    await store.endpoints.put(endpoint())
    await store.outbox.add([new("one")], 5.0)
    async with sending(store, post) as webhooks:
        await all_sent(webhooks)
    assert len(post.sent) == 1
