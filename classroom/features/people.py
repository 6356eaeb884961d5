"""Who belongs to a session and who is present: invitations, lobby, joining, leaving, lost connections, roles."""

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from classroom import checks, limits
from classroom.audience import everyone, staff, staff_and_subject
from classroom.base import SERVER, Command, Deadline, Event, Events, Feature
from classroom.errors import Code, Conflict, LimitReached, Malformed, NotAllowed, NotFound
from classroom.features.session import Cancelled, Created, Ended, Expired, Lobby
from classroom.ids import PersonId
from classroom.roles import BEFORE, LEARNERS, OPEN, STAFF, TUTORS, Role, Standing, Why

if TYPE_CHECKING:
    from classroom.state import Classroom


class LeaveReason(StrEnum):
    """Why a person is no longer present."""

    LEFT = "left"
    CONNECTION_LOST = "connection_lost"
    REPLACED = "replaced"
    "The same person joined again from another page or device."
    REMOVED = "removed"
    BANNED = "banned"
    SESSION_OVER = "session_over"


class Invite(Command, frozen=True, tag="people.invite"):
    """Put a person on the roster."""

    person: PersonId
    name: str
    role: Role = Role.STUDENT


class Join(Command, frozen=True, tag="people.join"):
    """Enter the session, or its lobby. The caller takes id, name and role from a token, never from the page."""

    name: str
    visit: str
    "New id of this visit."
    role: Role = Role.STUDENT
    "Applies to people who are new to the session; all others keep their role there."


class Admit(Command, frozen=True, tag="people.admit"):
    """Admit a person from the lobby."""

    person: PersonId


class AdmitAll(Command, frozen=True, tag="people.admit_all"):
    """Admit everybody in the lobby while there are places."""


class Refuse(Command, frozen=True, tag="people.refuse"):
    """Refuse a person in the lobby."""

    person: PersonId


class Leave(Command, frozen=True, tag="people.leave"):
    """Leave the session or the lobby."""


class LoseConnection(Command, frozen=True, tag="people.lose_connection"):
    """The server lost the connection to a person."""

    person: PersonId
    lost_at: float
    "When the server last received something from the person, seconds since 1970."


class RestoreConnection(Command, frozen=True, tag="people.restore_connection"):
    """The connection is back within the grace time; the visit continues."""

    person: PersonId


class Recover(Command, frozen=True, tag="people.recover"):
    """The server is running again after a crash; all connections were lost with it."""

    alive_at: float
    "When the crashed server was last known to run, seconds since 1970."


class SetRole(Command, frozen=True, tag="people.set_role"):
    """Change a person's role."""

    person: PersonId
    role: Role


class Invited(Event, frozen=True, tag="people.invited"):
    """A person was put on the roster."""

    person: PersonId
    name: str
    role: Role


class Waits(Event, frozen=True, tag="people.waits"):
    """A person entered the lobby."""

    person: PersonId
    name: str
    role: Role
    visit: str
    why: Why


class Joined(Event, frozen=True, tag="people.joined"):
    """A person joined; a visit begins."""

    person: PersonId
    name: str
    role: Role
    visit: str


class TurnedAway(Event, frozen=True, tag="people.turned_away"):
    """A person in the lobby was refused."""

    person: PersonId


class Left(Event, frozen=True, tag="people.left"):
    """A person left the session or the lobby."""

    person: PersonId
    visit: str
    reason: LeaveReason
    left_at: float
    "When the visit ended, seconds since 1970: if the connection was lost, the time of the loss."
    waited: bool = False
    "The person had only been in the lobby, so no visit ended."


class ConnectionLost(Event, frozen=True, tag="people.connection_lost"):
    """A person's connection was lost; the visit continues until the grace time ends."""

    person: PersonId
    lost_at: float


class ConnectionRestored(Event, frozen=True, tag="people.connection_restored"):
    """A person's connection is back within the grace time."""

    person: PersonId


class Recovered(Event, frozen=True, tag="people.recovered"):
    """The server is running again after a crash; all connections are lost since `lost_at`."""

    lost_at: float


class RoleChanged(Event, frozen=True, tag="people.role_changed"):
    """A person's role changed."""

    person: PersonId
    role: Role


