"""Files of the Egress service in a bucket of the request, and the request's access key, which nobody gets to see."""

import asyncio

import pytest
from livekit import api
from livekit.protocol import egress

from sfu.values import RecordingStopped
from signaling.recordings.outputs import maker
from tests.s3 import CREDENTIALS
from tests.signaling.livekit.server_api.conftest import publish
from tests.signaling.school_client import eventually
from tests.signaling.sessions_api.recordings.test_download_calls import write

pytestmark = pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")


def upload(s3, **fields):
    named = {"access_key": CREDENTIALS.access_key, "secret": CREDENTIALS.secret, "bucket": s3.bucket}
    return api.S3Upload(**{**named, "endpoint": s3.endpoint, "region": "us-east-1", **fields})


def request(track, **fields):
    file = api.DirectFileOutput(filepath="raw//{room_name}", **fields)
    return api.TrackEgressRequest(room_name="maths", track_id=track, file=file)


async def track_of(recorded):
    ada, _ = await recorded.world.join("ada", room="maths")
    await publish(ada)
    return await sid(recorded)


async def sid(recorded):
    (person,) = (
        await recorded.sdk.room.list_participants(api.ListParticipantsRequest(room="maths"))
    ).participants
    return person.tracks[0].sid


def stop(recorded, egress_id, reason=""):
    recorded.world.media.emit(RecordingStopped(egress_id, reason, ""))


async def over(recorded, egress_id, *statuses):
    async def ended():
        (info,) = await recorded.egresses(egress_id=egress_id)
        return info if info.status in statuses else None

    return await eventually(ended, 20)


async def test_a_file_is_uploaded_and_the_access_key_is_stored_nowhere_in_clear(
    recording_server, s3, tmp_path, caplog
):
    async with recording_server(persistent=True) as recorded:
        track = await track_of(recorded)
        started = await recorded.sdk.egress.start_track_egress(request(track, s3=upload(s3)))
        shown = started.track.file.s3
        assert (shown.access_key, shown.secret, shown.bucket) == ("{access_key}", "{secret}", s3.bucket)
        kept = b"".join(path.read_bytes() for path in tmp_path.glob("lectern.db*"))
        assert s3.bucket.encode() in kept
        write(recorded.folder, started.egress_id, recorded.world.media.recording_keys[started.egress_id])
        stop(recorded, started.egress_id)
        done = await over(recorded, started.egress_id, egress.EGRESS_COMPLETE)
        (file,) = done.file_results
        assert (file.filename, file.location) == (
            "raw//maths.webm",
            f"{s3.endpoint}/{s3.bucket}/raw/maths.webm",
        )
        row = await recorded.world.server.store.recordings.get(started.egress_id)
        assert row.details["upload"]["sealed"] == ""
    assert s3.names() == ["raw/maths.webm"]
    content = s3.content("raw/maths.webm")
    assert (content[:4], len(content)) == (bytes.fromhex("1a45dfa3"), file.size)  # EBML
    kept += b"".join(path.read_bytes() for path in tmp_path.glob("lectern.db*"))
    for secret in (CREDENTIALS.access_key, CREDENTIALS.secret):
        assert secret.encode() not in kept
        assert secret not in caplog.text


async def test_an_upload_that_a_stopped_server_left_is_made_by_the_next_one(
    recording_server, s3, monkeypatch
):
    waiting = asyncio.Event()

    async def never(*_arguments):
        waiting.set()
        await asyncio.Event().wait()

    with monkeypatch.context() as patched:
        patched.setattr(maker, "upload_files", never)
        async with recording_server(persistent=True) as recorded:
            track = await track_of(recorded)
            started = await recorded.sdk.egress.start_track_egress(request(track, s3=upload(s3)))
            write(recorded.folder, started.egress_id, recorded.world.media.recording_keys[started.egress_id])
            stop(recorded, started.egress_id)
            await asyncio.wait_for(waiting.wait(), 10)
            (info,) = await recorded.egresses()
            assert info.status == egress.EGRESS_ENDING
    async with recording_server(persistent=True) as recorded:
        await over(recorded, started.egress_id, egress.EGRESS_COMPLETE)
    assert s3.names() == ["raw/maths.webm"]


async def test_a_vanished_bucket_fails_the_egress_after_some_attempts(recording_server, s3, monkeypatch):
    monkeypatch.setattr(maker, "_UPLOAD_RETRY_S", 0.0)
    async with recording_server() as recorded:
        track = await track_of(recorded)
        wanted = request(track, s3=upload(s3, bucket="vanished"))
        started = await recorded.sdk.egress.start_track_egress(wanted)
        write(recorded.folder, started.egress_id, recorded.world.media.recording_keys[started.egress_id])
        stop(recorded, started.egress_id)
        failed = await over(recorded, started.egress_id, egress.EGRESS_FAILED)
        assert "vanished" in failed.error
        assert "NoSuchBucket" in failed.error
        # The file is still here.
        assert failed.file_results[0].location.startswith(str(recorded.folder))


async def test_the_access_key_of_a_failed_recording_is_forgotten(recording_server, s3):
    async with recording_server() as recorded:
        track = await track_of(recorded)
        started = await recorded.sdk.egress.start_track_egress(request(track, s3=upload(s3)))
        stop(recorded, started.egress_id, "disk-full")

        async def forgotten():
            row = await recorded.world.server.store.recordings.get(started.egress_id)
            return row.status == "failed" and not row.details["upload"]["sealed"]

        await eventually(forgotten)


OTHERS = [
    ({"s3": {"secret": ""}}, "invalid_argument", "access_key and secret"),
    ({"s3": {"bucket": "x/y"}}, "invalid_argument", "bucket"),
    ({"s3": {"region": "a.b/"}}, "invalid_argument", "region"),
    ({"s3": {"endpoint": "http://169.254.169.254"}}, "permission_denied", "egress_endpoints"),
    ({"s3": {"assume_role_arn": "arn"}}, "unimplemented", "assume_role_arn"),
    ({"gcp": api.GCPUpload(bucket="b")}, "unimplemented", "gcp"),
    ({"azure": api.AzureBlobUpload(container_name="b")}, "unimplemented", "azure"),
]


async def test_other_buckets_are_refused_with_a_reason(recording_server, s3):
    async with recording_server(egress_endpoints=f"https://s3.example, {s3.endpoint}/") as recorded:
        track = await track_of(recorded)
        for fields, code, words in OTHERS:
            named = {name: upload(s3, **value) if name == "s3" else value for name, value in fields.items()}
            with pytest.raises(api.TwirpError, match=words) as refused:
                await recorded.sdk.egress.start_track_egress(request(track, **named))
            assert refused.value.code == code
        assert not await recorded.egresses()
        assert await recorded.sdk.egress.start_track_egress(request(track, s3=upload(s3)))
