import pytest

from sfu.receiving.rates import HELD_S, SMOOTHED_S, RateMeter
from sfu.wire.operating_points import EVERY, MAX_POINT_SETS, with_spatial, with_temporal

# A picture in four packets of the base layer, two of the middle one and two of the upper one, a second's worth of each.
PATTERN = (0, 2, 1, 2)
OCTETS = {0: 1000, 1: 500, 2: 250}


def fed(meter, begin, seconds, rate=20, scale=1):
    for i in range(seconds * rate):
        temporal = PATTERN[i % 4]
        now = begin + i / rate
        meter.add(with_temporal(temporal), scale * OCTETS[temporal], now, pictures=1)


def test_each_temporal_layer_costs_what_it_needs():
    meter = RateMeter(0.0)
    fed(meter, 0.0, 3)
    assert meter.bitrates_bps(3.0, 1.5) == {(0, 0): 40_000, (0, 1): 60_000, (0, 2): 80_000}


def test_frame_rates():
    meter = RateMeter(0.0)
    assert meter.frame_rate(0) == 0
    fed(meter, 0.0, 3)
    assert [meter.frame_rate(temporal) for temporal in range(4)] == [5, 10, 20, 20]


def test_spatial_layers_of_one_stream():
    meter = RateMeter(0.0)
    for i in range(30):
        # the keyframes of the lower layer are needed by both, its other frames by itself alone
        meter.add(with_spatial(0, alone=i % 10 != 0), 1000, i / 10, pictures=1)
        meter.add(with_spatial(1, alone=False), 3000, i / 10, pictures=0)
    assert meter.bitrates_bps(3.0, 1.5) == {(0, 0): 80_000, (1, 0): 248_000}
    assert meter.frame_rate(0) == 10


def test_a_burst_is_held_for_some_seconds():
    meter = RateMeter(0.0)
    fed(meter, 0.0, 2, scale=10)
    fed(meter, 2.0, 4)
    assert meter.bitrates_bps(6.0, 1.5)[0, 2] == (800_000 + 2 * 80_000) / 3
    fed(meter, 6.0, 4)
    assert meter.bitrates_bps(10.0, 1.5)[0, 2] == 80_000


def test_a_still_slide_does_not_look_free():
    meter = RateMeter(0.0)
    meter.add(EVERY, 100_000, 0.0, pictures=1)
    for second in range(1, 6):
        meter.add(EVERY, 100, second + 0.5, pictures=1)
        expected = 800_000 / min(second + 0.6, SMOOTHED_S)
        assert meter.bitrates_bps(second + 0.6, 5.0) == {(0, 0): pytest.approx(expected, rel=0.01)}


def test_a_layer_that_has_stopped_is_left_out():
    meter = RateMeter(0.0)
    fed(meter, 0.0, 2)
    for second in range(2, 6):
        meter.add(with_temporal(0), 1000, second, pictures=1)
    assert set(meter.bitrates_bps(5.5, 1.5)) == {(0, 0)}
    assert meter.bitrates_bps(5.5 + HELD_S, 1.5) == {}


@pytest.mark.parametrize(("after_s", "expected"), [(0.0, 16_000), (0.4, 16_000), (0.8, 10_000)])
def test_the_first_second_is_estimated_from_its_part(after_s, expected):
    meter = RateMeter(7.0)
    meter.add(EVERY, 1000, 7.0, pictures=1)
    assert meter.bitrates_bps(7.0 + after_s, 1.5) == {(0, 0): expected}


def test_nothing_measured_nothing_there():
    assert RateMeter(0.0).bitrates_bps(0.5, 1.5) == {}


def test_a_stream_of_too_many_kinds_of_packets_is_still_counted():
    meter = RateMeter(0.0)
    for points in range(1, 1000):
        meter.add(points << 4, 10, points / 1001, pictures=1)
    meter.add(EVERY, 10, 1.0, pictures=1)
    bitrates = meter.bitrates_bps(1.1, 1.5)
    assert bitrates[0, 0] == round(80 * (1000 - MAX_POINT_SETS) / 1.1)


@pytest.mark.parametrize("silent_s", [5.5, 6.5, 7.0, 12.0, 3600.0])
def test_a_stream_that_falls_silent_after_a_whole_window_ends_no_allocation(silent_s: float) -> None:
    meter = RateMeter(0.0)
    for i in range(30):
        meter.add(1 << 0, 1000, i / 10, pictures=1)
    # the layer of a camera is live for a second, that of a screen for as long as its slide stands still
    assert meter.bitrates_bps(3.0 + silent_s, 1.0) == {}
    assert set(meter.bitrates_bps(3.0 + silent_s, 10_000.0).values()) <= {0}
