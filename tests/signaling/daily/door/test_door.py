import asyncio
import json
import time

import jwt
import pytest
from livekit.protocol import models

from signaling.daily import tokens
from signaling.daily.rest.domains import Domains
from signaling.daily.rooms import DailyRooms
from signaling.limits import Rate, parse_networks
from signaling.rooms.events import VisitorArrived, VisitorLeft
from signaling.rooms.model import LeaveReason
from signaling.rooms.permissions import Source

DOMAIN = next(iter(Domains({"devkey": "secret"})))


class Daily:
    """Daily's rooms of a running server, and the requests of their pages."""

    def __init__(self, world):
        self.world = world
        self.rooms = DailyRooms(world.server.store, world.server.services.rooms)

    async def room(self, privacy="private", **properties):
        await self.rooms.create(DOMAIN, "maths", privacy, properties, 0.0)

    def token(self, **properties):
        return tokens.mint(DOMAIN, {"room_name": "maths", **properties}, time.time())

    async def ask(self, path, body=None, access=None, room="maths"):
        headers = {} if access is None else {"Authorization": f"Bearer {access}"}
        url = f"{self.world.url}/daily/rooms/{room}/{path}"
        async with self.world.http.post(url, json=body or {}, headers=headers) as answer:
            return answer.status, await answer.json()

    async def enter(self, **properties):
        """Somebody comes in by the door, and connects; gives the entrance and the client."""
        status, entrance = await self.ask("enter", {"token": self.token(**properties)})
        assert (status, entrance["state"]) == (200, "entered")
        client = await self.world.connect(entrance["token"])
        join = (await client.receive()).join
        assert join.participant.identity == entrance["session_id"]
        return entrance, client, join.participant

    def person(self, entrance):
        room = self.world.server.services.rooms.room("maths")
        return room.participants.get(entrance["session_id"])

    def told(self):
        """What pages were told by data packets: (participant sids, message)."""
        return [
            (list(sids), json.loads(models.DataPacket.FromString(content).user.payload))
            for sids, _label, content in self.world.media.sent
        ]


@pytest.fixture
async def daily(world):
    return Daily(world)


async def test_looking_says_what_room_and_token_want_of_the_page(daily):
    await daily.room(enable_chat=True, enable_people_ui=False, start_audio_off=True, lang="de")
    status, look = await daily.ask("look", {"token": daily.token(user_name="Ada", is_owner=True)})
    assert status == 200
    assert (look["user_name"], look["is_owner"], look["must_knock"]) == ("Ada", True, False)
    assert (look["enable_chat"], look["enable_people_ui"], look["enable_network_ui"]) == (True, False, False)
    assert (look["start_audio_off"], look["start_video_off"], look["lang"]) == (True, False, "de")
    assert look["enable_prejoin_ui"] is True
    assert look["room"]["name"] == "maths"
    assert look["room"]["config"]["enable_chat"] is True


async def test_looking_shows_nothing_that_is_only_for_the_application(daily):
    await daily.room(
        "public", recordings_bucket={"bucket_name": "mine"}, meeting_join_hook="https://a.example"
    )
    _, look = await daily.ask("look")
    assert "bucket" not in json.dumps(look)
    assert "hook" not in json.dumps(look)


async def test_whoever_enters_is_somebody_new_with_what_the_token_says(daily):
    await daily.room()
    entrance, _, participant = await daily.enter(
        user_name="Ada",
        user_id="teacher-1",
        is_owner=True,
        exp=int(time.time()) + 60,
        eject_at_token_exp=True,
    )
    assert participant.name == "Ada"
    assert participant.attributes["lectern.user_id"] == "teacher-1"
    assert participant.attributes["lectern.is_owner"] == "true"
    assert participant.attributes["lectern.can_admin"] == "participants,streaming,transcription"
    assert float(participant.attributes["lectern.eject_at"]) == pytest.approx(time.time() + 60, abs=5)
    again, _, _ = await daily.enter(user_name="Ada", user_id="teacher-1")
    assert again["session_id"] != entrance["session_id"]


