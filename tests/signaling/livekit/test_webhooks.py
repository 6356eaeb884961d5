import json
import time
from dataclasses import replace

import pytest
from google.protobuf import json_format
from livekit import api
from livekit.protocol import egress, models, webhook

from sfu.values import Layer
from signaling.access import tokens
from signaling.errors import ConfigError
from signaling.history.snapshots import (
    participant_reference,
    participant_snapshot,
    room_reference,
    room_snapshot,
    track_snapshot,
)
from signaling.history.webhooks import WebhookMessage
from signaling.livekit.messages.convert import participant_info, room_info, track_info
from signaling.livekit.messages.egress_info import egress_detail
from signaling.livekit.webhooks import _MESSAGES, _NOT_REPORTED, LiveKitWebhooks, configure, parse_urls
from signaling.rooms.model import Participant, Room, RoomConfig, Track, TrackSpec
from signaling.rooms.permissions import Permissions, Source
from signaling.store import Delivery, NewDelivery, WebhookEndpoint
from signaling.store.meetings import entries
from signaling.store.records import Recording, RecordingChange
from tests.signaling.entries import logged, visitor

SECRET = "s" * 32
NOW = 1_795_888_000.0
HOOK = WebhookEndpoint("e1", "livekit", "https://school.example", {"events": []}, 1.0)
ROOM = Room("RM_1", "algebra", RoomConfig(max_participants=9), 1000.5, metadata="m\u00fc")
ADA = Participant(
    "PA_1",
    "ada",
    ROOM,
    "Ada",
    "meta",
    {"a": "b"},
    Permissions(can_publish_sources=(Source.CAMERA,)),
    1001.25,
    connected_at=1002.0,
)
SPEC = TrackSpec("video", Source.CAMERA, name="cam", layers=(Layer("q", 320, 180), Layer("h", 640, 360)))
TRACK = replace(Track.from_spec("TR_VC1", "PA_1", SPEC), codec="vp8", mid="0")
PLACE = room_snapshot(ROOM)
PERSON = participant_snapshot(ADA)


@pytest.fixture
def webhooks():
    return LiveKitWebhooks(lambda: tokens.Signer("key", SECRET))


def told(webhooks, entry):
    """What an application gets, by the receiver of LiveKit's own SDK."""
    message = webhooks.message(logged(1, entry, at=1005.5), "EV_1")
    if message is None:
        return None, None
    headers = webhooks.headers(HOOK, message.body.encode(), time.time())  # the SDK looks at the clock
    receiver = api.WebhookReceiver(api.TokenVerifier("key", SECRET))
    event = receiver.receive(message.body, headers["Authorization"])
    assert (event.id, event.created_at, event.event) == ("EV_1", 1005, message.event)
    return event, message.resource


def test_an_endpoint_gets_the_configured_events_alone(webhooks):
    message = webhooks.message(logged(1, entries.RoomStarted(PLACE)), "EV_1")
    for events, wanted in (([], True), (["room_started"], True), (["room_finished"], False)):
        endpoint = WebhookEndpoint("e1", "livekit", "https://school.example", {"events": events}, 1.0)
        assert webhooks.wants(endpoint, message) is wanted


@pytest.mark.parametrize(
    ("status", "output", "told_of"),
    [
        ("finished", {"kind": "film"}, None),
        ("finished", None, "egress_ended"),
        ("failed", {"kind": "film"}, "egress_ended"),
    ],
)
def test_an_egress_ends_with_its_files_or_without_any(webhooks, status, output, told_of):
    detail = egress_detail("track", egress.TrackEgressRequest(track_id="TR_1"))
    details = {"egress": detail, "reason": "disk-full" if status == "failed" else ""}
    if output is not None:
        details["output"] = output
    row = Recording("EG_1", "algebra", "RM_1", status, 5.0, 9.0, details)
    message = webhooks.recording_message(row, RecordingChange.ENDED, "EV_1", 1005.0)
    assert (None if message is None else message.event) == told_of
    if message is not None:
        event = json_format.Parse(message.body, webhook.WebhookEvent())
        assert event.egress_info.track.track_id == "TR_1"
        assert event.egress_info.error == details["reason"]
    assert webhooks.recording_message(replace(row, details={}), RecordingChange.STARTED, "EV_1", 1.0) is None


