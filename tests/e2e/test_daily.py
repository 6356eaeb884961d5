"""An application written for Daily's documented REST API, with people in its rooms by the unchanged native client."""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import shutil
import time

import aiohttp
import pytest
from livekit import api, rtc

from tests.e2e.conftest import DATABASES, eventually, serving
from tests.e2e.native import Viewer, joined, publishing
from tests.e2e.test_node import FOLDER, PACKAGED
from tests.signaling.receiver import receiving

pytestmark = pytest.mark.timeout(120)


class Daily:
    """The calls of the documentation's samples, with another base address."""

    def __init__(self, server, http):
        self.base = f"{server.page}/v1"
        self.http = http

    async def call(self, method, path, body=None):
        headers = {"Authorization": "Bearer secret"}
        async with self.http.request(method, f"{self.base}{path}", json=body, headers=headers) as answer:
            return answer.status, await answer.json()

    async def ok(self, method, path, body=None):
        status, answer = await self.call(method, path, body)
        assert status == 200, answer
        return answer


@pytest.fixture
async def daily(server):
    async with aiohttp.ClientSession() as http:
        yield Daily(server, http)


@DATABASES
async def test_people_are_present_addressed_restricted_and_sent_out(server, daily):
    await daily.ok("POST", "/rooms", {"name": "maths", "privacy": "private"})
    ada, bob = await joined(server, "ada"), rtc.Room()
    viewer = Viewer(bob)
    left = []
    bob.on("disconnected", left.append)
    await bob.connect(server.url, server.token("bob"))
    messages = []
    bob.on("data_received", lambda packet: messages.append((packet.topic, json.loads(packet.data))))
    listed = await api_rooms(server)
    assert listed == {"maths": 2}

    present = (await daily.ok("GET", "/rooms/maths/presence"))["data"]
    assert [(each["id"], each["userName"]) for each in present] == [("ada", "Ada"), ("bob", "Bob")]
    assert list(await daily.ok("GET", "/presence")) == ["maths"]

    async with publishing(ada) as (camera, _):
        await eventually(lambda: viewer.frames >= 10, "bob sees ada")
        app_message = {"data": {"page": 3}, "recipient": "bob"}
        assert await daily.ok("POST", "/rooms/maths/send-app-message", app_message) == {"sent": "true"}
        expected = ("lectern.daily", {"kind": "app-message", "data": {"page": 3}})
        await eventually(lambda: expected in messages, "bob gets the application's message")

        # Bob may receive nobody but Ada's microphone; then everything again.
        seen = bob.remote_participants["ada"].track_publications
        permissions = {"canReceive": {"base": False, "byParticipantId": {"ada": ["audio"]}}}
        await daily.ok("POST", "/rooms/maths/update-permissions", {"data": {"bob": permissions}})
        await eventually(lambda: is_still(viewer), "ada's camera is taken from bob")
        frames = viewer.frames
        permissions = {"canReceive": {"base": True, "byParticipantId": {}}}
        await daily.ok("POST", "/rooms/maths/update-permissions", {"data": {"bob": permissions}})
        await eventually(lambda: viewer.frames >= frames + 10, "bob sees ada again")

        await daily.ok("POST", "/rooms/maths/update-permissions", {"data": {"ada": {"canSend": ["audio"]}}})
        await eventually(lambda: camera.sid not in seen, "ada's camera is taken down")

    assert await daily.ok("POST", "/rooms/maths/eject", {"ids": ["bob"], "ban": True}) == {
        "ejectedIds": ["bob"]
    }
    await eventually(lambda: left == [rtc.DisconnectReason.PARTICIPANT_REMOVED], "bob is out")
    with pytest.raises(rtc.ConnectError):
        await joined(server, "bob")
    await daily.ok("DELETE", "/rooms/maths")
    await eventually(lambda: not ada.isconnected(), "the room is gone")
    assert await api_rooms(server) == {}
    [meeting] = (await daily.ok("GET", "/meetings?room=maths"))["data"]
    assert (meeting["ongoing"], meeting["max_participants"]) == (False, 2)
    assert [person["participant_id"] for person in meeting["participants"]] == ["ada", "bob"]


async def is_still(viewer):
    frames = viewer.frames
    await asyncio.sleep(1)  # fifteen pictures
    return viewer.frames == frames


async def api_rooms(server):
    client = api.LiveKitAPI(server.page, "devkey", "secret")
    listed = (await client.room.list_rooms(api.ListRoomsRequest())).rooms
    await client.aclose()
    return {room.name: room.num_participants for room in listed}


async def test_a_room_is_full_and_ends_on_the_second(server, daily):
    ends_at = int(time.time()) + 6
    properties = {"max_participants": 1, "exp": ends_at, "eject_at_room_exp": True}
    await daily.ok("POST", "/rooms", {"name": "maths", "properties": properties})
    assert await api_rooms(server) == {"maths": 0}
    ada, left = await joined(server, "ada"), []
    ada.on("disconnected", lambda reason: left.append((reason, time.time())))
    with pytest.raises(rtc.ConnectError):
        await joined(server, "bob")
    # What is changed now is for those who join from now on.
    await daily.ok("POST", "/rooms/maths", {"properties": {"exp": ends_at + 3600}})
    await eventually(lambda: left, "ada is sent out")
    [(reason, at)] = left
    assert reason == rtc.DisconnectReason.PARTICIPANT_REMOVED
    assert ends_at - 0.1 <= at < ends_at + 2
    again = await joined(server, "ada")
    assert again.isconnected()
    await again.disconnect()


