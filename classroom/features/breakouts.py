"""Breakouts: small rooms beside the lesson. Nobody rejoins to move; the log has who was where.

First the rooms are made and people are assigned: by hand, at random or by their own choice. Then the rooms open, for a
time or until they are closed. `places` assigns people to rooms; it takes effect while the breakouts are open.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from classroom import checks, limits
from classroom.audience import everyone, staff_and_subject
from classroom.base import Command, Deadline, Event, Events, Feature
from classroom.errors import Code, Conflict, LimitReached, Malformed, NotAllowed, NotFound
from classroom.features.people import LeaveReason, Left, find, find_present
from classroom.features.session import Ended
from classroom.ids import BreakoutId, PersonId
from classroom.roles import STAFF, Role

if TYPE_CHECKING:
    from classroom.features.people import Person
    from classroom.state import Classroom


class Room(Struct, frozen=True, forbid_unknown_fields=True):
    """One breakout."""

    id: BreakoutId
    name: str


class Make(Command, frozen=True, tag="breakouts.make"):
    """Make new rooms; earlier rooms and their assignments are removed."""

    rooms: tuple[Room, ...]
    choice: bool = False
    "Students may choose their room."
    capacity: int = 0
    "Places in each room for people who choose; 0: no limit."


class Assign(Command, frozen=True, tag="breakouts.assign"):
    """Assign a person to a room, also while the breakouts are open."""

    person: PersonId
    room: BreakoutId
    "Empty: back into the lesson."


class Shuffle(Command, frozen=True, tag="breakouts.shuffle"):
    """Spread the students who are present evenly over the rooms."""

    seed: int
    "A random number that decides the order."


class Open(Command, frozen=True, tag="breakouts.open"):
    """Open the breakouts: all people go to their rooms."""

    duration_s: int = 0
    "The breakouts close automatically after this time; 0: never."


class Choose(Command, frozen=True, tag="breakouts.choose"):
    """Go to a room of your choice."""

    room: BreakoutId


class Visit(Command, frozen=True, tag="breakouts.visit"):
    """Go to a room as a member of staff; empty: back into the lesson."""

    room: BreakoutId


class Broadcast(Command, frozen=True, tag="breakouts.broadcast"):
    """Send an announcement to all rooms."""

    text: str


class CallBack(Command, frozen=True, tag="breakouts.call_back"):
    """Announce the end: the rooms close after a countdown."""

    countdown_s: int = 60


class Close(Command, frozen=True, tag="breakouts.close"):
    """Close the breakouts: everybody is back in the lesson at once."""


class Made(Event, frozen=True, tag="breakouts.made"):
    """The rooms were made."""

    rooms: tuple[Room, ...]
    choice: bool
    capacity: int


class Moved(Event, frozen=True, tag="breakouts.moved"):
    """A person was assigned to a room, or (empty) to the lesson."""

    person: PersonId
    room: BreakoutId


class Shuffled(Event, frozen=True, tag="breakouts.shuffled"):
    """The students were assigned to these rooms."""

    places: dict[PersonId, BreakoutId]
    "Room by person."


class Opened(Event, frozen=True, tag="breakouts.opened"):
    """The breakouts opened; all people are in their rooms."""

    ends_at: float | None


class Called(Event, frozen=True, tag="breakouts.called"):
    """The rooms will close soon."""

    ends_at: float


class Announced(Event, frozen=True, tag="breakouts.announced"):
    """An announcement was sent to all rooms."""

    text: str


class Closed(Event, frozen=True, tag="breakouts.closed"):
    """The breakouts closed; everybody is back in the lesson."""


class State(Struct):
    """The rooms and the assignments of people."""

    rooms: dict[BreakoutId, str] = field(default_factory=dict)
    "Name by id."
    places: dict[PersonId, BreakoutId] = field(default_factory=dict)
    "Room by person."
    choice: bool = False
    capacity: int = 0
    open: bool = False
    ends_at: float | None = None


_MASK: Final = 2**64 - 1


def _random_order(ids: list[PersonId], seed: int) -> list[PersonId]:
    """Return the ids in an order determined by the seed: Fisher-Yates with SplitMix64 (Steele, Lea, Flood 2014)."""
    order, state = list(ids), seed & _MASK
    for last in range(len(order) - 1, 0, -1):
        state = (state + 0x9E3779B97F4A7C15) & _MASK
        mixed = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK
        index = (mixed ^ (mixed >> 31)) % (last + 1)
        order[last], order[index] = order[index], order[last]
    return order


def place(room: "Classroom", person_id: PersonId) -> str:
    """Return a person's current breakout, empty for the lesson."""
    return room.breakouts.places.get(person_id, "") if room.breakouts.open else ""


