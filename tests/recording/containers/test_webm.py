import io

import av
import pytest

from recording.containers import webm
from recording.containers.fragments import ContainerError, Scanned
from recording.media.codecs import opus
from recording.values import CodecConfig, Sample
from tests.recording.encoders import MS, decode, encode, read_stamp

VP8 = CodecConfig("vp8", "vp8", 160, 96)


@pytest.fixture(scope="module")
def file():
    """(octets, offsets of the clusters) of 12 pictures in three clusters."""
    samples = [
        Sample(data, 3_600_000 * MS + i * 40 * MS, 40 * MS, key)
        for i, (data, key) in enumerate(encode("vp8", 12))
    ]
    data = webm.init_segment(VP8)
    at = []
    for i in range(0, 12, 4):
        at.append(len(data))
        data += webm.fragment(1, samples[i : i + 4]).data
    return data, at


def test_pictures_decode_with_their_times_an_hour_in(file):
    frames = decode(file[0])
    assert [round(time * 1000) for time, _ in frames] == [3_600_000 + 40 * i for i in range(12)]
    assert [read_stamp(frame) for _, frame in frames] == list(range(12))


def test_the_stream_is_described():
    with av.open(
        io.BytesIO(
            webm.init_segment(opus.CONFIG) + webm.fragment(1, [Sample(opus.SILENCE, 0, 20 * MS, True)]).data
        )
    ) as container:
        context = container.streams.audio[0].codec_context
        assert (context.name, context.sample_rate, context.channels) == ("opus", 48_000, 2)
        assert context.extradata == opus.CONFIG.private


def test_clusters_are_found_again(file):
    data, at = memoryview(file[0]), file[1]
    assert webm.init_length(data) == at[0]
    start = 3_600_000 * MS
    assert webm.scan(data, at[0]) == Scanned(at[0], at[1], start, start + 160 * MS, True)
    assert webm.scan(data, at[1]) == Scanned(at[1], at[2], start + 160 * MS, start + 320 * MS, False)
    assert webm.scan(data, len(data)) is None


def test_the_duration_of_the_last_frame_can_be_written_anew():
    made = webm.fragment(1, [Sample(b"\x00a", 0, 40 * MS, True), Sample(b"\x01b", 40 * MS, 40 * MS, False)])
    data = bytearray(made.data)
    data[made.hold_at : made.hold_at + 4] = webm.hold_octets(90_000 * MS)
    assert webm.scan(memoryview(data), 0).end_ns == 90_040 * MS


@pytest.mark.parametrize("keyframe", [True, False])
def test_a_single_frame_says_whether_it_is_a_keyframe(keyframe):
    data = webm.fragment(1, [Sample(b"x", 0, 40 * MS, keyframe)]).data
    assert webm.scan(memoryview(data), 0).keyframe is keyframe


def test_a_torn_tail_is_none_at_every_octet(file):
    data, at = file
    for end in range(at[2] + 1, len(data)):
        assert webm.scan(memoryview(data)[:end], at[2]) is None
    for end in range(at[0]):
        with pytest.raises(ContainerError):
            webm.init_length(memoryview(data)[:end])


def test_what_is_no_cluster_is_refused(file):
    data, at = file
    with pytest.raises(ContainerError):
        webm.scan(memoryview(b"\x1a\x45\xdf\xa3\x10\0\0\0" + data), 0)
    broken = bytearray(data)
    broken[at[0] + 8 + 8] = 0x42  # the element behind the timestamp
    with pytest.raises(ContainerError):
        webm.scan(memoryview(broken), at[0])
