import errno
import os

import pytest

from recording.containers.cutter import Cutter, MarkGap
from recording.containers.index import SEGMENT_OCTETS
from recording.files import folder as folders
from recording.files.folder import BusyError, DiskFullError, FolderError, Moment, RecordingFolder
from recording.files.layout import LayoutError
from recording.files.reader import RecordingReader
from recording.media.codecs import opus
from recording.values import Gap, GapReason, Sample
from sfu.wire.tap import OpenTrack

MS, S = 1_000_000, 1_000_000_000
NOW = Moment(50 * S, 1_700_000_000 * S, "boot-1")
MIC = OpenTrack("lesson", "ada/../../etc\0", "audio", "Ada's microphone", 0)


def opened(root, now=NOW, reserve=0):
    return RecordingFolder(root, "lesson", now, reserve)


def write(folder, seconds, *, start_s=0, end=True):
    """Some seconds of silence."""
    resume = folder.open_track(MIC)
    cut = Cutter(resume.next_part, resume.records)
    for at in range(round(start_s * 1000), round((start_s + seconds) * 1000), 20):
        for change in cut.add(Sample(opus.SILENCE, at * MS, 20 * MS, True), opus.CONFIG):
            folder.apply(MIC.track_id, change)
    for change in cut.end(round((start_s + seconds) * S)) if end else cut.flush():
        folder.apply(MIC.track_id, change)


def track(root):
    (found,), problems = RecordingReader(root, "lesson").tracks()
    assert problems == []
    return found


def test_what_is_written_can_be_read(tmp_path):
    folder = opened(tmp_path)
    assert folder.epoch_ns == 50 * S
    write(folder, 10)
    folder.apply(MIC.track_id, MarkGap(Gap(0, S, GapReason.MUTED)))
    folder.close()
    read = track(tmp_path)
    assert (read.info.track_id, read.info.label) == (MIC.track_id, "Ada's microphone")
    assert [record.end_ns for record in read.segments(0, 100 * S)] == [4 * S, 8 * S, 10 * S]
    assert read.gaps(0, S) == [Gap(0, S, GapReason.MUTED)]
    assert read.part(1).mime_type == 'audio/webm; codecs="opus"'


def test_no_name_of_a_user_becomes_a_path(tmp_path):
    folder = opened(tmp_path)
    write(folder, 1)
    folder.close()
    paths = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")}
    assert paths == {
        "lesson",
        "lesson/lock",
        "lesson/recording.json",
        "lesson/tracks",
        "lesson/tracks/0001",
        *(
            f"lesson/tracks/0001/{name}"
            for name in ("track.json", "segments.idx", "gaps.idx", "0001.json", "0001.webm")
        ),
    }


@pytest.mark.parametrize("recording_id", ["", "..", "a/b", "a\0", "x" * 65, "é", "."])
def test_a_hostile_id_is_refused(tmp_path, recording_id):
    with pytest.raises(LayoutError):
        RecordingFolder(tmp_path, recording_id, NOW, 0)
    assert list(tmp_path.iterdir()) == []


def test_a_recording_goes_on_where_a_killed_process_stopped(tmp_path):
    folder = opened(tmp_path)
    write(folder, 10.5, end=False)
    os.close(folder._lock)  # killed: nothing is closed
    part = tmp_path / "lesson/tracks/0001/0001.webm"
    os.truncate(part, part.stat().st_size - 3)  # and the last fragment is torn
    again = opened(tmp_path, Moment(65 * S, 1_700_000_015 * S, "boot-1"))
    assert again.epoch_ns == 50 * S
    resume = again.open_track(MIC)
    assert (resume.next_part, resume.records, resume.end_ns) == (2, 3, 10_400 * MS)
    last = track(tmp_path).record(2)
    assert part.stat().st_size == last.offset + last.length  # a whole file again
    write(again, 2, start_s=15)
    again.close()
    read = track(tmp_path)
    assert [(r.part, r.start_ns // S, r.end_ns // S) for r in read.segments(0, 100 * S)] == [
        (1, 0, 4),
        (1, 4, 8),
        (1, 8, 10),
        (2, 15, 17),
    ]
    assert all(read.read(record) for record in read.segments(0, 100 * S))


def test_a_torn_or_damaged_end_of_the_index_is_written_anew(tmp_path):
    folder = opened(tmp_path)
    write(folder, 12)
    folder.close()
    index = tmp_path / "lesson/tracks/0001/segments.idx"
    whole = index.read_bytes()
    for damaged in (whole[:-7], whole[:SEGMENT_OCTETS] + bytes(2 * SEGMENT_OCTETS), whole[:-1] + b"x", b""):
        index.write_bytes(damaged)
        again = opened(tmp_path)
        again.open_track(MIC)
        again.close()
        assert index.read_bytes() == whole


def test_after_a_reboot_the_wall_clock_counts_but_never_backwards(tmp_path):
    folder = opened(tmp_path)
    write(folder, 10)
    folder.close()
    folder = opened(tmp_path, Moment(2 * S, 1_700_000_060 * S, "boot-2"))
    assert folder.epoch_ns == -58 * S
    folder.close()
    # the clock was set back: behind what is there
    folder = opened(tmp_path, Moment(2 * S, 1_600_000_000 * S, "boot-3"))
    assert folder.epoch_ns == -8 * S
    folder.close()


def test_one_process_at_a_time(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "LOCK_ATTEMPTS", 2)
    folder = opened(tmp_path)
    with pytest.raises(BusyError):
        opened(tmp_path)
    folder.close()
    opened(tmp_path).close()


def test_room_is_kept_for_the_database(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "_CHECK_OCTETS", 10_000)
    found = os.statvfs(tmp_path)
    free = found.f_bavail * found.f_frsize
    with pytest.raises(DiskFullError, match="are kept for the database"):
        opened(tmp_path, reserve=2 * free)
    folder = opened(tmp_path, reserve=1)
    folder._reserve = 2 * free
    with pytest.raises(DiskFullError):
        write(folder, 60)
    folder.close()


@pytest.mark.parametrize(
    ("number", "kind"),
    [(errno.ENOSPC, DiskFullError), (errno.EDQUOT, DiskFullError), (errno.EIO, FolderError)],
)
def test_a_failing_disk_is_a_clear_error_and_the_rest_can_be_read(tmp_path, monkeypatch, number, kind):
    folder = opened(tmp_path)
    write(folder, 6)
    real = os.pwrite

    def fail(file, data, offset):
        real(file, data[: len(data) // 2], offset)  # a part of it is written
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "pwrite", fail)
    with pytest.raises(FolderError) as raised:
        write(folder, 6, start_s=6)
    assert type(raised.value) is kind
    monkeypatch.undo()
    folder.close()
    read = track(tmp_path)
    assert [record.end_ns // S for record in read.segments(0, 100 * S)] == [4, 6]
    assert all(read.read(record) for record in read.segments(0, 100 * S))


def test_a_format_of_the_future_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "FORMAT", 3)
    opened(tmp_path).close()
    monkeypatch.undo()
    with pytest.raises(LayoutError):
        opened(tmp_path)
