import json
import uuid

import pytest
from livekit.protocol import models

from signaling.rooms.permissions import AdminRight
from tests.signaling.livekit_client import make_token

ABSENT = "room lesson does not seem to be hosting a call currently"


@pytest.fixture
def person(daily):
    """Returns the domain's participant of somebody who joins by a LiveKit token."""

    async def join(identity, user_id="", door="", **claims):
        given = {"lectern.user_id": user_id, "lectern.door": door}
        attributes = {name: value for name, value in given.items() if value}
        client, _ = await daily.world.join(identity, attributes=attributes, **claims)
        client.person = daily.server.services.rooms.room("lesson").participants[identity]
        return client

    return join


def packets(daily):
    """What was sent on data channels, as (recipient sids, content)."""
    decoded = [
        (sids, models.DataPacket.FromString(payload).user) for sids, _, payload in daily.world.media.sent
    ]
    return [(set(sids), packet.topic, json.loads(packet.payload)) for sids, packet in decoded]


async def test_presence(daily, person):
    assert await daily.get("/presence") == {}
    await daily.post("/rooms", {"name": "lesson"})
    assert await daily.get("/rooms/lesson/presence") == {"total_count": 0, "data": []}
    await person("ada", user_id="u-1", name="Ada")
    await person("bob")
    page = await daily.get("/rooms/lesson/presence")
    ada, bob = page["data"]
    assert page["total_count"] == 2
    assert list(ada) == ["room", "id", "userId", "userName", "mtgSessionId", "joinTime", "duration"]
    assert (ada["room"], ada["id"], ada["userId"], ada["userName"]) == ("lesson", "ada", "u-1", "Ada")
    assert (bob["userId"], bob["duration"]) == (None, 0)
    assert uuid.UUID(ada["mtgSessionId"])
    assert await daily.get("/presence") == {"lesson": [ada, bob]}
    assert await daily.get("/rooms/lesson/presence?limit=1") == {"total_count": 2, "data": [ada]}
    assert (await daily.get("/rooms/lesson/presence?userId=u-1"))["data"] == [ada]
    assert (await daily.get("/rooms/lesson/presence?userName=Ada&userId=u-2"))["data"] == []
    assert (await daily.refused("GET", "/rooms/none/presence"))[:2] == (404, "not-found")
    assert (await daily.refused("GET", "/rooms/lesson/presence?limit=0"))[0] == 400


async def test_people_are_sent_out(daily, person):
    assert (await daily.refused("POST", "/rooms/lesson/eject", {"ids": ["ada"]}))[0] == 404
    await daily.post("/rooms", {"name": "lesson"})
    assert await daily.post("/rooms/lesson/eject", {"ids": ["ada"]}) == {"ejectedIds": []}
    ada, bob = await person("ada"), await person("bob", user_id="u-2")
    await person("eve")
    answer = await daily.post("/rooms/lesson/eject", {"ids": ["ada", "nobody"], "user_ids": ["u-2"]})
    assert answer == {"ejectedIds": ["ada", "bob"]}
    for client in (ada, bob):
        assert (await client.until("leave")).reason == models.DisconnectReason.PARTICIPANT_REMOVED
    await person("ada")
    assert await daily.post("/rooms/lesson/eject", {"ids": ["ada"], "ban": True}) == {"ejectedIds": ["ada"]}
    async with daily.world.http.get(
        f"{daily.origin}/rtc/validate?access_token={make_token(identity='ada')}"
    ) as answer:
        assert answer.status == 403
    for body in ({}, {"ids": []}, {"ids": "ada"}, {"ids": [3]}, {"ids": ["x"] * 101}, {"who": ["ada"]}):
        assert (await daily.refused("POST", "/rooms/lesson/eject", body))[:2] == (
            400,
            "invalid-request-error",
        )


