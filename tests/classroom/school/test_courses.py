import pytest

from classroom import limits
from classroom.errors import Code
from classroom.school import courses
from classroom.school.courses import COURSES, Role, courses_of
from tests.classroom.school.school import Part


def school():
    part = Part(COURSES)
    part.do(courses.Create(by="tutor", course="c1", title="Algebra", external_id="LMS-7"))
    return part


def enrol(person, by="tutor", **fields):
    return courses.Enrol(by=by, course="c1", person=person, **fields)


def test_who_makes_a_course_teaches_it_and_the_application_only_makes_it():
    part = school()
    part.do(courses.Create(course="c2", title="Geometry"))
    assert part.state.courses["c1"].people == {"tutor": Role.TUTOR}
    assert part.state.courses["c2"].people == {}
    assert part.state.external == {"LMS-7": "c1"}
    part.check_replay()


def test_people_enrol_change_roles_and_withdraw():
    part = school()
    part.do(enrol("ada"))
    assert part.refusal(enrol("ada")) is Code.ALREADY_MEMBER
    part.do(enrol("ada", role=Role.ASSISTANT))
    assert [course.id for course in courses_of(part.state, "ada")] == ["c1"]
    assert part.refusal(courses.Withdraw(by="ada", course="c1", person="tutor")) is Code.NOT_YOURS
    part.do(courses.Withdraw(by="ada", course="c1", person="ada"))
    assert part.refusal(courses.Withdraw(by="tutor", course="c1", person="ada")) is Code.NOT_A_MEMBER
    assert courses_of(part.state, "ada") == []
    part.check_replay()


def test_an_archived_course_takes_nobody():
    part = school()
    part.do(courses.Rename(by="tutor", course="c1", title="Algebra 2"))
    assert part.refusal(courses.Rename(by="tutor", course="c1", title="Algebra 2")) is Code.NOTHING_TO_CHANGE
    part.do(courses.Archive(course="c1"))
    assert part.refusal(enrol("ada")) is Code.COURSE_CLOSED
    assert part.refusal(courses.Archive(course="c1")) is Code.COURSE_CLOSED
    part.check_replay()


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (courses.Create(course="c1", title="Twice"), Code.ALREADY_EXISTS),
        (courses.Create(course="c9", title="Twice", external_id="LMS-7"), Code.ALREADY_EXISTS),
        (courses.Create(course="c9", title=""), Code.TEXT_EMPTY),
        (enrol("ada", by="eve"), Code.NOT_YOURS),
        (enrol("a b"), Code.BAD_IDENTIFIER),
        (courses.Enrol(course="c9", person="ada"), Code.COURSE_NOT_FOUND),
    ],
)
def test_what_does_not_fit_is_refused(command, code):
    assert school().refusal(command) is code


def test_numbers_are_limited(monkeypatch):
    monkeypatch.setattr(limits, "COURSES", 1)
    monkeypatch.setattr(limits, "ENROLMENTS", 1)
    part = school()
    assert part.refusal(courses.Create(course="c2", title="More")) is Code.TOO_MANY
    assert part.refusal(enrol("ada")) is Code.TOO_MANY
