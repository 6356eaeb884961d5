"""A database of the release before entries were typed opens, and its server goes on."""

import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from signaling.access import tokens
from signaling.access.keyring import Keyring
from signaling.daily.webhooks import DailyWebhooks
from signaling.history.background import Background
from signaling.history.webhook_client import WebhookClient
from signaling.livekit.webhooks import LiveKitWebhooks
from signaling.rooms.rooms import JoinSpec
from signaling.store import Attendance, Meeting, MeetingFilter, Store
from signaling.store.meetings.entries import Unknown
from signaling.store.vault import Vault
from tests.signaling import all_kinds
from tests.signaling.receiver import receiving

APIS = {"livekit": LiveKitWebhooks(lambda: tokens.Signer("key", "s" * 32)), "daily": DailyWebhooks()}


@pytest.fixture
async def store(tmp_path):
    path = tmp_path / "lectern.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(all_kinds.DATABASE.read_text())
    opened = await Store.open(f"sqlite:///{path}", Vault(all_kinds.MASTER_KEY))
    yield opened
    await opened.close()


@pytest.fixture
async def background(store, harness):
    outgoing = WebhookClient(allow_private=True)
    made = Background(harness.services, store, Keyring({}), APIS.values(), outgoing)
    yield made
    await made.stop()


async def waiting_deliveries(store):
    return [
        (endpoint, delivery.content)
        for kind in APIS
        for endpoint in await store.endpoints.list(kind)
        for delivery in await store.outbox.due(endpoint.id, 1e10, 100)
    ]


async def test_its_entries_sessions_and_stays_are_read(store):
    log = await store.events.read("RM_algebra")
    assert [each.seq for each in log] == list(range(1, 16))
    assert not any(isinstance(each.entry, Unknown) for each in log)
    assert await store.sessions.find(MeetingFilter()) == [
        Meeting("RM_logic", "logic", 1012.25, None),
        Meeting("RM_algebra", "algebra", 1001.25, 1019.25),
    ]
    assert await store.sessions.stays("RM_algebra") == [
        Attendance("RM_algebra", "PA_ada", "ada", "Ada", 1003.25, 1018.25, "u-1"),
        Attendance("RM_algebra", "PA_ben", "ben", "Ben", 1004.25, 1014.25),
    ]


async def test_webhooks_about_its_entries_are_those_that_it_made_itself(store):
    end = (await store.events.read("RM_algebra"))[-1]
    made = {
        endpoint.kind: (content, APIS[endpoint.kind].message(end, content.event_id))
        for endpoint, content in await waiting_deliveries(store)
    }
    assert made.keys() == APIS.keys()
    for content, message in made.values():
        assert (message.event, message.resource) == (content.event, content.resource)
        assert without_codecs(message.body) == without_codecs(content.body)


def without_codecs(body):
    """A webhook's body without the codecs: they are what the server of today can forward, and no part of an entry."""
    read = json.loads(body)
    read.get("room", {}).pop("enabledCodecs", None)
    return read


async def test_its_open_session_is_ended_and_endpoints_are_notified(store, background):
    async with receiving() as receiver:
        for kind in APIS:
            (endpoint,) = await store.endpoints.list(kind)
            await store.endpoints.put(replace(endpoint, url=receiver.url))
        await background.start()
        await background.webhooks.idle()
    bodies = [json.loads(body) for _, body in receiver.received]
    assert sorted(body["event"] for body in bodies if "event" in body) == [
        "participant_left",
        "room_finished",
        "room_finished",
        "track_unpublished",
    ]
    # Daily's secret opens with the master key of then.
    assert sum("X-Webhook-Signature" in headers for headers, _ in receiver.received) == 3
    daily = [(body["type"], body["payload"]["room"]) for body in bodies if "type" in body]
    assert sorted(daily) == [
        ("meeting.ended", "algebra"),
        ("meeting.ended", "logic"),
        ("participant.left", "logic"),
    ]
    assert await store.sessions.get("RM_logic") == Meeting("RM_logic", "logic", 1012.25, 2000.0)
    (ben,) = await store.sessions.stays("RM_logic")
    assert (ben.joined_at, ben.left_at) == (1015.25, 2000.0)
    assert [each.kind for each in await store.events.read("RM_logic", after=4)] == [
        "track_unpublished",
        "participant_left",
        "room_finished",
    ]
    assert await store.outbox.count() == 0


async def test_new_sessions_follow_and_the_old_ones_can_be_deleted(store, background, harness):
    for endpoint, _ in await waiting_deliveries(store):
        await store.endpoints.delete(endpoint.id)
    await background.start()
    harness.rooms.join(JoinSpec("algebra", "ada"))
    await background.journal.committed()
    latest, before = await store.sessions.of_room("algebra")
    assert (latest.ended_at, before.sid) == (None, "RM_algebra")
    kinds = [each.kind for each in await store.events.read(latest.sid)]
    assert kinds == ["room_started", "room_visited", "participant_joined"]
    assert await store.sessions.forget(5000.0) == 2
    assert await store.events.read("RM_algebra") == []
