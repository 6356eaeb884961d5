import math
from types import MethodType

import pytest

from sfu.bandwidth.allocate import Reason
from sfu.engine.adaptation.allocation import bitrates, explain, reallocate
from sfu.engine.peers.link import Link
from sfu.engine.peers.peer import Peer
from sfu.engine.peers.publication import Publication
from sfu.fanout.template import TemplateClass
from sfu.forwarding.choice import UNBOUNDED
from sfu.session.ice import IceAgent
from sfu.session.negotiated import Negotiated
from sfu.session.negotiation import NegotiatedCodec, SectionParameters
from sfu.session.sections import OutboundSection, receive_section
from sfu.values import Layer, Preferences, PublicationSpec
from sfu.wire.operating_points import EVERY
from sfu.wire.red import RedundancyLevel
from sfu.wire.rtp import URI_TRANSPORT_CC

NOW = 100.0
CAMERA = {(0, 0): 150_000, (1, 0): 500_000, (2, 0): 1_700_000}
LAYERS = (Layer("q", 320, 180), Layer("h", 640, 360, 400_000), Layer("f"))


def peer(name):
    made = Peer(name, "room", IceAgent(name, "password"), Link(name, 1), Negotiated("1"))
    made.link.connected = True
    return made


class Lesson:
    """A student, and what it receives."""

    def __init__(self):
        self.student = peer("student")

    def publish(self, name, owner="tutor", kind="video", measured=CAMERA, layers=LAYERS, **spec):
        published = Publication(PublicationSpec(name, kind, layers=layers, **spec), peer(owner).link)
        codec = NegotiatedCodec("vp8", 96, 90_000, 1, "", (), 97)
        section = receive_section(SectionParameters("0", kind, True, "recvonly", (codec,), {}, {}), (), ())
        for spatial in range(max(len(layers), 1)):
            published.add_stream(section, 1000 + spatial, spatial, NOW)
        published.bitrates_bps = MethodType(lambda _self, _now: measured, published)
        subscription = self.student.subscribe(published, "stream", (1, 2, 3))
        subscription.section = OutboundSection("1", TemplateClass((("vp8", 96),), ()), {})
        return subscription

    def reallocate(self, available_bps=math.inf, focus="", now=NOW):
        self.student.link.downstream.available_bps = available_bps
        return reallocate(self.student, focus, now)


@pytest.fixture
def lesson():
    return Lesson()


def test_without_a_limit_everything_may_flow(lesson):
    camera = lesson.publish("camera")
    assert lesson.reallocate() == []
    assert (camera.allowed_point, camera.allocation) == (UNBOUNDED, None)


def test_a_limit_bounds_the_layer_and_says_what_would_be_enough(lesson):
    camera = lesson.publish("camera")
    assert lesson.reallocate(700_000) == []
    assert (camera.allowed_point, camera.allocation.reason) == ((1, 0), Reason.BANDWIDTH)
    assert lesson.student.link.downstream.requested_bps == pytest.approx(1.15 * 1_700_000)
    camera.preferences = Preferences(max_spatial=0)
    lesson.reallocate(700_000)
    assert (camera.allowed_point, camera.allocation.reason) == ((0, 0), Reason.WANTED)
    lesson.reallocate()
    assert (camera.allowed_point, camera.allocation) == (UNBOUNDED, None)


def test_a_pause_and_its_end_are_told_once(lesson):
    camera = lesson.publish("camera")
    assert lesson.reallocate(100_000) == [camera]
    assert camera.allowed_point is None
    assert lesson.reallocate(90_000) == []
    assert lesson.reallocate(300_000) == [camera]
    assert camera.allowed_point == (0, 0)
    assert lesson.reallocate(90_000) == [camera]
    assert lesson.reallocate() == [camera]


def test_who_wants_nothing_is_not_paused(lesson):
    camera = lesson.publish("camera")
    lesson.reallocate(100_000)
    camera.preferences = Preferences(enabled=False)
    assert lesson.reallocate(100_000) == [camera]
    assert (camera.allowed_point, camera.allocation) == (UNBOUNDED, None)


def test_audio_goes_first(lesson):
    lesson.publish("microphone", kind="audio", measured={(0, 0): 40_000}, layers=())
    camera = lesson.publish("camera")
    lesson.reallocate(220_000)
    assert camera.allowed_point is None
    lesson.reallocate(236_000)
    assert camera.allowed_point == (0, 0)


@pytest.mark.parametrize(
    ("sent", "taken", "red", "audio_bps"),
    [
        ("opus", ("opus", "red"), True, 140_800),
        ("opus", ("opus", "red"), False, 60_800),
        ("opus", ("opus",), True, 60_800),
        ("red", ("opus", "red"), True, 60_800),
    ],
    ids=["made here", "not wanted by the publisher", "not taken", "sent so"],
)
def test_redundancy_that_is_made_counts_as_audio(lesson, sent, taken, red, audio_bps):
    microphone = lesson.publish("microphone", kind="audio", measured={(0, 0): 40_000}, layers=(), red=red)
    microphone.published.codec = sent
    microphone.section = OutboundSection("1", TemplateClass(tuple((codec, 111) for codec in taken), ()), {})
    assert explain(lesson.student, "", NOW).audio_bps == audio_bps


