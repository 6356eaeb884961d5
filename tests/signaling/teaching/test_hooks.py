"""Webhooks about sessions: what they say, how they are signed, and which outcome an answer has."""

import base64
import hashlib
import hmac
import json
import time
from dataclasses import replace

import pytest

from signaling.store import Delivery, NewDelivery, WebhookEndpoint
from signaling.store.records import Recording, RecordingChange
from signaling.teaching import hooks
from tests.signaling.receiver import receiving

SECRET = hooks.new_secret(b"s" * 32)
ENDPOINT = WebhookEndpoint(
    "we_1", hooks.KIND, "https://school.example", {"tenant": "devkey"}, 0.0, secrets={"secret": SECRET}
)


async def test_an_application_hears_of_its_sessions_and_of_nobody_elses(school):
    async with receiving() as receiver:
        made = await school.application.post(
            "/webhook-endpoints",
            {"url": receiver.url, "events": ["session.started", "participant.joined"]},
            201,
        )
        await school.lesson(owner="eve", external_id="L7")
        other = school.person("boss", "admin", tenant="other")
        foreign = await other.post("/sessions", {"title": "Secret"})
        await other.post(f"/sessions/{foreign['id']}/start")
        received = await receiver.has(2)
        contents = [json.loads(body) for _, body in received]
        assert [content["type"] for content in contents] == ["participant.joined", "session.started"]
        assert contents[0]["data"]["event"]["person"] == "eve"
        assert contents[1]["data"]["session"]["external_id"] == "L7"
        headers, body = received[0]
        sent = {name.lower(): value for name, value in headers.items()}
        key = base64.b64decode(made["secret"].removeprefix("whsec_"))
        signed = f"{sent['webhook-id']}.{sent['webhook-timestamp']}.{body}".encode()
        digest = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert sent["webhook-signature"] == f"v1,{digest}"
        assert sent["webhook-id"] == contents[0]["id"]
        listed = (await school.application.get("/webhook-endpoints"))["data"]
        assert [(each["id"], each["secret"]) for each in listed] == [(made["id"], "")]
        await school.application.call("DELETE", f"/webhook-endpoints/{made['id']}")
        assert (await school.application.get("/webhook-endpoints"))["data"] == []


async def test_an_application_hears_that_a_session_begins_soon(school):
    async with receiving() as receiver:
        body = {"url": receiver.url, "events": ["session.reminder"]}
        await school.application.post("/webhook-endpoints", body, 201)
        await school.application.post(
            "/sessions",
            {
                "title": "Algebra",
                "owner": {"id": "tutor", "name": "Ms Noether"},
                "starts_at": time.time() + 600.3,
                "settings": {"reminders": [600]},
            },
        )
        (_, body), *_ = await receiver.has(1)
        content = json.loads(body)
        assert content["type"] == "session.reminder"
        assert content["data"]["event"]["before_s"] == 600


async def test_the_end_of_a_session_records_its_usage(school):
    async with receiving() as receiver:
        await school.application.post(
            "/webhook-endpoints", {"url": receiver.url, "events": ["session.ended", "usage.recorded"]}, 201
        )
        session = await school.lesson()
        await school.person("tutor", "tutor").post(f"/sessions/{session}/end")
        ended, usage = [json.loads(body) for _, body in await receiver.has(2)]
        assert (ended["type"], usage["type"]) == ("session.ended", "usage.recorded")
        assert ended["id"] != usage["id"]
        line = (await school.application.get(f"/sessions/{session}/attendance"))["lines"][0]
        assert usage["data"]["event"] == {
            "lesson_s": line["lesson_s"],
            "attended_s": line["total_s"],
            "people": 1,
        }


def test_a_recording_of_a_session_is_reported_to_its_tenant():
    row = Recording(
        "rec_1", f"ses_{'a' * 20}", "RM_1", "finished", 5.0, 9.0, {"tenant": "devkey", "length_s": 4.0}
    )
    api = hooks.SessionWebhooks()
    message = api.recording_message(row, RecordingChange.ENDED, "EV_1", 9.5)
    assert (message.event, message.resource) == ("recording.ended", "recording/rec_1")
    content = json.loads(message.body)
    assert (content["type"], content["id"], content["timestamp"]) == ("recording.ended", "EV_1", 9.5)
    assert content["data"]["session"] == {"id": row.room}
    assert content["data"]["recording"]["status"] == "finished"
    assert api.wants(ENDPOINT, message)
    assert not api.wants(replace(ENDPOINT, settings={"tenant": "other"}), message)
    some = {"tenant": "devkey", "events": ["session.ended"]}
    assert not api.wants(replace(ENDPOINT, settings=some), message)
    foreign = replace(row, room="lesson")
    assert api.recording_message(foreign, RecordingChange.ENDED, "EV_1", 9.5) is None
    assert api.recording_message(row, RecordingChange.STOPPING, "EV_1", 9.5) is None


async def test_only_those_who_manage_a_tenant_choose_where_it_is_told(school):
    assert (await school.person("eve", "tutor").get("/webhook-endpoints", 403))["code"] == "not_allowed"
    wrong = {"url": "https://school.example", "events": ["session.exploded"]}
    assert (await school.application.post("/webhook-endpoints", wrong, 400))["code"] == "invalid"
    assert (await school.application.post("/webhook-endpoints", {"url": "ftp://x"}, 400))[
        "code"
    ] == "bad_link"


@pytest.mark.parametrize(
    ("status", "age_s", "outcome"),
    [
        (204, 0, (True, None, False)),
        (500, 0, (False, 20.0, False)),
        (None, 0, (False, 20.0, False)),
        (410, 0, (False, None, True)),
        (500, hooks.GIVE_UP_AFTER_S + 1, (False, None, False)),
    ],
)
def test_an_answer_decides_what_comes_next(status, age_s, outcome):
    delivery = Delivery(1, NewDelivery("we_1", "r", "msg_1", "session.ended", "{}"), 1000.0, 2)
    made = hooks.SessionWebhooks().judge(ENDPOINT, delivery, status, 1000.0 + age_s)
    assert (made.delivered, made.retry_in_s, made.pause) == outcome
