"""Raised hands, in the order in which they were raised."""

from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from classroom import limits
from classroom.audience import everyone
from classroom.base import Command, Event, Events, Feature
from classroom.errors import Code, Conflict
from classroom.features.people import LeaveReason, Left, RoleChanged, find_present
from classroom.features.session import Ended
from classroom.ids import PersonId
from classroom.permissions import require_role
from classroom.roles import STAFF

if TYPE_CHECKING:
    from classroom.features.people import Person
    from classroom.state import Classroom


class Raise(Command, frozen=True, tag="hands.raise"):
    """Raise your hand."""


class Lower(Command, frozen=True, tag="hands.lower"):
    """Lower your own hand, or as staff anybody's hand."""

    person: PersonId = PersonId("")
    "Empty: your own hand."


class LowerAll(Command, frozen=True, tag="hands.lower_all"):
    """Lower all hands."""


class Raised(Event, frozen=True, tag="hands.raised"):
    """`by` raised a hand; it is the last in the queue."""


class Lowered(Event, frozen=True, tag="hands.lowered"):
    """A hand was lowered."""

    person: PersonId


class AllLowered(Event, frozen=True, tag="hands.all_lowered"):
    """All hands were lowered."""


class State(Struct):
    """The queue of raised hands."""

    raised: dict[PersonId, float] = field(default_factory=dict)
    "By person, when the hand was raised (seconds since 1970); the first in the queue is first."


def _raise(room: "Classroom", command: Raise, now: float) -> Events:
    person = find_present(room, command.by)
    if person.id in room.hands.raised:
        raise Conflict(Code.HAND_RAISED, "The hand is up already.")
    return [Raised(at=now, by=person.id)]


def _lower(room: "Classroom", command: Lower, now: float) -> Events:
    person_id = command.person or command.by
    if person_id != command.by:
        require_role(room, command.by, STAFF)
    if person_id not in room.hands.raised:
        raise Conflict(Code.HAND_NOT_RAISED, "The hand is not up.")
    return [Lowered(at=now, by=command.by, person=person_id)]


def _lower_all(room: "Classroom", command: LowerAll, now: float) -> Events:
    if not room.hands.raised:
        raise Conflict(Code.HAND_NOT_RAISED, "No hand is up.")
    return [AllLowered(at=now, by=command.by)]


def _raised(state: State, event: Raised) -> None:
    state.raised[event.by] = event.at


def _lowered(state: State, event: Lowered) -> None:
    del state.raised[event.person]


def _all_lowered(state: State, _event: Event) -> None:
    state.raised.clear()


def _gone(state: State, event: Left) -> None:
    if event.reason is not LeaveReason.REPLACED:  # a person who reloads the page keeps the place in the queue
        state.raised.pop(event.person, None)


def _role_changed(state: State, event: RoleChanged) -> None:
    if event.role in STAFF:  # staff need not raise a hand
        state.raised.pop(event.person, None)


class Hand(Struct, frozen=True):
    """A raised hand in a view."""

    person: PersonId
    at: float


class View(Struct, frozen=True):
    """The queue, first in the queue first."""

    hands: list[Hand]
    "The first hands of the queue."
    count: int
    "Number of raised hands."


def _view(room: "Classroom", _person: "Person", _now: float) -> View:
    raised = room.hands.raised
    return View(
        [Hand(person_id, at) for person_id, at in list(raised.items())[: limits.VIEW_PEOPLE]], len(raised)
    )


FEATURE: Final = Feature(
    name="hands",
    state=State,
    decide={Raise: _raise, Lower: _lower, LowerAll: _lower_all},
    apply={
        Raised: _raised,
        Lowered: _lowered,
        AllLowered: _all_lowered,
        Left: _gone,
        RoleChanged: _role_changed,
        Ended: _all_lowered,
    },
    shown={Raised: everyone, Lowered: everyone, AllLowered: everyone},
    view=_view,
)
