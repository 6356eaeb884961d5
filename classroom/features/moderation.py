"""Keeping order: muting, permissions of one or of all, renaming, removing, banning, the lock, spotlight and pins."""

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from classroom import checks, limits
from classroom.audience import everyone, staff, staff_and_subject
from classroom.base import Command, Event, Events, Feature
from classroom.errors import Code, Conflict, NotAllowed
from classroom.features.people import (
    Joined,
    LeaveReason,
    Left,
    Renamed,
    find,
    find_present,
    left,
)
from classroom.ids import PersonId
from classroom.permissions import GRANTABLE
from classroom.roles import STAFF, TUTORS, Role, Standing

if TYPE_CHECKING:
    from classroom.features.people import Person
    from classroom.state import Classroom


class Source(StrEnum):
    """A source of a person's media."""

    MICROPHONE = "microphone"
    CAMERA = "camera"
    SCREEN = "screen"


class BanScope(StrEnum):
    """How long a ban lasts."""

    SESSION = "session"
    "Until the session ends."
    FOREVER = "forever"
    "Beyond the session: the caller stores the ban for the owner, and it applies to all sessions of the owner."


class Mute(Command, frozen=True, tag="moderation.mute"):
    """Mute a source of one person or of all students. They can unmute it if permitted."""

    person: PersonId = PersonId("")
    "Empty: all students."
    source: Source = Source.MICROPHONE


class Allow(Command, frozen=True, tag="moderation.allow"):
    """Grant or revoke a permission in `classroom.permissions.GRANTABLE`; None restores what the role allows."""

    permission: str
    allowed: bool | None
    person: PersonId = PersonId("")
    "Empty: all students."


class Rename(Command, frozen=True, tag="moderation.rename"):
    """Rename a person."""

    person: PersonId
    name: str


class Remove(Command, frozen=True, tag="moderation.remove"):
    """Remove a person from the session. To return, they have to knock."""

    person: PersonId


class Ban(Command, frozen=True, tag="moderation.ban"):
    """Remove a person and prevent their return."""

    person: PersonId
    scope: BanScope = BanScope.SESSION


class Unban(Command, frozen=True, tag="moderation.unban"):
    """Lift a ban."""

    person: PersonId


class Lock(Command, frozen=True, tag="moderation.lock"):
    """Lock the session to newcomers, or unlock it."""

    locked: bool


class Spotlight(Command, frozen=True, tag="moderation.spotlight"):
    """Spotlight one person for everybody."""

    person: PersonId = PersonId("")
    "Empty: nobody."


class Pin(Command, frozen=True, tag="moderation.pin"):
    """Pin a person for everybody."""

    person: PersonId


class Unpin(Command, frozen=True, tag="moderation.unpin"):
    """Unpin a person."""

    person: PersonId


class Muted(Event, frozen=True, tag="moderation.muted"):
    """A source was muted; the media server executes it."""

    person: PersonId
    source: Source


class Allowed(Event, frozen=True, tag="moderation.allowed"):
    """A person, or all students, got other permissions than those of the role."""

    person: PersonId
    permission: str
    allowed: bool | None


class Banned(Event, frozen=True, tag="moderation.banned"):
    """A person was banned."""

    person: PersonId
    scope: BanScope


class Unbanned(Event, frozen=True, tag="moderation.unbanned"):
    """A ban was lifted."""

    person: PersonId


class Locked(Event, frozen=True, tag="moderation.locked"):
    """The session was locked or unlocked."""

    locked: bool


class Spotlit(Event, frozen=True, tag="moderation.spotlit"):
    """One person, or nobody, is in the spotlight."""

    person: PersonId


class Pinned(Event, frozen=True, tag="moderation.pinned"):
    """A person was pinned for everybody."""

    person: PersonId


class Unpinned(Event, frozen=True, tag="moderation.unpinned"):
    """A person was unpinned."""

    person: PersonId


