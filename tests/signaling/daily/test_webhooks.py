import base64
import hashlib
import hmac
import json

import pytest

from signaling.daily.door import entry
from signaling.daily.door.admission import Admitted
from signaling.daily.properties import RoomProperties
from signaling.daily.webhooks import _MESSAGES, _NOT_REPORTED, EXPONENTIAL_S, DailyWebhooks
from signaling.history.journal import Journal
from signaling.history.recovery import ending
from signaling.history.webhooks import WebhookMessage
from signaling.rooms.events import VisitorArrived, VisitorLeft
from signaling.rooms.model import LeaveReason
from signaling.rooms.permissions import Permissions
from signaling.store import Delivery, Meeting, NewDelivery, WebhookEndpoint
from signaling.store.meetings import entries

NOW = 1_795_000_000.5
SECRET = base64.b64encode(b"a secret").decode()
SETTINGS = {
    "domain": "school",
    "retryType": "circuit-breaker",
    "eventTypes": ["meeting.started", "participant.joined"],
}


def hook(failures=0, basic_auth="", **settings):
    signing = {"hmac": SECRET, "basicAuth": basic_auth}
    settings = {**SETTINGS, **settings}
    return WebhookEndpoint(
        "e1", "daily", "https://school.example", settings, 1.0, failures=failures, secrets=signing
    )


@pytest.fixture
def told(harness):
    """Returns Daily's messages about all that happened, in order."""
    journal = Journal(harness.hub, None, harness.wall_clock)

    def told():
        api = DailyWebhooks()
        messages = [api.message(logged, f"EV_{logged.seq}") for logged in journal._waiting]
        return [message for message in messages if message is not None]

    return told


def test_a_meeting_is_told_from_its_first_participant_to_its_end(harness, room, told):
    harness.rooms.open_room("nobody-comes")
    harness.advance(10)
    attributes = {entry.USER_ID: "u-1", entry.IS_OWNER: entry.YES}
    ada = room.join("ada", name="Ada", attributes=attributes, leaves_at=harness.wall_clock() + 500)
    started_at = harness.wall_clock()
    harness.advance(1)
    harness.rooms.connected(ada.sid)
    bob = room.join("bob")
    harness.rooms.connected(bob.sid)
    room.join("never-connected")
    harness.advance(100)
    harness.rooms.leave(ada, LeaveReason.CLIENT_LEFT)
    harness.advance(1000)
    harness.rooms.shut_down()
    events = [(message.event, json.loads(message.body)) for message in told()]
    assert [event for event, _ in events] == [
        "meeting.started",
        "participant.joined",
        "participant.joined",
        "participant.left",
        "participant.left",
        "meeting.ended",
    ]
    for event, body in events:
        assert list(body) == ["version", "type", "id", "payload", "event_ts"]
        assert (body["version"], body["type"]) == ("1.0.0", event)
    started, joined, guest, left, _, ended = (body["payload"] for _, body in events)
    assert started == {"start_ts": started_at, "meeting_id": started["meeting_id"], "room": "lesson"}
    assert joined == {
        "joined_at": started_at,
        "session_id": "ada",
        "room": "lesson",
        "user_id": "u-1",
        "user_name": "Ada",
        "owner": True,
        "networkQualityState": "unknown",
        "will_eject_at": started_at + 500,
        "permissions": {
            "hasPresence": True,
            "canSend": True,
            "canReceive": {"base": True},
            "canAdmin": False,
        },
    }
    assert (guest["user_id"], guest["owner"], guest["will_eject_at"]) == ("bob", False, 0)
    assert left == {**joined, "duration": 101}
    assert (ended["start_ts"], ended["meeting_id"]) == (started_at, started["meeting_id"])
    assert ended["end_ts"] == harness.wall_clock()


def test_a_meeting_that_a_killed_server_left_is_told_to_have_ended(harness, room):
    journal = Journal(harness.hub, None, harness.wall_clock)
    started_at = harness.wall_clock()
    harness.rooms.connected(room.join("ada").sid)
    killed_at = harness.wall_clock() + 40
    session = Meeting(journal._waiting[0].session_sid, "lesson", started_at, None)
    ends = ending(session, journal._waiting, killed_at)
    messages = [DailyWebhooks().message(logged, "EV") for logged in ends]
    assert [message.event for message in messages] == ["participant.left", "meeting.ended"]
    left, ended = (json.loads(message.body)["payload"] for message in messages)
    assert (left["session_id"], left["duration"]) == ("ada", 40)
    assert (ended["start_ts"], ended["end_ts"]) == (started_at, killed_at)


