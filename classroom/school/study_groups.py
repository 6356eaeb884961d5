"""Study groups: students of a course who meet on their own, in a permanent room of the group."""

from enum import StrEnum
from typing import Final

from msgspec import Struct, field

from classroom import checks, limits
from classroom.base import SERVER, Command, Event
from classroom.errors import Code, Conflict, LimitReached, NotAllowed, NotFound
from classroom.ids import CourseId, GroupId, PersonId
from classroom.school.aggregate import Aggregate


class Role(StrEnum):
    """A member's role in a group."""

    LEADER = "leader"
    MEMBER = "member"


class Create(Command, frozen=True, tag="study_groups.create"):
    """Create a group and lead it. The caller has checked that `by` belongs to the course."""

    group: GroupId
    course: CourseId
    name: str
    room: str
    "Name of the group's room."
    capacity: int = 8
    open: bool = True
    "Everybody in the course may join; otherwise a leader adds members."


class Join(Command, frozen=True, tag="study_groups.join"):
    """Become a member. The caller has checked that `by` belongs to the course."""

    group: GroupId


class Add(Command, frozen=True, tag="study_groups.add"):
    """Add a member."""

    group: GroupId
    person: PersonId


class Leave(Command, frozen=True, tag="study_groups.leave"):
    """Leave the group."""

    group: GroupId


class Remove(Command, frozen=True, tag="study_groups.remove"):
    """Remove a member."""

    group: GroupId
    person: PersonId


class SetRole(Command, frozen=True, tag="study_groups.set_role"):
    """Make a member a leader or a plain member."""

    group: GroupId
    person: PersonId
    role: Role


class Dissolve(Command, frozen=True, tag="study_groups.dissolve"):
    """End the group."""

    group: GroupId


class Created(Event, frozen=True, tag="study_groups.created"):
    """A group was created; `by` leads it, unless the application created it."""

    group: GroupId
    course: CourseId
    name: str
    room: str
    capacity: int
    open: bool


class Joined(Event, frozen=True, tag="study_groups.joined"):
    """A person became a member."""

    group: GroupId
    person: PersonId


class Left(Event, frozen=True, tag="study_groups.left"):
    """A member left. When the last leader leaves, the longest-standing member becomes leader."""

    group: GroupId
    person: PersonId


class RoleSet(Event, frozen=True, tag="study_groups.role_set"):
    """A member's role changed."""

    group: GroupId
    person: PersonId
    role: Role


class Dissolved(Event, frozen=True, tag="study_groups.dissolved"):
    """A group was dissolved."""

    group: GroupId


class Group(Struct):
    """One group."""

    id: GroupId
    course: CourseId
    name: str
    room: str
    capacity: int
    open: bool
    members: dict[PersonId, Role] = field(default_factory=dict)
    "By person, the longest-standing member first."


class State(Struct):
    """The groups of one tenant."""

    groups: dict[GroupId, Group] = field(default_factory=dict)


def groups_of(state: State, course: CourseId) -> list[Group]:
    """Return the groups of a course."""
    return [group for group in state.groups.values() if group.course == course]


def may_enter(state: State, group_id: GroupId, person_id: PersonId) -> bool:
    """Return whether a person may enter the group's room."""
    group = state.groups.get(group_id)
    return group is not None and person_id in group.members


def _find(state: State, group_id: GroupId) -> Group:
    group = state.groups.get(group_id)
    if group is None:
        raise NotFound(Code.GROUP_NOT_FOUND, "There is no such study group.")
    return group


def _led(state: State, command: Command, group_id: GroupId) -> Group:
    """Return a group that the author of a command leads; the application may do everything that a leader may."""
    group = _find(state, group_id)
    if command.by != SERVER and group.members.get(command.by) is not Role.LEADER:
        raise NotAllowed(Code.NOT_YOURS, "Only a leader of the group may do this.")
    return group


def _member(group: Group, person_id: PersonId) -> Role:
    role = group.members.get(person_id)
    if role is None:
        raise NotFound(Code.NOT_A_MEMBER, "This person is not a member of the group.")
    return role


