import pytest

from sfu.bandwidth.allocate import Allocation, Reason
from sfu.forwarding.steadiness import (
    AMPLE_DWELL_S,
    DWELL_S,
    MUCH_PATIENCE_S,
    PATIENCE_S,
    PAUSED_S,
    SCREEN_PATIENCE_S,
    Steadiness,
)

BITRATES = {(0, 0): 45_000, (1, 0): 150_000, (2, 0): 900_000}
PAUSED = Allocation(None, Reason.PAUSED)


def at(spatial, temporal=0):
    return Allocation((spatial, temporal), Reason.BANDWIDTH)


def follows(steadiness, before, wanted, now, left_bps=200_000, bitrates=BITRATES):
    return steadiness.follow(before, wanted, bitrates, left_bps, now)


@pytest.mark.parametrize(("screen", "patience_s"), [(True, SCREEN_PATIENCE_S), (False, PATIENCE_S)])
def test_nothing_is_paused_for_a_moment_of_too_little(screen, patience_s):
    steadiness = Steadiness(screen=screen)
    assert not follows(steadiness, at(0), PAUSED, 10)
    assert not follows(steadiness, at(0), PAUSED, 9.9 + patience_s)
    assert follows(steadiness, at(0), PAUSED, 10 + patience_s)
    steadiness.fits()
    assert not follows(steadiness, at(0), PAUSED, 20)


def test_a_camera_comes_back_after_a_while_and_a_screen_at_once():
    for screen, since_s, follow in (
        (False, PAUSED_S - 0.1, False),
        (False, PAUSED_S, True),
        (True, 0.1, True),
    ):
        steadiness = Steadiness(screen=screen)
        steadiness.changed(10)
        assert follows(steadiness, PAUSED, at(0), 10 + since_s) == follow


def test_a_screen_goes_up_after_a_while_and_sooner_where_there_is_ample_room():
    steadiness = Steadiness(screen=True)
    steadiness.changed(10)
    assert not follows(steadiness, at(0), at(1), 9.9 + DWELL_S)
    assert follows(steadiness, at(0), at(1), 10 + DWELL_S)
    assert not follows(steadiness, at(0), at(1), 9.9 + AMPLE_DWELL_S, left_bps=400_000)
    assert follows(steadiness, at(0), at(1), 10 + AMPLE_DWELL_S, left_bps=400_000)


def test_a_screen_goes_down_when_that_lasts_or_when_its_layer_is_far_too_much():
    steadiness = Steadiness(screen=True)
    assert not follows(steadiness, at(1), at(0), 10, left_bps=100_000)
    assert follows(steadiness, at(1), at(0), 10 + SCREEN_PATIENCE_S, left_bps=100_000)
    steadiness = Steadiness(screen=True)
    assert not follows(steadiness, at(2), at(0), 10, left_bps=100_000)
    assert follows(steadiness, at(2), at(0), 10 + MUCH_PATIENCE_S, left_bps=100_000)


def test_what_costs_no_keyframe_of_a_slide_is_followed_at_once():
    assert follows(Steadiness(screen=True), at(0, 0), at(0, 2), 10, bitrates=BITRATES | {(0, 2): 60_000})
    assert follows(Steadiness(screen=False), at(1), at(0), 10)


def test_a_layer_that_arrives_no_more_is_left_at_once():
    assert follows(Steadiness(screen=True), at(3), at(0), 10)
