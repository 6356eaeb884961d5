import itertools

import pytest

from classroom import limits
from classroom.errors import Code, Refused
from classroom.features import exercises, polls
from classroom.school import library
from classroom.school.library import ExerciseItem, PollItem, SetItem

SUMS = ExerciseItem("Sums", "Add 2 and 2.", "https://school.example/sums")
MOOD = PollItem("How was it?", polls.Kind.SINGLE, ("Good", "Bad"))


def test_what_is_kept_is_what_a_session_takes():
    assert library.check(SetItem(" Lesson 1 ", (SUMS, MOOD))) == SetItem("Lesson 1", (SUMS, MOOD))
    long = PollItem("w" * limits.POLL_QUESTION_LENGTH, polls.Kind.SHORT)
    assert library.title_of(library.check(long)) == "w" * limits.TITLE_LENGTH
    assert [library.kind_of(each) for each in (SUMS, MOOD, SetItem("x", (SUMS,)))] == list(library.KINDS)


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (ExerciseItem(""), Code.TEXT_EMPTY),
        (ExerciseItem("x", link="javascript:alert(1)"), Code.BAD_LINK),
        (PollItem("x", polls.Kind.SINGLE, ("one",)), Code.BAD_CHOICE),
        (PollItem("x", polls.Kind.RATING, steps=99), Code.BAD_NUMBER),
        (PollItem("x", polls.Kind.MULTIPLE, ("a",) * 10_000), Code.TOO_MANY),
        (SetItem("x", ()), Code.TEXT_EMPTY),
        (SetItem("x", (SUMS,) * (limits.SET_ITEMS + 1)), Code.TOO_MANY),
        (SetItem("x", (SUMS, ExerciseItem(""))), Code.TEXT_EMPTY),
    ],
)
def test_what_a_session_would_refuse_is_not_kept(wrong, code):
    with pytest.raises(Refused) as refused:
        library.check(wrong)
    assert refused.value.code is code


def test_an_item_becomes_commands_in_its_order():
    number = itertools.count(1)
    made = list(
        library.commands(SetItem("x", (MOOD, SUMS, MOOD)), lambda prefix: f"{prefix}{next(number)}", {})
    )
    assert [type(each) for each in made] == [polls.Create, exercises.Add, polls.Create]
    assert [made[0].poll, made[1].exercise.id, made[2].poll] == ["p_1", "e_2", "p_3"]
    assert (made[0].question, made[0].options) == ("How was it?", ("Good", "Bad"))
    assert (made[1].exercise.text, made[1].exercise.link) == (SUMS.text, SUMS.link)


def test_exercises_name_the_sessions_copies_of_their_files():
    sheet, other = ExerciseItem("A", file="lf_1"), ExerciseItem("B", file="lf_2")
    item = library.check(SetItem("x", (sheet, MOOD, SUMS, other, sheet)))
    assert library.file_ids(item) == ["lf_1", "lf_2"]
    made = list(library.commands(item, lambda prefix: prefix, {"lf_1": "f_1", "lf_2": "f_2"}))
    files = [each.exercise.file for each in made if isinstance(each, exercises.Add)]
    assert files == ["f_1", "", "f_2", "f_1"]