def _create(state: State, command: Create, now: float) -> list[Event]:
    group_id = checks.identifier(command.group, "group")
    if group_id in state.groups:
        raise Conflict(Code.ALREADY_EXISTS, "There is a study group with this id already.")
    checks.room_for_one(len(state.groups), limits.GROUPS, "study groups")
    return [
        Created(
            at=now,
            by=command.by,
            group=group_id,
            course=checks.identifier(command.course, "course"),
            name=checks.line(command.name, limits.NAME_LENGTH, "name"),
            room=checks.identifier(command.room, "room"),
            capacity=int(checks.number(command.capacity, 2, limits.GROUP_MEMBERS, "capacity")),
            open=command.open,
        )
    ]


def _enter(group: Group, person_id: PersonId, now: float, by: PersonId) -> list[Event]:
    checks.identifier(person_id, "person")
    if person_id in group.members:
        raise Conflict(Code.ALREADY_MEMBER, "This person is a member already.")
    if len(group.members) >= group.capacity:
        raise LimitReached(Code.GROUP_FULL, "The study group is full.")
    return [Joined(at=now, by=by, group=group.id, person=person_id)]


def _join(state: State, command: Join, now: float) -> list[Event]:
    group = _find(state, command.group)
    if not group.open:
        raise NotAllowed(Code.NOT_INVITED, "A leader of the group has to add its members.")
    return _enter(group, command.by, now, command.by)


def _add(state: State, command: Add, now: float) -> list[Event]:
    return _enter(_led(state, command, command.group), command.person, now, command.by)


def _leave(state: State, command: Leave, now: float) -> list[Event]:
    group = _find(state, command.group)
    _member(group, command.by)
    return [Left(at=now, by=command.by, group=group.id, person=command.by)]


def _remove(state: State, command: Remove, now: float) -> list[Event]:
    group = _led(state, command, command.group)
    _member(group, command.person)
    return [Left(at=now, by=command.by, group=group.id, person=command.person)]


def _set_role(state: State, command: SetRole, now: float) -> list[Event]:
    group = _led(state, command, command.group)
    if _member(group, command.person) is command.role:
        raise Conflict(Code.NOTHING_TO_CHANGE, "The person has this role already.")
    leaders = [person_id for person_id, role in group.members.items() if role is Role.LEADER]
    if leaders == [command.person]:
        raise Conflict(Code.OWNER_STAYS, "A study group keeps a leader; make somebody else one first.")
    return [RoleSet(at=now, by=command.by, group=group.id, person=command.person, role=command.role)]


def _dissolve(state: State, command: Dissolve, now: float) -> list[Event]:
    return [Dissolved(at=now, by=command.by, group=_led(state, command, command.group).id)]


def _created(state: State, event: Created) -> None:
    group = Group(event.group, event.course, event.name, event.room, event.capacity, event.open)
    if event.by != SERVER:
        group.members[event.by] = Role.LEADER
    state.groups[event.group] = group


def _joined(state: State, event: Joined) -> None:
    members = state.groups[event.group].members
    members[event.person] = Role.MEMBER if members else Role.LEADER


def _left(state: State, event: Left) -> None:
    members = state.groups[event.group].members
    del members[event.person]
    if members and Role.LEADER not in members.values():
        members[next(iter(members))] = Role.LEADER


def _role_set(state: State, event: RoleSet) -> None:
    state.groups[event.group].members[event.person] = event.role


def _dissolved(state: State, event: Dissolved) -> None:
    del state.groups[event.group]


STUDY_GROUPS: Final = Aggregate(
    name="study_groups",
    new=State,
    decisions={
        Create: _create,
        Join: _join,
        Add: _add,
        Leave: _leave,
        Remove: _remove,
        SetRole: _set_role,
        Dissolve: _dissolve,
    },
    changes={
        Created: _created,
        Joined: _joined,
        Left: _left,
        RoleSet: _role_set,
        Dissolved: _dissolved,
    },
)
