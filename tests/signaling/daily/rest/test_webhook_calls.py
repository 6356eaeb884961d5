import asyncio
import base64
import hashlib
import hmac
import json
import uuid

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sfu.values import PeerConnected
from signaling.daily import webhooks
from signaling.daily.rest import webhook_calls

ALL = 28


class Receiver:
    """An application's endpoint."""

    def __init__(self):
        self.requests = []
        self.status = 200
        self.came = asyncio.Event()

    async def take(self, request):
        self.requests.append((request.headers, await request.read()))
        self.came.set()
        return web.Response(status=self.status)

    async def events(self, count):
        """Return the first events of this number, checked as a careful receiver does."""
        async with asyncio.timeout(10):
            while len(self.requests) < count:
                self.came.clear()
                await self.came.wait()
        return [json.loads(body) for _, body in self.requests[:count]]

    def check(self, secret):
        for headers, body in self.requests:
            signed = headers["X-Webhook-Timestamp"].encode() + b"." + body
            expected = hmac.new(base64.b64decode(secret), signed, hashlib.sha256).digest()
            assert base64.b64decode(headers["X-Webhook-Signature"]) == expected


@pytest.fixture
async def receiver():
    made = Receiver()
    app = web.Application()
    app.router.add_post("/hook", made.take)
    async with TestServer(app, port=0) as server:
        made.url = str(server.make_url("/hook"))
        yield made


async def connected(daily, identity, **claims):
    """Somebody joins, and their media is up."""
    await daily.world.join(identity, **claims)
    person = daily.server.services.rooms.room("lesson").participants[identity]
    daily.world.media.emit(PeerConnected(person.sid))


async def test_a_webhook_is_made_after_a_test(daily, receiver):
    made = await daily.post("/webhooks", {"url": receiver.url})
    assert list(made) == [
        "uuid",
        "url",
        "hmac",
        "basicAuth",
        "retryType",
        "eventTypes",
        "state",
        "failedCount",
        "lastMomentPushed",
        "domainId",
        "createdAt",
        "updatedAt",
    ]
    assert uuid.UUID(made["uuid"])
    assert (made["url"], made["state"], made["failedCount"]) == (receiver.url, "ACTIVE", 0)
    assert (made["retryType"], made["basicAuth"], made["lastMomentPushed"]) == ("circuit-breaker", None, None)
    assert (len(base64.b64decode(made["hmac"])), len(made["eventTypes"])) == (32, ALL)
    assert made["domainId"] == (await daily.get("/"))["domain_id"]
    [(_, body)] = receiver.requests
    assert body == b'{"test":"test"}'
    receiver.check(made["hmac"])
    assert await daily.get("/webhooks") == [made]
    assert await daily.get(f"/webhooks/{made['uuid']}") == made
    assert await daily.delete(f"/webhooks/{made['uuid']}") == {"deleted": True, "uuid": made["uuid"]}
    assert await daily.get("/webhooks") == []


async def test_events_arrive_signed(daily, receiver):
    secret = base64.b64encode(b"our own").decode()
    wanted = ["meeting.started", "participant.joined"]
    body = {"url": receiver.url, "hmac": secret, "eventTypes": wanted, "basicAuth": "me:pw"}
    await daily.post("/webhooks", body)
    await daily.post("/rooms", {"name": "lesson"})
    await connected(daily, "ada", name="Ädä")
    _, *events = await receiver.events(3)
    assert {event["type"] for event in events} == set(wanted)
    assert {event["payload"]["room"] for event in events} == {"lesson"}
    assert {headers["Authorization"] for headers, _ in receiver.requests} == {"Basic bWU6cHc="}
    receiver.check(secret)


