"""What is counted, and who may read it."""

import math

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client.parser import text_string_to_metric_families

from signaling.errors import StoreError
from signaling.http.metrics import Metrics
from signaling.rooms.model import LeaveReason
from tests.signaling.livekit_client import make_token


async def scrape(metrics, headers=None):
    app = web.Application()
    metrics.add_routes(app.router)
    async with TestClient(TestServer(app)) as client, client.get("/metrics", headers=headers) as answer:
        return answer.status, await answer.text()


async def samples(metrics):
    status, text = await scrape(metrics)
    assert status == 200
    return values(text)


def values(text):
    """Values by name and labels; that the text can be parsed is Prometheus' own reader's word."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.fixture
def metrics():
    return Metrics("", open_to_all=True)


async def test_people_their_joins_and_how_long_these_took(metrics, room):
    harness = room.harness
    metrics.show_rooms(harness.rooms)
    metrics.count_people(harness.hub)
    ada, ben = room.join("ada"), room.join("ben")
    harness.advance(0.25)
    harness.rooms.connected(ada.sid)
    found = await samples(metrics)
    assert found["lectern_rooms",] == 1
    assert (found["lectern_participants", "joined"], found["lectern_participants", "active"]) == (1, 1)
    assert found["lectern_joins_total",] == 2
    assert (found["lectern_join_seconds_count",], found["lectern_join_seconds_sum",]) == (1, 0.25)
    harness.rooms.leave(ben, LeaveReason.JOIN_TIMEOUT)
    found = await samples(metrics)
    assert found["lectern_leaves_total", "join_timeout"] == 1
    assert found["lectern_participants", "joined"] == 0


async def test_a_clock_that_was_set_back_is_no_join_of_negative_length(metrics, room):
    metrics.count_people(room.harness.hub)
    ada = room.join("ada")
    ada.joined_at += 1000.0
    room.harness.rooms.connected(ada.sid)
    assert (await samples(metrics))["lectern_join_seconds_sum",] == 0.0


async def test_media_by_action_and_reason(metrics):
    media = {"peers": 3.0, "packets_forwarded": 70.0, "dropped_muted": 5.0, "workers_restarted": 1.0}
    metrics.show_media(lambda: media, lambda: {"oversize": 2})
    found = await samples(metrics)
    assert found["lectern_media_peers",] == 3
    assert found["lectern_media_packets_total", "forwarded"] == 70
    assert found["lectern_media_packets_dropped_total", "muted"] == 5
    assert found["lectern_media_workers_restarted_total",] == 1
    assert found["lectern_data_packets_dropped_total", "oversize"] == 2
    media["peers"] = 4.0
    assert (await samples(metrics))["lectern_media_peers",] == 4


async def test_database_requests_and_other_numbers(metrics):
    metrics.transaction(0.004, failed=False)
    metrics.transaction(3.0, failed=True)
    metrics.request("GET", "/v1/rooms", 200, 0.03)
    metrics.show("outbox_waiting", "Webhooks to be sent.", lambda: 7)
    found = await samples(metrics)
    assert found["lectern_database_seconds_bucket", "0.005", "done"] == 1
    assert found["lectern_database_seconds_sum", "failed"] == 3
    assert found["lectern_http_request_seconds_count", "GET", "/v1/rooms", "200"] == 1
    assert found["lectern_outbox_waiting",] == 7
    assert found["process_resident_memory_bytes",] > 0


async def test_a_number_that_has_to_be_waited_for_is_none_while_the_store_fails(metrics):
    failing = False

    async def count():
        if failing:
            raise StoreError("disk full")
        return 3

    metrics.show_later("webhooks_waiting", "Deliveries in the outbox.", count)
    assert (await samples(metrics))["lectern_webhooks_waiting",] == 3
    failing = True
    assert math.isnan((await samples(metrics))["lectern_webhooks_waiting",])


@pytest.mark.parametrize(
    ("token", "given", "status"),
    [
        ("hush", "Bearer hush", 200),
        ("hush", "Bearer hush2", 404),
        ("hush", "Bearer \xff", 404),
        ("hush", "Bearer ", 404),
        ("", "Bearer ", 404),
    ],
)
async def test_only_who_has_the_token_may_read(token, given, status):
    assert (await scrape(Metrics(token), {"Authorization": given}))[0] == status
    assert (await scrape(Metrics(token)))[0] == 404


async def test_a_whole_server_counts_what_happens(world):
    client, _ = await world.join("ada")
    await client.until("answer")
    for path in ("/healthz", "/nothing/of/the/kind", "/readyz"):
        async with world.http.get(f"{world.url}{path}"):
            pass
    async with world.http.request("PROPFIND", f"{world.url}/healthz", params={"access_token": make_token()}):
        pass
    async with world.http.get(f"{world.url}/metrics") as answer:
        text = await answer.text()
    found = values(text)
    assert found["lectern_rooms",] == 1
    assert found["lectern_joins_total",] == 1
    assert found["lectern_http_request_seconds_count", "GET", "/healthz", "200"] == 1
    assert found["lectern_http_request_seconds_count", "GET", "/{path}", "404"] == 1
    assert found["lectern_http_request_seconds_count", "other", "none", "405"] == 1
    assert found["lectern_database_seconds_count", "done"] > 0
    assert found["lectern_webhooks_waiting",] == 0
    assert "nothing/of" not in text
    assert "eyJ" not in text
    # the WebSocket is still open, and no request of a second
    assert not [key for key in found if "/rtc/v1" in key]


async def test_webhooks_by_outcome(metrics):
    for outcome in ("delivered", "delivered", "given_up"):
        metrics.webhook("livekit", outcome)
    found = await samples(metrics)
    assert found["lectern_webhook_attempts_total", "livekit", "delivered"] == 2
    assert found["lectern_webhook_attempts_total", "livekit", "given_up"] == 1
