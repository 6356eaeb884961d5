"""Chapters of a recording: by slides, scenes and the whiteboard, and by changes of topic where these say nothing."""

from collections.abc import Sequence
from typing import Final

import msgspec

from signaling.recordings.insights.topics import Topics

_MIN_CHAPTER_S: Final = 60.0
# A change of topic this close to a slide is that of the slide.
_NEAR_S: Final = 120.0


class Chapter(msgspec.Struct, frozen=True):
    """A stretch of a recording."""

    start_s: float
    end_s: float
    kind: str
    "What begins: `start`, `slide`, `scene`, `board` (a page of the whiteboard) or `topic`."
    title: str
    "The title of a scene, otherwise the most typical words that were said; empty if nothing was said."
    page: int = 0
    "Page of the slides, from 1; 0: no slide begins."


Change = tuple[float, str, str, int]
"(time in s, kind, title, page)"


def chapters(changes: Sequence[Change], topics: Topics, length_s: float) -> list[Chapter]:
    """Divide a recording; `changes` are slides, scenes and pages of the whiteboard, in order."""
    found: list[Change] = [(0.0, "start", "", 0)]
    for change in changes:
        at_s = change[0]
        if not 0 <= at_s < length_s:
            continue
        # Somebody who leafs through slides begins one chapter, with the last of them.
        if at_s - found[-1][0] < _MIN_CHAPTER_S:
            found[-1] = (found[-1][0], *change[1:])
        else:
            found.append(change)
    found += [
        (at_s, "topic", "", 0)
        for at_s in topics.changes()
        if all(abs(at_s - each[0]) >= _NEAR_S for each in found)
    ]
    found.sort(key=lambda each: each[0])
    ends = [*(each[0] for each in found[1:]), max(length_s, found[-1][0])]
    return [
        Chapter(start_s, end_s, kind, title or topics.title(start_s, end_s), page)
        for (start_s, kind, title, page), end_s in zip(found, ends, strict=True)
    ]
