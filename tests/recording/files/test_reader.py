import os
import random

import pytest

from recording.containers.index import SEGMENT_OCTETS, SegmentRecord, pack_segment
from recording.files.folder import Moment, RecordingFolder, TrackFolder
from recording.files.layout import DamagedError, LayoutError, TrackInfo
from recording.files.reader import RecordingReader, TrackReader
from recording.files.syncing import InlineSyncer
from recording.state import RecordingState, TrackChange
from sfu.wire.tap import OpenStream, OpenTrack
from tests.recording.encoders import MS, Sender, decode, encode, read_stamp

S = 1_000_000_000


@pytest.fixture
def recorded(tmp_path):
    """A recording of ten seconds of video with keyframes at 0 and 6 s, the last second of it not yet indexed."""
    folder = RecordingFolder(tmp_path, "lesson", Moment(0, 0, ""), 0)
    state = RecordingState(0)
    message = OpenTrack("lesson", "cam", "video", "", 0)
    state.open_track(message, folder.open_track(message))
    outputs = state.handle(OpenStream(1, "lesson", "cam", "p", 90_000, 0))
    frames = Sender(1, "vp8").frames(encode("vp8", 100, keyframes=(0, 60), fps=10), interval_ns=100 * MS)
    outputs = [output for packets in frames for p in packets for output in state.handle(p)]
    outputs += state.tick(12 * S)
    for output in outputs:
        if isinstance(output, TrackChange):
            folder.apply(output.track_id, output.change)
    os.close(folder._lock)
    return tmp_path


def cam(root):
    (found,), _ = RecordingReader(root, "lesson").tracks()
    return found


def test_segments_by_time_with_those_that_are_being_written(recorded):
    track = cam(recorded)
    assert len(track) == 2
    found = list(track.segments(0, 20 * S))
    assert [(r.start_ns // S, r.keyframe) for r in found] == [(0, True), (4, False), (6, True)]
    assert found[-1].end_ns == pytest.approx(10 * S, abs=150 * MS)
    assert list(track.segments(4500 * MS, 4600 * MS)) == found[1:2]
    assert list(track.segments(30 * S, 40 * S)) == []


def test_a_seek_begins_at_the_keyframe(recorded):
    track = cam(recorded)
    assert [track.decode_from(at * S) for at in (1, 5, 9)] == [0, 0, 2]
    records = list(track.segments(0, 20 * S))
    data = track.init_segment(1) + b"".join(track.read(record) for record in records[:2])
    frames = decode(data)
    assert [read_stamp(frame) for _, frame in frames] == list(range(60))
    data = track.init_segment(1) + track.read(records[2])
    assert [read_stamp(frame) for _, frame in decode(data)] == list(range(60, 100))


def test_three_hours_are_opened_by_reading_a_few_records(tmp_path, monkeypatch):
    TrackFolder(tmp_path / "t", TrackInfo("t", "audio", ""), InlineSyncer()).close()
    records = [SegmentRecord(1, i, 1, 4 * S * i, 4 * S * (i + 1), True, i, 0) for i in range(2700)]
    (tmp_path / "t/segments.idx").write_bytes(b"".join(map(pack_segment, records)))
    reads = []
    real = os.pread
    monkeypatch.setattr(os, "pread", lambda file, size, at: reads.append(size) or real(file, size, at))
    track = TrackReader(tmp_path / "t")
    for time_s in (0, 3, 4, 5000, 5003.9, 10_799):
        reads.clear()
        assert track.find(round(time_s * S)) == int(time_s // 4)
        assert sum(reads) <= 13 * SEGMENT_OCTETS
    assert track.find(10_800 * S) == 2700
    assert list(track.segments(5000 * S, 5008 * S)) == records[1250:1252]


@pytest.mark.parametrize("damaged", [0, 1, 5, 9])
def test_a_damaged_record_costs_its_segment(tmp_path, damaged):
    TrackFolder(tmp_path / "t", TrackInfo("t", "audio", ""), InlineSyncer()).close()
    records = [SegmentRecord(1, i, 1, 4 * S * i, 4 * S * (i + 1), True, i, 0) for i in range(10)]
    data = bytearray(b"".join(map(pack_segment, records)))
    data[damaged * SEGMENT_OCTETS + 20] ^= 1
    (tmp_path / "t/segments.idx").write_bytes(data)
    track = TrackReader(tmp_path / "t")
    with pytest.raises(DamagedError):
        track.record(damaged)
    for i in set(range(10)) - {damaged}:
        assert list(track.segments(records[i].start_ns, records[i].end_ns)) == [records[i]]
    assert list(track.segments(0, 40 * S)) == [record for i, record in enumerate(records) if i != damaged]


def test_a_damaged_segment_is_a_clear_error_and_the_others_are_read(recorded):
    track = cam(recorded)
    first, second, _ = track.segments(0, 20 * S)
    part = recorded / "lesson/tracks/0001/0001.webm"
    data = bytearray(part.read_bytes())
    data[first.offset + first.length // 2] ^= 1
    part.write_bytes(data)
    with pytest.raises(DamagedError):
        track.read(first)
    assert track.read(second)


def test_a_truncated_part_is_a_clear_error(recorded):
    track = cam(recorded)
    first, second, _ = track.segments(0, 20 * S)
    part = recorded / "lesson/tracks/0001/0001.webm"
    os.truncate(part, second.offset + 5)
    assert track.read(first)
    with pytest.raises(DamagedError, match="truncated"):
        track.read(second)
    part.unlink()
    with pytest.raises(LayoutError):
        track.read(first)
    assert len(list(track.segments(0, 20 * S))) == 2


def test_a_damaged_track_costs_no_other(recorded):
    broken = recorded / "lesson/tracks/0002"
    broken.mkdir()
    (broken / "track.json").write_text("{")
    (recorded / "lesson/tracks/strange").mkdir()
    tracks, problems = RecordingReader(recorded, "lesson").tracks()
    assert [track.info.track_id for track in tracks] == ["cam"]
    assert len(problems) == 1
    assert problems[0].startswith("track 2: track.json cannot be read")


def test_a_part_of_an_unknown_format_is_refused(recorded):
    path = recorded / "lesson/tracks/0001/0001.json"
    path.write_text(path.read_text().replace('"webm"', '"../../x"'))
    with pytest.raises(LayoutError):
        cam(recorded).init_segment(1)


def test_what_is_no_recording_is_refused(tmp_path):
    with pytest.raises(LayoutError):
        RecordingReader(tmp_path, "nothing")


def test_any_damage_to_any_file_raises_layout_error_at_most(recorded):
    randomness = random.Random(3)
    files = [path for path in recorded.rglob("*") if path.is_file() and path.stat().st_size]
    whole = {path: path.read_bytes() for path in files}
    for _ in range(200):
        path = randomness.choice(files)
        data = bytearray(whole[path])
        for _ in range(3):
            data[randomness.randrange(len(data))] = randomness.randrange(256)
        path.write_bytes(data[: randomness.randrange(len(data) + 1)])
        try:
            tracks, _ = RecordingReader(recorded, "lesson").tracks()
            for track in tracks:
                track.gaps(0, 20 * S)
                for record in track.segments(0, 20 * S):
                    track.read(record)
        except LayoutError:
            pass
        path.write_bytes(whole[path])
