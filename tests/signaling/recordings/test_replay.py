"""Reading recordings for players: damaged tracks and records cost themselves alone."""

import os

import pytest

from recording.containers.index import SegmentRecord, pack_segment
from signaling.recordings.files import FilesError
from signaling.recordings.replay import ReplayFiles
from tests.signaling.sessions_api.recordings.test_replay_calls import STARTED_S, S, write


@pytest.fixture
def files(tmp_path):
    write(tmp_path, "rec_1")
    return ReplayFiles(tmp_path)


def test_a_damaged_record_is_left_out(files, tmp_path):
    index = tmp_path / "rec_1" / "tracks" / "0001" / "segments.idx"
    data = bytearray(index.read_bytes())
    data[64] ^= 1
    index.write_bytes(data)
    found = files.segments_from("rec_1", 1, 0, 100, live=False)
    assert 1 not in [each.index for each in found.segments]
    assert len(found.segments) == len(data) // 64 - 1
    assert files.segments_at("rec_1", 1, 5.0, 10, live=False).segments


def test_a_damaged_track_is_left_out(files, tmp_path):
    (tmp_path / "rec_1" / "tracks" / "0002" / "0001.json").write_text("{")
    assert [each.number for each in files.tracks("rec_1", live=False)] == [1, 3]
    assert files.started_at("rec_1") == STARTED_S - 1  # CLOCK_MONOTONIC says that it began a second ago


def test_what_a_killed_recorder_has_not_listed_is_there_once_it_is_over(tmp_path):
    write(tmp_path, "rec_1", stopped=False)
    files = ReplayFiles(tmp_path)
    live, over = (files.tracks("rec_1", live=live)[0].end_s for live in (True, False))
    assert live < over
    pages = [files.segments_from("rec_1", 1, 0, 100, live=live).segments for live in (True, False)]
    assert pages[1][: len(pages[0])] == pages[0]
    assert pages[1][-1].end_s == over


def test_a_seek_in_three_hours_reads_little_of_the_index(files, tmp_path, monkeypatch):
    index = tmp_path / "rec_1" / "tracks" / "0001" / "segments.idx"
    count = 3 * 3600 // 4
    records = [SegmentRecord(1, 0, 100, 4 * S * i, 4 * S * (i + 1), True, i, 0) for i in range(count)]
    index.write_bytes(b"".join(map(pack_segment, records)))
    reads = []
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda *given: reads.append(given) or pread(*given))
    page = files.segments_at("rec_1", 1, 10_001.0, 30, live=True)
    assert page.segments[0].index == 2500
    assert len(page.segments) == 30
    assert page.more
    assert len(reads) < 50  # of 2,700 records
    assert files.tracks("rec_1", live=True)[0].end_s == 3 * 3600
    assert len(reads) < 60


@pytest.mark.parametrize("recording", ["rec_2", "../rec_1"])
def test_what_is_no_recording_is_refused(files, recording):
    for call in (
        files.started_at,
        lambda each: files.tracks(each, live=False),
        lambda each: files.track_id(each, 1),
    ):
        with pytest.raises(FilesError):
            call(recording)
