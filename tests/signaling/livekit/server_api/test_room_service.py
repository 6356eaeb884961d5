"""RoomService over the domain and the front end, without HTTP."""

import asyncio
from unittest.mock import Mock

import pytest
from livekit.protocol import models, room, rtc

from signaling.access import tokens
from signaling.errors import LimitError, NotFoundError
from signaling.livekit.server_api.room_service import RoomService, methods
from signaling.livekit.server_api.twirp import TwirpError
from signaling.rooms.model import LeaveReason, RoomConfig
from signaling.rooms.permissions import AdminRight, Permissions, Receiving, Source
from signaling.store import DurableRoom
from signaling.store.catalogue import Catalogue

WHO = {"room": "lesson", "identity": "ada"}


@pytest.fixture
def catalogue(store):
    return Catalogue(store.rooms)


@pytest.fixture
def service(harness, catalogue):
    return RoomService(harness.livekit, catalogue, Mock())


@pytest.fixture
def claims(harness):
    def make(**video):
        return harness.claims("backend", raw={"video": video})

    return make


@pytest.fixture
def admin(claims):
    return claims(roomAdmin=True, room="lesson", destinationRoom="group")


@pytest.fixture
def creator(claims):
    return claims(roomCreate=True, roomList=True)


async def test_a_room_is_created_once_and_then_returned_as_it_is(harness, service, creator):
    first = await service.create_room(
        creator, room.CreateRoomRequest(name="maths", empty_timeout=9, metadata="a")
    )
    again = await service.create_room(creator, room.CreateRoomRequest(name="maths", max_participants=2))
    assert again.sid == first.sid
    assert (again.empty_timeout, again.max_participants, again.metadata) == (9, 0, "a")
    assert harness.rooms.room("maths").config.max_participants == 0
    listed = await service.list_rooms(creator, room.ListRoomsRequest(names=["maths", "other"]))
    assert [each.name for each in listed.rooms] == ["maths"]
    assert not (await service.list_rooms(creator, room.ListRoomsRequest(names=["other"]))).rooms
    await service.delete_room(creator, room.DeleteRoomRequest(room="maths"))
    assert harness.rooms.rooms == ()


async def test_a_room_without_a_name_is_given_one(harness, service, creator):
    made = [await service.create_room(creator, room.CreateRoomRequest(metadata="m")) for _ in range(2)]
    assert made[0].name != made[1].name
    assert {each.name for each in harness.rooms.rooms} == {each.name for each in made}
    with pytest.raises(TwirpError, match="must not exceed"):
        await service.create_room(creator, room.CreateRoomRequest(name="x" * 257))


async def test_nobody_is_in_a_room_that_is_not_open(service, admin, claims):
    assert not service.list_participants(admin, room.ListParticipantsRequest(room="lesson")).participants
    with pytest.raises(TwirpError, match="permissions denied"):
        service.list_participants(admin, room.ListParticipantsRequest(room="other"))


async def test_deleting_a_room_tells_everybody_in_it(harness, service, creator):
    ada = await harness.join("ada")
    await service.delete_room(creator, room.DeleteRoomRequest(room="lesson"))
    assert ada.last("leave").reason == models.DisconnectReason.ROOM_DELETED


async def test_participants_are_listed_removed_and_may_come_back(harness, service, admin):
    ada = await harness.join("ada")
    await harness.join("ghost", permissions=Permissions(hidden=True))
    listed = service.list_participants(admin, room.ListParticipantsRequest(room="lesson"))
    assert [info.identity for info in listed.participants] == ["ada", "ghost"]
    assert service.get_participant(admin, room.RoomParticipantIdentity(**WHO)).sid == ada.sid
    service.remove_participant(admin, room.RoomParticipantIdentity(**WHO))
    assert ada.last("leave").reason == models.DisconnectReason.PARTICIPANT_REMOVED
    assert ada.last("leave").action == rtc.LeaveRequest.DISCONNECT
    await harness.join("ada")