class Renamed(Event, frozen=True, tag="people.renamed"):
    """A person's name changed (decided by `moderation`)."""

    person: PersonId
    name: str


class Person(Struct):
    """A person of this session."""

    id: PersonId
    name: str
    role: Role
    standing: Standing = Standing.INVITED
    trusted: bool = False
    "Invited or admitted: does not have to knock."
    visited: bool = False
    "Was in the session at least once."
    visit: str = ""
    "Id of the current visit, also while waiting."
    since: float = 0.0
    "When the current standing began, seconds since 1970."
    why: Why | None = None
    "Why the person waits."
    lost_at: float | None = None
    "When the connection was lost; None while it is not."


class State(Struct):
    """Everybody who was ever present or on the roster, in the order of their first appearance."""

    everyone: dict[PersonId, Person] = field(default_factory=dict)
    present: dict[PersonId, None] = field(default_factory=dict)
    "Ids of the people present, in the order in which they joined; used as an ordered set."
    waiting: dict[PersonId, None] = field(default_factory=dict)
    "Ids of the people in the lobby, in the order in which they arrived."
    lost: dict[PersonId, None] = field(default_factory=dict)
    "Ids of present people whose connection is lost."
    recovered_at: float = 0.0
    "When the server last recovered from a crash."
    tutors_away_since: float | None = None
    "Since when no tutor is present; None while one is."


def find(room: "Classroom", person_id: PersonId) -> Person:
    """Return a person of this session, or raise `NotFound`."""
    person = room.people.everyone.get(person_id)
    if person is None:
        raise NotFound(Code.PERSON_NOT_FOUND, "Nobody with this id belongs to the session.")
    return person


def find_present(room: "Classroom", person_id: PersonId) -> Person:
    """Return a person who is present, or raise `NotFound` or `Conflict`."""
    person = find(room, person_id)
    if person.standing is not Standing.PRESENT:
        raise Conflict(Code.NOT_PRESENT, "This person is not in the session now.")
    return person


def left(person: Person, reason: LeaveReason, now: float, by: PersonId = SERVER) -> Left:
    """Return the end of a person's visit: now, or when the connection was lost."""
    left_at = now if person.lost_at is None else person.lost_at
    waited = person.standing is Standing.WAITING
    return Left(
        at=now, by=by, person=person.id, visit=person.visit, reason=reason, left_at=left_at, waited=waited
    )


def free_places(room: "Classroom") -> int:
    """Return how many more students and observers can join."""
    people = room.people
    taken = sum(people.everyone[person_id].role in LEARNERS for person_id in people.present)
    return max(room.session.settings.capacity - taken, 0)


def _invite(room: "Classroom", command: Invite, now: float) -> Events:
    if command.role is Role.OWNER:
        raise Malformed(Code.BAD_CHOICE, "A session has one owner.")
    person_id = checks.identifier(command.person, "person")
    known = room.people.everyone.get(person_id)
    if known is not None and known.trusted:
        raise Conflict(Code.ALREADY_EXISTS, "This person is on the roster already.")
    if known is None:
        checks.room_for_one(len(room.people.everyone), limits.PEOPLE, "people in a session")
    name = checks.line(command.name, limits.NAME_LENGTH, "name")
    return [Invited(at=now, by=command.by, person=person_id, name=name, role=command.role)]


def _join(room: "Classroom", command: Join, now: float) -> Events:
    known = room.people.everyone.get(checks.identifier(command.by, "person"))
    name = checks.line(command.name, limits.NAME_LENGTH, "name")
    visit = checks.identifier(command.visit, "visit")
    role = known.role if known is not None else command.role
    _check_entry(room, known, command.by, role)
    if known is None:
        checks.room_for_one(len(room.people.everyone), limits.PEOPLE, "people in a session")
    elif known.standing is Standing.PRESENT:
        if known.visit == visit:
            raise Conflict(Code.ALREADY_PRESENT, "This visit has begun already.")
        return [
            left(known, LeaveReason.REPLACED, now, command.by),
            Joined(at=now, by=command.by, person=command.by, name=known.name, role=role, visit=visit),
        ]
    why = _why_wait(room, known, command.by, role)
    if why is not None:
        return [Waits(at=now, by=command.by, person=command.by, name=name, role=role, visit=visit, why=why)]
    if role in LEARNERS and not free_places(room):
        raise LimitReached(Code.SESSION_FULL, "All places of the session are taken.")
    return [Joined(at=now, by=command.by, person=command.by, name=name, role=role, visit=visit)]


