import struct

import pytest

from recording.media.codecs.h264 import H264Joiner
from recording.values import PayloadError
from tests.recording.encoders import OPTIONS, encode, h264_payloads, nal_units
from tests.recording.media.codecs.broken import try_broken


@pytest.fixture(scope="module")
def pictures():
    return encode("h264", 2, width=322, height=182)


def lengths(units):
    return b"".join(struct.pack("!I", len(unit)) + unit for unit in units)


def of_kinds(data, *kinds):
    return [unit for unit in nal_units(data) if unit[0] & 31 in kinds]


@pytest.mark.parametrize("size", [60, 100_000])
def test_the_access_unit_is_what_the_encoder_made(pictures, size):
    (key, _), (delta, _) = pictures
    joiner = H264Joiner()
    picture = joiner.join(h264_payloads(key, True, size))
    assert (picture.data, picture.keyframe) == (lengths(of_kinds(key, 5)), True)
    (sps,), (pps,) = of_kinds(key, 7), of_kinds(key, 8)
    # cropped: 322 and 182 are no multiples of 16
    assert (picture.config.width, picture.config.height) == (322, 182)
    assert picture.config.mime_codec == f"avc1.{sps[1:4].hex()}"
    # ISO/IEC 14496-15 section 5.3.3.1
    assert picture.config.private == (
        b"\x01"
        + sps[1:4]
        + b"\xff\xe1"
        + struct.pack("!H", len(sps))
        + sps
        + b"\x01"
        + struct.pack("!H", len(pps))
        + pps
    )
    picture = joiner.join(h264_payloads(delta, False, size))
    assert (picture.data, picture.keyframe, picture.config) == (lengths(of_kinds(delta, 1)), False, None)


def test_a_high_profile_states_its_chroma_format(monkeypatch):
    monkeypatch.setitem(
        OPTIONS, "libx264", {**OPTIONS["libx264"], "profile": "high", "x264-params": "8x8dct=1"}
    )
    key = encode("h264", 1, width=322, height=182)[0][0]
    config = H264Joiner().join(h264_payloads(key, True)).config
    assert config.mime_codec.startswith("avc1.64")
    assert (config.width, config.height) == (322, 182)
    # ISO/IEC 14496-15 section 5.3.3.1.2: 4:2:0, 8 bits, no extensions
    assert config.private.endswith(b"\xfd\xf8\xf8\x00")


def test_parameter_sets_in_packets_of_their_own(pictures):
    key = pictures[0][0]
    joiner = H264Joiner()
    assert joiner.join(of_kinds(key, 7)) is None
    assert joiner.join(of_kinds(key, 8)) is None
    assert joiner.join(of_kinds(key, 5)).config.height == 182


def test_another_sequence_parameter_set_changes_the_configuration(pictures):
    other = encode("h264", 1, width=160, height=96)[0][0]
    joiner = H264Joiner()
    assert joiner.join(h264_payloads(pictures[0][0], True)).config.width == 322
    assert joiner.join(h264_payloads(other, True)).config.width == 160


def test_an_idr_picture_without_parameter_sets_is_refused(pictures):
    with pytest.raises(PayloadError):
        H264Joiner().join(of_kinds(pictures[0][0], 5))


@pytest.mark.parametrize("payload", [b"\x78\0\5ab", b"\x79\0\0\0", b"\x7c\x05x", b"\x7c\x85x", b"\x65"])
def test_malformed_packets_are_refused(payload):
    # a STAP-A that is too short, a STAP-B, fragments without beginning and without end, a truncated unit
    with pytest.raises(PayloadError):
        H264Joiner().join([payload])


def test_broken_payloads_are_read_or_refused(pictures):
    assert try_broken(H264Joiner, h264_payloads(pictures[0][0], True, 60)) > 50