def test_a_room_is_told_as_clients_see_it(webhooks):
    event, resource = told(webhooks, entries.RoomStarted(PLACE))
    assert (event.event, resource) == ("room_started", "room/algebra")
    assert event.room == room_info(ROOM)


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("ROOM_CLOSED", models.ROOM_END_IDLE_TIMEOUT),
        ("ROOM_DELETED", models.ROOM_END_API_DELETE),
        ("SERVER_SHUTDOWN", models.ROOM_END_SERVER_SHUTDOWN),
        ("", models.ROOM_END_UNKNOWN),
    ],
)
def test_the_end_of_a_room_has_its_reason(webhooks, reason, expected):
    event, _ = told(webhooks, entries.RoomFinished(PLACE, reason))
    assert (event.event, event.room_end_reason) == ("room_finished", expected)


@pytest.mark.parametrize(
    "entry", [entries.ParticipantActive(PLACE, PERSON), entries.ParticipantMovedIn(PLACE, PERSON, "RM_2")]
)
def test_a_join_is_told_once_media_is_connected(webhooks, entry):
    event, resource = told(webhooks, entry)
    assert (event.event, resource) == ("participant_joined", "participant/RM_1/ada")
    assert event.participant == participant_info(ADA)
    assert event.room == room_info(ROOM)
    assert told(webhooks, entries.ParticipantJoined(PLACE, PERSON)) == (None, None)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        (entries.ParticipantLeft(PLACE, PERSON, "CLIENT_LEFT"), models.CLIENT_INITIATED),
        (entries.ParticipantLeft(PLACE, PERSON, "A_NEWER_REASON"), models.UNKNOWN_REASON),
        (entries.ParticipantMovedOut(PLACE, PERSON, "RM_2"), models.MIGRATION),
    ],
)
def test_a_leave_has_its_reason(webhooks, entry, reason):
    event, resource = told(webhooks, entry)
    assert (event.event, resource) == ("participant_left", "participant/RM_1/ada")
    assert (event.participant.state, event.participant.disconnect_reason) == (
        models.ParticipantInfo.DISCONNECTED,
        reason,
    )


def test_who_never_got_media_has_an_aborted_connection(webhooks):
    person = participant_snapshot(replace(ADA, connected_at=0.0))
    event, _ = told(webhooks, entries.ParticipantLeft(PLACE, person, "JOIN_TIMEOUT"))
    assert event.event == "participant_connection_aborted"


@pytest.mark.parametrize("of", [entries.TrackPublished, entries.TrackUnpublished])
def test_a_track_is_told_with_the_names_of_room_and_publisher(webhooks, of):
    entry = of(room_reference(ROOM), participant_reference(ADA), track_snapshot(TRACK))
    event, resource = told(webhooks, entry)
    assert (event.event, resource) == (entries.kind_of(entry), "track/TR_VC1")
    assert event.room == models.Room(sid="RM_1", name="algebra")
    assert event.participant == models.ParticipantInfo(sid="PA_1", identity="ada")
    told_of, shown = event.track, track_info(TRACK)
    for name in ("sid", "type", "source", "name", "muted", "width", "height", "mid", "mime_type"):
        assert getattr(told_of, name) == getattr(shown, name)
    assert told_of.simulcast
    assert [(layer.quality, layer.width) for layer in told_of.layers] == [(0, 320), (1, 640)]


