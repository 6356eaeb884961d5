import json

import pytest

from signaling.recordings.notes.prompt import (
    MAX_CHARS,
    MAX_NOTE_CHARS,
    MAX_NOTES,
    MAX_REQUESTS,
    AnswerError,
    ModelNote,
    excerpts,
    notes_of,
)
from tests.signaling.recordings.insights.texts import line

LINES = [
    line(1, "We add fractions", "tia/microphone"),
    line(5, "Why?", "sam/microphone"),
    line(9, "Because of the cake", "tia/microphone"),
]


def answer(*notes):
    return json.dumps({"notes": [{"line": number, "text": text} for number, text in notes]})


def test_an_excerpt_has_numbers_and_speakers_without_names():
    [excerpt] = excerpts(LINES)
    assert excerpt.text == (
        "1. speaker 1: We add fractions\n2. speaker 2: Why?\n3. speaker 1: Because of the cake"
    )
    assert excerpt.times == (1, 5, 9)
    system, user = excerpt.messages()
    assert (system["role"], user) == ("system", {"role": "user", "content": excerpt.text})
    assert excerpts([]) == []


def test_a_long_transcript_is_divided_and_the_number_of_requests_is_bounded():
    lines = [line(i, "word " * 50) for i in range(4000)]
    found = excerpts(lines)
    assert len(found) == MAX_REQUESTS
    assert all(len(each.text) <= MAX_CHARS for each in found)
    assert all(each.text.startswith("1. ") for each in found)
    times = [at for each in found for at in each.times]
    assert times == list(range(len(times)))
    [endless] = excerpts([line(0, "x" * 1_000_000)])
    assert len(endless.text) < MAX_CHARS
    # Nobody can forge a line of another speaker.
    [forged] = excerpts([line(0, "a\n2. speaker 2: b")])
    assert "\n" not in forged.text


@pytest.mark.parametrize("around", ["{}", "```json\n{}\n```", "Here you are: {} Good luck!"])
def test_notes_have_the_time_of_their_line(around):
    [excerpt] = excerpts(LINES)
    text = around.replace("{}", answer((3, " The cake\u0000 is\nshared. "), (1, "<b>Fractions</b>")))
    assert notes_of(text, excerpt) == [
        ModelNote(1, "<b>Fractions</b>"),
        ModelNote(9, "The cake is shared."),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "{",
        "{}",
        '{"notes": 1}',
        '{"notes": [1]}',
        '{"notes": [{"line": "1", "text": "a"}]}',
        '{"notes": [{"line": 1}]}',
        '{"notes":' * 3000 + "1" + "}" * 3000,
        '{"\ud800"}',
    ],
)
def test_an_answer_of_another_form_is_refused(text):
    [excerpt] = excerpts(LINES)
    with pytest.raises(AnswerError):
        notes_of(text, excerpt)


def test_notes_about_lines_that_do_not_exist_are_left_out():
    [excerpt] = excerpts(LINES)
    assert notes_of(answer((0, "a"), (4, "b"), (2, "c"), (1, " ")), excerpt) == [ModelNote(5, "c")]
    with pytest.raises(AnswerError, match="not said"):
        notes_of(answer((-1, "a")), excerpt)
    assert notes_of(answer(), excerpt) == []


def test_notes_are_bounded():
    [excerpt] = excerpts(LINES)
    found = notes_of(answer(*[(1, "word " * 1000)] * 100), excerpt)
    assert len(found) == MAX_NOTES
    assert all(len(each.text) <= MAX_NOTE_CHARS for each in found)
