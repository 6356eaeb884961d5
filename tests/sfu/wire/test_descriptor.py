import contextlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rtp_samples import SAMPLES, mutated

from sfu.wire.descriptor import (
    DescriptorError,
    FrameTemplate,
    Indication,
    Structure,
    parse,
    with_active_targets,
)
from sfu.wire.operating_points import EVERY, MAX_TEMPORAL, contains
from sfu.wire.rtp import header_length, parse_extensions

DESCRIPTOR_ID = 12


def descriptors(capture):
    found = []
    for sample in SAMPLES:
        if sample.capture == capture:
            at, size = parse_extensions(sample.packet, header_length(sample.packet))[DESCRIPTOR_ID]
            found.append(sample.packet[at : at + size])
    return found


CAPTURES = ("vp8-l1t3-dd", "vp9-l3t3key-dd", "av1-l1t3-dd")
ALL = [data for capture in CAPTURES for data in descriptors(capture)]
KEYS = {capture: parse(descriptors(capture)[0], None) for capture in CAPTURES}


class TestChromium:
    @pytest.mark.parametrize(
        ("capture", "targets", "resolutions"),
        [
            ("vp8-l1t3-dd", [(0, 0), (0, 1), (0, 2)], ((640, 360),)),
            ("av1-l1t3-dd", [(0, 0), (0, 1), (0, 2)], ((640, 360),)),
            (
                "vp9-l3t3key-dd",
                [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)],
                ((320, 180), (640, 360)),
            ),
        ],
    )
    def test_the_structure_of_a_keyframe(self, capture, targets, resolutions):
        found = KEYS[capture]
        assert found.attached
        assert list(found.structure.targets) == targets
        assert found.structure.resolutions == resolutions
        assert found.layer == (0, 0)
        assert found.frame_diffs == ()
        for target in targets:
            assert contains(found.points, target)
            assert contains(found.switch_to, target)

    @pytest.mark.parametrize("capture", CAPTURES)
    def test_the_frames_after_it(self, capture):
        first, *others = descriptors(capture)
        structure = parse(first, None).structure
        frames = [parse(data, structure) for data in others]
        assert [frame.frame_number for frame in frames] == [2, 3]
        assert [frame.layer for frame in frames] == [(0, 2), (0, 1)]
        assert [frame.frame_diffs for frame in frames] == [(1,), (2,)]
        for frame in frames:
            assert frame.starts_frame
            assert frame.ends_frame
            assert not frame.attached
            assert [contains(frame.points, (0, t)) for t in range(4)] == [
                t >= frame.layer[1] for t in range(4)
            ]

    def test_lower_frames_of_a_keyed_stream_are_not_for_the_upper_layers(self):
        first, *others = descriptors("vp9-l3t3key-dd")
        for data in others:
            frame = parse(data, parse(first, None).structure)
            assert not contains(frame.points, (1, MAX_TEMPORAL))


@pytest.mark.parametrize("capture", CAPTURES)
@given(active=st.integers(0, 511))
def test_active_targets_are_written_and_the_rest_stays(capture, active):
    structure = KEYS[capture].structure
    active &= (1 << len(structure.targets)) - 1
    for data in descriptors(capture):
        before = parse(data, structure)
        for again in (data, with_active_targets(data, before, 0)):
            written = with_active_targets(again, parse(again, structure), active)
            after = parse(written, structure)
            assert after.structure == replace(before.structure, active=active)
            assert after[:3] + after[4:9] == before[:3] + before[4:9]


def test_a_sender_begins_with_the_lower_layer():
    assert KEYS["vp9-l3t3key-dd"].structure.active == 0b000111


def test_which_targets_are_not_above_a_point():
    structure = replace(KEYS["vp9-l3t3key-dd"].structure, active=-1)
    assert structure.up_to((1, MAX_TEMPORAL)) == 0b111111
    assert structure.up_to((1, 0)) == 0b001001
    assert structure.up_to((0, 1)) == 0b000011
    assert replace(structure, active=0b000001).up_to((0, 1)) == 0b000001


def test_the_highest_rate_of_a_size_stands_for_all_higher_ones():
    templates = (
        FrameTemplate((0, 0), (Indication.SWITCH, Indication.REQUIRED), ()),
        FrameTemplate((0, 1), (0, 1), (1,)),
    )
    structure = Structure(0, 0, templates)
    base, upper = structure.points_of(0), structure.points_of(1)
    assert [contains(base[0], (0, t)) for t in range(4)] == [True] * 4
    assert [contains(upper[0], (0, t)) for t in range(4)] == [False, True, True, True]
    assert [contains(base[1], (0, t)) for t in range(4)] == [True, False, False, False]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xc0\0",
        ALL[0][:4],
        ALL[0][:9],
        b"\xc0\0\1\x80" + bytes(250),  # a structure that goes on adding templates
    ],
)
def test_what_is_truncated_or_too_long(data):
    with pytest.raises(DescriptorError):
        parse(data, None)


def test_a_delta_without_its_keyframe():
    with pytest.raises(DescriptorError):
        parse(ALL[1], None)
    with pytest.raises(DescriptorError):
        parse(b"\xff\0\1", KEYS["vp8-l1t3-dd"].structure)


@settings(max_examples=500, deadline=None)
@given(
    st.one_of(st.binary(max_size=64), mutated(ALL)),
    st.sampled_from([None, *(key.structure for key in KEYS.values())]),
)
def test_fuzz(data, structure):
    with contextlib.suppress(DescriptorError):
        found = parse(data, structure)
        assert found.points & ~EVERY == 0
        active = found.structure.up_to((1, 1))
        again = parse(with_active_targets(data, found, active), found.structure)
        assert again.structure.active == active
        assert again.frame_number == found.frame_number


def test_what_is_longer_than_a_header_extension_is_refused_at_once():
    # 0x12 repeated asks for templates without end: 10,000 octets of it took 0.4 s
    with pytest.raises(DescriptorError, match="longer"):
        parse(bytes.fromhex("c30012") + b"\x12" * 253, None)