async def test_access_is_short_and_the_pass_lets_nobody_in(daily, world):
    await daily.room("public")
    _, entrance = await daily.ask("enter", {"user_name": "Ben"})
    claims = jwt.decode(entrance["token"], options={"verify_signature": False})
    assert claims["exp"] - claims["nbf"] == 300
    async with world.http.get(f"{world.url}/rtc/validate?access_token={entrance['pass']}") as answer:
        assert answer.status == 401


@pytest.mark.parametrize(
    ("privacy", "properties", "token", "status", "kind"),
    [
        ("private", {}, None, 403, "not-allowed"),
        ("private", {}, {"room_name": "physics"}, 403, "not-allowed"),
        ("public", {"nbf": 4_000_000_000}, None, 403, "nbf-room"),
        ("public", {"exp": 1000}, None, 403, "exp-room"),
        ("private", {}, {"nbf": 4_000_000_000}, 403, "nbf-token"),
        ("private", {}, {"exp": 1000}, 403, "exp-token"),
    ],
)
@pytest.mark.parametrize("path", ["look", "enter"])
async def test_refusals_have_daily_types(daily, path, privacy, properties, token, status, kind):
    await daily.room(privacy, **properties)
    body = {} if token is None else {"token": daily.token(**token)}
    given = await daily.ask(path, body)
    assert (given[0], given[1]["type"]) == (status, kind)
    assert given[1]["msg"]


async def test_no_room_no_entrance(daily):
    status, refusal = await daily.ask("look", room="nowhere")
    assert (status, refusal["type"]) == (404, "no-room")


async def test_a_full_room_is_full(daily):
    await daily.room("public", max_participants=1)
    await daily.enter()
    status, refusal = await daily.ask("enter")
    assert (status, refusal["type"]) == (403, "meeting-full")


@pytest.mark.parametrize("token", ["x", "a.b.c", "x" * 17_000, 7, None])
async def test_spoilt_tokens_are_refused(daily, token):
    await daily.room("public")
    status, refusal = await daily.ask("enter", {"token": token})
    assert status in {400, 403}
    assert refusal["type"] in {"not-allowed", "connection-error"}


async def test_a_second_visit_of_a_unique_user_ends_the_first(daily):
    await daily.room(enforce_unique_user_ids=True)
    first, _, _ = await daily.enter(user_id="ben")
    other, _, _ = await daily.enter(user_id="cleo")
    await daily.enter(user_id="ben")
    assert daily.person(first) is None
    assert daily.person(other) is not None


async def test_whoever_loads_the_page_again_takes_their_own_place(daily):
    await daily.room(enforce_unique_user_ids=True, max_participants=1)
    first, _, _ = await daily.enter(user_id="ben")
    again, _, _ = await daily.enter(user_id="ben")
    assert daily.person(first) is None
    assert daily.person(again) is not None
    status, refusal = await daily.ask("enter", {"token": daily.token(user_id="cleo")})
    assert (status, refusal["type"]) == (403, "meeting-full")


async def test_whoever_was_banned_stays_outside(daily):
    await daily.room()
    await daily.enter(user_id="ben")
    services = daily.world.server.services
    services.moderation.eject(services.rooms.room("maths"), [], ["ben"], ban=True)
    status, refusal = await daily.ask("enter", {"token": daily.token(user_id="ben")})
    assert (status, refusal["type"]) == (403, "not-allowed")


async def test_somebody_knocks_and_is_let_in(daily):
    await daily.room(enable_knocking=True)
    owner, _, ada = await daily.enter(is_owner=True)
    _, look = await daily.ask("look")
    assert look["must_knock"]
    _, knock = await daily.ask("enter", {"user_name": "Ben"})
    assert knock["state"] == "waiting"
    assert daily.told()[-1] == ([ada.sid], {"kind": "waiting"})
    assert (await daily.ask(f"knocks/{knock['id']}"))[1]["state"] == "waiting"

    status, listed = await daily.ask("waiting", access=owner["pass"])
    assert (status, [person["name"] for person in listed["waiting"]]) == (200, ["Ben"])
    answered = f"waiting/{listed['waiting'][0]['id']}"
    assert (await daily.ask(answered, {"grant": True}, owner["pass"]))[0] == 200
    _, entrance = await daily.ask(f"knocks/{knock['id']}")
    assert entrance["state"] == "entered"
    assert jwt.decode(entrance["token"], options={"verify_signature": False})["name"] == "Ben"
    # the answer is good once
    assert (await daily.ask(f"knocks/{knock['id']}"))[0] == 404
    assert (await daily.ask(answered, {"grant": True}, owner["pass"]))[0] == 404


