import pytest

from sfu.events import Layer, Preferences
from sfu.layers import highest_wanted, is_live, target_layer

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


def test_a_shared_screen_may_be_quiet_for_longer():
    assert is_live(10.0, 11.0, screen_share=False)
    assert not is_live(10.0, 12.0, screen_share=False)
    assert is_live(10.0, 12.0, screen_share=True)
    assert not is_live(10.0, 16.0, screen_share=True)