def test_sound_carries_the_most_redundancy_while_a_link_becomes_narrow(lesson):
    """The queue of the link drops packets at that time, which reports tell later."""
    microphone = lesson.publish("microphone", kind="audio", measured={(0, 0): 40_000}, layers=())
    microphone.section = OutboundSection(
        "1", TemplateClass((("opus", 111), ("red", 63)), ((URI_TRANSPORT_CC, 3),)), {}
    )
    levels = []
    for available_bps, now in (
        (math.inf, 0),
        (300_000, 1),
        (280_000, 1.9),
        (280_000, 2),
        (700_000, 3),
        (300_000, 4),
    ):
        lesson.reallocate(available_bps, now=NOW + now)
        levels.append(microphone.redundancy)
    none, as_sent, deep = RedundancyLevel
    assert levels == [as_sent, deep, deep, none, as_sent, deep]


@pytest.mark.parametrize("how", ["screen_share", "leading", "focus", "priority"])
def test_who_goes_before_others(lesson, how):
    other = lesson.publish("other", owner="bob")
    first = lesson.publish("first", owner="ada", **{how: True} if how in {"screen_share", "leading"} else {})
    if how == "priority":
        first.preferences = Preferences(priority=1)
    lesson.reallocate(200_000, focus="ada" if how == "focus" else "")
    assert (first.allowed_point, other.allowed_point) == ((0, 0), None)


def test_unmeasured_layers_cost_what_was_declared_or_what_their_size_takes(lesson):
    published = lesson.publish("camera", measured={(2, 0): 900_000}).published
    assert bitrates(published, NOW) == {(0, 0): 115_200, (1, 0): 400_000, (2, 0): 900_000}
    published.bitrates_bps = MethodType(lambda _self, _now: {}, published)
    assert bitrates(published, NOW + 0.3)[2, 0] == 500_000
    published.layers[1].seen_at = {0: NOW - 10}
    assert (1, 0) not in bitrates(published, NOW + 0.6)


def test_bitrates_are_looked_at_once_for_all_viewers(lesson):
    published = lesson.publish("camera").published
    looks = []
    published.bitrates_bps = MethodType(lambda _self, now: looks.append(now) or CAMERA, published)
    for now in (NOW, NOW + 0.1, NOW + 0.2, NOW + 0.3):
        assert bitrates(published, now) == CAMERA
    assert looks == [NOW, NOW + 0.3]


def test_what_does_not_arrive_begins_small(lesson):
    camera = lesson.publish("camera")
    camera.published.layers.clear()
    assert lesson.reallocate(700_000) == []
    assert camera.allowed_point[0] == 0
    assert camera.allocation.reason is Reason.ABSENT


def test_each_decision_can_be_explained(lesson):
    lesson.publish("microphone", kind="audio", measured={(0, 0): 40_000}, layers=())
    lesson.publish("screen", screen_share=True, owner="ada")
    camera = lesson.publish("camera")
    assert explain(lesson.student, "", NOW).available_bps is None
    assert {video.reason for video in explain(lesson.student, "", NOW).videos} == {"no limit is known"}
    camera.preferences = Preferences(max_spatial=1)
    lesson.reallocate(300_000)
    explanation = explain(lesson.student, "tutor", NOW)
    assert (explanation.available_bps, explanation.audio_bps) == (300_000, 60_800)
    screen, video = explanation.videos
    assert (screen.importance, screen.allowed_point, screen.reason) == (
        "screen",
        (0, 0),
        "no higher layer fits",
    )
    assert (video.importance, video.allowed_point, video.reason) == (
        "focus",
        None,
        "not even the lowest layer fits",
    )
    assert (video.limit[0], video.current) == (1, None)
    assert (1, 0, 500_000) in video.bitrates_bps


def test_only_changes_are_logged(lesson, caplog):
    caplog.set_level("INFO")
    lesson.publish("camera")
    lesson.reallocate(700_000)
    lesson.reallocate(690_000)
    assert len(caplog.messages) == 1
    assert "student gets layer (1, 0) of camera (no higher layer fits)" in caplog.messages[0]


def test_decisions_of_the_last_minute_are_explained_in_words(lesson):
    lesson.publish("camera")
    lesson.reallocate(700_000)
    lesson.reallocate(90_000)
    recent = explain(lesson.student, "", NOW + 2).recent
    assert recent == (
        "2.0 s ago: camera gets layer 1 at frame rate 0: no higher layer fits; 700 kbit/s are available, sound takes 0",
        "2.0 s ago: camera is paused: not even the lowest layer fits; 90 kbit/s are available, sound takes 0",
    )
    assert explain(lesson.student, "", NOW + 61).recent == ()


def test_layers_of_a_screen_are_priced_by_what_they_may_take_until_they_are_measured(lesson):
    layers = tuple(
        Layer(rid, 1920, 1080, bps) for rid, bps in zip("qhf", (45_000, 150_000, 1_500_000), strict=True)
    )
    screen = lesson.publish(
        "screen", screen_share=True, layers=layers, measured={(2, 0): 2_000_000}
    ).published
    screen.wanted_layers.update(frozenset({2}), [0, 1, 2], NOW)
    for spatial in (0, 1):
        screen.layers[spatial].seen_at = {0: NOW - 20}
    young = bitrates(screen, NOW)
    assert young == {(0, 0): 27_000, (1, 0): 90_000, (2, 0): 900_000}
    meter = screen.layers[2].rates
    for second in range(12):
        meter.add(EVERY, 1000, NOW + second, pictures=1)
    screen.layers[2].seen_at = {0: NOW + 11}
    assert bitrates(screen, NOW + 11)[2, 0] == 1_500_000