async def test_somebody_knocks_in_vain_and_somebody_gives_up(daily):
    await daily.room(enable_knocking=True)
    owner, _, _ = await daily.enter(is_owner=True)
    _, ben = await daily.ask("enter", {"user_name": "Ben"})
    _, listed = await daily.ask("waiting", access=owner["pass"])
    await daily.ask(f"waiting/{listed['waiting'][0]['id']}", {"grant": False}, owner["pass"])
    assert await daily.ask(f"knocks/{ben['id']}") == (200, {"state": "denied"})
    _, cleo = await daily.ask("enter", {"user_name": "Cleo"})
    await daily.ask(f"knocks/{cleo['id']}/withdraw")
    assert (await daily.ask("waiting", access=owner["pass"]))[1] == {"waiting": []}


async def test_who_waits_is_an_event_while_people_are_inside(daily):
    await daily.room(enable_knocking=True)
    events = []
    daily.world.server.services.hub.observe(events.append)
    _, early = await daily.ask("enter", {"user_name": "Early"})
    owner, _, _ = await daily.enter(is_owner=True)
    await daily.ask(f"knocks/{early['id']}/withdraw")
    _, ben = await daily.ask(
        "enter", {"user_name": "Ben", "token": daily.token(knocking=True, user_id="u-2")}
    )
    _, listed = await daily.ask("waiting", access=owner["pass"])
    await daily.ask(f"waiting/{listed['waiting'][0]['id']}", {"grant": True}, owner["pass"])
    await daily.ask(f"knocks/{ben['id']}")
    visits = [event for event in events if isinstance(event, VisitorArrived | VisitorLeft)]
    assert [type(event) for event in visits] == [VisitorArrived, VisitorLeft]
    came, gone = (event.visitor for event in visits)
    assert came is gone
    assert (came.identity, came.name) == (listed["waiting"][0]["id"], "Ben")
    assert came.attributes["lectern.user_id"] == "u-2"


async def test_whoever_is_let_in_finds_no_place_in_a_full_room(daily):
    await daily.room(enable_knocking=True, max_participants=1)
    owner, _, _ = await daily.enter(is_owner=True)
    _, knock = await daily.ask("enter", {"user_name": "Ben"})
    _, listed = await daily.ask("waiting", access=owner["pass"])
    await daily.ask(f"waiting/{listed['waiting'][0]['id']}", {"grant": True}, owner["pass"])
    status, refusal = await daily.ask(f"knocks/{knock['id']}")
    assert (status, refusal["type"]) == (403, "meeting-full")


async def test_an_owner_mutes_what_is_named(daily):
    await daily.room()
    owner, _, _ = await daily.enter(is_owner=True)
    ben, client, _ = await daily.enter()
    mic = await client.publish("mic", models.AUDIO, source=models.MICROPHONE)
    cam = await client.publish("cam", models.VIDEO, source=models.CAMERA)
    await client.send(offer={"type": "offer", "sdp": "mic=m1 cam=m2", "id": 1})
    await client.until("answer")
    muted = f"participants/{ben['session_id']}"
    assert (await daily.ask(muted, {"setAudio": False}, owner["pass"]))[0] == 200
    assert (await client.until("mute")).sid == mic.sid
    tracks = daily.person(ben).tracks
    assert {track.spec.source: track.muted for track in tracks.values()} == {
        Source.MICROPHONE: True,
        Source.CAMERA: False,
    }
    await daily.ask(muted, {"setVideo": False}, owner["pass"])
    assert (await client.until("mute")).sid == cam.sid