def _make(room: "Classroom", command: Make, now: float) -> Events:
    if room.breakouts.open:
        raise Conflict(Code.BREAKOUTS_OPEN, "The breakouts are open; close them first.")
    if not 1 <= len(command.rooms) <= limits.BREAKOUTS:
        raise LimitReached(Code.TOO_MANY, f"There may be 1 to {limits.BREAKOUTS} breakouts.")
    checks.number(command.capacity, 0, limits.CAPACITY, "capacity")
    rooms = tuple(
        Room(checks.identifier(made.id, "breakout"), checks.line(made.name, limits.NAME_LENGTH, "name"))
        for made in command.rooms
    )
    if len({made.id for made in rooms}) < len(rooms):
        raise Malformed(Code.BAD_IDENTIFIER, "Two breakouts have the same id.")
    return [Made(at=now, by=command.by, rooms=rooms, choice=command.choice, capacity=command.capacity)]


def _check_room(room: "Classroom", breakout: BreakoutId) -> None:
    if breakout and breakout not in room.breakouts.rooms:
        raise NotFound(Code.BREAKOUT_NOT_FOUND, "There is no such breakout.")


def _move(room: "Classroom", person_id: PersonId, breakout: BreakoutId, now: float, by: PersonId) -> Events:
    if room.breakouts.places.get(person_id, "") == breakout:
        raise Conflict(Code.NOTHING_TO_CHANGE, "The person is there already.")
    return [Moved(at=now, by=by, person=person_id, room=breakout)]


def _assign(room: "Classroom", command: Assign, now: float) -> Events:
    _check_room(room, command.room)
    return _move(room, find(room, command.person).id, command.room, now, command.by)


def _shuffle(room: "Classroom", command: Shuffle, now: float) -> Events:
    state, people = room.breakouts, room.people
    if state.open:
        raise Conflict(Code.BREAKOUTS_OPEN, "The breakouts are open; close them first.")
    if not state.rooms:
        raise NotFound(Code.BREAKOUT_NOT_FOUND, "There are no breakouts yet.")
    students = [key for key in people.present if people.everyone[key].role is Role.STUDENT]
    order, rooms = _random_order(students, command.seed), list(state.rooms)
    places = {person_id: rooms[index % len(rooms)] for index, person_id in enumerate(order)}
    return [Shuffled(at=now, by=command.by, places=places)]


def _open(room: "Classroom", command: Open, now: float) -> Events:
    state = room.breakouts
    if state.open:
        raise Conflict(Code.BREAKOUTS_OPEN, "The breakouts are open already.")
    if not state.rooms:
        raise NotFound(Code.BREAKOUT_NOT_FOUND, "There are no breakouts yet.")
    duration_s = checks.number(command.duration_s, 0, limits.BREAKOUT_S, "duration")
    return [Opened(at=now, by=command.by, ends_at=now + duration_s if duration_s else None)]


def _check_open(room: "Classroom") -> None:
    if not room.breakouts.open:
        raise Conflict(Code.BREAKOUTS_CLOSED, "The breakouts are not open.")


def _choose(room: "Classroom", command: Choose, now: float) -> Events:
    state = room.breakouts
    if not state.choice:
        raise NotAllowed(Code.CHOICE_OFF, "The tutor assigns the breakouts.")
    _check_room(room, command.room)
    moved = _move(room, find_present(room, command.by).id, command.room, now, command.by)
    taken = sum(breakout == command.room for breakout in state.places.values())
    if command.room and state.capacity and taken >= state.capacity:
        raise LimitReached(Code.GROUP_FULL, "This breakout is full.")
    return moved