async def test_tokens_are_revoked_with_a_removal_or_without(harness, service, admin):
    ada = await harness.join("ada")
    service.remove_participant(admin, room.RoomParticipantIdentity(**WHO, revoke_token_ts=1_800_000_000))
    service.remove_participant(admin, room.RoomParticipantIdentity(**WHO, revoke_token_ts=1_900_000_000))
    assert ada.connection.participant.room.revoked == {"ada": 1_900_000_000}
    with pytest.raises(NotFoundError):
        service.remove_participant(admin, room.RoomParticipantIdentity(**WHO))


async def test_a_track_is_muted_and_only_its_publisher_unmutes_it(harness, service, admin):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    sid = await ada.publish("cam")
    bob.clear()
    answer = service.mute_published_track(admin, room.MuteRoomTrackRequest(**WHO, track_sid=sid, muted=True))
    assert answer.track.muted
    assert harness.media.muted[sid]
    assert (ada.last("mute").sid, ada.last("mute").muted) == (sid, True)
    assert bob.infos()[-1].tracks[0].muted
    with pytest.raises(TwirpError) as refused:
        service.mute_published_track(admin, room.MuteRoomTrackRequest(**WHO, track_sid=sid, muted=False))
    assert refused.value.code == "failed_precondition"
    with pytest.raises(NotFoundError):
        service.mute_published_track(admin, room.MuteRoomTrackRequest(**WHO, track_sid="TR_none", muted=True))


async def test_profile_and_permissions_are_changed(harness, service, admin):
    ada = await harness.join("ada")
    sid = await ada.publish("cam", source=models.TrackSource.CAMERA)
    permission = models.ParticipantPermission(
        can_subscribe=True, can_publish=True, can_publish_sources=[models.TrackSource.MICROPHONE]
    )
    request = room.UpdateParticipantRequest(
        **WHO, name="Ada L", metadata="m", attributes={"a": "b"}, permission=permission
    )
    info = service.update_participant(admin, request)
    assert (info.name, info.metadata, dict(info.attributes)) == ("Ada L", "m", {"a": "b"})
    person = ada.connection.participant
    assert person.permissions == Permissions(can_publish_data=False, can_publish_sources=(Source.MICROPHONE,))
    assert ada.last("track_unpublished").track_sid == sid
    with pytest.raises(LimitError):
        service.update_participant(admin, room.UpdateParticipantRequest(**WHO, name="x" * 300))
    assert person.name == "Ada L"


async def test_subscriptions_are_changed(harness, service, admin):
    ada, bob = await harness.join("ada"), await harness.join("bob", auto_subscribe=False)
    sid = await ada.publish("cam")
    request = room.UpdateSubscriptionsRequest(room="lesson", identity="bob", subscribe=True)
    request.participant_tracks.add(participant_sid=ada.sid, track_sids=[sid])
    service.update_subscriptions(admin, request)
    assert sid in bob.connection.participant.subscriptions.subscribed
    request = room.UpdateSubscriptionsRequest(room="lesson", identity="bob", track_sids=[sid])
    service.update_subscriptions(admin, request)
    assert not bob.connection.participant.subscriptions.subscribed


async def test_data_goes_to_all_or_to_those_named(harness, service, admin):
    ada, bob = await harness.join("ada"), await harness.join("bob")
    service.send_data(admin, room.SendDataRequest(room="lesson", data=b"all", topic="t", nonce=b"n"))
    recipients, label, payload = harness.media.sent[-1]
    packet = models.DataPacket.FromString(payload)
    assert (recipients, label) == ((ada.sid, bob.sid), "_reliable")
    assert (packet.user.payload, packet.user.topic, packet.user.nonce) == (b"all", "t", b"n")
    lossy = models.DataPacket.LOSSY
    for to in ({"destination_identities": ["bob"]}, {"destination_sids": [bob.sid]}):
        service.send_data(admin, room.SendDataRequest(room="lesson", data=b"bob", kind=lossy, **to))
        assert harness.media.sent[-1][:2] == ((bob.sid,), "_lossy")
    with pytest.raises(TwirpError, match="64000 bytes"):
        service.send_data(admin, room.SendDataRequest(room="lesson", data=bytes(64_000)))


