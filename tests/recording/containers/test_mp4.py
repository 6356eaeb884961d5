import io

import av
import pytest

from recording.containers import mp4
from recording.containers.fragments import ContainerError, Scanned
from recording.media.codecs.h264 import H264Joiner
from recording.values import Sample
from tests.recording.encoders import MS, decode, encode, h264_payloads, read_stamp

HOUR_NS = 3_600_000 * MS


@pytest.fixture(scope="module")
def pictures():
    joiner = H264Joiner()
    return [joiner.join(h264_payloads(data, key)) for data, key in encode("h264", 12)]


@pytest.fixture(scope="module")
def file(pictures):
    """(octets, offsets of the fragments) of 12 pictures in three fragments."""
    samples = [
        Sample(picture.data, HOUR_NS + i * 40 * MS, 40 * MS, picture.keyframe)
        for i, picture in enumerate(pictures)
    ]
    data = mp4.init_segment(pictures[0].config)
    at = []
    for number, i in enumerate(range(0, 12, 4), 1):
        at.append(len(data))
        data += mp4.fragment(number, samples[i : i + 4]).data
    return data, at


def test_pictures_decode_with_their_times_an_hour_in(file):
    frames = decode(file[0])
    assert [round(time * 1000) for time, _ in frames] == [3_600_000 + 40 * i for i in range(12)]
    assert [read_stamp(frame) for _, frame in frames] == list(range(12))


def test_the_stream_is_described(file, pictures):
    with av.open(io.BytesIO(file[0])) as container:
        context = container.streams.video[0].codec_context
        assert (context.name, context.width, context.height) == ("h264", 160, 96)
        assert context.extradata == pictures[0].config.private


def test_fragments_are_found_again(file):
    data, at = memoryview(file[0]), file[1]
    assert mp4.init_length(data) == at[0]
    assert mp4.scan(data, at[0]) == Scanned(at[0], at[1], HOUR_NS, HOUR_NS + 160 * MS, True)
    assert mp4.scan(data, at[1]) == Scanned(at[1], at[2], HOUR_NS + 160 * MS, HOUR_NS + 320 * MS, False)
    assert mp4.scan(data, len(data)) is None


def test_the_duration_of_the_last_frame_can_be_written_anew():
    made = mp4.fragment(1, [Sample(b"a", 0, 40 * MS, True), Sample(b"b", 40 * MS, 40 * MS, False)])
    data = bytearray(made.data)
    data[made.hold_at : made.hold_at + 4] = mp4.hold_octets(90_000 * MS)
    assert mp4.scan(memoryview(data), 0).end_ns == 90_040 * MS


def test_a_torn_tail_is_none_at_every_octet(file):
    data, at = file
    for end in range(at[2] + 1, len(data)):
        assert mp4.scan(memoryview(data)[:end], at[2]) is None
    for end in range(at[0]):
        with pytest.raises(ContainerError):
            mp4.init_length(memoryview(data)[:end])


@pytest.mark.parametrize("at", [0, 4, 8 + 16 + 8 + 16 + 20 + 4, 8 + 16 + 8 + 16 + 20 + 15])
def test_what_is_no_fragment_is_refused(file, at):
    broken = bytearray(file[0])
    broken[file[1][0] + at] ^= 0x40 if at % 4 == 0 and at > 0 else 0x01
    if at == 0:
        broken[file[1][0] : file[1][0] + 4] = bytes(4)
    with pytest.raises(ContainerError):
        mp4.scan(memoryview(broken), file[1][0])
