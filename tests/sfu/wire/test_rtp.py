import struct

import pytest
from aiortc.rtp import RtpPacket, unpack_header_extensions
from hypothesis import given, settings
from hypothesis import strategies as st
from rtp_samples import SAMPLES, mutated

from sfu.wire.rtp import (
    RtpError,
    build_extensions,
    header_length,
    is_rtcp,
    parse_extensions,
    payload_end,
)


def packet(*, first=0x80, csrcs=0, extension=b"", payload=b"payload"):
    return struct.pack("!BBHII", first | csrcs, 96, 1, 2, 3) + bytes(4 * csrcs) + extension + payload


def values(data):
    found = parse_extensions(data, header_length(data))
    return {number: bytes(data[at : at + size]) for number, (at, size) in found.items()}


def one_byte(*elements):
    return block(0xBEDE, b"".join(elements))


def two_byte(*elements, profile=0x1000):
    return block(profile, b"".join(elements))


def block(profile, data):
    data += bytes(-len(data) % 4)
    return struct.pack("!HH", profile, len(data) // 4) + data


class TestHeader:
    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            (packet(), 12),
            (packet(csrcs=3), 24),
            (packet(first=0x90, extension=block(0xBEDE, b"")), 16),
            (packet(first=0x90, csrcs=15, extension=block(0x1000, bytes(8))), 84),
            (packet(payload=b""), 12),
            (packet(first=0x90, extension=block(0xBEDE, b""), payload=b""), 16),
            (packet(first=0x90, extension=block(0x1000, bytes(4 * 258))), 16 + 4 * 258),
        ],
    )
    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_length(self, data, expected, kind):
        assert header_length(kind(data)) == expected

    @pytest.mark.parametrize("version", [0x00, 0x40, 0xC0])
    def test_other_versions_are_refused(self, version):
        with pytest.raises(RtpError):
            header_length(packet(first=version))

    def test_every_truncated_header_is_refused(self):
        data = packet(first=0x90, csrcs=2, extension=block(0xBEDE, bytes(8)), payload=b"")
        for size in range(len(data)):
            with pytest.raises(RtpError):
                header_length(data[:size])

    @pytest.mark.parametrize("sample", SAMPLES, ids=str)
    def test_real_packets_agree_with_aiortc(self, sample):
        if sample.kind == "padding":
            return  # the padding's bytes are checked below; aiortc keeps them apart
        theirs = RtpPacket.parse(sample.packet)
        start = header_length(sample.packet)
        assert sample.packet[start : payload_end(sample.packet, start)] == theirs.payload


class TestPadding:
    def test_none(self):
        assert payload_end(packet(), 12) == 19

    @pytest.mark.parametrize(("count", "end"), [(1, 19), (8, 12)])
    def test_count_includes_itself(self, count, end):
        data = packet(first=0xA0) + bytes((count,))
        assert payload_end(data, 12) == end

    @pytest.mark.parametrize("count", [0, 9, 255])
    def test_impossible_counts_are_refused(self, count):
        with pytest.raises(RtpError):
            payload_end(packet(first=0xA0) + bytes((count,)), 12)

    def test_padding_bit_without_any_byte_is_refused(self):
        data = packet(first=0xA0, payload=b"")
        with pytest.raises(RtpError):
            payload_end(data, header_length(data))

    def test_chromiums_probe_is_padding_alone(self):
        [probe] = [sample.packet for sample in SAMPLES if sample.kind == "padding"]
        assert payload_end(probe, header_length(probe)) == header_length(probe) < len(probe)