def _check_entry(room: "Classroom", known: Person | None, person_id: PersonId, role: Role) -> None:
    """Refuse people who may not even wait in the lobby."""
    if person_id in room.moderation.banned:
        raise NotAllowed(Code.BANNED, "This person was banned from the session.")
    if known is None and role is Role.OWNER:
        raise NotAllowed(Code.NOT_ALLOWED, "Another person owns this session.")
    if role in STAFF:
        return
    if room.session.settings.lobby is Lobby.INVITED and (known is None or not known.trusted):
        raise NotAllowed(Code.NOT_INVITED, "The session is only for those who were invited.")
    returns = known is not None and known.visited and person_id not in room.moderation.removed
    if room.moderation.locked and not returns:
        raise NotAllowed(Code.SESSION_LOCKED, "The session is locked to newcomers.")


def _why_wait(room: "Classroom", known: Person | None, person_id: PersonId, role: Role) -> Why | None:
    if person_id in room.moderation.removed:
        return Why.KNOCK  # applies to staff as well
    if role in STAFF:
        return None
    trusted = known is not None and known.trusted
    if room.session.settings.lobby is Lobby.KNOCK and not trusted:
        return Why.KNOCK
    return Why.NOT_STARTED if room.session.phase in BEFORE else None


def find_waiting(room: "Classroom", person_id: PersonId) -> Person:
    """Return a person in the lobby, or raise `NotFound` or `Conflict`."""
    person = find(room, person_id)
    if person.standing is not Standing.WAITING:
        raise Conflict(Code.NOT_WAITING, "This person is not in the lobby.")
    return person


def _enter(person: Person, now: float, by: PersonId = SERVER) -> Joined:
    return Joined(at=now, by=by, person=person.id, name=person.name, role=person.role, visit=person.visit)


def _fitting(room: "Classroom", waiting: list[Person]) -> list[Person]:
    """Return the people in the lobby who get a place, in order; staff need no place."""
    places = free_places(room)
    learners = [person.id for person in waiting if person.role in LEARNERS][:places]
    return [person for person in waiting if person.role in STAFF or person.id in learners]


def _admit(room: "Classroom", command: Admit, now: float) -> Events:
    person = find_waiting(room, command.person)
    if not _fitting(room, [person]):
        raise LimitReached(Code.SESSION_FULL, "All places of the session are taken.")
    return [_enter(person, now, command.by)]


def _admit_all(room: "Classroom", command: AdmitAll, now: float) -> Events:
    waiting = [room.people.everyone[person_id] for person_id in room.people.waiting]
    if not waiting:
        raise Conflict(Code.NOT_WAITING, "Nobody is in the lobby.")
    admitted = _fitting(room, waiting)
    if not admitted:
        raise LimitReached(Code.SESSION_FULL, "All places of the session are taken.")
    return [_enter(person, now, command.by) for person in admitted]


def _refuse(room: "Classroom", command: Refuse, now: float) -> Events:
    return [TurnedAway(at=now, by=command.by, person=find_waiting(room, command.person).id)]


def _leave(room: "Classroom", command: Leave, now: float) -> Events:
    person = find(room, command.by)
    if person.standing not in {Standing.PRESENT, Standing.WAITING}:
        raise Conflict(Code.NOT_PRESENT, "This person is not in the session now.")
    return [left(person, LeaveReason.LEFT, now, command.by)]


def _lose_connection(room: "Classroom", command: LoseConnection, now: float) -> Events:
    person = find_present(room, command.person)
    if person.lost_at is not None:
        raise Conflict(Code.NOTHING_TO_CHANGE, "The connection is lost already.")
    lost_at = min(max(command.lost_at, person.since), now)
    return [ConnectionLost(at=now, person=person.id, lost_at=lost_at)]


