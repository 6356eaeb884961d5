"""The shape that the parts of a school share: tables of handlers, a log of events, a state that follows."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from classroom.base import Command, Event

S = TypeVar("S")


@dataclass(frozen=True, slots=True)
class Aggregate(Generic[S]):
    """One part of a school, with a log of its own."""

    name: str
    "The first part of the tags of its commands and events."
    new: Callable[[], S]
    "Makes the state before the first event."
    decisions: Mapping[type[Command], Callable[[S, Any, float], Sequence[Event]]]
    "By kind of command, what returns its events or raises `Refused`."
    changes: Mapping[type[Event], Callable[[S, Any], None]]
    "By kind of event, what changes the state."

    def decide(self, state: S, command: Command, now: float) -> tuple[Event, ...]:
        """Return what a command leads to at a time in seconds since 1970, or raise `Refused`; changes nothing."""
        return tuple(self.decisions[type(command)](state, command, now))

    def apply(self, state: S, event: Event) -> S:
        """Change the state by one event and return it."""
        self.changes[type(event)](state, event)
        return state

    def replay(self, events: Iterable[Event], state: S | None = None) -> S:
        """Return the state after a log, or after the rest of a log from a snapshot on."""
        state = self.new() if state is None else state
        for event in events:
            self.apply(state, event)
        return state
