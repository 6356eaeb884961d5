"""Who is online: status, activity, last seen. Presence lives only as long as the server, so there is no log.

Its events are for the people who watch; a restarted server begins with everybody offline and receives heartbeats from
the pages within a minute.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from msgspec import Struct, field

from classroom import checks, limits
from classroom.base import Command, Event
from classroom.errors import Code, Conflict
from classroom.ids import PersonId
from classroom.school.aggregate import Aggregate


class Status(StrEnum):
    """Whether a person can be reached."""

    ONLINE = "online"
    AWAY = "away"
    BUSY = "busy"
    OFFLINE = "offline"


class Heartbeat(Command, frozen=True, tag="presence.heartbeat"):
    """The page of `by` is open. Sent every minute; leads to an event only if `by` was offline."""


class SetStatus(Command, frozen=True, tag="presence.set_status"):
    """Set the status: online, away, busy, or offline in the eyes of others."""

    status: Status


class SetActivity(Command, frozen=True, tag="presence.set_activity"):
    """Set a line about the current activity; empty: none."""

    activity: str


class Changed(Event, frozen=True, tag="presence.changed"):
    """The presence of `by` changed."""

    status: Status
    activity: str


class Person(Struct):
    """One person's presence."""

    status: Status
    activity: str
    seen_at: float
    "Time of the person's last command."
    chosen: bool = False
    "The person chose to be away or busy, so a heartbeat does not change it."


class State(Struct):
    """Everybody who was seen, the longest silent first."""

    people: dict[PersonId, Person] = field(default_factory=dict)


class Line(Struct, frozen=True):
    """One person's presence as others see it."""

    person: PersonId
    status: Status
    activity: str
    seen_at: float | None
    "None: not since the server started."


def line(state: State, person_id: PersonId) -> Line:
    """Return a person's presence: offline if never seen."""
    person = state.people.get(person_id)
    if person is None:
        return Line(person_id, Status.OFFLINE, "", None)
    return Line(person_id, person.status, person.activity, person.seen_at)


def lines(state: State, people: Iterable[PersonId]) -> list[Line]:
    """Return the presence of several people, such as the members of a course."""
    return [line(state, person_id) for person_id in people]


def online(state: State) -> list[Line]:
    """Return everybody who is not offline."""
    return [line(state, key) for key, person in state.people.items() if person.status is not Status.OFFLINE]


def seen(state: State, person_id: PersonId, now: float) -> None:
    """Record a heartbeat. It is no event: it happens every minute for everybody, and no one needs to see it."""
    person = state.people.pop(person_id, None)
    if person is not None:
        person.seen_at = max(person.seen_at, now)
        state.people[person_id] = person  # moves to the end, so that the longest silent are first


def silent(state: State, now: float) -> list[Event]:
    """Return an event for each person who has been silent for too long and is therefore offline."""
    gone: list[Event] = []
    for person_id, person in state.people.items():
        if now - person.seen_at < limits.OFFLINE_S:
            break
        if person.status is not Status.OFFLINE:
            gone.append(Changed(at=now, by=person_id, status=Status.OFFLINE, activity=""))
    return gone


def due(state: State) -> float | None:
    """Return when the next person may become offline, in seconds since 1970."""
    for person in state.people.values():
        if person.status is not Status.OFFLINE:
            return person.seen_at + limits.OFFLINE_S
    return None


def forget(state: State, before: float) -> None:
    """Remove people who are offline and were last seen before a time."""
    for person_id in [key for key, person in state.people.items() if person.seen_at < before]:
        if state.people[person_id].status is Status.OFFLINE:
            del state.people[person_id]


def _known(state: State, command: Command) -> Person | None:
    person = state.people.get(checks.identifier(command.by, "person"))
    if person is None:
        checks.room_for_one(len(state.people), limits.PRESENCES, "people in the presence of a school")
    return person


def _heartbeat(state: State, command: Heartbeat, now: float) -> list[Event]:
    person = _known(state, command)
    if person is not None and (person.chosen or person.status is not Status.OFFLINE):
        return []
    return [Changed(at=now, by=command.by, status=Status.ONLINE, activity="")]


def _set_status(state: State, command: SetStatus, now: float) -> list[Event]:
    person = _known(state, command)
    if person is not None and person.status is command.status:
        raise Conflict(Code.NOTHING_TO_CHANGE, f"The person is {command.status} already.")
    activity = person.activity if person is not None and command.status is not Status.OFFLINE else ""
    return [Changed(at=now, by=command.by, status=command.status, activity=activity)]


def _set_activity(state: State, command: SetActivity, now: float) -> list[Event]:
    person = _known(state, command)
    activity = checks.line(command.activity, limits.ACTIVITY_LENGTH, "activity", empty=True)
    status = person.status if person is not None and person.status is not Status.OFFLINE else Status.ONLINE
    if person is not None and (person.status, person.activity) == (status, activity):
        raise Conflict(Code.NOTHING_TO_CHANGE, "The activity is unchanged.")
    return [Changed(at=now, by=command.by, status=status, activity=activity)]


def _changed(state: State, event: Changed) -> None:
    person = state.people.get(event.by)
    if person is None:
        person = state.people[event.by] = Person(event.status, event.activity, event.at)
    silenced = event.status is Status.OFFLINE and event.at - person.seen_at >= limits.OFFLINE_S
    person.status, person.activity = event.status, event.activity
    person.chosen = event.status is not Status.ONLINE and not silenced
    if not silenced:
        seen(state, event.by, event.at)


PRESENCE: Final = Aggregate(
    name="presence",
    new=State,
    decisions={Heartbeat: _heartbeat, SetStatus: _set_status, SetActivity: _set_activity},
    changes={Changed: _changed},
)
