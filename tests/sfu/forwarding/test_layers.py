import pytest

from sfu.forwarding.layers import highest_wanted, needs_keyframe, step, target_layer
from sfu.values import Layer, Preferences
from sfu.wire.operating_points import EVERY, with_spatial, with_temporal

THREE = (Layer("q", 320, 180), Layer("h", 640, 360), Layer("f", 1280, 720))
UNSIZED = (Layer("q"), Layer("h"), Layer("f"))


@pytest.mark.parametrize(
    ("preferences", "layers", "expected"),
    [
        (Preferences(), THREE, 2),
        (Preferences(max_spatial=0), THREE, 0),
        (Preferences(width=320, height=180), THREE, 0),
        (Preferences(width=355, height=200), THREE, 0),  # 180 >= 0.9 * 200
        (Preferences(width=360, height=201), THREE, 1),
        (Preferences(width=1920, height=1080), THREE, 2),
        (Preferences(width=202, height=360), THREE, 1),  # portrait: the shorter side counts
        (Preferences(width=320, height=180, max_spatial=1), UNSIZED, 1),
        (Preferences(max_spatial=2), (), 0),
        (Preferences(max_spatial=-1), THREE, 0),
    ],
)
def test_highest_wanted(preferences, layers, expected):
    assert highest_wanted(preferences, layers) == expected


@pytest.mark.parametrize(
    ("wanted", "live", "expected"),
    [(2, [0, 1, 2], 2), (1, [0, 1, 2], 1), (2, [0, 1], 1), (0, [1, 2], 1), (1, [], None), (0, [0], 0)],
)
def test_target_layer(wanted, live, expected):
    assert target_layer(wanted, live) == expected


# A stream of two sizes at two rates, of which the larger is predicted from the smaller at keyframes alone; and one of
# which it always is.
UPPER = frozenset({with_spatial(1, alone=False), with_spatial(1, alone=False) & with_temporal(1)})
KEYED = UPPER | {EVERY, with_spatial(0, alone=True), with_spatial(0, alone=True) & with_temporal(1)}
FULL = UPPER | {EVERY, with_temporal(1)}


@pytest.mark.parametrize(
    ("sets", "shown", "wanted", "needed"),
    [
        (FULL, (1, 1), (0, 1), False),
        (FULL, (1, 0), (0, 1), False),  # what is missing is rate, and that is taken up at switch points
        (FULL, (0, 1), (1, 1), True),
        (FULL, (0, 0), (0, 1), False),
        (KEYED, (1, 1), (0, 1), True),
        (KEYED, (1, 1), (1, 0), False),
        (KEYED, None, (0, 1), False),
        (frozenset(), (1, 1), (0, 1), False),  # at the keyframe itself
    ],
)
def test_which_ways_lead_over_a_keyframe(sets, shown, wanted, needed):
    assert needs_keyframe(shown, wanted, sets) is needed


@pytest.mark.parametrize(
    ("shown", "wanted", "switch", "expected"),
    [
        ((1, 1), (1, 1), (0, 0), None),
        ((1, 1), (1, 0), (0, 0), (1, 0)),
        ((1, 1), (0, 1), (0, 0), (0, 1)),
        ((1, 0), (0, 1), (0, 0), (0, 0)),  # as far as one gets at once
        ((0, 0), (0, 1), (0, 0), None),
        ((0, 0), (0, 1), (EVERY, with_temporal(0)), (0, 1)),
        ((0, 0), (0, 1), (EVERY, with_temporal(1)), None),  # only for those who were shown more
        ((0, 0), (0, 1), (with_spatial(1, alone=False), EVERY), None),
        (None, (0, 0), (0, 0), (0, 0)),
    ],
)
def test_steps_where_a_picture_starts(shown, wanted, switch, expected):
    to, origin = switch
    assert step(shown, wanted, FULL, switch_to=to, switch_from=origin) == expected
