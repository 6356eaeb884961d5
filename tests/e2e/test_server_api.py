"""LiveKit's unchanged server SDKs against the running server, with people in the room."""

import asyncio
import json
import os
import shutil

import pytest
from livekit import api, rtc
from livekit.protocol.room import PerformRpcRequest, PerformRpcResponse

from tests.e2e.conftest import DATABASES, eventually, serving
from tests.e2e.native import Viewer, joined, publishing
from tests.e2e.test_node import FOLDER, PACKAGED

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def client(server):
    made = api.LiveKitAPI(server.page, "devkey", "secret")
    yield made.room
    await made.aclose()


async def perform_rpc(client, method, payload):
    """The one call that the SDK has no function for yet, by its own transport."""
    request = PerformRpcRequest(room="maths", destination_identity="ada", method=method, payload=payload)
    headers = client._auth_header(api.VideoGrants(room_admin=True, room="maths"))
    return await client._client.request("RoomService", "PerformRpc", request, headers, PerformRpcResponse)


@DATABASES
async def test_rooms_and_participants_by_the_python_sdk(server, client):
    made = await client.create_room(api.CreateRoomRequest(name="maths", empty_timeout=60, metadata="m"))
    assert (made.name, made.empty_timeout, made.metadata) == ("maths", 60, "m")
    ada, bob = await joined(server, "ada"), await joined(server, "bob")
    data, left = [], []
    bob.on("data_received", lambda packet: data.append((packet.data, packet.topic)))
    ada.on("disconnected", left.append)
    listed = await client.list_rooms(api.ListRoomsRequest())
    assert [(room.name, room.sid, room.num_participants) for room in listed.rooms] == [("maths", made.sid, 2)]

    await client.send_data(
        api.SendDataRequest(room="maths", data=b"hello", topic="t", destination_identities=["bob"])
    )
    await eventually(lambda: data == [(b"hello", "t")], "bob gets the data")

    request = api.UpdateParticipantRequest(room="maths", identity="ada", name="Ada L", attributes={"a": "b"})
    await client.update_participant(request)
    await eventually(lambda: bob.remote_participants["ada"].name == "Ada L", "bob sees the name")
    await client.update_room_metadata(api.UpdateRoomMetadataRequest(room="maths", metadata="changed"))
    await eventually(lambda: bob.metadata == "changed", "bob sees the room's metadata")

    @ada.local_participant.register_rpc_method("add")
    async def add(call):
        return str(sum(map(int, call.payload.split("+"))))

    assert (await perform_rpc(client, "add", "1+2")).payload == "3"
    with pytest.raises(api.TwirpError) as refused:
        await perform_rpc(client, "none", "")
    assert refused.value.metadata["rpc_code"] == "1400"  # LiveKit's "method not supported at destination"

    await client.remove_participant(api.RoomParticipantIdentity(room="maths", identity="ada"))
    await eventually(lambda: left == [rtc.DisconnectReason.PARTICIPANT_REMOVED], "ada was sent out")
    with pytest.raises(api.TwirpError) as refused:
        await client.get_participant(api.RoomParticipantIdentity(room="maths", identity="ada"))
    assert (refused.value.code, refused.value.status) == ("not_found", 404)
    await client.delete_room(api.DeleteRoomRequest(room="maths"))
    await eventually(lambda: not bob.isconnected(), "bob is out")
    assert not (await client.list_rooms(api.ListRoomsRequest())).rooms


@DATABASES
async def test_tracks_permissions_and_subscriptions_by_the_python_sdk(server, client):
    ada, bob = await joined(server, "ada"), rtc.Room()
    viewer = Viewer(bob)
    await bob.connect(server.url, server.token("bob"))
    async with publishing(ada) as (camera, microphone):
        await eventually(lambda: viewer.frames >= 10, "frames")
        seen = bob.remote_participants["ada"]
        request = api.MuteRoomTrackRequest(room="maths", identity="ada", track_sid=microphone.sid, muted=True)
        muted = await client.mute_published_track(request)
        assert muted.track.muted
        await eventually(lambda: seen.track_publications[microphone.sid].muted, "bob sees the mute")
        await eventually(lambda: microphone.muted, "ada's own microphone is muted")

        request = api.UpdateSubscriptionsRequest(room="maths", identity="bob", track_sids=[camera.sid])
        await client.update_subscriptions(request)
        listed = await client.list_participants(api.ListParticipantsRequest(room="maths"))
        assert {person.identity: len(person.tracks) for person in listed.participants} == {"ada": 2, "bob": 0}

        permission = api.ParticipantPermission(can_subscribe=True, can_publish=False, can_publish_data=True)
        request = api.UpdateParticipantRequest(room="maths", identity="ada", permission=permission)
        await client.update_participant(request)
        await eventually(lambda: not seen.track_publications, "ada may not publish any more")
    await ada.disconnect()
    await bob.disconnect()


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_somebody_is_moved_to_another_room_with_their_tracks(workers):
    async with serving("--workers", workers) as server:
        await move(server, same_connection=workers == "1")