async def test_an_owner_removes_somebody_and_takes_a_permission(daily):
    await daily.room()
    owner, _, ada = await daily.enter(is_owner=True)
    ben, client, participant = await daily.enter()
    change = f"participants/{ben['session_id']}"
    await daily.ask(change, {"updatePermissions": {"canSend": ["audio"]}}, owner["pass"])
    permissions = daily.person(ben).permissions
    assert [source for source in Source if permissions.may_publish(source)] == [Source.MICROPHONE]
    sids, message = daily.told()[-1]
    assert (set(sids), message["kind"], message["session_id"]) == (
        {ada.sid, participant.sid},
        "permissions",
        ben["session_id"],
    )
    assert message["permissions"]["canSend"] == ["audio"]
    assert (await daily.ask(change, {"eject": True}, owner["pass"]))[0] == 200
    assert (await client.until("leave")).reason == models.DisconnectReason.PARTICIPANT_REMOVED
    assert (await daily.ask(change, {"eject": True}, owner["pass"]))[0] == 404


async def test_transcription_takes_the_right_to_it_and_that_right_alone_permits_nothing_else(daily, world):
    await daily.room()
    owner, _, _ = await daily.enter(is_owner=True)
    helper, _, _ = await daily.enter(permissions={"canAdmin": ["participants"]})
    scribe, _, _ = await daily.enter(permissions={"canAdmin": ["transcription"]})
    start = {"action": "start", "language": "en"}
    for access, status in ((None, 401), (helper["pass"], 403), (owner["pass"], 501), (scribe["pass"], 501)):
        assert (await daily.ask("transcription", start, access))[0] == status
    for action in ("update", "stop"):
        assert (await daily.ask("transcription", {"action": action}, scribe["pass"]))[0] == 409
    assert (await daily.ask("transcription", {"action": "erase"}, scribe["pass"]))[0] == 400
    for path in ("waiting", "recording", f"participants/{helper['session_id']}"):
        assert (await daily.ask(path, {"on": True}, scribe["pass"]))[0] == 403


async def test_an_owner_records_the_meeting(daily, world, monkeypatch):
    await daily.room()
    owner, _, _ = await daily.enter(is_owner=True)
    helper, _, _ = await daily.enter(permissions={"canAdmin": ["participants"]})
    for access, status in ((None, 401), (helper["pass"], 403), (owner["pass"], 501)):
        assert (await daily.ask("recording", {"on": True}, access))[0] == status
    monkeypatch.setattr(world.server.recording.recordings, "is_on", True)
    assert (await daily.ask("recording", {"on": False}, owner["pass"]))[0] == 409
    assert (await daily.ask("recording", {"on": True, "type": "raw-tracks"}, owner["pass"]))[0] == 200
    assert (await daily.ask("recording", {"on": True}, owner["pass"]))[0] == 409
    assert (await daily.ask("recording", {"on": True, "type": "local"}, owner["pass"]))[0] == 400
    assert (await daily.ask("recording", {"on": False}, owner["pass"]))[0] == 200
    commands = [each[0] for each in world.media.commands if "recording" in each[0]]
    assert commands == ["start_recording", "stop_recording"]


async def test_nobody_turns_on_the_devices_of_others(daily):
    await daily.room()
    owner, _, _ = await daily.enter(is_owner=True)
    ben, _, _ = await daily.enter()
    status, refusal = await daily.ask(f"participants/{ben['session_id']}", {"setAudio": True}, owner["pass"])
    assert (status, refusal["type"]) == (403, "not-allowed")


