"""What is drawn on a page of the whiteboard: plain values in the array `items` of the page's Yjs document.

`docs/decisions/web-whiteboard.md` describes them. Pages and other programs write these values, so each is checked here
as `web/src/client/classroom/board/items.ts` checks it.
"""

import math
import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, TypeGuard

from classroom import limits

WIDTH: Final = 1_600
"Units of a page."
HEIGHT: Final = 900

KINDS: Final = ("pen", "line", "rect", "ellipse", "text", "image")
IMAGES: Final = frozenset({"image/png", "image/jpeg", "image/webp"})
"Content types of files that an image may show."

_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
_MOST_TEXT: Final = 500
# Far outside of the page. PDF readers need not take larger numbers (ISO 32000-1, annex C).
_FARTHEST: Final = 30_000.0

Point = tuple[float, float]


class Item(NamedTuple):
    """A stroke or a piece of one, a shape, a text, or an image."""

    kind: str
    colour: tuple[int, int, int]
    "Red, green and blue, each up to 255."
    width: float
    "Of the line, in units; the height of text grows with it."
    points: list[Point]
    "All points of a pen, two corners or ends of a shape, the upper start of a text, two corners of an image."
    text: str
    file: str = ""
    "The file of the session that an image shows."


def read_item(value: Any) -> Item | None:
    """Return an item; None for what is none."""
    if not isinstance(value, Mapping) or value.get("kind") not in KINDS:
        return None
    numbers = value.get("points")
    if not isinstance(numbers, list) or len(numbers) < 2 or len(numbers) % 2:
        return None
    if not all(_is_number(each, -_FARTHEST, _FARTHEST) for each in numbers):
        return None
    return _image(value, numbers) if value["kind"] == "image" else _drawn(value, numbers)


def _image(value: Mapping[str, Any], numbers: list[float]) -> Item | None:
    file = value.get("file")
    if not isinstance(file, str) or not 1 <= len(file) <= limits.IDENTIFIER_LENGTH or len(numbers) != 4:
        return None
    left, top, right, bottom = map(float, numbers)
    if left >= right or top >= bottom:
        return None
    return Item("image", (0, 0, 0), 1.0, [(left, top), (right, bottom)], "", file)


def _drawn(value: Mapping[str, Any], numbers: list[float]) -> Item | None:
    colour, width, text = value.get("colour"), value.get("width"), value.get("text")
    if not isinstance(colour, str) or _COLOUR.fullmatch(colour) is None or not _is_number(width, 1, 100):
        return None
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
