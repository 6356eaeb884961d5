import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rtp_samples import SAMPLES, mutated

from sfu.wire.codecs import is_keyframe_start, vp8_fields, vp9_fields
from sfu.wire.rtp import header_length, payload_end

VIDEO = [sample for sample in SAMPLES if sample.kind in {"start", "inside", "delta"}]


def payload_of(packet):
    start = header_length(packet)
    return packet[start : payload_end(packet, start)]


class TestChromium:
    @pytest.mark.parametrize("sample", VIDEO, ids=str)
    def test_keyframes_start_where_they_start(self, sample):
        assert is_keyframe_start(sample.codec, payload_of(sample.packet)) is (sample.kind == "start")

    @pytest.mark.parametrize("sample", VIDEO, ids=str)
    @pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
    def test_any_buffer(self, sample, kind):
        payload = payload_of(sample.packet)
        assert is_keyframe_start(sample.codec, kind(payload)) is is_keyframe_start(sample.codec, payload)
        assert vp8_fields(kind(payload)) == vp8_fields(payload)

    def test_padding_starts_nothing(self):
        for codec in ("vp8", "h264", "h265", "vp9", "av1"):
            assert not is_keyframe_start(codec, b"")

    def test_temporal_layers(self):
        start, first, second = (
            vp8_fields(payload_of(sample.packet)) for sample in VIDEO if sample.capture == "vp8-l1t3"
        )
        assert [fields.picture_id - start.picture_id for fields in (start, first, second)] == [0, 1, 2]
        assert (start.temporal_id, start.tl0picidx) == (0, 36)
        assert first.temporal_id > 0
        assert second.temporal_id > 0


@pytest.mark.parametrize("codec", ["opus", "red", "pcmu"])
@pytest.mark.parametrize("payload", [b"", b"\x00", b"\xff\xff"])
def test_audio_starts_anywhere(codec, payload):
    assert is_keyframe_start(codec, payload)


class TestVp8:
    @pytest.mark.parametrize(
        ("payload", "places", "numbers", "size"),
        [
            # places: picture id, TL0PICIDX, TID/KEYIDX; numbers: picture id, TL0PICIDX, TID, Y
            ("10", (-1, -1, -1), (0, 0, 0, False), 1),
            ("7f", (-1, -1, -1), (0, 0, 0, False), 1),
            ("9000", (-1, -1, -1), (0, 0, 0, False), 2),
            ("9f8f05", (2, -1, -1), (5, 0, 0, False), 3),  # reserved bits mean nothing
            ("90807f", (2, -1, -1), (127, 0, 0, False), 3),
            ("9080ffff", (2, -1, -1), (32767, 0, 0, False), 4),
            ("90e081024060", (2, 4, 5), (258, 64, 1, True), 6),
            ("90602aa0", (-1, 2, 3), (0, 42, 2, True), 4),
            ("909001c5", (2, -1, 3), (1, 0, 0, False), 4),  # K without T: no temporal id
            ("90f0054ac5", (2, 3, 4), (5, 74, 3, False), 5),
        ],
    )
    def test_descriptor(self, payload, places, numbers, size):
        fields = vp8_fields(bytes.fromhex(payload))
        assert (fields.picture_id_at, fields.tl0picidx_at, fields.tid_keyidx_at) == places
        assert (fields.picture_id, fields.tl0picidx, fields.temporal_id, fields.layer_sync) == numbers
        assert fields.size == size
        assert fields.long_picture_id == (fields.picture_id > 127)

    @pytest.mark.parametrize("payload", ["10", "9000", "90807f", "9080ffff", "90e081024060", "90f0054ac5"])
    def test_truncated_descriptors_have_no_fields(self, payload):
        data = bytes.fromhex(payload)
        for size in range(len(data)):
            fields = vp8_fields(data[:size])
            assert fields.size == 0
            assert max(fields.picture_id_at, fields.tl0picidx_at, fields.tid_keyidx_at) == -1
            assert not is_keyframe_start("vp8", data[:size])

    @pytest.mark.parametrize(
        ("payload", "expected"),
        [
            ("1000", True),
            ("1001", False),  # P: interframe
            ("0000", False),  # S: not the start of a partition
            ("1100", False),  # another partition
            ("3000", True),  # N: non-reference
            ("90808001" + "00", True),
            ("90808001" + "01", False),
            ("90808001", False),
        ],
    )
    def test_keyframe(self, payload, expected):
        assert is_keyframe_start("vp8", bytes.fromhex(payload)) is expected


