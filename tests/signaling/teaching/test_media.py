"""Sessions and their rooms: what media does becomes attendance, what the session decides takes effect on media."""

import aiohttp
import pytest
from livekit.protocol import models, rtc

from signaling.rooms.permissions import Source
from tests.signaling.livekit_client import make_token
from tests.signaling.school_client import eventually


async def kinds(school, session):
    """The kinds of the session's events so far, with the person where there is one."""
    page = await school.application.get(f"/sessions/{session}/events?limit=1000")
    return [(each["event"]["type"], each["event"].get("person", "")) for each in page["events"]]


async def seen(school, session, *event):
    """Wait until the log has an event."""

    async def there():
        return event in await kinds(school, session)

    await eventually(there)


async def enter(world, school, session, person, role="student", offer="a3 v3"):
    """Somebody who joins by the API and then with media."""
    joined = await school.person(person, role).post(f"/sessions/{session}/join")
    request = rtc.JoinRequest(
        client_info=models.ClientInfo(protocol=16),
        connection_settings=rtc.ConnectionSettings(auto_subscribe=True),
        publisher_offer=rtc.SessionDescription(type="offer", sdp=offer, id=1),
    )
    client = await world.connect(joined["token"], request)
    join = (await client.receive()).join
    assert join.room.name == session
    return client, joined


def participant(world, session, person):
    return world.server.services.rooms.room(session).participants[person]


async def test_only_the_sessions_own_tokens_open_its_room(world, school):
    session = await school.lesson()
    with pytest.raises(aiohttp.WSServerHandshakeError) as refusal:
        await world.connect(make_token(session, "eve"))
    assert refusal.value.status == 401
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await world.connect(make_token(f"{session}~room", "eve"))
    client, joined = await enter(world, school, session, "sam")
    assert joined["credentials"]["ws_url"].startswith("ws://127.0.0.1:")
    assert participant(world, session, "sam").attributes["lectern.role"] == "student"
    await client.ws.close()


async def test_who_leaves_the_room_has_left_and_who_is_cut_off_is_lost(world, school):
    session = await school.lesson()
    sam, _ = await enter(world, school, session, "sam")
    await sam.send(leave=rtc.LeaveRequest())
    await seen(school, session, "people.left", "sam")
    kim, joined = await enter(world, school, session, "kim")
    await kim.ws.close()
    await seen(school, session, "people.connection_lost", "kim")
    back = await world.connect(joined["token"])
    await seen(school, session, "people.connection_restored", "kim")
    lines = (await school.application.get(f"/sessions/{session}/attendance"))["lines"]
    by_person = {line["person"]: line for line in lines}
    assert (by_person["sam"]["standing"], by_person["kim"]["standing"]) == ("gone", "present")
    assert by_person["kim"]["visits"] == 1
    table = await school.application.get(f"/sessions/{session}/attendance.csv")
    assert "kim,Kim,student,1," in table
    await back.ws.close()


async def test_media_that_comes_back_after_the_visit_begins_another_one(world, school):
    session = await school.lesson()
    sam, joined = await enter(world, school, session, "sam")
    await sam.send(leave=rtc.LeaveRequest())
    await seen(school, session, "people.left", "sam")
    again = await world.connect(joined["token"])
    await again.receive()

    async def twice():
        return (await kinds(school, session)).count(("people.joined", "sam")) == 2

    await eventually(twice)
    await again.ws.close()


async def test_a_client_that_comes_back_after_a_restart_is_found_by_its_room(world, school):
    session = await school.lesson()
    joined = await school.person("sam").post(f"/sessions/{session}/join")
    world.server.teaching.media._tenants.clear()
    client = await world.connect(joined["token"])
    await client.receive()

    async def found():
        teaching = world.server.teaching
        return teaching.presence.has_link(teaching.registry.session("devkey", session), "sam")

    await eventually(found)
    await client.ws.close()
    await seen(school, session, "people.connection_lost", "sam")


async def test_who_was_removed_cannot_come_back_with_the_old_token(world, school):
    session = await school.lesson()
    sam, joined = await enter(world, school, session, "sam")
    await school.person("tutor", "tutor").post(f"/sessions/{session}/moderation/remove", {"person": "sam"})
    leave = await sam.until("leave")
    assert leave.reason == models.PARTICIPANT_REMOVED
    with pytest.raises(aiohttp.WSServerHandshakeError):
        await world.connect(joined["token"])
    assert "sam" not in world.server.services.rooms.room(session).participants


