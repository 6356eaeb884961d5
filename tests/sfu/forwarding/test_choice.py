import pytest

from sfu.forwarding.choice import UNBOUNDED, Flow, LayerChoice
from sfu.receiving.encodings import COMING_S, WantedLayers
from sfu.values import Layer, Preferences

LAYERS = (Layer("q", 320, 180), Layer("h", 640, 360), Layer("f", 1280, 720))


def choice(allowed=UNBOUNDED, **preferences):
    return LayerChoice(Preferences(**preferences), allowed, LAYERS)


@pytest.mark.parametrize(
    ("made", "live", "expected"),
    [
        (choice(), [0, 1, 2], 2),
        (choice(), [0, 1], 1),
        (choice(max_spatial=1), [0, 1, 2], 1),
        (choice(width=640, height=360), [0, 1, 2], 1),
        (choice((0, 7)), [0, 1, 2], 0),
        (choice((0, 7)), [2], 2),  # better too much than nothing
        (choice(), [], Flow.KEEP),
        (choice(None), [0, 1, 2], Flow.PAUSE),
        (choice(None), [], Flow.PAUSE),
    ],
)
def test_the_layer_follows_from_request_limit_and_what_arrives(made, live, expected):
    assert made.spatial(live, None) == expected


def test_what_is_too_much_waits_for_the_layer_that_fits_and_is_on_its_way():
    wanted = WantedLayers(3)
    wanted.update(frozenset({2}), [2], 0.0)
    assert choice((0, 7)).spatial([2], wanted) is Flow.PAUSE
    wanted.update(frozenset({0}), [2], 1.0)
    wanted.update(frozenset({0}), [2], 1.1 + COMING_S)  # it was asked for and did not come
    assert choice((0, 7)).spatial([2], wanted) == 2


def test_the_bound_is_what_should_be_sent_whether_or_not_it_arrives():
    assert choice().bound == 2
    assert choice((1, 7)).bound == 1
    assert choice(None).bound == 0
    assert choice(max_spatial=1).highest == 1


class Stream:
    """Stands in for an inbound stream: three temporal layers, the second of which has enough pictures."""

    @staticmethod
    def temporal_for(frame_rate):
        return 1 if frame_rate else 7

    @staticmethod
    def point(spatial, temporal):
        return spatial, temporal


def test_the_frame_rate_follows_from_request_and_limit():
    assert choice().point(Stream, 2) == (2, 7)
    assert choice(fps=10).point(Stream, 2) == (2, 1)
    assert choice((2, 0), fps=10).point(Stream, 2) == (2, 0)
    assert choice(None).point(Stream, 0) == (0, 7)
