import os

import pytest

from recording.media.codecs.av1 import Av1Joiner
from recording.values import PayloadError
from tests.recording.encoders import av1_payloads, encode, obus_of
from tests.recording.media.codecs.broken import try_broken


@pytest.fixture(scope="module")
def units():
    return encode("av1", 2, width=320, height=180)


def test_the_encoder_leaves_no_real_time_policy_for_the_tests_that_follow():
    before = os.sched_getscheduler(0)
    encode("av1", 1)
    assert os.sched_getscheduler(0) == before


def aggregated(unit):
    """All OBUs but the delimiter in one packet, the last without a length (W), as libwebrtc sends small units."""
    elements = [header + payload for header, payload in obus_of(unit) if header[0] >> 3 & 15 != 2]
    assert len(elements) in {1, 2, 3}
    coded = b"".join(bytes((len(element),)) + element for element in elements[:-1])
    return bytes((len(elements) << 4 | 8,)) + coded + elements[-1]


@pytest.mark.parametrize(
    "split", [lambda unit: av1_payloads(unit, True, 60), lambda unit: [aggregated(unit)]]
)
def test_the_unit_is_what_the_encoder_made_without_its_delimiter(units, split):
    (unit, _), _ = units
    picture = Av1Joiner().join(split(unit))
    assert obus_of(picture.data) == [obu for obu in obus_of(unit) if obu[0][0] >> 3 & 15 != 2]
    assert picture.keyframe
    assert (picture.config.width, picture.config.height) == (320, 180)
    assert picture.config.mime_codec == "av01.0.00M.08"
    # AV1 in ISOBMFF section 2.3: the sequence header follows the four octets
    assert picture.config.private[:1] == b"\x81"
    assert obus_of(picture.config.private[4:]) == obus_of(picture.data)[:1]


def test_later_units_are_no_keyframes(units):
    picture = Av1Joiner().join(av1_payloads(units[1][0], False))
    assert (picture.keyframe, picture.config) == (False, None)


def test_a_unit_of_padding_shows_nothing():
    assert Av1Joiner().join([bytes((0x10, 15 << 3, 0, 0))]) is None


@pytest.mark.parametrize("left_out", [0, -1])
def test_a_fragment_that_lacks_a_part_is_refused(units, left_out):
    frame = max(obus_of(units[0][0]), key=lambda obu: len(obu[1]))
    element = frame[0] + frame[1]
    thirds = [element[:50], element[50:90], element[90:]]
    heads = [0x50, 0xD0, 0x90]  # Y; Z and Y; Z, all with W=1
    payloads = [bytes((head,)) + part for head, part in zip(heads, thirds, strict=True)]
    assert Av1Joiner().join(payloads) is not None
    del payloads[left_out]
    with pytest.raises(PayloadError):
        Av1Joiner().join(payloads)


def test_broken_payloads_are_read_or_refused(units):
    assert try_broken(Av1Joiner, av1_payloads(units[0][0], True, 60)) > 50