async def test_room_metadata_is_changed(harness, service, admin):
    ada = await harness.join("ada")
    changed = service.update_room_metadata(
        admin, room.UpdateRoomMetadataRequest(room="lesson", metadata="new")
    )
    assert changed.metadata == ada.last("room_update").room.metadata == "new"


async def test_a_method_of_a_client_is_called(harness, service, admin):
    ada = await harness.join("ada")
    request = room.PerformRpcRequest(
        room="lesson", destination_identity="ada", method="add", payload="1+1", response_timeout_ms=3000
    )
    call = asyncio.ensure_future(service.perform_rpc(admin, request))
    await asyncio.sleep(0)
    recipients, label, payload = harness.media.sent[-1]
    asked = models.DataPacket.FromString(payload).rpc_request
    assert (recipients, label) == ((ada.sid,), "_reliable")
    assert (asked.method, asked.payload, asked.response_timeout_ms) == ("add", "1+1", 3000)
    answer = models.DataPacket()
    answer.rpc_response.request_id, answer.rpc_response.payload = asked.id, "2"
    assert harness.livekit.relay.rpc.accept(ada.sid, answer)
    assert (await call).payload == "2"


@pytest.mark.parametrize(
    ("code", "twirp"), [(1501, "deadline_exceeded"), (1503, "unavailable"), (42, "unknown")]
)
async def test_a_call_that_fails_says_why(harness, service, admin, code, twirp):
    ada = await harness.join("ada")
    request = room.PerformRpcRequest(room="lesson", destination_identity="ada", method="add")
    call = asyncio.ensure_future(service.perform_rpc(admin, request))
    await asyncio.sleep(0)
    asked = models.DataPacket.FromString(harness.media.sent[-1][2]).rpc_request
    answer = models.DataPacket()
    answer.rpc_response.request_id = asked.id
    answer.rpc_response.error.code, answer.rpc_response.error.message = code, "why"
    harness.livekit.relay.rpc.accept(ada.sid, answer)
    with pytest.raises(TwirpError) as refused:
        await call
    assert (refused.value.code, str(refused.value), refused.value.meta) == (
        twirp,
        "why",
        {"rpc_code": str(code)},
    )


async def test_somebody_is_moved_with_their_tracks(harness, service, admin):
    newest = models.ClientInfo(protocol=16)
    ada = await harness.join("ada", client=newest)
    bob, eve = await harness.join("bob"), await harness.join("eve", room="group")
    camera, screen = await ada.publish("cam"), await eve.publish("screen")
    for person in (ada, bob, eve):
        person.clear()
    request = room.MoveParticipantRequest(**WHO, destination_room="group")
    await service.move_participant(admin, request)
    harness.media.deliver()
    moved = ada.last("room_moved")
    assert (moved.room.name, moved.participant.identity) == ("group", "ada")
    assert [info.identity for info in moved.other_participants] == ["eve"]
    assert not ada.all("leave")
    gone = bob.infos()[-1]
    assert (gone.identity, gone.state) == ("ada", models.ParticipantInfo.DISCONNECTED)
    assert [track.sid for track in eve.infos()[-1].tracks] == [camera]
    assert ("move_peer", ada.sid, eve.connection.participant.room.sid) in harness.media.commands
    assert harness.media.peers[eve.sid].subscriptions.keys() == {camera}
    assert harness.media.peers[ada.sid].subscriptions.keys() == {screen}
    assert not harness.media.peers[bob.sid].subscriptions
    # what follows happens in the new room: a resume, a leave
    assert (
        harness.livekit.lifecycle.resume(harness.claims("ada", room="group"), ada.sid, ada.outbox)
        is ada.connection
    )
    harness.rooms.leave(ada.connection.participant, LeaveReason.CLIENT_LEFT)
    assert eve.infos()[-1].state == models.ParticipantInfo.DISCONNECTED
    assert harness.rooms.room("lesson").participants.keys() == {"bob"}


async def test_an_older_client_is_told_to_come_back_in_the_other_room(harness, service, admin):
    ada = await harness.join("ada", client=models.ClientInfo(protocol=15))
    await service.move_participant(admin, room.MoveParticipantRequest(**WHO, destination_room="group"))
    assert ada.kinds()[-2:] == ["refresh_token", "leave"]
    assert ada.last("leave").action == rtc.LeaveRequest.RECONNECT
    token = ada.last("refresh_token")
    assert tokens.verify(token, {"devkey": "secret"}, harness.wall_clock()).room == "group"


