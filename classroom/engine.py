"""Decides the events that follow from a command, applies events, and returns the next deadline of the session.

    events = decide(room, command, now)     # or raises Refused; changes nothing
    ... the caller appends the events to its log ...
    for event in events:
        apply(room, event)

After each change, a caller also asks `due` and, when that time has come, calls `expire` until nothing is due.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any, Final

from classroom import limits, permissions
from classroom.base import SERVER, Apply, Command, Deadline, Decide, Event
from classroom.catalogue import FEATURES
from classroom.errors import Code, Conflict, LimitReached
from classroom.features import people, session
from classroom.state import Classroom

_DECIDE: Final[dict[type[Command], Decide]] = {
    kind: handler for feature in FEATURES for kind, handler in feature.decide.items()
}
_FEATURES: Final = {feature.name: feature for feature in FEATURES}


def _appliers() -> dict[type[Event], tuple[tuple[str, Apply], ...]]:
    table: dict[type[Event], list[tuple[str, Apply]]] = defaultdict(list)
    for feature in FEATURES:
        for kind, handler in feature.apply.items():
            table[kind].append((feature.name, handler))
    return {kind: tuple(handlers) for kind, handlers in table.items()}


_APPLY: Final = _appliers()


def decide(room: Classroom, command: Command, now: float) -> tuple[Event, ...]:
    """Return the events that follow from a command at a time (seconds since 1970), or raise `Refused`; changes nothing.

    If the clock was set back, time counts as standing still, so that the log remains in order.
    """
    permissions.check(room, command)
    if (
        room.seq >= limits.EVENTS
        and command.by != SERVER
        and not isinstance(command, (people.Leave, session.End))
    ):
        raise LimitReached(Code.LOG_FULL, "The history of the session is full; end it and start another one.")
    return tuple(_DECIDE[type(command)](room, command, max(now, room.at)))


def apply(room: Classroom, event: Event) -> Classroom:
    """Change the state by one event of the log, and return it. Events of a log are never refused."""
    for name, handler in _APPLY[type(event)]:
        handler(getattr(room, name), event)
    room.seq += 1
    room.at = event.at
    return room


def replay(events: Iterable[Event], room: Classroom | None = None) -> Classroom:
    """Return the state after a log, or after the rest of a log that follows a snapshot."""
    room = Classroom() if room is None else room
    for event in events:
        apply(room, event)
    return room


def due(room: Classroom) -> Deadline | None:
    """Return when and why the session next needs its server; None: not before the next command."""
    deadlines = (deadline for feature in FEATURES for deadline in feature.due(room))
    return min(deadlines, default=None, key=_time)


def _time(deadline: Deadline) -> float:
    return deadline.at


def expire(room: Classroom, now: float) -> tuple[Event, ...]:
    """Return the events that follow from the earliest deadline, which has passed. `Conflict` when nothing is due."""
    deadline = due(room)
    if deadline is None or deadline.at > now:
        raise Conflict(Code.NOT_DUE, "No deadline of the session has passed.")
    feature: Any = _FEATURES[deadline.reason.partition(".")[0]]
    return tuple(feature.expire(room, deadline, max(now, room.at)))
