"""Exercises: handed out to one, some or all students, worked on, submitted, returned or accepted.

    assigned -> working -> submitted -> done
                   ^           |
                   +-- returned <

A tutor's library of exercises is stored outside of sessions; an exercise used in a session is copied into it, so that
the session's log is complete. `Mode` states for each student whether staff teach them or let them work and observe.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field, structs

from classroom import checks, limits
from classroom.audience import fitting, staff, staff_and_subject
from classroom.base import Command, Event, Events, Feature
from classroom.errors import Code, Conflict, LimitReached, NotAllowed, NotFound
from classroom.features.people import Joined, find
from classroom.ids import ExerciseId, FileId, PersonId
from classroom.roles import STAFF, Role

if TYPE_CHECKING:
    from collections.abc import Iterable

    from classroom.features.people import Person
    from classroom.state import Classroom


class Mode(StrEnum):
    """How staff currently deal with a student."""

    TEACH = "teach"
    OBSERVE = "observe"


class Status(StrEnum):
    """State of a student's work on an exercise."""

    ASSIGNED = "assigned"
    WORKING = "working"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    "Returned to the student for improvement."
    DONE = "done"


UNDER_WAY: Final = frozenset({Status.ASSIGNED, Status.WORKING, Status.RETURNED})


class Exercise(Struct, frozen=True, forbid_unknown_fields=True):
    """The text and material of an exercise."""

    id: ExerciseId
    title: str
    text: str = ""
    link: str = ""
    file: FileId = FileId("")
    "Id of a file of the session, or empty."


class Add(Command, frozen=True, tag="exercises.add"):
    """Add an exercise to the session."""

    exercise: Exercise


class Assign(Command, frozen=True, tag="exercises.assign"):
    """Assign an exercise."""

    exercise: ExerciseId
    people: tuple[PersonId, ...] = ()
    "Empty: all students, including those who join later."


class Report(Command, frozen=True, tag="exercises.report"):
    """Report progress."""

    exercise: ExerciseId
    progress: int
    "Percent."


class Submit(Command, frozen=True, tag="exercises.submit"):
    """Submit an answer."""

    exercise: ExerciseId
    text: str = ""
    files: tuple[FileId, ...] = ()


class GiveBack(Command, frozen=True, tag="exercises.give_back"):
    """Return an answer for improvement."""

    exercise: ExerciseId
    person: PersonId
    note: str = ""


class Accept(Command, frozen=True, tag="exercises.accept"):
    """Accept an answer."""

    exercise: ExerciseId
    person: PersonId
    note: str = ""


class SetMode(Command, frozen=True, tag="exercises.set_mode"):
    """Teach a student, or observe them."""

    person: PersonId
    mode: Mode


class Added(Event, frozen=True, tag="exercises.added"):
    """An exercise was added to the session."""

    exercise: Exercise


class Assigned(Event, frozen=True, tag="exercises.assigned"):
    """The exercise was assigned to these students. The event carries all of it, because it is new to them."""

    exercise: Exercise
    people: tuple[PersonId, ...]
    "A student sees only their own id here."
    everybody: bool
    "Students who join later are assigned the exercise as well."


class Reported(Event, frozen=True, tag="exercises.reported"):
    """A student reported progress."""

    exercise: ExerciseId
    person: PersonId
    progress: int


class Submitted(Event, frozen=True, tag="exercises.submitted"):
    """A student submitted an answer."""

    exercise: ExerciseId
    person: PersonId
    text: str
    files: tuple[FileId, ...]


class GivenBack(Event, frozen=True, tag="exercises.given_back"):
    """An answer was returned for improvement."""

    exercise: ExerciseId
    person: PersonId
    note: str


class Accepted(Event, frozen=True, tag="exercises.accepted"):
    """An answer was accepted."""

    exercise: ExerciseId
    person: PersonId
    note: str


class ModeSet(Event, frozen=True, tag="exercises.mode_set"):
    """Staff teach a student, or observe them."""

    person: PersonId
    mode: Mode


