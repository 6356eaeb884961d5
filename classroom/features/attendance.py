"""Attendance: who was present, from when to when, for how long in all and how long during the lesson.

A visit lasts from joining to leaving. Its time is split into active, idle and lost (connection lost, restored within
the grace time). When the grace time ends without a return, the visit ended when the connection was lost. Everything is
derived from the events, so a report made after a crash equals one made before it, to the second.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from classroom import checks, limits
from classroom.audience import nobody, staff_and_subject
from classroom.base import Command, Event, Events, Feature
from classroom.errors import Code, Conflict
from classroom.features.people import (
    ConnectionLost,
    ConnectionRestored,
    Joined,
    LeaveReason,
    Left,
    Recovered,
    find_present,
)
from classroom.features.session import Ended, Paused, Resumed, Started
from classroom.ids import PersonId
from classroom.roles import STAFF

if TYPE_CHECKING:
    from classroom.features.people import Person
    from classroom.state import Classroom


class Activity(StrEnum):
    """What a present person does."""

    ACTIVE = "active"
    IDLE = "idle"
    "The page has been hidden or untouched for a while."


class SetActivity(Command, frozen=True, tag="attendance.set_activity"):
    """The page noticed that its person became idle, or active again."""

    activity: Activity


class ActivityChanged(Event, frozen=True, tag="attendance.activity_changed"):
    """A person became idle, or active again."""

    person: PersonId
    activity: Activity


class Talk(Struct, frozen=True):
    """How long one person spoke."""

    person: PersonId
    seconds: float


class RecordTalk(Command, frozen=True, tag="attendance.record_talk"):
    """The server measured how long people spoke since the last record, from the levels of their microphones."""

    talks: tuple[Talk, ...]


class Talked(Event, frozen=True, tag="attendance.talked"):
    """People spoke for these times since the last record; not shown to anybody, since attendance has the sums."""

    talks: tuple[Talk, ...]


class Visit(Struct):
    """One visit, from joining to leaving."""

    id: str
    joined_at: float
    left_at: float | None = None
    "None while the visit lasts."
    reason: LeaveReason | None = None
    "Why the visit ended."
    activity: Activity = Activity.ACTIVE
    settled_at: float = 0.0
    "The sums below count up to this time."
    lost_at: float | None = None
    "When the connection was lost; None while it is not."
    active_s: float = 0.0
    idle_s: float = 0.0
    lost_s: float = 0.0
    "Time without a connection that was restored within the grace time."
    lesson_s: float = 0.0
    "The part of active and idle time during which the lesson ran."


class Record(Struct):
    """The visits of one person."""

    visits: list[Visit] = field(default_factory=list)
    "The latest visits, oldest first."
    earlier: int = 0
    "Number of visits that are no longer in the list."
    earlier_s: float = 0.0
    "Active and idle time of those visits."
    earlier_lesson_s: float = 0.0
    "Lesson time of those visits."
    first_joined_at: float = 0.0
    talk_s: float = 0.0
    "Time during which the person spoke."


class State(Struct):
    """Everybody who was ever present."""

    records: dict[PersonId, Record] = field(default_factory=dict)
    open: dict[PersonId, None] = field(default_factory=dict)
    "Ids of the people who are present."
    running: bool = False
    "Whether the lesson runs."


class Totals(Struct, frozen=True):
    """The sums of one person at one time."""

    visits: int
    first_joined_at: float
    last_left_at: float | None
    "None while the person is there."
    visit_s: float
    "Active and idle time of the current or last visit."
    total_s: float
    "Active and idle time of all visits."
    lesson_s: float
    "The part of the total during which the lesson ran."
    lost_s: float
    "Time during visits without a connection."
    talk_s: float
    "Time during which the person spoke."


def _settle(visit: Visit, at: float, *, running: bool) -> None:
    """Add the time since the last change to the sums, at most up to the loss of the connection."""
    until = at if visit.lost_at is None else min(at, visit.lost_at)
    passed = until - visit.settled_at
    if passed <= 0:
        return
    if visit.activity is Activity.ACTIVE:
        visit.active_s += passed
    else:
        visit.idle_s += passed
    if running:
        visit.lesson_s += passed
    visit.settled_at = until


def totals(state: State, person_id: PersonId, now: float) -> Totals | None:
    """Return a person's sums at a time, None for a person who was never present."""
    record = state.records.get(person_id)
    if record is None:
        return None
    visits = record.visits
    last = visits[-1]
    open_s = 0.0
    if last.left_at is None:
        until = now if last.lost_at is None else min(now, last.lost_at)
        open_s = max(until - last.settled_at, 0.0)
    return Totals(
        visits=record.earlier + len(visits),
        first_joined_at=record.first_joined_at,
        last_left_at=last.left_at,
        visit_s=last.active_s + last.idle_s + open_s,
        total_s=record.earlier_s + sum(visit.active_s + visit.idle_s for visit in visits) + open_s,
        lesson_s=record.earlier_lesson_s
        + sum(visit.lesson_s for visit in visits)
        + (open_s if state.running else 0.0),
        lost_s=sum(visit.lost_s for visit in visits),
        talk_s=record.talk_s,
    )


