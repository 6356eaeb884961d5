import pytest

from classroom import limits
from classroom.errors import Code
from classroom.features import exercises, files
from classroom.features.exercises import Exercise, Mode, Status
from classroom.roles import Role
from classroom.visibility import shown_to, visible_to
from tests.classroom.lesson import Lesson

PEOPLE = ["ada", "ben", "cem"]
SUM = Exercise("e1", "Sums", "1 + 1", "https://example.org/sums")


def lesson_of():
    lesson = Lesson(students=PEOPLE)
    lesson.do(exercises.Add(by="tutor", exercise=SUM))
    return lesson


def assigned(*people):
    lesson = lesson_of()
    lesson.do(exercises.Assign(by="tutor", exercise="e1", people=people or ("ada",)))
    return lesson


def work(lesson, person="ada"):
    return lesson.room.exercises.works["e1"][person]


def test_an_exercise_goes_to_those_to_whom_it_is_assigned():
    lesson = lesson_of()
    (given,) = lesson.do(exercises.Assign(by="tutor", exercise="e1", people=("ada", "ben", "ada")))
    assert given.people == ("ada", "ben")
    shown = {person: shown_to(lesson.room, given, person) for person in [*PEOPLE, "tutor"]}
    assert shown["ada"].people == ("ada",)
    assert shown["ada"].exercise == SUM
    assert shown["cem"] is None
    assert shown["tutor"] == given
    again = exercises.Assign(by="tutor", exercise="e1", people=("ada",))
    assert lesson.refusal(again) is Code.NOTHING_TO_CHANGE


def test_an_exercise_for_all_is_also_for_those_who_come_later():
    lesson = lesson_of()
    (given,) = lesson.do(exercises.Assign(by="tutor", exercise="e1"))
    lesson.join("dan")
    lesson.join("eve", Role.OBSERVER)
    assert set(lesson.room.exercises.works["e1"]) == {*PEOPLE, "dan"}
    assert [mine.exercise for mine in lesson.view("dan").exercises.mine] == ["e1"]
    assert shown_to(lesson.room, given, "dan").people == ()
    assert shown_to(lesson.room, given, "eve") is None
    again = exercises.Assign(by="tutor", exercise="e1")
    lesson.do(exercises.Submit(by="dan", exercise="e1", text="2"))
    assert lesson.refusal(again) is Code.NOTHING_TO_CHANGE
    lesson.check_replay()


def test_work_goes_from_assigned_to_done_by_way_of_being_returned():
    lesson = assigned()
    seen = [work(lesson).status]
    for command in [
        exercises.Report(by="ada", exercise="e1", progress=40),
        exercises.Submit(by="ada", exercise="e1", text="3"),
        exercises.GiveBack(by="tutor", exercise="e1", person="ada", note="Count again."),
        exercises.Submit(by="ada", exercise="e1", text="2"),
        exercises.Accept(by="tutor", exercise="e1", person="ada", note="Right."),
    ]:
        lesson.do(command)
        seen.append(work(lesson).status)
    way = [Status.ASSIGNED, Status.WORKING, Status.SUBMITTED, Status.RETURNED, Status.SUBMITTED, Status.DONE]
    assert seen == way
    assert (work(lesson).text, work(lesson).note, work(lesson).progress) == ("2", "Right.", 100)
    for command in [
        exercises.Report(by="ada", exercise="e1", progress=1),
        exercises.Submit(by="ada", exercise="e1", text="4"),
        exercises.Accept(by="tutor", exercise="e1", person="ada"),
    ]:
        assert lesson.refusal(command) is Code.EXERCISE_WRONG_STATE
    lesson.check_replay()


def test_what_was_not_submitted_is_not_returned():
    give_back = exercises.GiveBack(by="tutor", exercise="e1", person="ada")
    assert assigned().refusal(give_back) is Code.EXERCISE_WRONG_STATE


@pytest.mark.parametrize("progress", [-1, 101])
def test_progress_is_a_percentage(progress):
    report = exercises.Report(by="ada", exercise="e1", progress=progress)
    assert assigned().refusal(report) is Code.BAD_NUMBER


def test_the_same_progress_is_no_news():
    lesson = assigned()
    report = exercises.Report(by="ada", exercise="e1", progress=0)
    lesson.do(report)
    assert lesson.refusal(report) is Code.NOTHING_TO_CHANGE