def _restore_connection(room: "Classroom", command: RestoreConnection, now: float) -> Events:
    person = find_present(room, command.person)
    if person.lost_at is None:
        raise Conflict(Code.NOT_LOST, "The connection of this person is not lost.")
    return [ConnectionRestored(at=now, person=person.id)]


def _recover(room: "Classroom", command: Recover, now: float) -> Events:
    # The server ran at least until it wrote the last event.
    return [Recovered(at=now, lost_at=min(max(command.alive_at, room.at), now))]


def _set_role(room: "Classroom", command: SetRole, now: float) -> Events:
    person = find(room, command.person)
    if Role.OWNER in {person.role, command.role}:
        raise Conflict(Code.OWNER_STAYS, "A session keeps its owner.")
    actor = room.people.everyone.get(command.by)
    if actor is not None and actor.role is not Role.OWNER and TUTORS & {person.role, command.role}:
        raise NotAllowed(Code.NOT_ALLOWED, "Only the owner can appoint or dismiss co-tutors.")
    if person.role is command.role:
        raise Conflict(Code.NOTHING_TO_CHANGE, "The person has this role already.")
    return [RoleChanged(at=now, by=command.by, person=person.id, role=command.role)]


def _created(state: State, event: Created) -> None:
    state.everyone[event.owner] = Person(
        event.owner, event.owner_name, Role.OWNER, trusted=True, since=event.at
    )
    state.tutors_away_since = event.at


def _invited(state: State, event: Invited) -> None:
    person = state.everyone.get(event.person)
    if person is None:
        person = state.everyone[event.person] = Person(event.person, event.name, event.role, since=event.at)
    person.trusted = True
    if person.standing in {Standing.INVITED, Standing.GONE}:
        person.name, person.role = event.name, event.role


def _move(state: State, person: Person, standing: Standing, at: float) -> None:
    """Move a person to their new standing."""
    state.present.pop(person.id, None)
    state.lost.pop(person.id, None)
    if standing is not Standing.WAITING or person.standing is not Standing.WAITING:
        state.waiting.pop(person.id, None)  # a person who knocks again keeps the place in the queue
        person.since = at
    person.standing, person.why, person.lost_at = standing, None, None
    if standing is Standing.PRESENT:
        state.present[person.id] = None
    elif standing is Standing.WAITING:
        state.waiting[person.id] = None


def _waits(state: State, event: Waits) -> None:
    person = state.everyone.get(event.person)
    if person is None:
        person = state.everyone[event.person] = Person(event.person, event.name, event.role)
    _move(state, person, Standing.WAITING, event.at)
    person.name, person.visit, person.why = event.name, event.visit, event.why


def _joined(state: State, event: Joined) -> None:
    person = state.everyone.get(event.person)
    if person is None:
        person = state.everyone[event.person] = Person(event.person, event.name, event.role)
    _move(state, person, Standing.PRESENT, event.at)
    person.name, person.visit, person.trusted, person.visited = event.name, event.visit, True, True
    if person.role in TUTORS:
        state.tutors_away_since = None


def _turned_away(state: State, event: TurnedAway) -> None:
    _move(state, state.everyone[event.person], Standing.GONE, event.at)


def _left(state: State, event: Left) -> None:
    person = state.everyone[event.person]
    _move(state, person, Standing.GONE, event.at)
    if person.role in TUTORS:
        _watch_tutors(state, event.at)


def _watch_tutors(state: State, at: float) -> None:
    if any(state.everyone[person_id].role in TUTORS for person_id in state.present):
        state.tutors_away_since = None
    elif state.tutors_away_since is None:
        state.tutors_away_since = at


def _connection_lost(state: State, event: ConnectionLost) -> None:
    state.everyone[event.person].lost_at = event.lost_at
    state.lost[event.person] = None


def _connection_restored(state: State, event: ConnectionRestored) -> None:
    state.everyone[event.person].lost_at = None
    del state.lost[event.person]


def _recovered(state: State, event: Recovered) -> None:
    state.recovered_at = event.at
    for person_id in state.present:
        person = state.everyone[person_id]
        if person.lost_at is None:
            person.lost_at = event.lost_at
            state.lost[person_id] = None
    # Pages in the lobby knock again automatically; a person whose page is gone would otherwise wait for ever.
    for person_id in list(state.waiting):
        _move(state, state.everyone[person_id], Standing.GONE, event.at)