class TestParseExtensions:
    @pytest.mark.parametrize(
        ("extension", "expected"),
        [
            (one_byte(b"\x10a", b"\x22bcd"), {1: b"a", 2: b"bcd"}),
            (one_byte(b"\x10a", b"\0\0", b"\xe0z"), {1: b"a", 14: b"z"}),  # padding between elements
            (one_byte(b"\x10a", b"\xf0", b"\x20b"), {1: b"a"}),  # id 15 ends the block
            (one_byte(b"\x10a", b"\x01\x20\x20b"), {1: b"a"}),  # so does id 0 with a length
            (one_byte(b"\x3f" + bytes(16)), {3: bytes(16)}),
            (two_byte(b"\x01\x00", b"\xff\x02ab", b"\0", b"\x0f\x01c"), {1: b"", 255: b"ab", 15: b"c"}),
            (two_byte(b"\x01\x14" + bytes(20), profile=0x100F), {1: bytes(20)}),
            (block(0x1234, b"\x10a\0\0"), {}),  # nobody's profile
            (block(0xBEDE, b""), {}),
        ],
    )
    def test_forms(self, extension, expected):
        assert values(packet(first=0x90, extension=extension)) == expected

    def test_none_without_the_bit(self):
        assert values(packet(payload=one_byte(b"\x10a"))) == {}

    def test_after_contributing_sources(self):
        assert values(packet(first=0x90, csrcs=2, extension=one_byte(b"\x40m"))) == {4: b"m"}

    @pytest.mark.parametrize(
        "extension",
        [
            block(0xBEDE, b"\x10a\x23b"),  # 4 bytes announced, 1 there
            block(0xBEDE, b"\0\0\0\x10"),
            block(0x1000, b"\x01\x03ab"),
            block(0x1000, b"\0\0\0\x01"),  # an id without its length
        ],
    )
    def test_elements_over_the_end_are_refused(self, extension):
        with pytest.raises(RtpError):
            values(packet(first=0x90, extension=extension))

    @pytest.mark.parametrize("sample", [s for s in SAMPLES if s.kind != "audio"], ids=str)
    def test_chromium(self, sample):
        found = values(sample.packet)
        assert found[4] in {b"0", b"1"}  # mid
        assert (len(found[2]), len(found[3])) == (3, 2)
        assert (12 in found) == sample.capture.endswith("-dd")

    def test_chromiums_audio_level(self):
        [audio] = [sample.packet for sample in SAMPLES if sample.kind == "audio"]
        level = values(audio)[1][0]
        assert 0 <= level & 0x7F <= 127


class TestBuildExtensions:
    def test_nothing(self):
        assert build_extensions([]) == b""

    @pytest.mark.parametrize(
        ("elements", "profile"),
        [
            ([(1, b"a"), (14, bytes(16))], 0xBEDE),
            ([(15, b"a")], 0x1000),
            ([(1, b"")], 0x1000),
            ([(1, bytes(17))], 0x1000),
        ],
    )
    def test_one_byte_form_where_it_can_be(self, elements, profile):
        assert int.from_bytes(build_extensions(elements)[:2], "big") == profile

    @given(
        st.lists(
            st.tuples(st.integers(1, 255), st.binary(max_size=40)),
            max_size=6,
            unique_by=lambda element: element[0],
        )
    )
    def test_read_back_here_and_by_aiortc(self, elements):
        extension = build_extensions(elements)
        assert len(extension) % 4 == 0
        assert values(packet(first=0x90 if extension else 0x80, extension=extension)) == dict(elements)
        if extension:
            profile, words = struct.unpack_from("!HH", extension)
            assert len(extension) == 4 + 4 * words
            assert unpack_header_extensions(profile, extension[4:]) == elements


@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (191, False),
        (192, True),
        (200, True),
        (206, True),
        (223, True),
        (224, False),
        (96, False),
        (0x80 | 111, False),
    ],
)
def test_is_rtcp(second, expected):
    assert is_rtcp(bytes((0x80, second, 0, 0))) is expected


@pytest.mark.parametrize("data", [b"", b"\x80"])
def test_is_rtcp_of_next_to_nothing(data):
    assert not is_rtcp(data)


@settings(max_examples=500)
@given(st.binary(max_size=64) | mutated([sample.packet for sample in SAMPLES]))
def test_fuzz_raises_nothing_but_rtp_errors(data):
    is_rtcp(data)
    try:
        start = header_length(data)
        end = payload_end(data, start)
        found = parse_extensions(data, start)
    except RtpError:
        return
    assert 12 <= start <= end <= len(data)
    assert all(12 < at <= at + size <= start for at, size in found.values())
