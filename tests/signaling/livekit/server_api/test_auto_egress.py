"""Rooms that are recorded because CreateRoom, or the `roomConfig` of a token, says so."""

from unittest.mock import Mock

import pytest
from livekit import api
from livekit.protocol import egress

from signaling.livekit.server_api.auto_egress import AutoEgress
from signaling.rooms.model import LeaveReason
from tests.signaling.livekit.server_api.conftest import publish
from tests.signaling.school_client import eventually

# The SDK signs with the key of development mode.
pytestmark = pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")

FILE = api.EncodedFileOutput(filepath="lessons/{room_name}.mp4")
WANTED = api.RoomEgress(room=api.RoomCompositeEgressRequest(file_outputs=[FILE]))


@pytest.fixture
async def recorded(recording_server):
    async with recording_server() as made:
        yield made


async def starting(recorded):
    async def found():
        return await recorded.egresses()

    (info,) = await eventually(found)
    return info


async def test_a_created_room_is_recorded_from_its_first_track_on(recorded):
    await recorded.sdk.room.create_room(api.CreateRoomRequest(name="maths", egress=WANTED))
    ada, _ = await recorded.world.join("ada", room="maths")
    assert not await recorded.egresses()
    await publish(ada)
    info = await starting(recorded)
    assert (info.room_name, info.status) == ("maths", egress.EGRESS_ACTIVE)
    assert info.room_composite.room_name == "maths"
    assert info.room_composite.file_outputs[0].filepath == FILE.filepath
    await recorded.sdk.room.delete_room(api.DeleteRoomRequest(room="maths"))

    async def over():
        return not await recorded.egresses(active=True)

    await eventually(over)
    assert len(await recorded.egresses()) == 1


async def test_the_request_is_for_one_opening_of_the_room(recorded):
    await recorded.sdk.room.create_room(api.CreateRoomRequest(name="maths", egress=WANTED))
    await recorded.sdk.room.delete_room(api.DeleteRoomRequest(room="maths"))
    await recorded.sdk.room.create_room(api.CreateRoomRequest(name="maths"))
    # It is open, so this request changes nothing.
    await recorded.sdk.room.create_room(api.CreateRoomRequest(name="maths", egress=WANTED))
    ada, _ = await recorded.world.join("ada", room="maths")
    await publish(ada)
    await ada.quiet()
    assert not await recorded.egresses()
    assert not [command for command in recorded.world.media.commands if command[0] == "start_recording"]


async def test_what_cannot_be_recorded_is_refused_before_the_room_opens(recorded):
    stream = api.RoomCompositeEgressRequest(stream_outputs=[api.StreamOutput()])
    for wanted, words in [
        (api.RoomEgress(tracks=api.AutoTrackEgress(filepath="x")), "egress.tracks"),
        (api.RoomEgress(participant=api.AutoParticipantEgress()), "egress.participant"),
        (api.RoomEgress(room=stream), "stream_outputs"),
    ]:
        with pytest.raises(api.TwirpError, match=words) as refused:
            await recorded.sdk.room.create_room(api.CreateRoomRequest(name="maths", egress=wanted))
        assert refused.value.code == "unimplemented"
    assert not (await recorded.sdk.room.list_rooms(api.ListRoomsRequest())).rooms


async def test_a_server_without_recordings_says_so(recording_server):
    async with recording_server(recordings="") as plain:
        with pytest.raises(api.TwirpError, match="no folder for recordings"):
            await plain.sdk.room.create_room(api.CreateRoomRequest(name="maths", egress=WANTED))


async def test_a_token_that_opens_a_room_can_have_it_recorded(recorded):
    config = {"egress": {"room": {"fileOutputs": [{"filepath": "x.mp4"}]}}}
    ada, _ = await recorded.world.join("ada", room="maths", roomConfig=config)
    await publish(ada)
    info = await starting(recorded)
    assert info.room_composite.file_outputs[0].filepath == "x.mp4"


async def test_a_token_changes_nothing_in_a_room_that_is_open(recorded):
    await recorded.world.join("ada", room="maths")
    config = {"egress": {"room": {"fileOutputs": [{"filepath": "x.mp4"}]}}}
    ben, _ = await recorded.world.join("ben", room="maths", roomConfig=config)
    await publish(ben)
    await ben.quiet()
    # Otherwise, the room would have its one egress.
    asked = api.RoomCompositeEgressRequest(room_name="maths", file_outputs=[FILE])
    started = await recorded.sdk.egress.start_room_composite_egress(asked)
    assert [each.egress_id for each in await recorded.egresses()] == [started.egress_id]


def test_a_room_that_ends_without_a_track_leaves_nothing(harness):
    auto = AutoEgress(Mock(), harness.rooms, harness.services.hub)
    room = harness.rooms.open_room("maths")
    auto.await_tracks(harness.claims("backend"), room, WANTED)
    assert auto.waiting == 1
    harness.rooms.close_room(room, LeaveReason.ROOM_DELETED, "")
    assert auto.waiting == 0


async def test_a_wrong_request_in_a_token_is_logged_and_costs_the_participant_nothing(recorded, caplog):
    for number, wanted in enumerate([7, {"room": {"fileOutputs": 7}}, {"tracks": {}}, {"unknown": 1}]):
        room = f"room{number}"
        ada, _ = await recorded.world.join("ada", room=room, roomConfig={"egress": wanted})
        await publish(ada)
        await ada.quiet()
        assert f"the egress of a token for the room {room} is refused" in caplog.text
    assert not await recorded.egresses()