def _role_changed(state: State, event: RoleChanged) -> None:
    state.everyone[event.person].role = event.role
    _watch_tutors(state, event.at)


def _renamed(state: State, event: Renamed) -> None:
    state.everyone[event.person].name = event.name


def _over(state: State, event: Event) -> None:
    for person_id in [*state.present, *state.waiting]:
        _move(state, state.everyone[person_id], Standing.GONE, event.at)
    state.tutors_away_since = None


def _due(room: "Classroom") -> Iterable[Deadline]:
    people, session = room.people, room.session
    grace_s = session.settings.grace_s
    for person_id in people.lost:
        lost_at = people.everyone[person_id].lost_at or 0.0
        # After a crash, the grace time counts from the recovery: before it, nobody could reconnect.
        yield Deadline(max(lost_at, people.recovered_at) + grace_s, "people.grace", person_id)
    if session.phase in OPEN and session.started_at is not None:
        ready = any(people.everyone[person_id].why is Why.NOT_STARTED for person_id in people.waiting)
        if ready and free_places(room):
            yield Deadline(session.started_at, "people.admit")


def _expire(room: "Classroom", deadline: Deadline, now: float) -> Events:
    everyone_ = room.people.everyone
    if deadline.reason == "people.grace":
        return [left(everyone_[PersonId(deadline.subject)], LeaveReason.CONNECTION_LOST, now)]
    waiting = [everyone_[person_id] for person_id in room.people.waiting]
    ready = [person for person in waiting if person.why is Why.NOT_STARTED]
    return [_enter(person, now) for person in _fitting(room, ready)]


class Seen(Struct, frozen=True, omit_defaults=True):
    """A person in a view."""

    id: PersonId
    name: str
    role: Role
    lost_at: float | None = None
    why: Why | None = None


class View(Struct, frozen=True):
    """The people who are present, and for staff the lobby."""

    me: Role
    present: list[Seen]
    "The first people present, in the order in which they joined."
    count: int
    "Number of people present."
    waiting: list[Seen]
    "Empty for people who are not staff."


def _seen(person: Person) -> Seen:
    return Seen(person.id, person.name, person.role, person.lost_at, person.why)


def _view(room: "Classroom", person: Person, _now: float) -> View:
    people = room.people
    present = [_seen(people.everyone[person_id]) for person_id in list(people.present)[: limits.VIEW_PEOPLE]]
    waiting = [_seen(people.everyone[person_id]) for person_id in list(people.waiting)[: limits.VIEW_PEOPLE]]
    staff_only = waiting if person.role in STAFF else []
    return View(me=person.role, present=present, count=len(people.present), waiting=staff_only)


def _left_shown(room: "Classroom", event: Left, person: Person) -> Event | None:
    """Shown to everybody; if the person had only waited in the lobby, to staff and the person."""
    return staff_and_subject(room, event, person) if event.waited else event


FEATURE: Final = Feature(
    name="people",
    state=State,
    decide={
        Invite: _invite,
        Join: _join,
        Admit: _admit,
        AdmitAll: _admit_all,
        Refuse: _refuse,
        Leave: _leave,
        LoseConnection: _lose_connection,
        RestoreConnection: _restore_connection,
        Recover: _recover,
        SetRole: _set_role,
    },
    apply={
        Created: _created,
        Invited: _invited,
        Waits: _waits,
        Joined: _joined,
        TurnedAway: _turned_away,
        Left: _left,
        ConnectionLost: _connection_lost,
        ConnectionRestored: _connection_restored,
        Recovered: _recovered,
        RoleChanged: _role_changed,
        Renamed: _renamed,
        Ended: _over,
        Cancelled: _over,
        Expired: _over,
    },
    shown={
        Invited: staff,
        Waits: staff_and_subject,
        Joined: everyone,
        TurnedAway: staff_and_subject,
        Left: _left_shown,
        ConnectionLost: everyone,
        ConnectionRestored: everyone,
        Recovered: everyone,
        RoleChanged: everyone,
        Renamed: everyone,
    },
    view=_view,
    due=_due,
    expire=_expire,
)