async def test_mute_and_permissions_take_effect_on_media(world, school):
    session = await school.lesson()
    tutor = school.person("tutor", "tutor")
    sam, _ = await enter(world, school, session, "sam", offer="a3 v3 mic=m1")
    await sam.publish("mic", models.TrackType.AUDIO, source=models.TrackSource.MICROPHONE)

    async def published():
        return participant(world, session, "sam").tracks

    await eventually(published)
    await tutor.post(f"/sessions/{session}/moderation/mute", {})
    assert (await sam.until("mute")).muted is True
    may = participant(world, session, "sam").permissions
    assert may.may_publish(Source.SCREEN_SHARE)
    body = {"permission": "media.share_screen", "allowed": False}
    await tutor.post(f"/sessions/{session}/moderation/allow", body)
    may = participant(world, session, "sam").permissions
    assert not may.may_publish(Source.SCREEN_SHARE)
    assert may.may_publish(Source.MICROPHONE)
    await tutor.post(f"/sessions/{session}/moderation/rename", {"person": "sam", "name": "Samuel"})
    assert participant(world, session, "sam").name == "Samuel"
    await sam.ws.close()


async def test_students_receive_what_the_settings_and_the_stage_show(world, school):
    session = await school.lesson(settings={"student_cameras": False})
    sam, _ = await enter(world, school, session, "sam")
    kim, _ = await enter(world, school, session, "kim")
    receiving = participant(world, session, "sam").permissions
    assert not receiving.may_receive("kim", "kim", Source.CAMERA)
    assert receiving.may_receive("tutor", "tutor", Source.CAMERA)
    await school.person("tutor", "tutor").post(f"/sessions/{session}/moderation/spotlight", {"person": "kim"})
    assert participant(world, session, "sam").permissions.may_receive("kim", "kim", Source.CAMERA)
    for client in (sam, kim):
        await client.ws.close()


def attempts(owner, track):
    """What a hostile client sends to receive a track that it may not receive."""
    group = models.ParticipantTracks(participant_sid=owner, track_sids=[track])
    return [
        {"subscription": rtc.UpdateSubscription(track_sids=[track], subscribe=True)},
        {"subscription": rtc.UpdateSubscription(participant_tracks=[group], subscribe=True)},
        {"track_setting": rtc.UpdateTrackSettings(track_sids=[track], width=1920, height=1080, priority=1)},
        {"update_metadata": rtc.UpdateParticipantMetadata(attributes={"lectern.role": "owner"})},
        {"subscription_permission": rtc.SubscriptionPermission(all_participants=True)},
        {"subscription": rtc.UpdateSubscription(track_sids=[track], subscribe=True)},
    ]


async def test_a_screen_for_the_tutor_reaches_no_student_whatever_a_client_asks_for(world, school):
    session = await school.lesson()
    tutor = school.person("tutor", "tutor")
    clients = [
        await enter(world, school, session, "tutor", "tutor"),
        await enter(world, school, session, "eve"),
        await enter(world, school, session, "sam", offer="a3 v3 screen=m1"),
    ]
    (_, (eve, _), (sam, _)) = clients
    screen = (await sam.publish("screen", source=models.TrackSource.SCREEN_SHARE)).sid

    def receivers():
        present = {name: participant(world, session, name).sid for name in ("tutor", "eve")}
        return {name for name, sid in present.items() if screen in world.media.peers[sid].subscriptions}

    async def tutor_alone():
        return receivers() == {"tutor"}

    await eventually(tutor_alone)
    for request in attempts(participant(world, session, "sam").sid, screen):
        await eve.send(**request)
    # Requests are handled in order, so the answer to the last one comes after all others.
    await eve.send(ping_req=rtc.Ping(timestamp=1))
    await eve.until("pong_resp")
    assert receivers() == {"tutor"}
    assert screen not in world.media.peers[participant(world, session, "eve").sid].preferences

    work = {"kind": "student_work", "source": "sam"}
    scene = (await tutor.post(f"/sessions/{session}/scenes", work))["id"]
    await tutor.post(f"/sessions/{session}/scenes/switch", {"scene": scene})

    async def everybody():
        return receivers() == {"tutor", "eve"}

    await eventually(everybody)
    await tutor.post(f"/sessions/{session}/scenes/switch", {"scene": ""})
    await eventually(tutor_alone)
    for client, _ in clients:
        await client.ws.close()


async def test_breakouts_move_people_without_a_rejoin_and_the_end_closes_the_rooms(world, school):
    session = await school.lesson()
    tutor = school.person("tutor", "tutor")
    sam, _ = await enter(world, school, session, "sam")
    rooms = {"rooms": [{"id": "one", "name": "One"}]}
    await tutor.post(f"/sessions/{session}/breakouts", rooms)
    await tutor.post(f"/sessions/{session}/breakouts/assign", {"person": "sam", "room": "one"})
    await tutor.post(f"/sessions/{session}/breakouts/open", {})
    moved = world.server.services.rooms.room(f"{session}~one").participants["sam"]
    assert await tutor.get(f"/sessions/{session}/breakouts")
    await tutor.post(f"/sessions/{session}/breakouts/close", {})
    assert moved.room.name == session
    assert ("people.left", "sam") not in await kinds(school, session)
    await tutor.post(f"/sessions/{session}/end")
    await sam.until("leave")
    assert world.server.services.rooms.room(session) is None
