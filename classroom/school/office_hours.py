"""A tutor's office hours: weekly times, a queue, and one visitor at a time, each in a session of their own."""

from enum import StrEnum
from statistics import median
from typing import Final

from msgspec import Struct, field

from classroom import checks, limits
from classroom.base import SERVER, Command, Event
from classroom.errors import Code, Conflict, NotAllowed, NotFound
from classroom.ids import PersonId, SessionId
from classroom.school import availability
from classroom.school.aggregate import Aggregate
from classroom.school.availability import Availability

TYPICAL_S: Final = 600.0
"Assumed duration of a visit until one has ended: ten minutes."


class Outcome(StrEnum):
    """How a person's place in the queue, or visit, ended."""

    COMPLETED = "completed"
    NO_SHOW = "no_show"
    LEFT = "left"


class SetHours(Command, frozen=True, tag="office_hours.set_hours"):
    """Set the weekly times."""

    hours: Availability


class Open(Command, frozen=True, tag="office_hours.open"):
    """Accept visitors now, whatever the weekly times say."""


class Close(Command, frozen=True, tag="office_hours.close"):
    """Accept no more visitors; people in the queue are still served."""


class Join(Command, frozen=True, tag="office_hours.join"):
    """Join the queue. The caller takes the name from a token."""

    name: str
    topic: str = ""


class Leave(Command, frozen=True, tag="office_hours.leave"):
    """Leave the queue."""


class Admit(Command, frozen=True, tag="office_hours.admit"):
    """Invite the first person of the queue, or a particular one. The caller starts the session."""

    session: SessionId
    "New id of the session."
    person: PersonId = PersonId("")
    "Empty: the first of the queue."


class Complete(Command, frozen=True, tag="office_hours.complete"):
    """End the visit."""


class NoShow(Command, frozen=True, tag="office_hours.no_show"):
    """Report that the visitor did not come."""


class HoursSet(Event, frozen=True, tag="office_hours.hours_set"):
    """The weekly times were set."""

    hours: Availability


class Opened(Event, frozen=True, tag="office_hours.opened"):
    """Office hours were opened."""


class Closed(Event, frozen=True, tag="office_hours.closed"):
    """Office hours were closed to new visitors."""


class Joined(Event, frozen=True, tag="office_hours.joined"):
    """`by` joined the queue."""

    name: str
    topic: str


class Admitted(Event, frozen=True, tag="office_hours.admitted"):
    """A person was invited from the queue."""

    person: PersonId
    session: SessionId


class Ended(Event, frozen=True, tag="office_hours.ended"):
    """A person's place in the queue, or visit, ended."""

    person: PersonId
    outcome: Outcome


class Place(Struct, frozen=True):
    """A person's place in the queue."""

    person: PersonId
    name: str
    topic: str
    joined_at: float


class Visit(Struct, frozen=True):
    """The visit in progress."""

    person: PersonId
    name: str
    session: SessionId
    started_at: float


class State(Struct):
    """The office hours of one tutor."""

    tutor: PersonId = PersonId("")
    hours: Availability | None = None
    open: bool = False
    queue: dict[PersonId, Place] = field(default_factory=dict)
    "By person, in the order of joining."
    visit: Visit | None = None
    lasted_s: list[float] = field(default_factory=list)
    "Durations of the latest visits."


def is_open(state: State, now: float) -> bool:
    """Return whether visitors are accepted at a time."""
    if state.open or state.hours is None:
        return state.open
    return bool(availability.spans(state.hours, now, now + 1))


def position(state: State, person_id: PersonId) -> int:
    """Return a person's position in the queue, from 1; 0: not in it."""
    return list(state.queue).index(person_id) + 1 if person_id in state.queue else 0


def wait_s(state: State, person_id: PersonId, now: float) -> float:
    """Return a person's expected wait, from the median duration of the latest visits."""
    typical = median(state.lasted_s) if state.lasted_s else TYPICAL_S
    before = max(position(state, person_id) - 1, 0)
    rest = max(typical - (now - state.visit.started_at), 0.0) if state.visit is not None else 0.0
    return before * typical + rest


def _check_tutor(state: State, command: Command) -> None:
    if command.by not in {SERVER, state.tutor}:
        raise NotAllowed(Code.NOT_YOURS, "These office hours belong to another person.")


