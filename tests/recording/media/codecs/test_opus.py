import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording.media.codecs import opus
from recording.values import PayloadError
from sfu.wire.red import with_redundancy

MS = 1_000_000


@pytest.mark.parametrize(
    ("packet", "duration_ms"),
    [
        (bytes((0 << 3,)), 10),  # SILK
        (bytes((3 << 3,)), 60),
        (bytes((13 << 3,)), 20),  # hybrid
        (bytes((16 << 3,)), 2.5),  # CELT
        (bytes((31 << 3,)), 20),
        (bytes((31 << 3 | 1,)), 40),
        (bytes((31 << 3 | 2,)), 40),
        (bytes((31 << 3 | 3, 6)), 120),
    ],
)
def test_durations_of_rfc_6716(packet, duration_ms):
    assert opus.duration_ns(packet) == duration_ms * MS


@pytest.mark.parametrize(
    "packet", [b"", bytes((31 << 3 | 3,)), bytes((31 << 3 | 3, 0)), bytes((3 << 3 | 3, 3))]
)
def test_what_is_no_packet_is_refused(packet):
    with pytest.raises(PayloadError):
        opus.duration_ns(packet)


def test_silence_is_silent_for_20_ms():
    context = av.CodecContext.create("libopus", "r")
    context.extradata = opus.CONFIG.private
    frames = context.decode(av.Packet(opus.SILENCE)) + context.decode(av.Packet(opus.SILENCE))
    assert [frame.samples for frame in frames] == [960, 960]
    assert opus.duration_ns(opus.SILENCE) == opus.SILENCE_NS
    assert all(abs(frame.to_ndarray()).max() < 2 for frame in frames)


def test_blocks_of_redundant_audio():
    payload = with_redundancy(memoryview(b"three"), ((1920, b"one"), (960, b"two")), 111)
    assert opus.red_blocks(payload) == [(1920, b"one"), (960, b"two"), (0, b"three")]
    with pytest.raises(PayloadError):
        opus.red_blocks(payload[:5])


@given(st.binary(max_size=40))
def test_any_payload_is_read_or_refused(payload):
    for read in (opus.duration_ns, opus.red_blocks):
        try:
            read(payload)
        except PayloadError:
            continue
