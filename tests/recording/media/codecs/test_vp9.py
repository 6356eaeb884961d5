import io

import av
import pytest

from recording.containers import webm
from recording.media.codecs.vp9 import Vp9Joiner
from recording.values import CodecConfig, PayloadError, Sample
from tests.recording.encoders import encode, vp9_payloads
from tests.recording.media.codecs.broken import try_broken


@pytest.fixture(scope="module")
def frames():
    return encode("vp9", 2, width=320, height=180)


def test_the_frame_is_what_the_encoder_made(frames):
    (key, _), (delta, _) = frames
    picture = Vp9Joiner().join(vp9_payloads(key, True))
    assert (picture.data, picture.keyframe) == (key, True)
    assert picture.config == CodecConfig("vp9", "vp09.00.11.08", 320, 180)
    picture = Vp9Joiner().join(vp9_payloads(delta, False))
    assert (picture.data, picture.keyframe, picture.config) == (delta, False, None)


@pytest.mark.parametrize("left_out", [0, -1])
def test_a_frame_without_an_end_is_refused(frames, left_out):
    payloads = vp9_payloads(frames[0][0], True)
    del payloads[left_out]
    with pytest.raises(PayloadError):
        Vp9Joiner().join(payloads)


def layered(frame, spatial, *, predicted, structure=b""):
    """One packet of a layer's frame: I, L, flexible mode off, B, E; V with the structure."""
    flags = 0x80 | 0x20 | 0x0C | (0x40 if predicted else 0) | (0x02 if structure else 0)
    return bytes((flags, 5, spatial << 1 | (1 if spatial else 0), 9)) + structure + frame


def test_the_layers_of_a_picture_become_one_superframe(frames):
    # RFC 9628 section 4.2.1: two layers (N_S=1), Y with their sizes, G with one picture that refers to one
    structure = bytes((0x20 | 0x18, 0, 160, 0, 90, 1, 64, 0, 180, 1, 0x04, 1))
    (base, _), (upper, _) = frames
    picture = Vp9Joiner().join(
        [layered(base, 0, predicted=False, structure=structure), layered(upper, 1, predicted=False)]
    )
    assert picture.keyframe
    assert (picture.config.width, picture.config.height) == (320, 180)
    assert picture.data.startswith(base + upper)
    # the decoder of ffmpeg finds both by the index at the end
    data = webm.init_segment(picture.config)
    data += webm.fragment(1, [Sample(picture.data, 0, 40_000_000, True)]).data
    with av.open(io.BytesIO(data)) as container:
        assert len(list(container.decode(video=0))) == 2


def test_only_the_layers_that_came_decide_the_size(frames):
    structure = bytes((0x20 | 0x10, 0, 160, 0, 90, 1, 64, 0, 180))
    picture = Vp9Joiner().join([layered(frames[0][0], 0, predicted=False, structure=structure)])
    assert (picture.config.width, picture.config.height) == (160, 90)


def test_flexible_mode_has_references_in_the_descriptor(frames):
    # F, P, I, B, E; two differences, the first says that another follows
    payload = bytes((0x80 | 0x40 | 0x10 | 0x0C, 0x85, 0x01, 2 << 1 | 1, 4 << 1)) + frames[1][0]
    assert Vp9Joiner().join([payload]).data == frames[1][0]


def test_broken_payloads_are_read_or_refused(frames):
    assert try_broken(Vp9Joiner, vp9_payloads(frames[0][0], True)) > 50
