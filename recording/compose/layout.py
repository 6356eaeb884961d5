"""Positions of pictures in the film: pure functions. Lengths are pixels, and even, since chroma has half as many."""

from dataclasses import dataclass
from typing import Final

WIDTH, HEIGHT = 1280, 720
MARGIN: Final = 16
# Share of the film's width; a face is recognisable, and little of a shared screen is covered.
CORNER_SHARE: Final = 0.2


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of the film."""

    x: int
    y: int
    width: int
    height: int


WHOLE: Final = Box(0, 0, WIDTH, HEIGHT)


def corner() -> Box:
    """Return the position of the small picture, at the bottom right."""
    width = even(WIDTH * CORNER_SHARE)
    height = even(width * 9 / 16)
    return Box(WIDTH - MARGIN - width, HEIGHT - MARGIN - height, width, height)


def fitted(width: int, height: int, box: Box) -> Box:
    """Return the largest rectangle with a picture's aspect ratio, centred in a box."""
    scale = min(box.width / width, box.height / height)
    fitted_width = max(min(even(width * scale), box.width), 2)
    fitted_height = max(min(even(height * scale), box.height), 2)
    return Box(
        box.x + even((box.width - fitted_width) / 2),
        box.y + even((box.height - fitted_height) / 2),
        fitted_width,
        fitted_height,
    )


def even(length: float) -> int:
    """Return the largest even number not above a length."""
    return int(length) // 2 * 2