async def test_only_those_who_may_moderate_do(daily):
    await daily.room(enable_knocking=True)
    owner, _, _ = await daily.enter(is_owner=True)
    helper, _, _ = await daily.enter(permissions={"canAdmin": ["participants"]})
    ben, _, _ = await daily.enter()
    change = f"participants/{helper['session_id']}"
    for access, status in ((None, 401), ("x", 401), (ben["pass"], 403), (helper["pass"], 200)):
        assert (await daily.ask(change, {"setAudio": False}, access))[0] == status
        assert (await daily.ask("waiting", access=access))[0] == status
    # not against an owner, not in another room, and not once one has left
    assert (await daily.ask(f"participants/{owner['session_id']}", {"eject": True}, helper["pass"]))[0] == 403
    assert (await daily.ask("waiting", access=owner["pass"], room="physics"))[0] == 403
    daily.world.server.services.rooms.leave(daily.person(helper), LeaveReason.CLIENT_LEFT)
    assert (await daily.ask(change, {"setAudio": False}, helper["pass"]))[0] == 403


async def test_a_pass_is_good_for_its_own_room_only(daily, world):
    await daily.room()
    owner, _, _ = await daily.enter(is_owner=True)
    # The same identity, and with rights, in another room: by a token that is not shown here.
    await world.join(owner["session_id"], room="physics", video={"roomAdmin": True})
    assert (await daily.ask("waiting", access=owner["pass"], room="physics"))[0] == 403
    assert (await daily.ask("waiting", access=owner["pass"]))[0] == 200


async def test_who_is_no_owner_gives_nobody_more_than_they_have_themselves(daily):
    await daily.room()
    owner, _, _ = await daily.enter(is_owner=True)
    helper, _, _ = await daily.enter(permissions={"canAdmin": ["participants"], "canSend": ["audio"]})
    ben, _, _ = await daily.enter(permissions={"canSend": False})
    mine, his = f"participants/{helper['session_id']}", f"participants/{ben['session_id']}"
    for path, patch in (
        (mine, {"canAdmin": True}),
        (mine, {"canSend": True}),
        (mine, {"hasPresence": False}),
        (his, {"canAdmin": ["participants", "streaming"]}),
        (his, {"canSend": ["audio", "video"]}),
        (his, {"hasPresence": False}),
    ):
        before = [daily.person(each).permissions for each in (helper, ben)]
        # nothing of a request that is refused is done
        status, refusal = await daily.ask(path, {"eject": True, "updatePermissions": patch}, helper["pass"])
        assert (status, refusal["type"]) == (403, "not-allowed"), patch
        assert [daily.person(each).permissions for each in (helper, ben)] == before
    for path, patch in (
        (his, {"canAdmin": ["participants"]}),
        (his, {"canSend": ["audio"]}),
        (his, {"canSend": False, "canAdmin": False}),
        (mine, {"canSend": False}),
    ):
        assert (await daily.ask(path, {"updatePermissions": patch}, helper["pass"]))[0] == 200, patch
    # an owner may, and what somebody has already is nobody's gift
    assert (await daily.ask(his, {"updatePermissions": {"canSend": True}}, owner["pass"]))[0] == 200
    assert (await daily.ask(his, {"updatePermissions": {"canSend": ["video"]}}, helper["pass"]))[0] == 200


async def test_who_may_not_moderate_is_refused_before_the_body_is_read(daily):
    await daily.room()
    ben, _, _ = await daily.enter()
    headers = {"Authorization": f"Bearer {ben['pass']}"}

    async def never():
        yield b"{"
        await asyncio.Event().wait()

    url = f"{daily.world.url}/daily/rooms/maths/participants/{ben['session_id']}"
    async with asyncio.timeout(5), daily.world.http.post(url, data=never(), headers=headers) as answer:
        assert answer.status == 403


async def test_one_address_knocks_so_often_and_no_more(daily, monkeypatch):
    monkeypatch.setattr("signaling.daily.door.door.KNOCKS", Rate(per_s=0.1, burst=2))
    daily.world.server._livekit_endpoints._limits._trusted = parse_networks("127.0.0.1")
    await daily.room(enable_knocking=True)
    statuses = []
    for address in ("203.0.113.1", "203.0.113.1", "203.0.113.1", "203.0.113.2"):
        url = f"{daily.world.url}/daily/rooms/maths/enter"
        headers = {"X-Forwarded-For": address}
        async with daily.world.http.post(url, json={}, headers=headers) as answer:
            statuses.append(answer.status)
    assert statuses == [200, 200, 429, 200]