class TestH264:
    @pytest.mark.parametrize(
        ("payload", "expected"),
        [
            ("6742c01f", True),  # sequence parameter set
            ("67", False),
            ("6742", True),
            ("78000167", True),
            ("68ce3c80", False),  # picture parameter set
            ("65b80004", False),  # IDR slice: see _h264_starts
            ("61e0", False),
            ("7800026742" + "00016800", True),
            ("78000168" + "00026742", True),  # second unit
            ("78000261e0" + "000168", False),
            ("78ffff61e0", False),  # size over the end
            ("7800000000000000", False),  # empty units
            ("780000" + "00016742", True),
            ("78", False),
            ("780002", False),
            ("7c8742", True),  # first fragment of a parameter set
            ("7c0742", False),  # a later one
            ("7c8588", False),  # first fragment of an IDR slice
            ("7c", False),
        ],
    )
    def test_keyframe(self, payload, expected):
        assert is_keyframe_start("h264", bytes.fromhex(payload)) is expected


class TestVp9:
    @pytest.mark.parametrize(
        ("payload", "expected"),
        [
            ("0800", True),
            ("08", False),
            ("0902", True),  # Z: an upper layer leaves it out; no layer indices to read
            ("4800", False),  # P: inter-picture predicted
            ("0000", False),  # B: not the start of a frame
            ("a800" + "00", True),  # I, L, B; spatial layer 0
            ("a800" + "02", False),  # spatial layer 1
            ("a800" + "f1", True),  # temporal layer and switching bits do not matter
            ("a88001" + "00", True),  # 15-bit picture id
            ("a88001" + "04", False),
            ("a880" + "01", False),  # cut inside the picture id
            ("2800", True),
            ("2804", False),
            ("a8", False),
            ("28", False),
        ],
    )
    def test_keyframe(self, payload, expected):
        assert is_keyframe_start("vp9", bytes.fromhex(payload)) is expected

    @pytest.mark.parametrize(
        ("payload", "expected"),
        [
            # I, P, L, F, B, E, Z; 15 bits of picture id; TID 2, U
            ("fdfdc25002", (0, 2, True, True, True, True, True)),
            ("a80152", (1, 2, True, False, False, True, False)),
            ("a40132", (1, 1, False, True, False, True, False)),
            ("0100", (0, 0, False, False, False, False, False)),  # Z means nothing without layers
        ],
    )
    def test_layers(self, payload, expected):
        assert tuple(vp9_fields(bytes.fromhex(payload))) == expected

    @pytest.mark.parametrize("payload", ["", "80", "a080", "a08001", "20"])
    def test_what_is_truncated_has_no_layers(self, payload):
        assert vp9_fields(bytes.fromhex(payload)) is None


class TestAv1:
    @pytest.mark.parametrize(
        ("payload", "expected"),
        [("0800", True), ("180a", True), ("8800", False), ("1000", False), ("4800", True), ("08", False)],
    )
    def test_keyframe(self, payload, expected):
        assert is_keyframe_start("av1", bytes.fromhex(payload)) is expected


PAYLOADS = [payload_of(sample.packet) for sample in VIDEO]


@settings(max_examples=500)
@given(st.binary(max_size=48) | mutated(PAYLOADS))
def test_fuzz_raises_nothing(payload):
    for codec in ("vp8", "h264", "h265", "vp9", "av1", "opus"):
        is_keyframe_start(codec, payload)
    vp9_fields(payload)
    fields = vp8_fields(payload)
    assert fields.size <= len(payload)
    last = max(fields.picture_id_at + fields.long_picture_id, fields.tl0picidx_at, fields.tid_keyidx_at)
    assert last < max(fields.size, 1)


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        ("40010c01", True),  # VPS
        ("42010101", False),  # SPS alone
        ("26010102", False),  # IDR_W_RADL slice
        ("6001000440010c010003420101", True),  # AP: VPS, SPS
        ("60010003420101000440010c01", True),  # AP: SPS, VPS
        ("600100034201010003440101", False),  # AP: SPS, PPS
        ("6001ffff42", False),
        ("6201a0", True),  # FU: start of a VPS
        ("620120", False),  # FU: the rest of it
        ("620193", False),  # FU: start of an IDR slice
        ("4001", False),
        ("", False),
    ],
)
def test_h265_starts_with_its_parameter_sets(payload, expected):
    assert is_keyframe_start("h265", bytes.fromhex(payload)) is expected