class Work(Struct):
    """A student's work on one exercise."""

    status: Status = Status.ASSIGNED
    progress: int = 0
    text: str = ""
    files: tuple[FileId, ...] = ()
    note: str = ""
    "From staff, for the student."
    changed_at: float = 0.0


class State(Struct):
    """The exercises and everybody's work on them."""

    exercises: dict[ExerciseId, Exercise] = field(default_factory=dict)
    works: dict[ExerciseId, dict[PersonId, Work]] = field(default_factory=dict)
    "By exercise and person."
    for_all: dict[ExerciseId, None] = field(default_factory=dict)
    "Ids of the exercises that students who join later are assigned as well."
    modes: dict[PersonId, Mode] = field(default_factory=dict)
    "By person; students without a mode are taught."
    count: int = 0
    "Number of works on all exercises together."


def check_exercise(exercise: Exercise) -> Exercise:
    """Return an exercise after checking its limits; also used for a tutor's library."""
    return Exercise(
        id=checks.identifier(exercise.id, "exercise"),
        title=checks.line(exercise.title, limits.TITLE_LENGTH, "title"),
        text=checks.text(exercise.text, limits.EXERCISE_LENGTH, "text", empty=True),
        link=checks.link(exercise.link),
        file=checks.identifier(exercise.file, "file") if exercise.file else FileId(""),
    )


def _add(room: "Classroom", command: Add, now: float) -> Events:
    state = room.exercises
    exercise = check_exercise(command.exercise)
    if exercise.id in state.exercises:
        raise Conflict(Code.ALREADY_EXISTS, "There is an exercise with this id already.")
    if exercise.file and exercise.file not in room.files.files:
        raise NotFound(Code.FILE_NOT_FOUND, "There is no such file.")
    checks.room_for_one(len(state.exercises), limits.EXERCISES, "exercises in a session")
    return [Added(at=now, by=command.by, exercise=exercise)]


def _assign(room: "Classroom", command: Assign, now: float) -> Events:
    state = room.exercises
    exercise = state.exercises.get(command.exercise)
    if exercise is None:
        raise NotFound(Code.EXERCISE_NOT_FOUND, "There is no such exercise.")
    everybody = not command.people
    if everybody:
        people = room.people
        chosen = [key for key in people.present if people.everyone[key].role is Role.STUDENT]
    else:
        chosen = list(dict.fromkeys(command.people))
        for person_id in chosen:
            if find(room, person_id).role is not Role.STUDENT:
                raise NotAllowed(Code.NOT_ALLOWED, "Exercises are assigned to students.")
    works = state.works.get(exercise.id, {})
    new = tuple(person_id for person_id in chosen if person_id not in works)
    if not new and not (everybody and exercise.id not in state.for_all):
        raise Conflict(Code.NOTHING_TO_CHANGE, "These students have the exercise already.")
    if state.count + len(new) > limits.ASSIGNMENTS:
        raise LimitReached(Code.TOO_MANY, f"There may be {limits.ASSIGNMENTS} assignments at most.")
    return [Assigned(at=now, by=command.by, exercise=exercise, people=new, everybody=everybody)]


def _find(room: "Classroom", exercise: ExerciseId, person_id: PersonId, allowed: "Iterable[Status]") -> Work:
    work = room.exercises.works.get(exercise, {}).get(person_id)
    if work is None:
        raise NotFound(Code.EXERCISE_NOT_FOUND, "This exercise was not assigned to this person.")
    if work.status not in allowed:
        raise Conflict(Code.EXERCISE_WRONG_STATE, f"The exercise is {work.status}.")
    return work


def _report(room: "Classroom", command: Report, now: float) -> Events:
    work = _find(room, command.exercise, command.by, UNDER_WAY)
    progress = int(checks.number(command.progress, 0, 100, "progress"))
    if work.status is Status.WORKING and work.progress == progress:
        raise Conflict(Code.NOTHING_TO_CHANGE, "The progress is unchanged.")
    return [Reported(at=now, by=command.by, exercise=command.exercise, person=command.by, progress=progress)]