class State(Struct):
    """The moderation in force."""

    class_grants: dict[str, bool] = field(default_factory=dict)
    "By permission, whether all students have it; takes precedence over the role."
    grants: dict[PersonId, dict[str, bool]] = field(default_factory=dict)
    "By person and permission; takes precedence over `class_grants`."
    banned: dict[PersonId, BanScope] = field(default_factory=dict)
    removed: dict[PersonId, None] = field(default_factory=dict)
    "Ids of people who were removed and not admitted again."
    locked: bool = False
    spotlight: PersonId = PersonId("")
    pins: dict[PersonId, None] = field(default_factory=dict)


def _subordinate(room: "Classroom", by: PersonId, person_id: PersonId) -> "Person":
    """Return the person the command names. Only the owner may moderate people of the same rank."""
    person = find(room, person_id)
    actor = room.people.everyone.get(by)
    if actor is None:  # the application
        protected: frozenset[Role] = frozenset({Role.OWNER})
    elif actor.role is Role.OWNER:
        protected = frozenset({Role.OWNER})
    else:
        protected = TUTORS if actor.role in TUTORS else STAFF
    if person.role in protected:
        raise NotAllowed(Code.NOT_ALLOWED, f"This is not allowed for a person with the role {person.role}.")
    return person


def _mute(room: "Classroom", command: Mute, now: float) -> Events:
    if command.person:
        find_present(room, command.person)
        _subordinate(room, command.by, command.person)
    return [Muted(at=now, by=command.by, person=command.person, source=command.source)]


def _allow(room: "Classroom", command: Allow, now: float) -> Events:
    state = room.moderation
    if command.permission not in GRANTABLE:
        raise NotAllowed(Code.NOT_GRANTABLE, "This permission cannot be granted or revoked.")
    if command.person:
        _subordinate(room, command.by, command.person)
        grants = state.grants.get(command.person, {})
        if command.permission not in grants:
            checks.room_for_one(len(grants), limits.GRANTS_PER_PERSON, "permissions of one person")
    else:
        grants = state.class_grants
    if grants.get(command.permission) is command.allowed:
        raise Conflict(Code.NOTHING_TO_CHANGE, "The permission is unchanged.")
    return [
        Allowed(
            at=now,
            by=command.by,
            person=command.person,
            permission=command.permission,
            allowed=command.allowed,
        )
    ]


def _rename(room: "Classroom", command: Rename, now: float) -> Events:
    person = find(room, command.person)
    if command.person != command.by:
        _subordinate(room, command.by, command.person)
    name = checks.line(command.name, limits.NAME_LENGTH, "name")
    if name == person.name:
        raise Conflict(Code.NOTHING_TO_CHANGE, "The person has this name already.")
    return [Renamed(at=now, by=command.by, person=person.id, name=name)]


def _put_out(person: "Person", reason: LeaveReason, now: float, by: PersonId) -> list[Event]:
    inside = person.standing in {Standing.PRESENT, Standing.WAITING}
    return [left(person, reason, now, by)] if inside else []


def _remove(room: "Classroom", command: Remove, now: float) -> Events:
    person = _subordinate(room, command.by, find_present(room, command.person).id)
    return _put_out(person, LeaveReason.REMOVED, now, command.by)


def _ban(room: "Classroom", command: Ban, now: float) -> Events:
    person = _subordinate(room, command.by, command.person)
    if room.moderation.banned.get(person.id) is command.scope:
        raise Conflict(Code.NOTHING_TO_CHANGE, "The person is banned already.")
    banned = Banned(at=now, by=command.by, person=person.id, scope=command.scope)
    return [banned, *_put_out(person, LeaveReason.BANNED, now, command.by)]


def _unban(room: "Classroom", command: Unban, now: float) -> Events:
    if command.person not in room.moderation.banned:
        raise Conflict(Code.NOTHING_TO_CHANGE, "The person is not banned.")
    return [Unbanned(at=now, by=command.by, person=command.person)]


def _lock(room: "Classroom", command: Lock, now: float) -> Events:
    if room.moderation.locked is command.locked:
        raise Conflict(Code.NOTHING_TO_CHANGE, "The lock is unchanged.")
    return [Locked(at=now, by=command.by, locked=command.locked)]