async def test_webhooks_are_verified_by_both_kinds_of_receiver():
    async with serving() as server, receiving() as receiver, aiohttp.ClientSession() as http:
        daily = Daily(server, http)
        await daily.ok("POST", "/rooms", {"name": "maths"})
        hook = await daily.ok("POST", "/webhooks", {"url": receiver.url})
        ada = await joined(server, "ada")
        await ada.local_participant.set_name("Ädä ✓")
        await eventually(lambda: len(receiver.received) >= 3, "the joins are told")
        await ada.disconnect()
        await eventually(lambda: len(receiver.received) >= 4, "the leave is told")
    told = [json.loads(body) for _, body in receiver.received]
    assert told[0] == {"test": "test"}
    assert {each["type"] for each in told[1:]} >= {
        "meeting.started",
        "participant.joined",
        "participant.left",
    }
    for headers, body in receiver.received:
        signed = headers["X-Webhook-Timestamp"].encode() + b"." + body.encode()
        signature = hmac.digest(base64.b64decode(hook["hmac"]), signed, hashlib.sha256)
        assert base64.b64encode(signature).decode() == headers["X-Webhook-Signature"]
    assert await verified_by_node(hook["hmac"], receiver.received) == ["true"] * len(told)


async def verified_by_node(secret, received):
    lines = [
        json.dumps(
            {
                "secret": secret,
                "timestamp": headers["X-Webhook-Timestamp"],
                "signature": headers["X-Webhook-Signature"],
                "body": body,
            }
        )
        for headers, body in received
    ]
    path = os.pathsep.join([str(PACKAGED), os.environ["PATH"]])
    process = await asyncio.create_subprocess_exec(
        shutil.which("node", path=path),
        "daily_webhooks.mjs",
        cwd=FOLDER,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate("\n".join(lines).encode())
    return output.decode().split()


async def entered(server, daily, room, user_name="", **properties):
    """Somebody who comes through the door as the page does, with a meeting token, by the native client."""
    token = (await daily.ok("POST", "/meeting-tokens", {"properties": properties}))["token"]
    body = {"token": token, "user_name": user_name}
    async with daily.http.post(f"{server.page}/daily/rooms/{room}/enter", json=body) as answer:
        entrance = await answer.json()
    if entrance.get("state") != "entered":
        return entrance
    person = rtc.Room()
    await person.connect(server.url, entrance["token"])
    return person


async def test_a_rooms_rules_hold_for_those_who_come_through_the_door(server, daily):
    rules = {"owner_only_broadcast": True, "max_participants": 2, "enforce_unique_user_ids": True}
    await daily.ok("POST", "/rooms", {"name": "maths", "privacy": "private", "properties": rules})
    tutor = await entered(server, daily, "maths", is_owner=True, user_name="Ada", user_id="u-1")
    viewer = Viewer(tutor)
    pupil = await entered(server, daily, "maths", "Bob", user_id="u-2")
    assert await entered(server, daily, "maths", user_id="u-3") == {
        "type": "meeting-full",
        "msg": "Meeting is full",
    }
    present = (await daily.ok("GET", "/rooms/maths/presence"))["data"]
    assert [(each["userId"], each["userName"]) for each in present] == [("u-1", "Ada"), ("u-2", "Bob")]
    session_id = pupil.local_participant.identity

    source = rtc.VideoSource(64, 64)
    track = rtc.LocalVideoTrack.create_video_track("camera", source)
    with pytest.raises(rtc.participant.PublishTrackError):
        async with asyncio.timeout(15):
            await pupil.local_participant.publish_track(track)
    permissions = {"data": {session_id: {"canSend": True}}}
    await daily.ok("POST", "/rooms/maths/update-permissions", permissions)
    async with publishing(pupil):
        await eventually(lambda: viewer.frames >= 10, "ada sees bob, who may send now")

    left = []
    pupil.on("disconnected", left.append)
    again = await entered(server, daily, "maths", user_id="u-2")
    await eventually(lambda: left == [rtc.DisconnectReason.DUPLICATE_IDENTITY], "bob came again, elsewhere")
    assert again.local_participant.identity != session_id
    for person in (tutor, again):
        await person.disconnect()


async def test_a_token_limits_its_bearers_stay_and_nobody_elses(server, daily):
    exp = int(time.time()) + 5
    await daily.ok("POST", "/rooms", {"name": "maths", "properties": {"eject_after_elapsed": 3600}})
    left = {}
    people = {}
    for name, limit in (
        ("exp", {"exp": exp, "eject_at_token_exp": True}),
        ("elapsed", {"eject_after_elapsed": 4}),
        ("none", {"exp": exp}),
    ):
        people[name] = await entered(server, daily, "maths", name, **limit)
        people[name].on("disconnected", lambda _reason, name=name: left.setdefault(name, time.time()))
    await eventually(lambda: left.keys() == {"exp", "elapsed"}, "two are sent out")
    assert exp - 0.1 <= left["exp"] < exp + 2
    assert (await entered(server, daily, "maths", room_name="maths", nbf=exp + 3600))["type"] == "nbf-token"
    assert people["none"].isconnected()
    await people["none"].disconnect()