def _submit(room: "Classroom", command: Submit, now: float) -> Events:
    _find(room, command.exercise, command.by, UNDER_WAY)
    if len(command.files) > limits.SUBMISSION_FILES:
        raise LimitReached(Code.TOO_MANY, f"An answer may have {limits.SUBMISSION_FILES} files at most.")
    text = checks.text(command.text, limits.SUBMISSION_LENGTH, "answer", empty=bool(command.files))
    for file_id in command.files:
        file = room.files.files.get(file_id)
        if file is None or file.by != command.by:
            raise NotFound(Code.FILE_NOT_FOUND, "There is no such file of this person.")
    return [
        Submitted(
            at=now,
            by=command.by,
            exercise=command.exercise,
            person=command.by,
            text=text,
            files=command.files,
        )
    ]


def _note(command: GiveBack | Accept) -> str:
    return checks.text(command.note, limits.NOTE_LENGTH, "note", empty=True)


def _give_back(room: "Classroom", command: GiveBack, now: float) -> Events:
    _find(room, command.exercise, command.person, {Status.SUBMITTED, Status.DONE})
    return [
        GivenBack(
            at=now,
            by=command.by,
            exercise=command.exercise,
            person=command.person,
            note=_note(command),
        )
    ]


def _accept(room: "Classroom", command: Accept, now: float) -> Events:
    _find(room, command.exercise, command.person, set(Status) - {Status.DONE})
    return [
        Accepted(
            at=now,
            by=command.by,
            exercise=command.exercise,
            person=command.person,
            note=_note(command),
        )
    ]


def _set_mode(room: "Classroom", command: SetMode, now: float) -> Events:
    person = find(room, command.person)
    if person.role is not Role.STUDENT:
        raise NotAllowed(Code.NOT_ALLOWED, "Only students are taught or observed.")
    if room.exercises.modes.get(person.id, Mode.TEACH) is command.mode:
        raise Conflict(Code.NOTHING_TO_CHANGE, "The mode is unchanged.")
    return [ModeSet(at=now, by=command.by, person=person.id, mode=command.mode)]


def _added(state: State, event: Added) -> None:
    state.exercises[event.exercise.id] = event.exercise


def _assigned(state: State, event: Assigned) -> None:
    works = state.works.setdefault(event.exercise.id, {})
    for person_id in event.people:
        works[person_id] = Work(changed_at=event.at)
    state.count += len(event.people)
    if event.everybody:
        state.for_all[event.exercise.id] = None


def _joined(state: State, event: Joined) -> None:
    if event.role is not Role.STUDENT:
        return
    for exercise_id in state.for_all:
        works = state.works[exercise_id]
        if event.person not in works and state.count < limits.ASSIGNMENTS:
            works[event.person] = Work(changed_at=event.at)
            state.count += 1


def _reported(state: State, event: Reported) -> None:
    work = state.works[event.exercise][event.person]
    work.status, work.progress, work.changed_at = Status.WORKING, event.progress, event.at


def _submitted(state: State, event: Submitted) -> None:
    work = state.works[event.exercise][event.person]
    work.status, work.progress, work.changed_at = Status.SUBMITTED, 100, event.at
    work.text, work.files = event.text, event.files


def _given_back(state: State, event: GivenBack) -> None:
    work = state.works[event.exercise][event.person]
    work.status, work.note, work.changed_at = Status.RETURNED, event.note, event.at


def _accepted(state: State, event: Accepted) -> None:
    work = state.works[event.exercise][event.person]
    work.status, work.note, work.changed_at = Status.DONE, event.note, event.at


def _mode_set(state: State, event: ModeSet) -> None:
    state.modes[event.person] = event.mode


