import pytest

from classroom import limits
from classroom.errors import Code
from classroom.features import grades, people
from classroom.visibility import visible_to
from tests.classroom.lesson import Lesson


def given(lesson, person, grade, by=""):
    return lesson.do(grades.Set(by=by, person=person, grade=grade))


def test_staff_see_grades_and_students_do_not_see_their_own_either():
    lesson = Lesson(students=["ada", "ben"])
    (changed,) = given(lesson, "ada", " 7b ")
    assert lesson.view("tutor").grades.grades == {"ada": "7b"}
    assert lesson.view("ada").grades.grades == {}
    assert [visible_to(lesson.room, changed, person) for person in ("tutor", "ada", "ben")] == [
        True,
        False,
        False,
    ]
    lesson.check_replay()


def test_a_grade_stays_when_the_person_leaves_and_goes_when_it_is_emptied():
    lesson = Lesson(students=["ada"])
    given(lesson, "ada", "7b", by="tutor")
    lesson.do(people.Leave(by="ada"))
    assert lesson.view("tutor").grades.grades == {"ada": "7b"}
    given(lesson, "ada", "")
    assert lesson.view("tutor").grades.grades == {}


def test_an_invited_person_has_a_grade_before_they_come():
    lesson = Lesson()
    lesson.do(people.Invite(by="tutor", person="ada", name="Ada"))
    given(lesson, "ada", "Year 11, set 2")
    assert lesson.view("tutor").grades.grades == {"ada": "Year 11, set 2"}


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (grades.Set(by="ada", person="ada", grade="8"), Code.NOT_ALLOWED),
        (grades.Set(person="kim", grade="8"), Code.PERSON_NOT_FOUND),
        (grades.Set(person="ada", grade="7b"), Code.NOTHING_TO_CHANGE),
        (grades.Set(person="ada", grade="7" * (limits.GRADE_LENGTH + 1)), Code.TEXT_TOO_LONG),
        (grades.Set(person="ada", grade="7\n8"), Code.BAD_TEXT),
    ],
)
def test_refusals(command, code):
    lesson = Lesson(students=["ada"])
    given(lesson, "ada", "7b")
    assert lesson.refusal(command) is code


def test_of_a_large_audience_the_present_come_first(monkeypatch):
    monkeypatch.setattr(limits, "VIEW_PEOPLE", 2)
    lesson = Lesson(students=["ada", "ben", "cem"])
    for person in ("ada", "ben", "cem"):
        given(lesson, person, "7")
    lesson.do(people.Leave(by="ada"))
    assert list(lesson.view("tutor").grades.grades) == ["ben", "cem"]
