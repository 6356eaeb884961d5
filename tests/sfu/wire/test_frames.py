import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rtp_samples import SAMPLES, mutated

from sfu.wire.codecs import vp8_fields
from sfu.wire.frames import ALONE, FramesShown, of_vp8, read
from sfu.wire.operating_points import EVERY, contains, lowest
from sfu.wire.rtp import header_length, parse_extensions, payload_end

VIDEO = [sample for sample in SAMPLES if sample.kind in {"start", "inside", "delta"}]
DESCRIPTOR_ID = 12


def parts(packet):
    """(payload, data of the dependency descriptor)."""
    start = header_length(packet)
    at, size = parse_extensions(packet, start).get(DESCRIPTOR_ID, (0, 0))
    return packet[start : payload_end(packet, start)], packet[at : at + size]


def frames(capture, *, described=True, encrypted=False):
    structure, found = None, []
    for sample in VIDEO:
        if sample.capture == capture:
            payload, data = parts(sample.packet)
            if encrypted:
                payload = bytes(len(payload))
            if sample.codec == "vp8" and not (data and described):
                frame = of_vp8(vp8_fields(payload), 2)
            else:
                frame = read(sample.codec, payload, data if described else b"", structure)
            structure = frame.described.structure if frame.described else None
            found.append(frame)
    return found


class TestChromium:
    @pytest.mark.parametrize("sample", [s for s in VIDEO if not s.capture.endswith("-dd")], ids=str)
    def test_keyframes_by_the_payload(self, sample):
        frame = read(sample.codec, parts(sample.packet)[0], b"", None)
        assert frame.keyframe is (sample.kind == "start")

    @pytest.mark.parametrize("capture", ["vp8-l1t3-dd", "vp9-l3t3key-dd", "av1-l1t3-dd"])
    @pytest.mark.parametrize("encrypted", [False, True])
    def test_all_by_the_descriptor(self, capture, encrypted):
        found = frames(capture, encrypted=encrypted)
        assert [frame.keyframe for frame in found] == [True, False, False]
        assert [frame.layer for frame in found] == [(0, 0), (0, 2), (0, 1)]
        assert [lowest(frame.points) for frame in found] == [(0, 0), (0, 2), (0, 1)]

    def test_temporal_layers_of_vp8(self):
        key, upper, middle = frames("vp8-l1t3")
        assert key.points == EVERY
        assert [frame.layer[1] for frame in (upper, middle)] == [2, 1]
        assert contains(middle.switch_to, (0, 1))
        assert not contains(middle.switch_to, (0, 2))
        assert contains(middle.switch_from, (0, 0))
        assert contains(upper.switch_to, (0, 2))
        assert not contains(upper.switch_from, (0, 0))

    def test_layers_of_vp9_by_the_payload(self):
        key, upper, middle = frames("vp9-l3t3key-dd", described=False)
        assert key.keyframe
        assert key.points == EVERY
        # the lower layer of a keyed stream: not for those above it, and a place to take up more frames
        for frame, temporal in ((upper, 2), (middle, 1)):
            assert frame.layer == (0, temporal)
            assert contains(frame.points, (0, 3))
            assert not contains(frame.points, (1, 3))
            assert contains(frame.switch_to, (0, 2))
            assert contains(frame.switch_from, (0, temporal))
            assert (frame.starts, frame.ends) == (True, True)

    def test_the_descriptor_and_the_payload_of_vp9_agree(self):
        pairs = zip(frames("vp9-l3t3key-dd"), frames("vp9-l3t3key-dd", described=False), strict=True)
        for by_descriptor, by_payload in pairs:
            assert by_descriptor.layer == by_payload.layer
            assert (by_descriptor.starts, by_descriptor.ends) == (by_payload.starts, by_payload.ends)
            for point in ((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)):
                assert contains(by_descriptor.points, point) is contains(by_payload.points, point)


def test_a_frame_whose_keyframe_is_unknown_is_for_everybody():
    data = next(parts(s.packet)[1] for s in VIDEO if s.capture == "av1-l1t3-dd" and s.kind == "delta")
    frame = read("av1", b"\x10", data, None)
    assert frame.points == EVERY
    assert not frame.keyframe
    assert not frame.starts


@pytest.mark.parametrize("codec", ["h264", "av1"])
def test_what_has_no_layers_is_whole(codec):
    assert read(codec, b"\x00\x00", b"", None) == ALONE


class TestFramesShown:
    def test_who_has_all_that_a_frame_needs(self):
        key, upper, middle = frames("av1-l1t3-dd")
        shown = FramesShown()
        assert shown.switch_from(middle) == 0  # what it needs was never seen
        shown.add(key)
        shown.add(upper)
        assert [contains(shown.switch_from(middle), (0, t)) for t in range(3)] == [True] * 3
        needs_upper = middle._replace(described=middle.described._replace(frame_diffs=(1,)))
        assert [contains(shown.switch_from(needs_upper), (0, t)) for t in range(3)] == [False, False, True]

    def test_what_needs_nothing_is_for_all(self):
        assert FramesShown().switch_from(frames("av1-l1t3-dd")[0]) == EVERY

    def test_an_old_frame_is_not_taken_for_a_new_one(self):
        key, upper, middle = frames("av1-l1t3-dd")
        shown = FramesShown()
        shown.add(key)
        later = middle._replace(described=middle.described._replace(frame_number=3 + 64))
        assert shown.switch_from(later) == 0
        assert upper.described.frame_number == 2

    def test_without_a_descriptor_the_payload_says_it(self):
        _, upper, _ = frames("vp8-l1t3")
        assert FramesShown().switch_from(upper) == upper.switch_from


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["vp8", "vp9", "h264", "av1", "x"]),
    st.one_of(st.binary(max_size=40), mutated([parts(sample.packet)[0] for sample in VIDEO])),
    st.one_of(st.just(b""), st.binary(max_size=40), mutated([parts(s.packet)[1] or b"\0" for s in VIDEO])),
)
def test_fuzz(codec, payload, data):
    for frame in (read(codec, payload, data, None), of_vp8(vp8_fields(payload), 1)):
        assert frame.points & ~EVERY == 0
        assert frame.points