async def move(server, *, same_connection):
    client = api.LiveKitAPI(server.page, "devkey", "secret")
    ada, eve = await joined(server, "ada"), rtc.Room()
    viewer = Viewer(eve)
    await eve.connect(server.url, server.token("eve", "group"))
    moved = []
    ada.on("moved", lambda *_: moved.append(True))
    reconnected = []
    ada.on("reconnecting", lambda *_: reconnected.append(True))
    async with publishing(ada):
        token = (
            api.AccessToken("devkey", "secret")
            .with_grants(api.VideoGrants(room_admin=True, room="maths", destination_room="group"))
            .to_jwt()
        )
        by_token = api.LiveKitAPI(server.page, token=token)
        await by_token.room.move_participant(
            api.MoveParticipantRequest(room="maths", identity="ada", destination_room="group")
        )
        await by_token.aclose()
        await eventually(lambda: viewer.frames >= 15, "eve decodes ada's picture")
        await eventually(lambda: "eve" in ada.remote_participants, "ada sees eve")
        assert moved
        assert bool(reconnected) is not same_connection
        assert ada.name == "group"
        assert ada.isconnected()
        rooms = {
            room.name: room.num_participants
            for room in (await client.room.list_rooms(api.ListRoomsRequest())).rooms
        }
        assert rooms == {"maths": 0, "group": 2}
    await client.aclose()
    await ada.disconnect()
    await eve.disconnect()


@pytest.mark.parametrize("workers", ["1", "2"])
async def test_somebody_is_seen_in_another_room_too(workers):
    """With two workers the two rooms begin on different ones, and the people of the other room come over."""
    async with serving("--workers", workers) as server:
        ada, eve, bob = await joined(server, "ada"), rtc.Room(), rtc.Room()
        for_eve, for_bob = Viewer(eve), Viewer(bob)
        await eve.connect(server.url, server.token("eve", "group"))
        await bob.connect(server.url, server.token("bob"))
        grants = api.VideoGrants(room_admin=True, room="maths", destination_room="group")
        token = api.AccessToken("devkey", "secret").with_grants(grants).to_jwt()
        client = api.LiveKitAPI(server.page, token=token)
        async with publishing(ada) as (camera, _):
            await client.room.forward_participant(
                api.ForwardParticipantRequest(room="maths", identity="ada", destination_room="group")
            )
            await eventually(lambda: for_eve.frames >= 15, "eve decodes ada's picture")
            await eventually(lambda: for_bob.frames >= 15, "bob still does")
            mirror = eve.remote_participants["ada"]
            assert camera.sid in mirror.track_publications
            assert mirror.sid != ada.local_participant.sid
            assert "eve" not in ada.remote_participants
        left = []  # a client that comes over sees everybody leave and return
        eve.on("participant_disconnected", lambda person: left.append(person.identity))
        await ada.disconnect()
        await eventually(lambda: left == ["ada"], "forwarding ends with ada")
        await client.aclose()
        await eve.disconnect()
        await bob.disconnect()


@DATABASES
async def test_the_node_sdk(server):
    ada, bob = await joined(server, "ada"), rtc.Room()
    viewer = Viewer(bob)
    await bob.connect(server.url, server.token("bob"))
    data, gone = [], []
    ada.on("data_received", lambda packet: data.append((packet.data, packet.topic)))
    ada.on("disconnected", gone.append)
    path = os.pathsep.join([str(PACKAGED), os.environ["PATH"]])
    async with publishing(ada) as (camera, microphone):
        await eventually(lambda: viewer.frames >= 10, "bob sees ada")
        process = await asyncio.create_subprocess_exec(
            shutil.which("node", path=path),
            *("server_api.mjs", server.page, "maths", camera.sid, microphone.sid),
            cwd=FOLDER,
            stdout=asyncio.subprocess.PIPE,
        )
        output, _ = await process.communicate()
    assert json.loads(output) == {
        "made": ["from-node", 60, 5, "m"],
        "rooms": ["from-node", "maths"],
        "people": ["ada", "bob"],
        "got": sorted([camera.sid, microphone.sid]),
        "metadata": "from node",
        "muted": True,
        "unmuted": "412 failed_precondition",
        "changed": "changed",
        "moved": ["ada", "bob"],
        "removed": "404 not_found",
        "left": ["maths"],
    }
    await eventually(lambda: data == [(b"hello", "t")], "bob got the data")
    assert ada.local_participant.metadata == "from node"
    await eventually(lambda: gone == [rtc.DisconnectReason.PARTICIPANT_REMOVED], "ada was sent out")
    await eventually(lambda: not bob.isconnected(), "bob's room was deleted")
    with pytest.raises(rtc.ConnectError, match="revoked"):
        await rtc.Room().connect(server.url, server.token("ada"))
