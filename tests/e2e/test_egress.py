"""LiveKit's Egress service, driven by the unchanged Python SDK, with the files decoded."""

import asyncio
import json
import os
import shutil
import time
from typing import NamedTuple

import av
import pytest
from livekit import api, rtc
from livekit.api.egress_service import EgressService
from livekit.protocol import egress

from tests.e2e.conftest import Server, eventually, serving
from tests.e2e.test_node import FOLDER, PACKAGED
from tests.e2e.test_recorded_session import Publisher, read_stamp
from tests.signaling.receiver import receiving

pytestmark = pytest.mark.timeout(120)

FILE = api.EncodedFileOutput(file_type=api.EncodedFileType.MP4, filepath="lessons/{room_name}.mp4")


@pytest.fixture
async def webhooks():
    async with receiving() as receiver:
        yield receiver


class Recorded(NamedTuple):
    """A room with somebody who publishes, and the Python SDK's client."""

    server: Server
    client: EgressService
    publisher: Publisher


@pytest.fixture
async def room(tmp_path, webhooks):
    """A room with somebody who publishes, and the SDK's client."""
    async with serving(
        "--recordings",
        str(tmp_path),
        "--recordings-reserve-mb",
        "0",
        "--workers",
        "1",
        "--webhook-url",
        webhooks.url,
        "--webhook-events",
        "egress_started,egress_updated,egress_ended",
    ) as server:
        client = api.LiveKitAPI(server.page, "devkey", "secret")
        joined = rtc.Room()
        await joined.connect(server.url, server.token("ada"))
        publisher = Publisher(joined, time.monotonic())
        await publisher.publish()
        await asyncio.sleep(1)  # the keyframes are there
        yield Recorded(server, client.egress, publisher)
        await publisher.stop()
        await joined.disconnect()
        await client.aclose()


async def over(client, egress_id):
    async def ended():
        (found,) = (await client.list_egress(api.ListEgressRequest(egress_id=egress_id))).items
        assert found.status != egress.EGRESS_FAILED, found.error
        return found if found.status == egress.EGRESS_COMPLETE else None

    return await eventually(ended, "the egress is complete")


async def test_a_room_and_a_track_are_recorded_to_files(room, tmp_path, webhooks):
    _, client, publisher = room
    started = await client.start_room_composite_egress(
        api.RoomCompositeEgressRequest(room_name="maths", file_outputs=[FILE])
    )
    assert (started.room_name, started.status) == ("maths", egress.EGRESS_ACTIVE)
    assert started.room_composite.file_outputs[0].filepath == FILE.filepath
    await eventually(lambda: publisher.room.is_recording, "everybody sees that it is recorded")
    active = (await client.list_egress(api.ListEgressRequest(room_name="maths", active=True))).items
    assert [each.egress_id for each in active] == [started.egress_id]
    await asyncio.sleep(3)  # what is recorded
    stopped = await client.stop_egress(api.StopEgressRequest(egress_id=started.egress_id))
    assert stopped.status == egress.EGRESS_ENDING
    done = await over(client, started.egress_id)
    (file,) = done.file_results
    assert file.filename == "lessons/maths.mp4"
    with av.open(file.location) as container:
        assert [each.codec_context.name for each in container.streams] == ["h264", "aac"]
        assert container.size == file.size
        assert file.duration / 1e9 == pytest.approx(container.duration / 1e6, abs=0.5)
    await eventually(lambda: not publisher.room.is_recording, "everybody sees that it is over")

    tracked = await client.start_track_egress(
        api.TrackEgressRequest(room_name="maths", track_id=publisher.video.sid, file=api.DirectFileOutput())
    )
    await asyncio.sleep(2)  # what is recorded
    await client.stop_egress(api.StopEgressRequest(egress_id=tracked.egress_id))
    (file,) = (await over(client, tracked.egress_id)).file_results
    with av.open(file.location) as container:
        stamps = [read_stamp(frame) for frame in container.decode(video=0)]
    assert len(set(stamps)) > 5
    assert len(list((tmp_path / tracked.egress_id / "tracks").iterdir())) == 1

    sdk = api.WebhookReceiver(api.TokenVerifier("devkey", "secret"))
    await eventually(lambda: len(webhooks.received) == 6, "the webhooks of both egresses")
    told = [sdk.receive(body, headers["Authorization"]) for headers, body in webhooks.received]
    for egress_id in (started.egress_id, tracked.egress_id):
        infos = [(each.event, each.egress_info) for each in told if each.egress_info.egress_id == egress_id]
        assert [(event, info.status) for event, info in infos] == [
            ("egress_started", egress.EGRESS_ACTIVE),
            ("egress_updated", egress.EGRESS_ENDING),
            ("egress_ended", egress.EGRESS_COMPLETE),
        ]
    assert infos[-1][1].file_results[0].location == file.location