def _set_hours(state: State, command: SetHours, now: float) -> list[Event]:
    _check_tutor(state, command)
    return [HoursSet(at=now, by=command.by, hours=availability.check(command.hours))]


def _open(state: State, command: Open, now: float) -> list[Event]:
    _check_tutor(state, command)
    if state.open:
        raise Conflict(Code.NOTHING_TO_CHANGE, "The office hours are open already.")
    return [Opened(at=now, by=command.by)]


def _close(state: State, command: Close, now: float) -> list[Event]:
    _check_tutor(state, command)
    if not state.open:
        raise Conflict(Code.HOURS_CLOSED, "The office hours were not opened by hand.")
    return [Closed(at=now, by=command.by)]


def _join(state: State, command: Join, now: float) -> list[Event]:
    person_id = checks.identifier(command.by, "person")
    if not is_open(state, now):
        raise Conflict(Code.HOURS_CLOSED, "There are no office hours now.")
    if person_id == state.tutor:
        raise NotAllowed(Code.NOT_ALLOWED, "A tutor does not queue for their own office hours.")
    if person_id in state.queue or (state.visit is not None and state.visit.person == person_id):
        raise Conflict(Code.ALREADY_QUEUED, "This person is in the queue already.")
    checks.room_for_one(len(state.queue), limits.QUEUE, "people in the queue")
    name = checks.line(command.name, limits.NAME_LENGTH, "name")
    topic = checks.text(command.topic, limits.HELP_LENGTH, "topic", empty=True)
    return [Joined(at=now, by=person_id, name=name, topic=topic)]


def _leave(state: State, command: Leave, now: float) -> list[Event]:
    if command.by not in state.queue:
        raise Conflict(Code.NOT_QUEUED, "This person is not in the queue.")
    return [Ended(at=now, by=command.by, person=command.by, outcome=Outcome.LEFT)]


def _admit(state: State, command: Admit, now: float) -> list[Event]:
    _check_tutor(state, command)
    session = checks.identifier(command.session, "session")
    if state.visit is not None:
        raise Conflict(Code.TUTOR_BUSY, "Somebody else is with the tutor; complete that visit first.")
    person_id = command.person or next(iter(state.queue), PersonId(""))
    if person_id not in state.queue:
        raise NotFound(Code.NOT_QUEUED, "The queue is empty, or this person is not in it.")
    return [Admitted(at=now, by=command.by, person=person_id, session=session)]


def _visit(state: State, command: Command) -> Visit:
    _check_tutor(state, command)
    if state.visit is None:
        raise Conflict(Code.NOT_QUEUED, "Nobody is with the tutor.")
    return state.visit


def _complete(state: State, command: Complete, now: float) -> list[Event]:
    visit = _visit(state, command)
    return [Ended(at=now, by=command.by, person=visit.person, outcome=Outcome.COMPLETED)]


def _no_show(state: State, command: NoShow, now: float) -> list[Event]:
    visit = _visit(state, command)
    return [Ended(at=now, by=command.by, person=visit.person, outcome=Outcome.NO_SHOW)]


def _hours_set(state: State, event: HoursSet) -> None:
    state.hours = event.hours


def _opened(state: State, _event: Opened) -> None:
    state.open = True


def _closed(state: State, _event: Closed) -> None:
    state.open = False


def _joined(state: State, event: Joined) -> None:
    state.queue[event.by] = Place(event.by, event.name, event.topic, event.at)


def _admitted(state: State, event: Admitted) -> None:
    place = state.queue.pop(event.person)
    state.visit = Visit(place.person, place.name, event.session, event.at)


def _ended(state: State, event: Ended) -> None:
    if state.visit is None or state.visit.person != event.person:
        del state.queue[event.person]
        return
    if event.outcome is Outcome.COMPLETED:
        state.lasted_s.append(event.at - state.visit.started_at)
        del state.lasted_s[: -limits.VISITS_KEPT]
    state.visit = None


OFFICE_HOURS: Final = Aggregate(
    name="office_hours",
    new=State,
    decisions={
        SetHours: _set_hours,
        Open: _open,
        Close: _close,
        Join: _join,
        Leave: _leave,
        Admit: _admit,
        Complete: _complete,
        NoShow: _no_show,
    },
    changes={
        HoursSet: _hours_set,
        Opened: _opened,
        Closed: _closed,
        Joined: _joined,
        Admitted: _admitted,
        Ended: _ended,
    },
)