def test_who_waits_at_the_door_is_told(harness, room, told):
    ada = room.join("ada")
    admitted = Admitted(Permissions(), "Ben", "u-2", is_owner=False, eject_at=None, settings=RoomProperties())
    visitor = entry.visitor("k-1", admitted, harness.wall_clock())
    harness.hub.emit(VisitorArrived(ada.room, visitor))
    harness.advance(7)
    harness.hub.emit(VisitorLeft(ada.room, visitor))
    _, came, gone = told()
    assert (came.event, gone.event) == ("waiting-participant.joined", "waiting-participant.left")
    payload = json.loads(came.body)["payload"]
    assert (payload["session_id"], payload["user_id"], payload["user_name"]) == ("k-1", "u-2", "Ben")
    assert json.loads(gone.body)["payload"] == {**payload, "duration": 7}
    assert came.resource == gone.resource


def test_who_moves_leaves_one_meeting_and_joins_another(harness, room, told):
    ada = room.join("ada")
    harness.rooms.connected(ada.sid)
    harness.rooms.move(ada, harness.rooms.open_room("group"))
    assert [(message.event, json.loads(message.body)["payload"]["room"]) for message in told()] == [
        ("meeting.started", "lesson"),
        ("participant.joined", "lesson"),
        ("meeting.started", "group"),
        ("participant.left", "lesson"),
        ("participant.joined", "group"),
    ]


def test_messages_about_one_person_wait_for_each_other(harness, room, told):
    for identity in ("ada", "bob"):
        harness.rooms.connected(room.join(identity).sid)
    resources = [message.resource for message in told()]
    assert len(set(resources)) == 3


def test_a_domain_hears_of_its_rooms_and_of_nobodys():
    api = DailyWebhooks()
    for owner, event, wanted in (
        ("school", "meeting.started", True),
        ("", "participant.joined", True),
        ("other", "meeting.started", False),
        ("school", "meeting.ended", False),
    ):
        assert api.wants(hook(), WebhookMessage(event, "r", "{}", owner)) is wanted


def test_the_signature_is_over_time_and_body():
    body = '{"test":"ü"}'.encode()
    headers = DailyWebhooks().headers(hook(basic_auth="user:pass"), body, NOW)
    assert headers["X-Webhook-Timestamp"] == "1795000000"
    expected = hmac.new(b"a secret", b"1795000000." + body, hashlib.sha256).digest()
    assert base64.b64decode(headers["X-Webhook-Signature"]) == expected
    assert headers["Authorization"] == "Basic dXNlcjpwYXNz"
    assert headers["Content-Type"] == "application/json"
    assert "Authorization" not in DailyWebhooks().headers(hook(), body, NOW)


def attempt(endpoint, status, attempts=0):
    delivery = Delivery(1, NewDelivery("e1", "r", "EV_1", "meeting.started", "{}"), NOW, attempts)
    return DailyWebhooks().judge(endpoint, delivery, status, NOW)


@pytest.mark.parametrize("status", [None, 201, 204, 302, 404, 500])
def test_only_200_is_a_success(status):
    assert not attempt(hook(), status).delivered
    assert attempt(hook(), 200).delivered


def test_the_circuit_breaker_ends_with_the_third_failure_in_a_row():
    for failures, pause in ((0, False), (1, False), (2, True), (5, True)):
        outcome = attempt(hook(failures), 500)
        assert (outcome.pause, outcome.retry_in_s) == (pause, None)


def test_exponential_tries_five_times_in_a_quarter_of_an_hour():
    waits = [attempt(hook(9, retryType="exponential"), 500, attempts) for attempts in range(5)]
    assert [wait.retry_in_s for wait in waits] == [*EXPONENTIAL_S, None]
    assert not any(wait.pause for wait in waits)
    assert sum(EXPONENTIAL_S) <= 15 * 60


def test_every_type_of_entry_is_reported_or_known_not_to_be():
    assert _MESSAGES.keys() | _NOT_REPORTED == entries.TYPES
    assert not _MESSAGES.keys() & _NOT_REPORTED
