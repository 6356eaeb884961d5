import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.wire.operating_points import (
    EVERY,
    MAX_SPATIAL,
    MAX_TEMPORAL,
    contains,
    lowest,
    members,
    with_spatial,
    with_temporal,
)

ALL = [(s, t) for s in range(MAX_SPATIAL + 1) for t in range(MAX_TEMPORAL + 1)]
POINTS = st.tuples(st.integers(0, MAX_SPATIAL), st.integers(0, MAX_TEMPORAL))


def test_a_packet_without_layers_is_for_every_point():
    assert list(members(EVERY)) == ALL
    assert lowest(EVERY) == (0, 0)


@given(POINTS, st.booleans())
def test_who_needs_a_frame(own, alone):
    spatial, temporal = own
    needed = with_spatial(spatial, alone=alone) & with_temporal(temporal)
    for point in ALL:
        shown = point[0] == spatial if alone else point[0] >= spatial
        assert contains(needed, point) is (shown and point[1] >= temporal)
    assert lowest(needed) == own


@pytest.mark.parametrize(("above", "as_highest"), [((9, 0), (MAX_SPATIAL, 0)), ((0, 7), (0, MAX_TEMPORAL))])
def test_layers_above_the_highest_count_as_it(above, as_highest):
    needed = with_spatial(above[0], alone=False) & with_temporal(above[1])
    assert lowest(needed) == as_highest
    assert contains(needed, above)


@given(st.sets(POINTS))
def test_members_are_those_in_the_set(chosen):
    mask = sum(1 << ALL.index(point) for point in chosen)
    assert list(members(mask)) == sorted(chosen)
