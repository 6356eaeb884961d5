"""Courses and enrolments: small records that an application may identify by external ids."""

from enum import StrEnum
from typing import Final

from msgspec import Struct, field

from classroom import checks, limits
from classroom.base import SERVER, Command, Event
from classroom.errors import Code, Conflict, NotAllowed, NotFound
from classroom.ids import CourseId, PersonId
from classroom.school.aggregate import Aggregate


class Role(StrEnum):
    """A person's role in a course."""

    TUTOR = "tutor"
    ASSISTANT = "assistant"
    STUDENT = "student"


class Create(Command, frozen=True, tag="courses.create"):
    """Create a course."""

    course: CourseId
    title: str
    external_id: str = ""


class Rename(Command, frozen=True, tag="courses.rename"):
    """Rename a course."""

    course: CourseId
    title: str


class Archive(Command, frozen=True, tag="courses.archive"):
    """Archive a course: nobody can enrol any more, everything else remains."""

    course: CourseId


class Enrol(Command, frozen=True, tag="courses.enrol"):
    """Enrol a person, or change their role."""

    course: CourseId
    person: PersonId
    role: Role = Role.STUDENT


class Withdraw(Command, frozen=True, tag="courses.withdraw"):
    """Withdraw a person; all people may withdraw themselves."""

    course: CourseId
    person: PersonId


class Created(Event, frozen=True, tag="courses.created"):
    """A course was created."""

    course: CourseId
    title: str
    external_id: str


class Renamed(Event, frozen=True, tag="courses.renamed"):
    """A course was renamed."""

    course: CourseId
    title: str


class Archived(Event, frozen=True, tag="courses.archived"):
    """A course was archived."""

    course: CourseId


class Enrolled(Event, frozen=True, tag="courses.enrolled"):
    """A person was enrolled, or got another role."""

    course: CourseId
    person: PersonId
    role: Role


class Withdrawn(Event, frozen=True, tag="courses.withdrawn"):
    """A person was withdrawn."""

    course: CourseId
    person: PersonId


class Course(Struct):
    """One course."""

    id: CourseId
    title: str
    external_id: str
    archived: bool = False
    people: dict[PersonId, Role] = field(default_factory=dict)


class State(Struct):
    """The courses of one tenant."""

    courses: dict[CourseId, Course] = field(default_factory=dict)
    external: dict[str, str] = field(default_factory=dict)
    "Course by external id."


def find(state: State, course_id: CourseId) -> Course:
    """Return a course, or raise `NotFound`."""
    course = state.courses.get(course_id)
    if course is None:
        raise NotFound(Code.COURSE_NOT_FOUND, "There is no such course.")
    return course


def courses_of(state: State, person_id: PersonId) -> list[Course]:
    """Return the courses of a person."""
    return [course for course in state.courses.values() if person_id in course.people]


def _managed(state: State, command: Command, course_id: CourseId, *, open_: bool = False) -> Course:
    """Return a course that the author of a command may change: the application or one of its tutors."""
    course = find(state, course_id)
    if command.by != SERVER and course.people.get(command.by) is not Role.TUTOR:
        raise NotAllowed(Code.NOT_YOURS, "Only tutors of the course may do this.")
    if open_ and course.archived:
        raise Conflict(Code.COURSE_CLOSED, "The course is over.")
    return course


def _create(state: State, command: Create, now: float) -> list[Event]:
    course_id = checks.identifier(command.course, "course")
    external_id = checks.line(command.external_id, limits.IDENTIFIER_LENGTH, "external id", empty=True)
    title = checks.line(command.title, limits.TITLE_LENGTH, "title")
    if course_id in state.courses or (external_id and external_id in state.external):
        raise Conflict(Code.ALREADY_EXISTS, "There is a course with this id already.")
    checks.room_for_one(len(state.courses), limits.COURSES, "courses")
    created = Created(at=now, by=command.by, course=course_id, title=title, external_id=external_id)
    if command.by == SERVER:
        return [created]
    return [created, Enrolled(at=now, by=command.by, course=course_id, person=command.by, role=Role.TUTOR)]


def _rename(state: State, command: Rename, now: float) -> list[Event]:
    course = _managed(state, command, command.course)
    title = checks.line(command.title, limits.TITLE_LENGTH, "title")
    if title == course.title:
        raise Conflict(Code.NOTHING_TO_CHANGE, "The course has this title already.")
    return [Renamed(at=now, by=command.by, course=course.id, title=title)]


def _archive(state: State, command: Archive, now: float) -> list[Event]:
    return [Archived(at=now, by=command.by, course=_managed(state, command, command.course, open_=True).id)]


def _enrol(state: State, command: Enrol, now: float) -> list[Event]:
    course = _managed(state, command, command.course, open_=True)
    person_id = checks.identifier(command.person, "person")
    if course.people.get(person_id) is command.role:
        raise Conflict(Code.ALREADY_MEMBER, "This person belongs to the course already.")
    if person_id not in course.people:
        checks.room_for_one(len(course.people), limits.ENROLMENTS, "people in a course")
    return [Enrolled(at=now, by=command.by, course=course.id, person=person_id, role=command.role)]


def _withdraw(state: State, command: Withdraw, now: float) -> list[Event]:
    own = bool(command.by) and command.by == command.person
    course = find(state, command.course) if own else _managed(state, command, command.course)
    if command.person not in course.people:
        raise NotFound(Code.NOT_A_MEMBER, "This person does not belong to the course.")
    return [Withdrawn(at=now, by=command.by, course=course.id, person=command.person)]


def _created(state: State, event: Created) -> None:
    state.courses[event.course] = Course(event.course, event.title, event.external_id)
    if event.external_id:
        state.external[event.external_id] = event.course


def _renamed(state: State, event: Renamed) -> None:
    state.courses[event.course].title = event.title


def _archived(state: State, event: Archived) -> None:
    state.courses[event.course].archived = True


def _enrolled(state: State, event: Enrolled) -> None:
    state.courses[event.course].people[event.person] = event.role


def _withdrawn(state: State, event: Withdrawn) -> None:
    del state.courses[event.course].people[event.person]


COURSES: Final = Aggregate(
    name="courses",
    new=State,
    decisions={
        Create: _create,
        Rename: _rename,
        Archive: _archive,
        Enrol: _enrol,
        Withdraw: _withdraw,
    },
    changes={
        Created: _created,
        Renamed: _renamed,
        Archived: _archived,
        Enrolled: _enrolled,
        Withdrawn: _withdrawn,
    },
)
