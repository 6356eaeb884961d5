import pytest

from recording.containers import cutter
from recording.containers.cutter import Append, CloseSegment, Cutter, OpenPart, Patch
from recording.containers.recovery import BY_SUFFIX, Place, recover
from recording.media.codecs import opus
from recording.values import CodecConfig, Sample
from tests.recording.runs import Files

MS = 1_000_000
VP8 = CodecConfig("vp8", "vp8", 160, 96)


def sample(at_ms, *, keyframe=False, data=b"\x01x", duration_ms=40):
    return Sample(data, at_ms * MS, duration_ms * MS, keyframe)


def kinds(changes):
    return [type(change) for change in changes]


def test_a_fragment_is_written_with_the_first_frame_behind_it():
    cut = Cutter()
    assert kinds(cut.add(sample(0, keyframe=True), VP8)) == [OpenPart]
    for at in range(40, 400, 40):
        assert cut.add(sample(at), VP8) == []
    assert cut.due_ns() == 0
    assert kinds(cut.add(sample(400), VP8)) == [Append]
    assert cut.due_ns() == 400 * MS


def test_segments_end_at_a_keyframe_or_after_four_seconds():
    cut, files = Cutter(), Files()
    for at in range(0, 10_000, 40):
        files.apply(cut.add(sample(at, keyframe=at in {0, 800, 2000}), VP8))
    files.apply(cut.end(10_000 * MS))
    # the keyframe at 0.8 s comes too early for a segment of its own
    assert [(r.start_ns // MS, r.end_ns // MS, r.keyframe, r.decode_from) for r in files.records] == [
        (0, 2000, True, 0),
        (2000, 6000, True, 1),
        (6000, 10_000, False, 1),
    ]
    data = memoryview(files.parts[1])
    assert [r.offset for r in files.records[1:]] == [r.offset + r.length for r in files.records[:-1]]
    found = recover(data, BY_SUFFIX["webm"], Place(1, None, 0, audio=False))
    assert found.end == len(data)
    assert found.records[-1].end_ns == 10_000 * MS
    assert files.records[-1].checksum == cutter.crc32(data[files.records[-1].offset :])


def test_a_written_frame_is_prolonged_until_the_next():
    cut, files = Cutter(), Files()
    files.apply(cut.add(sample(0, keyframe=True), VP8))
    assert kinds(cut.flush()) == [Append]
    files.apply([])
    changes = cut.add(sample(7000), VP8)
    assert kinds(changes) == [Patch, CloseSegment]
    assert changes[1].record.end_ns == 7000 * MS


def test_the_checksum_counts_what_was_written_anew():
    cut, files = Cutter(), Files()
    files.apply(cut.add(sample(0, keyframe=True), VP8)).apply(cut.flush()).apply(cut.add(sample(7000), VP8))
    (record,) = files.records
    assert record.checksum == cutter.crc32(files.parts[1][record.offset : record.offset + record.length])


def test_another_size_begins_another_part():
    cut, files = Cutter(), Files()
    for i, config in enumerate(
        (VP8, VP8, CodecConfig("vp8", "vp8", 320, 192), CodecConfig("h264", "avc1", 320, 192))
    ):
        files.apply(cut.add(sample(i * 40, keyframe=True), config))
    files.apply(cut.end(160 * MS))
    assert list(files.parts) == [1, 2, 3]
    assert [(record.part, record.end_ns // MS) for record in files.records] == [(1, 80), (2, 120), (3, 160)]


def test_an_audio_segment_lasts_four_seconds():
    cut, files = Cutter(), Files()
    for at in range(0, 9000, 20):
        files.apply(cut.add(sample(at, keyframe=True, duration_ms=20), opus.CONFIG))
    files.apply(cut.end(9000 * MS))
    assert [record.start_ns // MS for record in files.records] == [0, 4000, 8000]
    assert [record.decode_from for record in files.records] == [0, 1, 2]


def test_parts_and_fragments_are_bounded(monkeypatch):
    monkeypatch.setattr(cutter, "MAX_PART_OCTETS", 50_000)
    monkeypatch.setattr(cutter, "MAX_SEGMENT_OCTETS", 20_000)
    monkeypatch.setattr(cutter, "MAX_FRAGMENT_OCTETS", 5_000)
    cut, files = Cutter(), Files()
    written = []
    for at in range(0, 4000, 40):
        changes = cut.add(sample(at, keyframe=True, data=bytes(2000)), VP8)
        written += [len(change.data) for change in changes if isinstance(change, Append)]
        files.apply(changes)
    assert max(written) < 6000
    assert max(record.length for record in files.records) < 60_000
    assert len(files.parts) > 2


@pytest.mark.parametrize(("next_part", "records"), [(1, 0), (4, 9)])
def test_numbers_go_on_where_a_killed_process_stopped(next_part, records):
    cut, files = Cutter(next_part, records), Files()
    files.apply(cut.add(sample(0, keyframe=True), VP8)).apply(cut.end(40 * MS))
    assert (files.records[0].part, files.records[0].decode_from) == (next_part, records)
