"""Moments of a recording that are worth a look: questions, polls, bookmarks, and bursts of chat."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

BURST_S: Final = 30.0
_MIN_BURST: Final = 4
# A burst has this many times as many messages as are usual in that time.
_BURST_FACTOR: Final = 3.0


class Highlight(msgspec.Struct, frozen=True):
    """A moment."""

    at_s: float
    kind: str
    "`question`, `poll`, `bookmark` or `chat`."
    text: str
    by: str = ""
    "Id of the person; empty where the name is hidden."


def bursts(times_s: Sequence[float], length_s: float) -> list[Highlight]:
    """Return where far more messages than usual were written; `times_s` are in order."""
    usual = len(times_s) * BURST_S / max(length_s, BURST_S)
    needed = max(_MIN_BURST, usual * _BURST_FACTOR)
    found: list[Highlight] = []
    index = 0
    while index < len(times_s):
        end = index
        while end < len(times_s) and times_s[end] < times_s[index] + BURST_S:
            end += 1
        if end - index >= needed:
            found.append(Highlight(times_s[index], "chat", str(end - index)))
            index = end
        else:
            index += 1
    return found


def ordered(highlights: Iterable[Highlight], length_s: float) -> list[Highlight]:
    """Return the highlights within a recording in the order of time."""
    return sorted((each for each in highlights if 0 <= each.at_s <= length_s), key=lambda each: each.at_s)