async def test_where_nobody_can_be_moved_to(harness, service, admin, creator, claims):
    await harness.join("ada")
    request = room.MoveParticipantRequest(**WHO, destination_room="group")
    with pytest.raises(TwirpError) as refused:
        await service.move_participant(
            claims(roomAdmin=True, room="lesson", destinationRoom="other"), request
        )
    assert refused.value.code == "unauthenticated"
    await service.create_room(creator, room.CreateRoomRequest(name="group", max_participants=1))
    await harness.join("eve", room="group")
    with pytest.raises(TwirpError) as refused:
        await service.move_participant(admin, request)
    assert refused.value.code == "resource_exhausted"
    same = claims(roomAdmin=True, room="lesson", destinationRoom="lesson")
    with pytest.raises(TwirpError) as refused:
        await service.move_participant(same, room.MoveParticipantRequest(**WHO, destination_room="lesson"))
    assert refused.value.code == "invalid_argument"
    assert harness.rooms.room("lesson").participants.keys() == {"ada"}


NEEDS = {
    "CreateRoom": {"roomCreate": True},
    "DeleteRoom": {"roomCreate": True},
    "ListRooms": {"roomList": True},
}


async def test_each_method_needs_its_grant(harness, claims, catalogue):
    await harness.join("ada")
    for name, method in methods(harness.livekit, catalogue, Mock()).items():
        wrong = [
            {},
            {"roomAdmin": True, "room": "other"},
            {"room": "lesson"},
            {"roomAdmin": 1, "room": "lesson"},
        ]
        wrong += [{grant: True for grant in ("roomCreate", "roomList") if grant not in NEEDS.get(name, {})}]
        for video in wrong:
            request = method.request()
            if hasattr(request, "room"):
                request.room = "lesson"
            with pytest.raises(TwirpError) as refused:
                await method.handler(claims(**video), request)
            assert refused.value.code == "unauthenticated", (name, video)


async def test_what_is_not_there_is_not_found(harness, creator, claims, catalogue):
    await harness.join("ada")
    for name, method in methods(harness.livekit, catalogue, Mock()).items():
        for where, text in (
            ("nowhere", "requested room does not exist"),
            ("lesson", "participant does not exist"),
        ):
            request = method.request()
            for field, value in (("room", where), ("identity", "nobody"), ("destination_identity", "nobody")):
                if field in request.DESCRIPTOR.fields_by_name:
                    setattr(request, field, value)
            fields = request.DESCRIPTOR.fields_by_name
            needs_person = "identity" in fields or "destination_identity" in fields
            if name == "ListParticipants" or "room" not in fields or (where == "lesson" and not needs_person):
                continue
            grants = (
                creator if name == "DeleteRoom" else claims(roomAdmin=True, room=where, destinationRoom="")
            )
            with pytest.raises(NotFoundError, match=text):
                await method.handler(grants, request)


async def test_oversize_metadata_is_refused_and_changes_nothing(harness, service, creator):
    large = "x" * (512 * 1024 + 1)
    with pytest.raises(LimitError):
        await service.create_room(creator, room.CreateRoomRequest(name="maths", metadata=large))
    assert harness.rooms.rooms == ()


async def test_a_source_that_is_not_known_does_not_stand_for_all(harness, service, admin):
    await harness.join("ada")
    permission = models.ParticipantPermission(can_publish=True, can_publish_sources=[99])
    service.update_participant(admin, room.UpdateParticipantRequest(**WHO, permission=permission))
    granted = harness.rooms.room("lesson").participants["ada"].permissions
    assert granted.can_publish_sources == (Source.UNKNOWN,)
    assert not granted.may_publish(Source.CAMERA)


