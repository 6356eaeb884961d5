"""The structure that the parts of a school share: tables of handlers, a log of events, and the resulting state."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from classroom.base import Command, Event

S = TypeVar("S")


def _never(_state: Any, _now: float) -> float | None:
    return None


def _nothing(_state: Any, _now: float) -> Sequence[Event]:
    return ()


@dataclass(frozen=True, slots=True)
class Aggregate(Generic[S]):
    """One part of a school, with a log of its own."""

    name: str
    "The first part of the tags of its commands and events."
    new: Callable[[], S]
    "Creates the state before the first event."
    decisions: Mapping[type[Command], Callable[[S, Any, float], Sequence[Event]]]
    "By kind of command: returns the resulting events, or raises `Refused`."
    changes: Mapping[type[Event], Callable[[S, Any], None]]
    "By kind of event: changes the state."
    due: Callable[[S, float], float | None] = _never
    "Returns when, after a time, the part next has something to do by itself; None: not before the next command."
    expire: Callable[[S, float], Sequence[Event]] = _nothing
    "Returns what follows at a time from deadlines that have passed; changes nothing."

    @property
    def has_timer(self) -> bool:
        """Whether the part ever does something by itself."""
        return self.due is not _never

    def decide(self, state: S, command: Command, now: float) -> tuple[Event, ...]:
        """Return the events that follow from a command at `now` (seconds since 1970), or raise `Refused`."""
        return tuple(self.decisions[type(command)](state, command, now))

    def apply(self, state: S, event: Event) -> S:
        """Change the state by one event and return it."""
        self.changes[type(event)](state, event)
        return state

    def replay(self, events: Iterable[Event], state: S | None = None) -> S:
        """Return the state after a log, or after the rest of a log that follows a snapshot."""
        state = self.new() if state is None else state
        for event in events:
            self.apply(state, event)
        return state