def test_answers_and_notes_are_between_the_student_and_staff():
    lesson = assigned("ada", "ben")
    events = lesson.do(exercises.Submit(by="ada", exercise="e1", text="2"))
    events += lesson.do(exercises.GiveBack(by="tutor", exercise="e1", person="ada", note="Why?"))
    for event in events:
        assert [visible_to(lesson.room, event, who) for who in ["tutor", "ada", "ben"]] == [True, True, False]
    assert lesson.view("ada").exercises.mine[0].noted
    assert not lesson.view("ben").exercises.mine[0].noted
    assert len(lesson.view("tutor").exercises.lines) == 2
    assert lesson.view("ada").exercises.lines == []


def test_staff_see_the_current_work_of_each_student():
    lesson = assigned("ada", "ben")
    lesson.do(exercises.Add(by="tutor", exercise=Exercise("e2", "More")))
    lesson.do(exercises.Assign(by="tutor", exercise="e2", people=("ada",)), after=10)
    lesson.do(exercises.Report(by="ben", exercise="e1", progress=30), after=10)
    lines = lesson.view("tutor").exercises.lines
    assert [(line.person, line.exercise, line.progress) for line in lines] == [
        ("ben", "e1", 30),
        ("ada", "e2", 0),
    ]
    lesson.do(exercises.Report(by="ada", exercise="e1", progress=60), after=10)
    assert lesson.view("tutor").exercises.lines[0].exercise == "e1"


def test_an_answer_may_be_files_of_ones_own():
    lesson = assigned("ada", "ben")
    lesson.do(
        files.Add(by="ada", file="f1", name="a.png", size=1, kind="image/png", digest="0" * 64, scope="staff")
    )
    submit = exercises.Submit(by="ada", exercise="e1", files=("f1",))
    lesson.do(submit)
    assert work(lesson).files == ("f1",)
    stolen = exercises.Submit(by="ben", exercise="e1", files=("f1",))
    assert lesson.refusal(stolen) is Code.FILE_NOT_FOUND
    many = exercises.Submit(by="ben", exercise="e1", files=("f1",) * 11)
    assert lesson.refusal(many) is Code.TOO_MANY
    assert lesson.refusal(exercises.Submit(by="ben", exercise="e1")) is Code.TEXT_EMPTY


@pytest.mark.parametrize(
    ("exercise", "code"),
    [
        (SUM, Code.ALREADY_EXISTS),
        (Exercise("e2", ""), Code.TEXT_EMPTY),
        (Exercise("e2", "T", link="javascript:alert(1)"), Code.BAD_LINK),
        (Exercise("e2", "T", file="f9"), Code.FILE_NOT_FOUND),
        (Exercise("e2", "T", text="x" * 8_001), Code.TEXT_TOO_LONG),
    ],
)
def test_bad_exercises_are_refused(exercise, code):
    assert lesson_of().refusal(exercises.Add(by="tutor", exercise=exercise)) is code


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (exercises.Assign(by="tutor", exercise="e9"), Code.EXERCISE_NOT_FOUND),
        (exercises.Assign(by="tutor", exercise="e1", people=("tutor",)), Code.NOT_ALLOWED),
        (exercises.Assign(by="tutor", exercise="e1", people=("nobody",)), Code.PERSON_NOT_FOUND),
        (exercises.Submit(by="ada", exercise="e1", text="x"), Code.EXERCISE_NOT_FOUND),
        (exercises.SetMode(by="tutor", person="tutor", mode=Mode.OBSERVE), Code.NOT_ALLOWED),
        (exercises.SetMode(by="tutor", person="ada", mode=Mode.TEACH), Code.NOTHING_TO_CHANGE),
    ],
)
def test_bad_commands_are_refused(command, code):
    assert lesson_of().refusal(command) is code


def test_exercises_and_assignments_are_limited(monkeypatch):
    monkeypatch.setattr(limits, "EXERCISES", 1)
    monkeypatch.setattr(limits, "ASSIGNMENTS", 4)
    lesson = lesson_of()
    assert lesson.refusal(exercises.Add(by="tutor", exercise=Exercise("e2", "T"))) is Code.TOO_MANY
    lesson.do(exercises.Assign(by="tutor", exercise="e1"))
    lesson.join("dan")
    lesson.join("fay")  # one too many: not assigned, and not refused either
    assert lesson.room.exercises.count == 4
    more = exercises.Assign(by="tutor", exercise="e1", people=("fay",))
    assert lesson.refusal(more) is Code.TOO_MANY


def test_each_student_is_taught_or_observed():
    lesson = lesson_of()
    (changed,) = lesson.do(exercises.SetMode(by="tutor", person="ada", mode=Mode.OBSERVE))
    assert not visible_to(lesson.room, changed, "ben")
    observed = {who: lesson.view(who).exercises.observed for who in ["tutor", "ada", "ben"]}
    assert observed == {"tutor": ["ada"], "ada": ["ada"], "ben": []}
