"""Grades: the class or year at school of a student, such as 7b, which the application or a tutor gives."""

from itertools import islice
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from classroom import checks, limits
from classroom.audience import staff
from classroom.base import Command, Event, Events, Feature
from classroom.errors import Code, Conflict
from classroom.features.people import find
from classroom.ids import PersonId
from classroom.roles import STAFF

if TYPE_CHECKING:
    from classroom.features.people import Person
    from classroom.state import Classroom


class Set(Command, frozen=True, tag="grades.set"):
    """Set a person's grade."""

    person: PersonId
    grade: str
    "Class or year at school, such as 7b; empty: none."


class Changed(Event, frozen=True, tag="grades.changed"):
    """A person's grade changed."""

    person: PersonId
    grade: str


class State(Struct):
    """The grades."""

    known: dict[PersonId, str] = field(default_factory=dict)
    "By person; never empty."


def _set(room: "Classroom", command: Set, now: float) -> Events:
    person = find(room, command.person)
    grade = checks.line(command.grade, limits.GRADE_LENGTH, "grade", empty=True)
    if grade == room.grades.known.get(person.id, ""):
        raise Conflict(Code.NOTHING_TO_CHANGE, "The person has this grade already.")
    return [Changed(at=now, by=command.by, person=person.id, grade=grade)]


def _changed(state: State, event: Changed) -> None:
    if event.grade:
        state.known[event.person] = event.grade
    else:
        state.known.pop(event.person, None)


class View(Struct, frozen=True):
    """The grades of people; none for people who are not staff."""

    grades: dict[PersonId, str]
    "By person; of a large audience, those who are present first."


def _view(room: "Classroom", person: "Person", _now: float) -> View:
    if person.role not in STAFF:
        return View({})
    known = room.grades.known
    present = {person_id: known[person_id] for person_id in room.people.present if person_id in known}
    return View(dict(islice((present | known).items(), limits.VIEW_PEOPLE)))


FEATURE: Final = Feature(
    name="grades",
    state=State,
    decide={Set: _set},
    apply={Changed: _changed},
    shown={Changed: staff},
    view=_view,
)
