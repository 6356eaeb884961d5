"""An application that was written for Daily, from the first room to the last webhook."""

import asyncio
import base64
import socket
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn

from tests.e2e import tutoring
from tests.e2e.conftest import eventually, free_port
from tests.e2e.embedding import NEWEST, PACKAGES, Visitor
from tests.e2e.test_page import frames_grow

pytestmark = pytest.mark.timeout(180)

SCRIPT = PACKAGES / f"daily-js-{NEWEST}" / "dist" / "daily.js"
SECRET = base64.b64encode(b"the school's own secret").decode()


@asynccontextmanager
async def running(app):
    """The application behind uvicorn; gives its address."""
    port = free_port(socket.SOCK_STREAM)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    serving = asyncio.create_task(server.serve())
    await eventually(lambda: server.started, "the application is there")
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


async def open_lesson(browser, address):
    context = await browser.new_context(permissions=["camera", "microphone"])
    page = await context.new_page()
    await page.add_init_script(
        "const ask = navigator.mediaDevices?.getDisplayMedia.bind(navigator.mediaDevices);"
        "if (ask) navigator.mediaDevices.getDisplayMedia = (o) => ask({...o, preferCurrentTab: true});"
    )
    await page.goto(address)
    visitor = Visitor(page)
    await eventually(lambda: visitor.call("seen.includes('joined-meeting')"), f"{address} has joined")
    return visitor


def told(app, kind):
    return [event["payload"] for event in app.state.heard if event["type"] == kind]


@pytest.mark.long
@pytest.mark.parametrize("server", ["sqlite", "postgresql"], indirect=True)
async def test_a_tutor_shares_and_a_student_watches(server, chromium):
    # The only line that a Daily application changes.
    daily = tutoring.Daily(f"{server.page}/v1", "secret")
    app = tutoring.build(daily, SCRIPT, SECRET)
    async with running(app) as site, httpx.AsyncClient(base_url=site) as http:
        hook = {"url": f"{site}/webhooks", "eventTypes": tutoring.EVENTS, "hmac": SECRET}
        assert (await daily.post("/webhooks", hook))["hmac"] == SECRET
        name = (await http.post("/lessons", json={"tutor": "Ada", "student": "Ben"})).json()["name"]
        lesson = f"{site}/lessons/{name}"
        tutor = await open_lesson(chromium, f"{lesson}/tutor")
        student = await open_lesson(chromium, f"{lesson}/student")

        people = await student.call("call.participants()")
        ada = next(person for person in people.values() if person["user_id"] == "tutor-1")
        assert (ada["user_name"], ada["owner"]) == ("Ada", True)
        assert (people["local"]["user_name"], people["local"]["owner"]) == ("Ben", False)
        assert sorted((await http.get(f"/attendance/{name}")).json()) == ["Ada", "Ben"]

        await tutor.call("call.startScreenShare() ?? null")
        await student.sees(ada["session_id"], "screenVideo", "playable")
        await frames_grow(student.frame, "screen_share")

        # A third person finds no place, also with a token.
        late = await chromium.new_page()
        await late.goto(f"{lesson}/student")
        await eventually(lambda: late.evaluate("seen.includes('error')"), "the lesson is full")
        await late.close()

        await student.frame.get_by_test_id("leave").click()
        await eventually(lambda: tutor.call("seen.includes('participant-left')"), "Ben has left for Ada")
        await tutor.call("call.destroy()")
        await eventually(lambda: told(app, "meeting.ended"), "the end of the meeting is told")
        assert [payload["room"] for payload in told(app, "meeting.started")] == [name]
        joined = {payload["user_name"]: payload for payload in told(app, "participant.joined")}
        left = {payload["user_name"]: payload for payload in told(app, "participant.left")}
        assert joined.keys() == left.keys() == {"Ada", "Ben"}
        assert (joined["Ada"]["owner"], joined["Ada"]["user_id"]) == (True, "tutor-1")
        assert joined["Ada"]["session_id"] == left["Ada"]["session_id"] == ada["session_id"]
        assert all(payload["duration"] >= 0 and payload["will_eject_at"] for payload in left.values())
        assert app.state.forged == 0
        meetings = (await daily.get(f"/meetings?room={name}"))["data"]
        assert [person["user_name"] for person in meetings[0]["participants"]] == ["Ada", "Ben"]
    await daily.close()
    assert tutor.problems == student.problems == []


async def test_a_forged_webhook_is_recognised():
    body = b'{"type":"meeting.started"}'
    headers = {"x-webhook-timestamp": "1000", "x-webhook-signature": "bm8="}
    assert not tutoring.is_genuine(SECRET, headers, body, 1000)
    assert not tutoring.is_genuine(SECRET, {}, body, 1000)
