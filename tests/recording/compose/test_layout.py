"""Where pictures are: tables."""

import pytest

from recording.compose.layout import HEIGHT, WHOLE, WIDTH, Box, corner, even, fitted


@pytest.mark.parametrize(
    ("size", "box", "expected"),
    [
        ((1280, 720), WHOLE, WHOLE),
        ((640, 360), WHOLE, WHOLE),
        ((1920, 1200), WHOLE, Box(64, 0, 1152, 720)),
        ((360, 640), WHOLE, Box(438, 0, 404, 720)),
        ((4000, 10), WHOLE, Box(0, 358, 1280, 2)),
        ((1, 1), Box(10, 20, 100, 50), Box(34, 20, 50, 50)),
        ((160, 96), Box(0, 0, 2, 2), Box(0, 0, 2, 2)),
    ],
)
def test_a_picture_is_as_large_as_it_fits(size, box, expected):
    place = fitted(*size, box)
    assert place == expected
    assert all(each % 2 == 0 for each in (place.x - box.x, place.y - box.y, place.width, place.height))
    assert place.x + place.width <= box.x + box.width
    assert place.y + place.height <= box.y + box.height


def test_the_corner_is_inside():
    box = corner()
    assert (box.x + box.width, box.y + box.height) == (WIDTH - 16, HEIGHT - 16)
    assert all(each % 2 == 0 for each in (box.x, box.y, box.width, box.height))


@pytest.mark.parametrize(("length", "expected"), [(0, 0), (1.9, 0), (2, 2), (3.99, 2), (257, 256)])
def test_even(length, expected):
    assert even(length) == expected