def _spotlight(room: "Classroom", command: Spotlight, now: float) -> Events:
    if command.person:
        find_present(room, command.person)
    if command.person == room.moderation.spotlight:
        raise Conflict(Code.NOTHING_TO_CHANGE, "The spotlight is unchanged.")
    return [Spotlit(at=now, by=command.by, person=command.person)]


def _pin(room: "Classroom", command: Pin, now: float) -> Events:
    person = find_present(room, command.person)
    if person.id in room.moderation.pins:
        raise Conflict(Code.NOTHING_TO_CHANGE, "The person is pinned already.")
    checks.room_for_one(len(room.moderation.pins), limits.PINS, "pinned people")
    return [Pinned(at=now, by=command.by, person=person.id)]


def _unpin(room: "Classroom", command: Unpin, now: float) -> Events:
    if command.person not in room.moderation.pins:
        raise Conflict(Code.NOTHING_TO_CHANGE, "The person is not pinned.")
    return [Unpinned(at=now, by=command.by, person=command.person)]


def _allowed(state: State, event: Allowed) -> None:
    grants = state.grants.setdefault(event.person, {}) if event.person else state.class_grants
    if event.allowed is None:
        grants.pop(event.permission, None)
    else:
        grants[event.permission] = event.allowed
    if event.person and not grants:
        del state.grants[event.person]


def _banned(state: State, event: Banned) -> None:
    state.banned[event.person] = event.scope


def _unbanned(state: State, event: Unbanned) -> None:
    del state.banned[event.person]
    state.removed.pop(event.person, None)


def _locked(state: State, event: Locked) -> None:
    state.locked = event.locked


def _spotlit(state: State, event: Spotlit) -> None:
    state.spotlight = event.person


def _pinned(state: State, event: Pinned) -> None:
    state.pins[event.person] = None


def _unpinned(state: State, event: Unpinned) -> None:
    del state.pins[event.person]


def _joined(state: State, event: Joined) -> None:
    state.removed.pop(event.person, None)


def _left(state: State, event: Left) -> None:
    if event.reason is LeaveReason.REPLACED:  # a reloaded page
        return
    state.pins.pop(event.person, None)
    if state.spotlight == event.person:
        state.spotlight = PersonId("")
    if event.reason in {LeaveReason.REMOVED, LeaveReason.BANNED}:
        state.removed[event.person] = None


class View(Struct, frozen=True):
    """The moderation that is relevant to the person."""

    locked: bool
    spotlight: str
    pins: list[str]
    class_grants: dict[str, bool]
    my_grants: dict[str, bool]
    banned: dict[PersonId, BanScope]
    "Empty for people who are not staff."


def _view(room: "Classroom", person: "Person", _now: float) -> View:
    state = room.moderation
    banned = dict(list(state.banned.items())[:50]) if person.role in STAFF else {}
    return View(
        locked=state.locked,
        spotlight=state.spotlight,
        pins=list(state.pins),
        class_grants=state.class_grants,
        my_grants=state.grants.get(person.id, {}),
        banned=banned,
    )


def _allowed_shown(room: "Classroom", event: Allowed, person: "Person") -> Event | None:
    """Shown to everybody if it applies to all students; otherwise to staff and the person."""
    return staff_and_subject(room, event, person) if event.person else event


FEATURE: Final = Feature(
    name="moderation",
    state=State,
    decide={
        Mute: _mute,
        Allow: _allow,
        Rename: _rename,
        Remove: _remove,
        Ban: _ban,
        Unban: _unban,
        Lock: _lock,
        Spotlight: _spotlight,
        Pin: _pin,
        Unpin: _unpin,
    },
    apply={
        Muted: lambda _state, _event: None,  # the media server reports the muted track
        Allowed: _allowed,
        Banned: _banned,
        Unbanned: _unbanned,
        Locked: _locked,
        Spotlit: _spotlit,
        Pinned: _pinned,
        Unpinned: _unpinned,
        Joined: _joined,
        Left: _left,
    },
    shown={
        Muted: everyone,
        Allowed: _allowed_shown,
        Banned: staff,
        Unbanned: staff,
        Locked: everyone,
        Spotlit: everyone,
        Pinned: everyone,
        Unpinned: everyone,
    },
    view=_view,
)