async def test_permissions_are_changed(daily, person):
    await daily.post("/rooms", {"name": "lesson"})
    body = {"data": {"ada": {"canSend": ["audio"]}, "*": {"canSend": False}}}
    assert await daily.refused("POST", "/rooms/lesson/update-permissions", body) == (404, "not-found", ABSENT)
    ada, bob = await person("ada"), await person("bob")
    assert await daily.post("/rooms/lesson/update-permissions", body) == {"status": "sent"}
    assert [source.value for source in ada.person.permissions.can_publish_sources] == ["microphone"]
    assert not bob.person.permissions.can_publish
    info = None
    while info is None or info.identity != "ada":
        [info] = (await ada.until("update")).participants
    assert list(info.permission.can_publish_sources) == [models.TrackSource.MICROPHONE]
    body = {"data": {"bob": {"canAdmin": ["participants"]}, "nobody": {"canSend": True}}}
    await daily.post("/rooms/lesson/update-permissions", body)
    assert bob.person.permissions.admin == {AdminRight.PARTICIPANTS}
    assert not bob.person.permissions.can_publish
    before = ada.person.permissions
    for wrong in (
        {"ada": {"canSend": "all"}},
        {"bob": {"canSend": True}, "ada": {"canReceive": 3}},
        [],
        None,
    ):
        assert (await daily.refused("POST", "/rooms/lesson/update-permissions", {"data": wrong}))[0] == 400
    assert ada.person.permissions == before
    assert not bob.person.permissions.can_publish


async def test_app_messages_reach_clients(daily, person):
    await daily.post("/rooms", {"name": "lesson"})
    path = "/rooms/lesson/send-app-message"
    assert await daily.refused("POST", path, {"data": {}}) == (404, "not-found", ABSENT)
    ada, bob = await person("ada"), await person("bob")
    assert await daily.post(path, {"data": {"a": [1]}}) == {"sent": "true"}
    assert await daily.post(path, {"data": {"b": 2}, "recipient": "bob"}) == {"sent": "true"}
    assert packets(daily) == [
        ({ada.person.sid, bob.person.sid}, "lectern.daily", {"kind": "app-message", "data": {"a": [1]}}),
        ({bob.person.sid}, "lectern.daily", {"kind": "app-message", "data": {"b": 2}}),
    ]
    assert (await daily.refused("POST", path, {"data": {}, "recipient": "eve"}))[:2] == (404, "not-found")
    assert (await daily.refused("POST", path, {"data": {"a": "x" * 4096}}))[:2] == (
        400,
        "invalid-request-error",
    )
    for body in ({}, {"data": "text"}, {"data": {}, "to": "bob"}, {"data": {}, "recipient": 3}):
        assert (await daily.refused("POST", path, body))[0] == 400
    assert len(packets(daily)) == 2


async def test_session_data(daily, person):
    await daily.post("/rooms", {"name": "lesson"})
    set_path, get_path = "/rooms/lesson/set-session-data", "/rooms/lesson/get-session-data"
    assert await daily.refused("GET", get_path) == (404, "not-found", ABSENT)
    ada = await person("ada", door="daily")
    await person("bob")
    assert await daily.get(get_path) == {"data": {}}
    assert await daily.post(set_path, {"data": {"a": 1, "b": {"c": 2}}}) == {"sent": "true"}
    merge = {"data": {"b": 3}, "mergeStrategy": "shallow-merge", "keysToDelete": ["a"]}
    assert await daily.post(set_path, merge) == {"sent": "true"}
    assert await daily.get(get_path) == {"data": {"b": 3}}
    assert packets(daily)[-1] == (
        {ada.person.sid},
        "lectern.daily",
        {"kind": "session-data", "data": {"b": 3}},
    )
    assert (await daily.refused("POST", set_path, {"data": {"x": "y" * 60_000}}))[0] == 400
    for body in ({"data": []}, {"mergeStrategy": "deep"}, {"keysToDelete": "a"}, {"more": 1}):
        assert (await daily.refused("POST", set_path, body))[0] == 400
    assert await daily.get(get_path) == {"data": {"b": 3}}
    assert await daily.post(set_path) == {"sent": "true"}
    assert await daily.get(get_path) == {"data": {}}
