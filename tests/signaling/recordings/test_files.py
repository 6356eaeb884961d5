"""The files of a recording: listed, sent, archived and deleted."""

import io
import json
import zipfile

import pytest

from recording.files.folder import Moment
from recording.files.reader import RecordingReader
from recording.media.codecs import opus
from recording.recorder import Recorder, RecorderSettings
from sfu.wire import tap
from signaling.recordings.files import FilesError, RecordingFiles

MS, S = 1_000_000, 1_000_000_000


@pytest.fixture
def folder(tmp_path):
    """A folder with one recording of six seconds of sound."""
    now = Moment(6 * S, 1_800_000_000 * S, "boot")
    recorder = Recorder(RecorderSettings(str(tmp_path), 0), lambda: now, lambda _: None)
    packets = [tap.Packet(1, i, 960 * i, True, "opus", opus.SILENCE, i * 20 * MS) for i in range(300)]
    for message in (
        tap.StartRecording("rec_1", 0),
        tap.OpenTrack("rec_1", "ada/microphone", "audio", "Ada: microphone", 0),
        tap.OpenStream(1, "rec_1", "ada/microphone", "p", 48_000, 0),
        *packets,
        tap.StopRecording("rec_1", 6 * S),
    ):
        recorder.handle(message)
    return tmp_path


@pytest.fixture
def files(folder):
    return RecordingFiles(folder)


def test_the_manifest_lists_tracks_files_and_gaps(files):
    manifest = files.manifest("rec_1")
    (track,) = manifest.tracks
    assert manifest.problems == []
    assert manifest.started_at == 1_799_999_994
    assert (track.id, track.kind, track.label) == ("ada/microphone", "audio", "Ada: microphone")
    assert track.duration_s == pytest.approx(6, abs=0.03)
    (part,) = track.parts
    assert (part.name, part.mime_type.partition(";")[0]) == ("0001-audio-0001.webm", "audio/webm")
    assert part.octets == files.part("rec_1", 1, 0).path.stat().st_size


def test_the_archive_has_every_file_as_it_is_and_the_manifest(files):
    pieces = list(files.archive("rec_1"))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(pieces)))
    assert archive.namelist() == ["0001-audio-0001.webm", "manifest.json"]
    assert archive.read("0001-audio-0001.webm") == files.part("rec_1", 1, 1).path.read_bytes()
    assert json.loads(archive.read("manifest.json"))["recording"] == "rec_1"


@pytest.mark.parametrize(("track", "part"), [(2, 0), (1, 2)])
def test_what_is_not_there_is_refused(files, track, part):
    with pytest.raises(FilesError):
        files.part("rec_1", track, part)


@pytest.mark.parametrize("name", ["rec_2", "../rec_1", "", "rec_1/tracks"])
def test_no_other_path_is_read_or_deleted(files, folder, name):
    with pytest.raises(FilesError):
        files.manifest(name)
    if name != "rec_2":
        with pytest.raises(FilesError):
            files.delete(name)
    assert RecordingReader(folder, "rec_1").tracks()[1] == []


def test_a_damaged_track_is_told_and_costs_no_other(files, folder):
    (folder / "rec_1" / "tracks" / "0001" / "0001.json").write_text("{")
    manifest = files.manifest("rec_1")
    assert manifest.tracks == []
    assert manifest.problems[0].startswith("track 1: 0001.json cannot be read")


def test_deleting_leaves_nothing_and_can_be_repeated(files, folder):
    files.delete("rec_1")
    assert list(folder.iterdir()) == []
    files.delete("rec_1")


def test_a_deletion_that_was_interrupted_is_finished(files, folder):
    (folder / "rec_1").rename(folder / ".deleted rec_1")
    files.delete("rec_1")
    assert list(folder.iterdir()) == []