class Line(Struct, frozen=True, array_like=True):
    """One student's current work in the view of staff, encoded as an array because there is one for each student."""

    person: PersonId
    exercise: ExerciseId
    status: Status
    progress: int
    changed_at: int


class Mine(Struct, frozen=True):
    """An exercise in the view of the student it is assigned to; text and answer are loaded separately."""

    exercise: ExerciseId
    title: str
    status: Status
    progress: int
    noted: bool
    "Staff wrote a note."


class View(Struct, frozen=True):
    """For staff everybody's current work, latest change first; for a student all of their own work."""

    exercises: list[tuple[ExerciseId, str]]
    "For staff: id and title."
    lines: list[Line]
    "For staff."
    mine: list[Mine]
    "For students."
    observed: list[PersonId]
    "Ids of the students whom staff observe; others are taught."
    more: bool


def _mine(exercise: Exercise, work: Work) -> Mine:
    return Mine(exercise.id, exercise.title, work.status, work.progress, bool(work.note))


def _view(room: "Classroom", person: "Person", _now: float) -> View:
    state = room.exercises
    if person.role not in STAFF:
        own = (
            _mine(state.exercises[exercise_id], works[person.id])
            for exercise_id, works in reversed(state.works.items())
            if person.id in works
        )
        mine, more = fitting(own, limits.VIEW_EXERCISES)
        observed = [person.id] if state.modes.get(person.id) is Mode.OBSERVE else []
        return View([], [], mine, observed, more)
    titles = [(exercise.id, exercise.title) for exercise in reversed(state.exercises.values())]
    shown, more_titles = fitting(titles, limits.VIEW_TITLES)
    lines, more = fitting(_latest(state), limits.VIEW_EXERCISES)
    observing = (person_id for person_id, mode in state.modes.items() if mode is Mode.OBSERVE)
    observed, more_observed = fitting(observing, limits.VIEW_OBSERVED)
    return View(shown, lines, [], observed, more or more_titles or more_observed)


def _latest(state: State) -> list[Line]:
    """Return for each student the work that changed last; the latest change is first."""
    latest: dict[PersonId, tuple[float, ExerciseId]] = {}
    for exercise_id, works in state.works.items():
        for person_id, work in works.items():
            if person_id not in latest or work.changed_at >= latest[person_id][0]:
                latest[person_id] = (work.changed_at, exercise_id)
    ordered = sorted(latest.items(), key=lambda item: -item[1][0])
    found = (
        (person_id, exercise_id, state.works[exercise_id][person_id])
        for person_id, (_, exercise_id) in ordered
    )
    return [
        Line(person_id, exercise_id, work.status, work.progress, round(work.changed_at))
        for person_id, exercise_id, work in found
    ]


def _assigned_shown(_room: "Classroom", event: Assigned, person: "Person") -> Event | None:
    """Visible to staff and to the students it is assigned to."""
    if person.role in STAFF:
        return event
    if person.id in event.people:
        return structs.replace(event, people=(person.id,))
    # Students who join later get it in their view; a student who catches up needs the event.
    return structs.replace(event, people=()) if event.everybody and person.role is Role.STUDENT else None


FEATURE: Final = Feature(
    name="exercises",
    state=State,
    decide={
        Add: _add,
        Assign: _assign,
        Report: _report,
        Submit: _submit,
        GiveBack: _give_back,
        Accept: _accept,
        SetMode: _set_mode,
    },
    apply={
        Added: _added,
        Assigned: _assigned,
        Reported: _reported,
        Submitted: _submitted,
        GivenBack: _given_back,
        Accepted: _accepted,
        ModeSet: _mode_set,
        Joined: _joined,
    },
    shown={
        Added: staff,
        Assigned: _assigned_shown,
        Reported: staff_and_subject,
        Submitted: staff_and_subject,
        GivenBack: staff_and_subject,
        Accepted: staff_and_subject,
        ModeSet: staff_and_subject,
    },
    view=_view,
)
