"""What is shown at each moment of the film, and its chapters: pure functions. Times are seconds of the recording."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

import msgspec

from sfu.values import RecordingId

# Sound quieter than this (RMS, 1 is full scale) is background noise.
QUIET: Final = 0.01
# Another person must be louder than the current speaker by this factor.
LOUDER: Final = 1.6
# Players offer no way to select shorter chapters.
MIN_CHAPTER_S: Final = 10.0


class Cue(msgspec.Struct, frozen=True):
    """A scene that begins at a time."""

    at_s: float
    kind: str
    "`screen`, `camera`, `student_work`; any other kind selects no track."
    person: str


class Chapter(msgspec.Struct, frozen=True):
    """The beginning of a chapter."""

    at_s: float
    title: str


class Caption(msgspec.Struct, frozen=True):
    """Text that is shown for a time."""

    start_s: float
    end_s: float
    text: str


class Job(msgspec.Struct, frozen=True):
    """The input of the child process."""

    folder: str
    recording: RecordingId
    output: str
    owner: str
    "The person shown while nobody has spoken."
    cues: list[Cue] = []
    chapters: list[Chapter] = []
    captions: list[Caption] = []
    key: bytes = b""
    "Of the recording, if it is encrypted; the film is encrypted with it."


class Candidate(msgspec.Struct, frozen=True):
    """A video track that has a picture at the moment."""

    number: int
    person: str
    source: str


class Shown(msgspec.Struct, frozen=True):
    """Numbers of the tracks in the film; None: no track."""

    large: int | None
    small: int | None


def cue_at(cues: Sequence[Cue], time_s: float) -> Cue | None:
    """Return the scene at a time; `cues` are in order."""
    index = bisect_right(cues, time_s, key=lambda cue: cue.at_s)
    return cues[index - 1] if index else None


def shown(cue: Cue | None, candidates: Sequence[Candidate], speaker: str, owner: str) -> Shown:
    """Return the large track and the one in the corner: the scene, otherwise a screen, otherwise the speaker."""
    by_place = {(each.person, each.source): each.number for each in candidates}
    cameras = [each.number for each in candidates if each.source == "camera"]
    screens = [each.number for each in candidates if each.source == "screen_share"]
    first = cameras[0] if cameras else None
    face = by_place.get((speaker, "camera"), by_place.get((owner, "camera"), first))
    large = screens[0] if screens else face
    if cue is not None and cue.kind in {"screen", "student_work"}:
        large = by_place.get((cue.person, "screen_share"), large)
    elif cue is not None and cue.kind == "camera":
        large = by_place.get((cue.person, "camera"), large)
    return Shown(large, None if face == large else face)


def speaker_of(levels: Mapping[str, float], before: str) -> str:
    """Return the speaker: the previous one, unless another person is clearly louder."""
    loudest = max(levels, key=lambda person: (levels[person], person), default="")
    if not loudest or levels[loudest] <= QUIET:
        return before
    return loudest if levels[loudest] > levels.get(before, 0.0) * LOUDER else before


def spaced(chapters: Sequence[Chapter], length_s: float) -> list[tuple[float, float, str]]:
    """Return (start, end, title) of the chapters that are long enough; together they cover the whole film."""
    kept: list[Chapter] = []
    for chapter in sorted(chapters, key=lambda each: each.at_s):
        start_s = max(chapter.at_s, 0.0)
        if start_s >= length_s:
            break
        if kept and start_s - kept[-1].at_s < MIN_CHAPTER_S:
            continue
        kept.append(Chapter(start_s, chapter.title))
    if not kept:
        return []
    if kept[0].at_s >= MIN_CHAPTER_S:
        kept.insert(0, Chapter(0.0, ""))
    else:
        kept[0] = Chapter(0.0, kept[0].title)
    ends = [*(each.at_s for each in kept[1:]), length_s]
    return [(each.at_s, end_s, each.title) for each, end_s in zip(kept, ends, strict=True)]


def one_at_a_time(captions: Sequence[Caption], length_s: float) -> list[Caption]:
    """Return captions that do not overlap: while several people speak, one caption has the lines of all.

    A track of timed text in MP4 shows one sample at a time (3GPP TS 26.245 section 5.4).
    """
    shown = [each for each in captions if 0 <= each.start_s < min(each.end_s, length_s)]
    times = sorted({min(time_s, length_s) for each in shown for time_s in (each.start_s, each.end_s)})
    found: list[Caption] = []
    waiting = sorted(shown, key=lambda each: each.start_s)[::-1]
    active: list[Caption] = []
    for start_s, end_s in pairwise(times):
        while waiting and waiting[-1].start_s <= start_s:
            active.append(waiting.pop())
        active = [each for each in active if each.end_s > start_s]
        text = "\n".join(each.text for each in active)
        if text:
            found.append(Caption(start_s, end_s, text))
    return found
