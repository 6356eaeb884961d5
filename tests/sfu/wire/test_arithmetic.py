import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.wire.arithmetic import Unwrapper, ts_diff


@pytest.mark.parametrize(
    ("a", "b", "expected"), [(0, 2**32 - 1, 1), (2**32 - 1, 0, -1), (2**31, 0, -(2**31))]
)
def test_ts_diff(a, b, expected):
    assert ts_diff(a, b) == expected


class TestUnwrapper:
    @pytest.mark.parametrize(
        ("received", "expected"),
        [
            ([10, 11, 12], [10, 11, 12]),
            ([65534, 65535, 0, 1], [65534, 65535, 65536, 65537]),
            ([65535, 1, 0, 65534], [65535, 65537, 65536, 65534]),  # reordered around the wrap
            ([0, 65535, 1], [0, -1, 1]),  # sent before the first that arrived
            ([0, 32767, 65534, 32765], [0, 32767, 65534, 98301]),
            ([0, 32768], [0, -32768]),  # half the number space is backwards
        ],
    )
    def test_table(self, received, expected):
        unwrapper = Unwrapper()
        assert [unwrapper.unwrap(seq) for seq in received] == expected
        assert unwrapper.highest == max(expected)

    @given(st.integers(0, 65535), st.lists(st.integers(-3000, 3000), max_size=200))
    def test_follows_any_walk_of_small_steps(self, start, steps):
        unwrapper = Unwrapper()
        highest = unwrapper.unwrap(start)
        for step in steps:
            number = highest + step
            assert unwrapper.unwrap(number & 0xFFFF) == number
            highest = max(highest, number)