def test_what_livekit_does_not_tell_is_not_told(webhooks):
    for entry in (
        entries.RoomChanged(PLACE),
        entries.RoomOccupied(PLACE),
        entries.VisitorArrived(PLACE, visitor()),
        entries.Unstorable("room_started"),
        entries.Unknown("hand_raised", {}, "no such kind"),
    ):
        assert told(webhooks, entry) == (None, None)


def test_every_type_of_entry_is_reported_or_known_not_to_be():
    assert _MESSAGES.keys() | _NOT_REPORTED == entries.TYPES
    assert not _MESSAGES.keys() & _NOT_REPORTED


def test_the_form_is_livekits(webhooks):
    message = webhooks.message(logged(1, entries.RoomStarted(PLACE), at=1005.5), "EV_1")
    body = json.loads(message.body)
    assert body["createdAt"] == "1005"
    assert (body["room"]["maxParticipants"], body["room"]["creationTime"]) == (9, "1000")
    assert "numParticipants" not in body["room"]
    headers = webhooks.headers(HOOK, b"{}", NOW)
    assert headers["Content-Type"] == "application/webhook+json"
    assert headers["Authorization"].count(".") == 2
    assert " " not in headers["Authorization"]
    assert webhooks.wants(HOOK, WebhookMessage("room_started", "RM_1", "{}"))


def delivery(attempts=0, created_at=NOW):
    return Delivery(1, NewDelivery("e1", "r", "EV_1", "room_started", "{}"), created_at, attempts)


def test_attempts_come_at_growing_intervals_and_end(webhooks):
    waits = [webhooks.judge(HOOK, delivery(attempts), None, NOW).retry_in_s for attempts in range(7)]
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]
    assert webhooks.judge(HOOK, delivery(9999), 503, NOW).retry_in_s == 30.0
    assert webhooks.judge(HOOK, delivery(created_at=NOW - 3601), None, NOW).retry_in_s is None


@pytest.mark.parametrize(
    ("status", "delivered", "again"),
    [(200, True, False), (204, True, False), (302, False, False), (400, False, False), (404, False, False)]
    + [(status, False, True) for status in (408, 425, 429, 500, 503)],
)
def test_an_answer_that_will_be_the_same_again_is_the_last(webhooks, status, delivered, again):
    outcome = webhooks.judge(HOOK, delivery(), status, NOW)
    assert (outcome.delivered, outcome.retry_in_s is not None, outcome.pause) == (delivered, again, False)


def test_addresses_may_be_for_one_room():
    text = " https://a.example/?to=http://b ,maths=1=https://c.example/?x=y,"
    assert parse_urls(text) == [("", "https://a.example/?to=http://b"), ("maths=1", "https://c.example/?x=y")]
    assert parse_urls("") == []


@pytest.mark.parametrize("text", ["a.example", "maths=a.example", "https://a:b@c.example", "http://"])
def test_an_unusable_address_is_the_operators_to_mend(text):
    with pytest.raises(ConfigError, match="webhook_url"):
        parse_urls(text)


async def test_the_configuration_decides_which_endpoints_there_are(store):
    daily = WebhookEndpoint("d1", "daily", "https://d.example", {}, 1.0)
    await store.endpoints.put(daily)
    await configure(store.endpoints, [("", "https://a.example"), ("maths", "https://a.example")], [], 5.0)
    before = await store.endpoints.list("livekit")
    assert sorted((each.room, each.url) for each in before) == [
        ("", "https://a.example"),
        ("maths", "https://a.example"),
    ]
    await configure(store.endpoints, [("maths", "https://a.example"), ("", "https://b.example")], ["x"], 9.0)
    after = await store.endpoints.list("livekit")
    assert sorted((each.room, each.url, each.created_at) for each in after) == [
        ("", "https://b.example", 9.0),
        ("maths", "https://a.example", 5.0),
    ]
    assert [each.settings for each in after] == [{"events": ["x"]}] * 2
    assert await store.endpoints.list("daily") == [daily]