async def test_what_livekit_has_no_name_for_is_not_taken_away(harness, service, admin):
    mine = Permissions(receiving=Receiving(frozenset()), admin=frozenset({AdminRight.STREAMING}))
    ada = await harness.join("ada", permissions=mine)
    permission = models.ParticipantPermission(can_subscribe=True, can_publish=False, can_publish_data=True)
    service.update_participant(admin, room.UpdateParticipantRequest(**WHO, permission=permission))
    changed = ada.connection.participant.permissions
    assert not changed.can_publish
    assert (changed.receiving, changed.admin) == (mine.receiving, mine.admin)


async def test_rooms_of_other_apis_are_rooms_here(harness, service, creator, catalogue, store):
    async def opening(durable):
        return RoomConfig(max_participants=3, ends_at=durable.created_at + 9)

    catalogue.add("daily", opening)
    await store.rooms.put(DurableRoom("maths", "daily", "school", 5.0, {}))
    harness.rooms.open_room("choir")
    listed = (await service.list_rooms(creator, room.ListRoomsRequest())).rooms
    assert [(each.name, bool(each.sid)) for each in listed] == [("choir", True), ("maths", False)]
    made = await service.create_room(creator, room.CreateRoomRequest(name="maths", metadata="m"))
    assert (made.max_participants, made.metadata) == (3, "")
    assert harness.rooms.room("maths").config.ends_at == 14.0
    await service.delete_room(creator, room.DeleteRoomRequest(room="maths"))
    assert harness.rooms.room("maths") is None
    assert await store.rooms.get("maths") is None
    await store.rooms.put(DurableRoom("maths", "daily", "school", 5.0, {}))
    await service.delete_room(creator, room.DeleteRoomRequest(room="maths"))
    with pytest.raises(NotFoundError):
        await service.delete_room(creator, room.DeleteRoomRequest(room="maths"))


async def test_forwarding_and_what_can_be_done_with_a_mirror(harness, service, admin):
    ada, eve = await harness.join("ada"), await harness.join("eve", room="group")
    camera = await ada.publish("cam")
    request = room.ForwardParticipantRequest(**WHO, destination_room="group")
    await service.forward_participant(admin, request)
    seen = eve.infos()[-1]
    assert (seen.identity, [track.sid for track in seen.tracks]) == ("ada", [camera])
    assert list(seen.kind_details) == [models.ParticipantInfo.FORWARDED]

    there = harness.claims(
        "backend", raw={"video": {"roomAdmin": True, "room": "group", "destinationRoom": "x"}}
    )
    who = {"room": "group", "identity": "ada"}
    assert service.get_participant(there, room.RoomParticipantIdentity(**who)).sid == seen.sid
    mute = room.MuteRoomTrackRequest(**who, track_sid=camera, muted=True)
    assert service.mute_published_track(there, mute).track.muted
    assert ada.last("mute").muted
    for refused in (
        lambda: asyncio.to_thread(
            service.update_participant, there, room.UpdateParticipantRequest(**who, name="x")
        ),
        lambda: asyncio.to_thread(
            service.update_subscriptions, there, room.UpdateSubscriptionsRequest(**who)
        ),
        lambda: service.move_participant(there, room.MoveParticipantRequest(**who, destination_room="x")),
        lambda: service.forward_participant(
            there, room.ForwardParticipantRequest(**who, destination_room="x")
        ),
    ):
        with pytest.raises(TwirpError) as error:
            await refused()
        assert error.value.code == "failed_precondition"
    service.remove_participant(there, room.RoomParticipantIdentity(**who))
    assert eve.infos()[-1].state == models.ParticipantInfo.DISCONNECTED
    assert not ada.connection.participant.has_left


@pytest.mark.parametrize(("destination", "code"), [("lesson", "invalid_argument"), ("", "invalid_argument")])
async def test_a_destination_is_another_room(harness, service, claims, destination, code):
    await harness.join("ada")
    admin = claims(roomAdmin=True, room="lesson", destinationRoom=destination)
    with pytest.raises(TwirpError) as error:
        await service.forward_participant(
            admin, room.ForwardParticipantRequest(**WHO, destination_room=destination)
        )
    assert error.value.code == code
    with pytest.raises(TwirpError) as error:
        await service.forward_participant(
            admin, room.ForwardParticipantRequest(**WHO, destination_room="not granted")
        )
    assert error.value.code == "unauthenticated"