def _visit(room: "Classroom", command: Visit, now: float) -> Events:
    _check_open(room)
    _check_room(room, command.room)
    return _move(room, find_present(room, command.by).id, command.room, now, command.by)


def _broadcast(room: "Classroom", command: Broadcast, now: float) -> Events:
    _check_open(room)
    text = checks.text(command.text, limits.MESSAGE_LENGTH, "message")
    return [Announced(at=now, by=command.by, text=text)]


def _call_back(room: "Classroom", command: CallBack, now: float) -> Events:
    _check_open(room)
    countdown_s = checks.number(command.countdown_s, 1, 600, "countdown")
    return [Called(at=now, by=command.by, ends_at=now + countdown_s)]


def _close(room: "Classroom", command: Close, now: float) -> Events:
    _check_open(room)
    return [Closed(at=now, by=command.by)]


def _made(state: State, event: Made) -> None:
    state.rooms = {made.id: made.name for made in event.rooms}
    state.places = {}
    state.choice, state.capacity = event.choice, event.capacity


def _moved(state: State, event: Moved) -> None:
    if event.room:
        state.places[event.person] = event.room
    else:
        state.places.pop(event.person, None)


def _shuffled(state: State, event: Shuffled) -> None:
    state.places = dict(event.places)


def _opened(state: State, event: Opened) -> None:
    state.open, state.ends_at = True, event.ends_at


def _called(state: State, event: Called) -> None:
    state.ends_at = event.ends_at


def _closed(state: State, _event: Event) -> None:
    state.open, state.ends_at = False, None


def _left(state: State, event: Left) -> None:
    # A lost connection keeps the place, so that a returning person is in the same room.
    if event.reason in {LeaveReason.REMOVED, LeaveReason.BANNED, LeaveReason.LEFT}:
        state.places.pop(event.person, None)


def _due(room: "Classroom") -> Iterable[Deadline]:
    if room.breakouts.ends_at is not None:
        yield Deadline(room.breakouts.ends_at, "breakouts.close")


def _expire(_room: "Classroom", _deadline: Deadline, now: float) -> Events:
    return [Closed(at=now)]


class View(Struct, frozen=True):
    """The rooms; for staff the places of everybody, for others their own place."""

    rooms: list[Room]
    open: bool
    choice: bool
    ends_at: float | None
    mine: str
    "Empty: no room."
    places: dict[BreakoutId, list[PersonId]]
    "People by room; empty for people who are not staff."


def _view(room: "Classroom", person: "Person", _now: float) -> View:
    state = room.breakouts
    places: dict[BreakoutId, list[PersonId]] = {}
    if person.role in STAFF:
        for person_id, breakout in list(state.places.items())[: limits.VIEW_PEOPLE]:
            places.setdefault(breakout, []).append(person_id)
    return View(
        rooms=[Room(key, name) for key, name in state.rooms.items()],
        open=state.open,
        choice=state.choice,
        ends_at=state.ends_at,
        mine=state.places.get(person.id, ""),
        places=places,
    )


def _shuffled_shown(_room: "Classroom", event: Shuffled, person: "Person") -> Event:
    """Everybody sees it; students and observers see only their own place."""
    if person.role in STAFF:
        return event
    mine = {person.id: event.places[person.id]} if person.id in event.places else {}
    return Shuffled(at=event.at, by=event.by, places=mine)


FEATURE: Final = Feature(
    name="breakouts",
    state=State,
    decide={
        Make: _make,
        Assign: _assign,
        Shuffle: _shuffle,
        Open: _open,
        Choose: _choose,
        Visit: _visit,
        Broadcast: _broadcast,
        CallBack: _call_back,
        Close: _close,
    },
    apply={
        Made: _made,
        Moved: _moved,
        Shuffled: _shuffled,
        Opened: _opened,
        Called: _called,
        Announced: lambda _state, _event: None,  # announcements are not stored, the log has them
        Closed: _closed,
        Left: _left,
        Ended: _closed,
    },
    shown={
        Made: everyone,
        Moved: staff_and_subject,
        Shuffled: _shuffled_shown,
        Opened: everyone,
        Called: everyone,
        Announced: everyone,
        Closed: everyone,
    },
    view=_view,
    due=_due,
    expire=_expire,
)