async def test_a_receiver_that_does_not_answer_200_gets_no_webhook(daily, receiver):
    receiver.status = 204
    refused = await daily.refused("POST", "/webhooks", {"url": receiver.url})
    assert refused == (
        400,
        "invalid-request-error",
        "the url has to answer a test with status 200, and answered 204",
    )
    for url in ("http://127.0.0.1:1/", "ftp://a.example", "nonsense", "https://u:p@school.example/"):
        assert (await daily.refused("POST", "/webhooks", {"url": url}))[:2] == (400, "invalid-request-error")
    assert await daily.get("/webhooks") == []


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": 3},
        {"hmac": "not base64!"},
        {"hmac": ""},
        {"retryType": "never"},
        {"eventTypes": ["meeting.exploded"]},
        {"eventTypes": "meeting.started"},
        {"colour": "red"},
    ],
)
async def test_wrong_values(daily, receiver, body):
    body = {"url": receiver.url, **body} if body else {}
    assert (await daily.refused("POST", "/webhooks", body))[:2] == (400, "invalid-request-error")
    assert receiver.requests == []


async def test_a_webhook_that_failed_begins_anew_when_changed(daily, receiver):
    made = await daily.post("/webhooks", {"url": receiver.url, "eventTypes": ["participant.joined"]})
    path = f"/webhooks/{made['uuid']}"
    receiver.status = 500
    for index in range(3):
        await connected(daily, f"pupil-{index}")
        await receiver.events(2 + index)
        await daily.server.background.webhooks.idle()
    failed = await daily.get(path)
    assert (failed["state"], failed["failedCount"]) == ("FAILED", 3)
    await connected(daily, "unheard")
    await daily.server.background.journal.committed()
    await daily.server.background.webhooks.idle()
    assert len(receiver.requests) == 4
    assert (await daily.refused("POST", path, {}))[0] == 400
    assert (await daily.get(path))["state"] == "FAILED"
    receiver.status = 200
    changed = await daily.post(path, {"retryType": "exponential", "eventTypes": ["participant.left"]})
    assert (changed["state"], changed["failedCount"], changed["retryType"]) == ("ACTIVE", 0, "exponential")
    assert (changed["hmac"], changed["createdAt"]) == (made["hmac"], made["createdAt"])
    assert changed["eventTypes"] == ["participant.left"]
    assert await daily.get(path) == changed


async def test_a_domain_has_so_many_webhooks_and_no_more(daily, receiver, monkeypatch):
    monkeypatch.setattr(webhook_calls, "MAX_WEBHOOKS", 2)
    for _ in range(2):
        await daily.post("/webhooks", {"url": receiver.url})
    refused = await daily.refused("POST", "/webhooks", {"url": receiver.url})
    assert refused == (400, "invalid-request-error", "a domain has at most 2 webhooks")
    assert len(receiver.requests) == 2


async def test_exponential_tries_again_with_the_same_event(daily, receiver, monkeypatch):
    monkeypatch.setattr(webhooks, "EXPONENTIAL_S", (0.01, 0.02, 0.03, 0.04))
    body = {"url": receiver.url, "eventTypes": ["participant.joined"], "retryType": "exponential"}
    made = await daily.post("/webhooks", body)
    receiver.status = 503
    await connected(daily, "ada")
    await receiver.events(4)
    receiver.status = 200
    await daily.server.background.webhooks.idle()
    _, *attempts = await receiver.events(len(receiver.requests))
    assert len(attempts) >= 4
    assert len({json.dumps(event) for event in attempts}) == 1
    after = await daily.get(f"/webhooks/{made['uuid']}")
    assert (after["state"], after["failedCount"]) == ("ACTIVE", 0)
    assert after["lastMomentPushed"] is not None


async def test_what_was_tried_five_times_is_given_up(daily, receiver, monkeypatch):
    monkeypatch.setattr(webhooks, "EXPONENTIAL_S", (0.01, 0.01, 0.01, 0.01))
    body = {"url": receiver.url, "eventTypes": ["participant.joined"], "retryType": "exponential"}
    made = await daily.post("/webhooks", body)
    receiver.status = 503
    await connected(daily, "ada")
    await receiver.events(6)
    await daily.server.background.webhooks.idle()
    assert len(receiver.requests) == 6
    after = await daily.get(f"/webhooks/{made['uuid']}")
    assert (after["state"], after["failedCount"]) == ("ACTIVE", 5)


async def test_webhooks_that_are_not_there(daily):
    for method in ("GET", "POST", "DELETE"):
        refused = await daily.refused(method, "/webhooks/x", {} if method == "POST" else None)
        assert refused == (404, "not-found", "webhook x not found")
