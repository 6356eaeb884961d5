"""What is shown, who speaks, chapters: tables."""

import pytest

from recording.compose.plan import (
    Candidate,
    Caption,
    Chapter,
    Cue,
    Shown,
    cue_at,
    one_at_a_time,
    shown,
    spaced,
    speaker_of,
)

TIA, SAM = Candidate(1, "tia", "camera"), Candidate(2, "sam", "camera")
SCREEN, WORK = Candidate(3, "tia", "screen_share"), Candidate(4, "sam", "screen_share")
CAMERAS, ALL = [TIA, SAM], [TIA, SAM, SCREEN, WORK]


@pytest.mark.parametrize(
    ("cue", "candidates", "speaker", "expected"),
    [
        (None, [], "tia", Shown(None, None)),
        (None, CAMERAS, "", Shown(1, None)),
        (None, CAMERAS, "sam", Shown(2, None)),
        (None, ALL, "sam", Shown(3, 2)),
        (None, [SCREEN], "sam", Shown(3, None)),
        (Cue(0, "camera", "sam"), ALL, "tia", Shown(2, 1)),
        (Cue(0, "camera", "sam"), ALL, "sam", Shown(2, None)),
        (Cue(0, "student_work", "sam"), ALL, "tia", Shown(4, 1)),
        (Cue(0, "screen", "tia"), [TIA, WORK], "tia", Shown(4, 1)),
        (Cue(0, "camera", "gone"), CAMERAS, "sam", Shown(2, None)),
        (Cue(0, "slides", "deck"), CAMERAS, "sam", Shown(2, None)),
    ],
)
def test_what_is_shown(cue, candidates, speaker, expected):
    assert shown(cue, candidates, speaker, "tia") == expected


def test_the_scene_at_a_time():
    cues = [Cue(1, "a", ""), Cue(5, "b", "")]
    assert [cue_at(cues, at) for at in (0, 1, 4.9, 5, 99)] == [None, cues[0], cues[0], cues[1], cues[1]]


@pytest.mark.parametrize(
    ("levels", "before", "expected"),
    [
        ({}, "", ""),
        ({"tia": 0.2}, "", "tia"),
        ({"tia": 0.2, "sam": 0.25}, "tia", "tia"),
        ({"tia": 0.1, "sam": 0.25}, "tia", "sam"),
        ({"tia": 0.001, "sam": 0.009}, "tia", "tia"),
    ],
)
def test_who_speaks(levels, before, expected):
    assert speaker_of(levels, before) == expected


@pytest.mark.parametrize(
    ("chapters", "expected"),
    [
        ([], []),
        ([(-5, "a"), (3, "b"), (20, "c")], [(0, 20, "a"), (20, 60, "c")]),
        ([(30, "b")], [(0, 30, ""), (30, 60, "b")]),
        ([(4, "a"), (60, "late")], [(0, 60, "a")]),
        ([(40, "b"), (0, "a")], [(0, 40, "a"), (40, 60, "b")]),
    ],
)
def test_chapters(chapters, expected):
    assert spaced([Chapter(*each) for each in chapters], 60) == expected


@pytest.mark.parametrize(
    ("captions", "expected"),
    [
        ([], []),
        ([(1, 2, "a"), (3, 4, "b")], [(1, 2, "a"), (3, 4, "b")]),
        ([(1, 3, "a"), (2, 4, "b")], [(1, 2, "a"), (2, 3, "a\nb"), (3, 4, "b")]),
        ([(1, 4, "a"), (2, 3, "b")], [(1, 2, "a"), (2, 3, "a\nb"), (3, 4, "a")]),
        ([(1, 2, "a"), (1, 2, "b")], [(1, 2, "a\nb")]),
        ([(9, 20, "a"), (10, 11, "late"), (-1, 1, "early"), (2, 2, "empty")], [(9, 10, "a")]),
    ],
)
def test_one_caption_at_a_time(captions, expected):
    found = one_at_a_time([Caption(*each) for each in captions], 10)
    assert found == [Caption(*each) for each in expected]
