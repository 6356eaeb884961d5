import pytest

from recording.media.codecs.vp8 import Vp8Joiner
from recording.values import CodecConfig, PayloadError
from tests.recording.encoders import encode, vp8_payloads
from tests.recording.media.codecs.broken import try_broken


@pytest.fixture(scope="module")
def frames():
    return encode("vp8", 2, width=320, height=180)


@pytest.mark.parametrize("picture_id", [None, 4711])
def test_the_frame_is_what_the_encoder_made(frames, picture_id):
    (key, _), (delta, _) = frames
    picture = Vp8Joiner().join(vp8_payloads(key, True, picture_id=picture_id))
    assert (picture.data, picture.keyframe) == (key, True)
    assert picture.config == CodecConfig("vp8", "vp8", 320, 180)
    picture = Vp8Joiner().join(vp8_payloads(delta, False, picture_id=picture_id))
    assert (picture.data, picture.keyframe, picture.config) == (delta, False, None)


def test_a_frame_without_its_first_packet_is_refused(frames):
    payloads = vp8_payloads(frames[0][0], True)
    assert len(payloads) > 1
    with pytest.raises(PayloadError):
        Vp8Joiner().join(payloads[1:])


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\x10",
        b"\x80",
        b"\x10\x00\x00\x00\x9d\x01\x2b\x40\x01\xb4\x00",
        b"\x10\x00\x00\x00\x9d\x01\x2a\0\0\0\0",
    ],
)
def test_what_is_no_keyframe_is_no_keyframe(payload):
    try:
        assert Vp8Joiner().join([payload]) is None
    except PayloadError:
        return


def test_broken_payloads_are_read_or_refused(frames):
    assert try_broken(Vp8Joiner, vp8_payloads(frames[0][0], True)) > 50
