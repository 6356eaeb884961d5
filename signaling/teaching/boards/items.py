"""What is drawn on a page of the whiteboard: plain values in the array `items` of the page's Yjs document.

`docs/decisions/web-whiteboard.md` describes them. Pages and other programs write these values, so each is checked here
as `web/src/client/classroom/board/items.ts` checks it.
"""

import math
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeGuard

WIDTH: Final = 1_600
"Units of a page."
HEIGHT: Final = 900

KINDS: Final = ("pen", "line", "rect", "ellipse", "text")

_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
_MOST_TEXT: Final = 500
# Far outside of the page. PDF readers need not take larger numbers (ISO 32000-1, annex C).
_FARTHEST: Final = 30_000.0

Point = tuple[float, float]


class Item(NamedTuple):
    """A stroke or a piece of one, a shape, or a text."""

    kind: str
    colour: tuple[int, int, int]
    "Red, green and blue, each up to 255."
    width: float
    "Of the line, in units; the height of text grows with it."
    points: list[Point]
    "All points of a pen, two corners or ends of a shape, the upper start of a text."
    text: str


def read_item(value: Any) -> Item | None:
    """Return an item; None for what is none."""
    if not isinstance(value, Mapping) or value.get("kind") not in KINDS:
        return None
    colour, width, numbers = value.get("colour"), value.get("width"), value.get("points")
    if not isinstance(colour, str) or _COLOUR.fullmatch(colour) is None or not _is_number(width, 1, 100):
        return None
    if not isinstance(numbers, list) or len(numbers) < 2 or len(numbers) % 2:
        return None
    if not all(_is_number(each, -_FARTHEST, _FARTHEST) for each in numbers):
        return None
    text = value.get("text")
    return Item(
        str(value["kind"]),
        (int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)),
        float(width),
        list(zip(map(float, numbers[::2]), map(float, numbers[1::2]), strict=True)),
        text[:_MOST_TEXT] if isinstance(text, str) else "",
    )


def line_height(width: float) -> float:
    """Return the height of a line of text, in units."""
    return 20 + width * 4


def _is_number(value: Any, low: float, high: float) -> TypeGuard[int | float]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and low <= value <= high