def total_times(state: State, people: Iterable[PersonId], now: float) -> list[float]:
    """Return how long each of these people was in the session, in seconds; people who never came are left out."""
    found = (totals(state, person, now) for person in people)
    return [each.total_s for each in found if each is not None]


def _set_activity(room: "Classroom", command: SetActivity, now: float) -> Events:
    person = find_present(room, command.by)
    if room.attendance.records[person.id].visits[-1].activity is command.activity:
        raise Conflict(Code.NOTHING_TO_CHANGE, f"The person is {command.activity} already.")
    return [ActivityChanged(at=now, by=command.by, person=person.id, activity=command.activity)]


def _record_talk(room: "Classroom", command: RecordTalk, now: float) -> Events:
    known = []
    for talk in command.talks[: limits.PEOPLE]:
        checks.number(talk.seconds, 0, limits.DURATION_S, "time of speaking")
        if talk.person in room.attendance.records and talk.seconds > 0:
            known.append(talk)
    if not known:
        raise Conflict(Code.NOTHING_TO_CHANGE, "Nobody of the session spoke.")
    return [Talked(at=now, by=command.by, talks=tuple(known))]


def _current(state: State, person_id: PersonId) -> Visit:
    return state.records[person_id].visits[-1]


def _joined(state: State, event: Joined) -> None:
    record = state.records.get(event.person)
    if record is None:
        record = state.records[event.person] = Record(first_joined_at=event.at)
    record.visits.append(Visit(event.visit, joined_at=event.at, settled_at=event.at))
    if len(record.visits) > limits.VISITS_PER_PERSON:
        oldest = record.visits.pop(0)
        record.earlier += 1
        record.earlier_s += oldest.active_s + oldest.idle_s
        record.earlier_lesson_s += oldest.lesson_s
    state.open[event.person] = None


def _close(state: State, person_id: PersonId, at: float, reason: LeaveReason) -> None:
    visit = _current(state, person_id)
    _settle(visit, at, running=state.running)
    visit.left_at = at if visit.lost_at is None else min(at, visit.lost_at)
    visit.reason, visit.lost_at = reason, None
    del state.open[person_id]


def _left(state: State, event: Left) -> None:
    if not event.waited:
        _close(state, event.person, event.left_at, event.reason)


def _connection_lost(state: State, event: ConnectionLost) -> None:
    visit = _current(state, event.person)
    _settle(visit, event.lost_at, running=state.running)
    visit.lost_at = max(event.lost_at, visit.settled_at)


def _connection_restored(state: State, event: ConnectionRestored) -> None:
    visit = _current(state, event.person)
    if visit.lost_at is not None:
        visit.lost_s += event.at - visit.lost_at
    visit.lost_at, visit.settled_at = None, event.at


def _recovered(state: State, event: Recovered) -> None:
    for person_id in state.open:
        visit = _current(state, person_id)
        if visit.lost_at is None:
            _settle(visit, event.lost_at, running=state.running)
            visit.lost_at = max(event.lost_at, visit.settled_at)


def _activity_changed(state: State, event: ActivityChanged) -> None:
    visit = _current(state, event.person)
    _settle(visit, event.at, running=state.running)
    visit.activity = event.activity


def _talked(state: State, event: Talked) -> None:
    for talk in event.talks:
        state.records[talk.person].talk_s += talk.seconds


def _run(state: State, event: Started | Resumed) -> None:
    _settle_all(state, event.at)
    state.running = True


def _halt(state: State, event: Paused) -> None:
    _settle_all(state, event.at)
    state.running = False


def _settle_all(state: State, at: float) -> None:
    for person_id in state.open:
        _settle(_current(state, person_id), at, running=state.running)


def _ended(state: State, event: Ended) -> None:
    for person_id in list(state.open):
        _close(state, person_id, event.at, LeaveReason.SESSION_OVER)
    state.running = False


class Line(Struct, frozen=True, array_like=True):
    """One person's times in a view, encoded as an array because there is one for each person."""

    person: PersonId
    activity: Activity | None
    "None for people who are not present."
    visit_s: int
    total_s: int


class View(Struct, frozen=True):
    """For staff the times of everybody present; for others their own times."""

    lines: list[Line]


def _view(room: "Classroom", person: "Person", now: float) -> View:
    state = room.attendance
    ids = list(state.open)[: limits.VIEW_PEOPLE] if person.role in STAFF else [person.id]
    lines = []
    for person_id in ids:
        sums = totals(state, person_id, now)
        if sums is not None:
            activity = _current(state, person_id).activity if person_id in state.open else None
            lines.append(Line(person_id, activity, round(sums.visit_s), round(sums.total_s)))
    return View(lines)


FEATURE: Final = Feature(
    name="attendance",
    state=State,
    decide={SetActivity: _set_activity, RecordTalk: _record_talk},
    apply={
        ActivityChanged: _activity_changed,
        Talked: _talked,
        Joined: _joined,
        Left: _left,
        ConnectionLost: _connection_lost,
        ConnectionRestored: _connection_restored,
        Recovered: _recovered,
        Started: _run,
        Resumed: _run,
        Paused: _halt,
        Ended: _ended,
    },
    shown={ActivityChanged: staff_and_subject, Talked: nobody},
    view=_view,
)
