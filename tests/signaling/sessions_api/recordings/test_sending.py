"""Recordings whose media are in a bucket: replay, downloads and deletion by the API."""

import io
import zipfile

import pytest

from recording.files.media_file import part_cipher, read_path, size_of
from recording.files.reader import RecordingReader
from tests.s3 import CREDENTIALS
from tests.signaling.school_client import eventually
from tests.signaling.sessions_api.recordings.test_replay_calls import fetch, view, write

# RFC 8794 section 11.2.1, RFC 7845 section 5.1
EBML_MAGIC, OPUS_HEAD = bytes.fromhex("1A45DFA3"), b"OpusHead"


def settings(s3):
    return {
        "storage_bucket": s3.bucket,
        "storage_endpoint": s3.endpoint,
        "storage_prefix": "school",
        "storage_access_key": CREDENTIALS.access_key,
        "storage_secret": CREDENTIALS.secret,
    }


async def moved(lesson, s3, count):
    async def done():
        left = [path for path in lesson.folder.rglob("*") if path.suffix in {".webm", ".mp4"}]
        return len(s3.names()) == count and not left

    await eventually(done, 10)


@pytest.fixture
async def stored(servers, s3, request):
    """A lesson whose recording has three tracks, in the bucket, each of them in one part; encrypted by default."""
    encrypted = getattr(request, "param", True)
    async with servers(**settings(s3), recordings_plain=not encrypted) as lesson:
        found = {}

        def written(folder, recording, key):
            write(folder, recording, key)
            assert bool(key) == encrypted
            for track in RecordingReader(folder, recording, key).tracks()[0]:
                path = track.path / "0001.webm"
                cipher = part_cipher(path, track.part(1), key)
                found[track.path.name] = read_path(path, cipher, 0, size_of(path.stat().st_size, cipher))

        await lesson.recorded_by(written, ("ada", "ben"))
        await moved(lesson, s3, 3)
        lesson.contents = found
        yield lesson


@pytest.mark.parametrize("stored", [True, False], ids=["encrypted", "plain"], indirect=True)
async def test_replay_and_downloads_come_from_the_bucket(stored, s3, request):
    kept = [s3.client.get_object(Bucket=s3.bucket, Key=name)["Body"].read() for name in s3.names()]
    is_plain = "plain" in request.node.callspec.id
    assert [each.startswith(EBML_MAGIC) for each in kept] == [is_plain] * 3
    assert [OPUS_HEAD in each for each in kept] == [is_plain] * 3
    viewing = await view(stored, stored.tutor)
    assert [track["number"] for track in viewing["tracks"]] == [1, 2, 3]
    status, page = await fetch(stored, viewing, "/tracks/1/segments?at_s=5")
    assert (status, page["segments"][0][4] <= 5) == (200, True)
    whole = stored.contents["0001"]
    assert await fetch(stored, viewing, "/tracks/1/parts/1") == (200, whole)
    for asked, answer in {
        "bytes=0-99": whole[:100],
        "bytes=100-": whole[100:],
        "bytes=-7": whole[-7:],
        f"bytes=5-{len(whole) + 9}": whole[5:],
    }.items():
        assert await fetch(stored, viewing, "/tracks/1/parts/1", Range=asked) == (206, answer)
    for asked in (f"bytes={len(whole)}-", "lines=1-2", "bytes=9-1"):
        assert (await fetch(stored, viewing, "/tracks/1/parts/1", Range=asked))[0] == 416
    link = await stored.tutor.post(f"{stored.path}/links", {"track": 2}, 201)
    async with stored.world.http.get(link["url"], headers={"Range": "bytes=1-4"}) as response:
        total = len(stored.contents["0002"])
        assert (response.status, response.headers["Content-Range"]) == (206, f"bytes 1-4/{total}")
        assert "attachment" in response.headers["Content-Disposition"]
        assert await response.read() == stored.contents["0002"][1:5]
    link = await stored.tutor.post(f"{stored.path}/links", {}, 201)
    async with stored.world.http.get(link["url"]) as response:
        archive = zipfile.ZipFile(io.BytesIO(await response.read()))
    assert archive.read("0003-audio-0001.webm") == stored.contents["0003"]


async def test_a_vanished_bucket_is_said_and_the_rest_goes_on(stored, s3):
    for name in s3.names():
        s3.client.delete_object(Bucket=s3.bucket, Key=name)
    viewing = await view(stored, stored.tutor)
    status, answer = await fetch(stored, viewing, "/tracks/1/parts/1")
    assert (status, answer["code"]) == (503, "storage_unavailable")
    link = await stored.tutor.post(f"{stored.path}/links", {}, 201)
    async with stored.world.http.get(link["url"]) as response:
        assert response.status == 503


async def test_deleted_recordings_and_erased_people_are_in_no_bucket(stored, s3):
    await stored.tutor.post(f"/sessions/{stored.session}/end")
    await stored.school.application.post("/privacy/ada/erase")
    assert [name.split("/")[3] for name in s3.names()] == ["0001"]
    await stored.tutor.call("DELETE", stored.path)
    assert s3.names() == []
    assert not stored.folder.exists()


async def test_what_a_stopped_server_left_is_moved_by_the_next_one_and_read_by_none_without_a_bucket(
    servers, s3
):
    async with servers() as lesson:
        await lesson.recorded_by(write)
    async with servers(lesson.session, **settings(s3)) as later:
        later.folder = lesson.folder
        await moved(later, s3, 3)
    async with servers(lesson.session) as last:
        last.recording = lesson.recording
        status, answer = await fetch(last, await view(last, last.tutor), "/tracks/1/parts/1")
        assert (status, answer["code"]) == (503, "storage_off")
