"""Media files that move to a bucket and back, whatever fails in between."""

import pytest

from recording.files.reader import RecordingReader
from signaling.recordings.files import RecordingFiles
from signaling.recordings.storage.address import StorageError
from signaling.recordings.storage.archive import Archive
from signaling.recordings.storage.bucket import Bucket
from signaling.recordings.storage.stored import media_files, read_stored
from tests.s3 import CREDENTIALS
from tests.signaling.sessions_api.recordings.test_replay_calls import write

REC = "rec_1"


@pytest.fixture
def folder(tmp_path):
    write(tmp_path, REC)
    return tmp_path


@pytest.fixture
def archive(folder, bucket):
    return Archive(folder, bucket)


def media(folder):
    return {name: (folder / REC / name).read_bytes() for name, _ in media_files(folder / REC)}


async def read(archive, path, start, end):
    return b"".join([piece async for piece in archive.read(path, start, end)])


async def test_media_move_and_what_reads_the_indexes_goes_on(folder, archive, s3):
    before, manifest = media(folder), RecordingFiles(folder).manifest(REC)
    assert await archive.store(REC) == len(before) > 1
    assert media(folder) == {}
    assert sorted(s3.names()) == sorted(f"school/{REC}/{name}" for name in before)
    assert RecordingFiles(folder).manifest(REC) == manifest
    for name, content in before.items():
        assert await read(archive, folder / REC / name, 3, len(content)) == content[3:]
    part = RecordingFiles(folder).part(REC, 1, 0)
    assert (part.stored, part.path.exists()) == (manifest.tracks[0].parts[0].octets, False)
    assert await archive.store(REC) == 0
    async with archive.local(REC):
        assert media(folder) == before
        # A file in use is not deleted.
        assert await archive.store(REC) == 0
        assert media(folder) == before
    assert await archive.store(REC) == 0
    assert media(folder) == {}


async def test_a_failure_leaves_the_file_in_the_folder_and_the_next_attempt_continues(
    folder, archive, s3, monkeypatch
):
    before = media(folder)
    put, calls = Bucket.put, []

    async def fail_once(self, key, *rest):
        calls.append(key)
        if len(calls) == 2:
            raise StorageError("the bucket has vanished")
        await put(self, key, *rest)

    monkeypatch.setattr(Bucket, "put", fail_once)
    with pytest.raises(StorageError, match="vanished"):
        await archive.store(REC)
    assert len(s3.names()) == 1
    assert len(media(folder)) == len(before) - 1
    assert await archive.store(REC) == len(before) - 1
    assert len(set(calls)) == len(before)
    assert media(folder) == {}


async def test_a_file_that_is_not_complete_in_the_bucket_stays(folder, archive, monkeypatch):
    before = media(folder)

    async def short(*_arguments):
        return 1

    monkeypatch.setattr(Bucket, "size", short)
    with pytest.raises(StorageError, match="not complete"):
        await archive.store(REC)
    assert media(folder) == before
    assert not read_stored(folder / REC).files


async def test_segments_that_no_index_lists_keep_the_files_here(folder, archive, s3):
    for index in (folder / REC).glob("tracks/*/segments.idx"):
        index.write_bytes(index.read_bytes()[:-64])
    assert RecordingReader(folder, REC).track(1).tail(len(RecordingReader(folder, REC).track(1)))
    assert await archive.store(REC) == 0
    assert s3.names() == []


async def test_tracks_and_recordings_are_deleted_in_the_bucket(folder, archive, s3):
    write(folder, "rec_10")
    await archive.store(REC)
    await archive.store("rec_10")
    (other,) = [name for name in s3.names() if "/rec_10/tracks/0001/" in name]
    first = RecordingReader(folder, REC).track(1).info.track_id
    await archive.delete_tracks(REC, lambda track: track == first)
    assert not [name for name in s3.names() if f"/{REC}/tracks/0001/" in name]
    assert [name for name in s3.names() if f"/{REC}/" in name]
    assert not [name for name in read_stored(folder / REC).files if "/0001/" in name]
    await archive.delete(REC)
    assert not [name for name in s3.names() if f"/{REC}/" in name]
    assert other in s3.names()
    assert not read_stored(folder / REC).files


async def test_a_damaged_note_is_one_recordings_error(folder, archive):
    (folder / REC / "stored.json").write_bytes(b"{")
    with pytest.raises(StorageError, match=r"stored\.json"):
        await archive.store(REC)
    with pytest.raises(StorageError):
        await Archive(folder, Bucket(archive._bucket.address, CREDENTIALS)).store("../x")