async def test_what_this_server_cannot_do_is_refused_plainly(room):
    _, client, publisher = room
    rtmp = api.StreamOutput(urls=["rtmp://example.com/live"])
    s3 = api.EncodedFileOutput(filepath="x", s3=api.S3Upload(bucket="b"))
    composite = api.RoomCompositeEgressRequest
    refusals = [
        (
            client.start_room_composite_egress,
            composite(room_name="maths", stream_outputs=[rtmp]),
            "stream_outputs",
        ),
        (client.start_room_composite_egress, composite(room_name="maths", file_outputs=[s3]), "s3"),
        (
            client.start_room_composite_egress,
            composite(room_name="nowhere", file_outputs=[FILE]),
            "not exist",
        ),
        (
            client.start_track_egress,
            api.TrackEgressRequest(room_name="maths", track_id="TR_x"),
            "track not found",
        ),
        (client.start_web_egress, api.WebEgressRequest(url="https://example.com"), "web pages"),
        (client.stop_egress, api.StopEgressRequest(egress_id="EG_x"), "egress not found"),
    ]
    for call, request, words in refusals:
        with pytest.raises(api.TwirpError) as refused:
            await call(request)
        assert words in refused.value.message
    request = api.ParticipantEgressRequest(room_name="maths", identity="ada", file_outputs=[FILE])
    started = await client.start_participant_egress(request)
    with pytest.raises(api.TwirpError) as refused:
        await client.start_participant_egress(request)
    assert "one egress" in refused.value.message
    with pytest.raises(api.TwirpError) as refused:
        await client.update_layout(api.UpdateLayoutRequest(egress_id=started.egress_id, layout="grid"))
    assert refused.value.code == "unimplemented"
    stopped = await client.stop_egress(api.StopEgressRequest(egress_id=started.egress_id))
    assert stopped.participant.identity == "ada"
    await publisher.stop()


async def test_the_node_sdk_records_the_tracks_that_it_names(room):
    server, client, publisher = room
    path = os.pathsep.join([str(PACKAGED), os.environ["PATH"]])
    process = await asyncio.create_subprocess_exec(
        shutil.which("node", path=path),
        *("egress.mjs", server.page, "maths", publisher.video.sid, publisher.audio.sid),
        cwd=FOLDER,
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    found = json.loads(output)
    assert found["active"] == [found["id"]]
    assert (found["status"], found["file"]) == ("EGRESS_COMPLETE", "node.mp4")
    assert (found["layout"], found["stream"]) == ("501 unimplemented", "501 unimplemented")
    assert found["second"] != ""
    # A second file is refused, the same one in the old field and the new one is not.
    other = api.EncodedFileOutput(file_type=api.EncodedFileType.MP4, filepath="other.mp4")
    request = api.RoomCompositeEgressRequest(room_name="maths", file=FILE, file_outputs=[FILE, other])
    with pytest.raises(api.TwirpError, match="one file"):
        await client.start_room_composite_egress(request)
    with av.open(found["location"]) as container:
        assert [each.codec_context.name for each in container.streams] == ["h264", "aac"]
