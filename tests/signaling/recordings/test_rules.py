"""Which tracks are recorded, under which ids and layers."""

import pytest

from sfu.values import RecordedTrack
from signaling.recordings.rules import Options, may_record, recorded_track
from signaling.rooms.model import Track, TrackSpec
from signaling.rooms.permissions import Source


class Person:
    identity, name = "ada", "Ada"


def track(source=Source.CAMERA, kind="video", name=""):
    return Track.from_spec("TR_1", "PA_1", TrackSpec(kind, source, name))


def recorded(*args, options=None, taken=()):
    return recorded_track(options or Options(), Person(), track(*args), taken)


def test_the_id_follows_from_person_and_source():
    assert recorded() == RecordedTrack("ada/camera", "Ada: camera", 1)
    assert recorded(Source.MICROPHONE, "audio").id == "ada/microphone"
    assert recorded(Source.UNKNOWN, "video", "drone").id == "ada/unknown/drone"


def test_a_second_track_of_the_same_source_has_an_id_of_its_own():
    assert recorded(taken=["ada/camera"]).id == "ada/camera/2"
    assert recorded(taken=["ada/camera", "ada/camera/2"]).id == "ada/camera/3"


def test_screens_are_recorded_at_their_best_and_cameras_as_asked():
    assert recorded(Source.SCREEN_SHARE).max_spatial == 7
    assert recorded(options=Options(camera_layer=2)).max_spatial == 2


def test_audio_alone_leaves_out_pictures():
    options = Options(audio_only=True)
    assert recorded(options=options) is None
    assert recorded(Source.MICROPHONE, "audio", options=options) is not None


@pytest.mark.parametrize(
    ("required", "answer", "allowed"),
    [
        (False, None, True),
        (False, False, False),
        (False, True, True),
        (True, None, False),
        (True, False, False),
        (True, True, True),
    ],
)
def test_who_declined_is_not_recorded(required, answer, allowed):
    consents = {} if answer is None else {"ada": answer}
    assert may_record(Options(require_consent=required), consents, "ada") is allowed
