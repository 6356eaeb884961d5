"""Reactions: a short sign on all screens that disappears by itself."""

from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from classroom import limits
from classroom.audience import everyone
from classroom.base import Command, Event, Events, Feature
from classroom.errors import Code, LimitReached, Malformed
from classroom.ids import PersonId

if TYPE_CHECKING:
    from classroom.features.people import Person
    from classroom.state import Classroom

EXPRESSIONS: Final = ("👍", "👎", "👏", "❤️", "😂", "😮", "😢", "🎉", "🤔", "✅", "❌", "🐢", "🐇", "☕")
"The allowed reactions: yes, no, applause ... slower, faster, a break. A fixed set cannot carry hidden messages."


class React(Command, frozen=True, tag="reactions.react"):
    """Show a reaction."""

    expression: str


class Reacted(Event, frozen=True, tag="reactions.reacted"):
    """`by` reacted."""

    expression: str


class State(Struct):
    """Counts of the reactions shown."""

    counts: dict[str, int] = field(default_factory=dict)
    recent: dict[PersonId, list[float]] = field(default_factory=dict)
    "By person, times of the latest reactions; limits the rate."


def _react(room: "Classroom", command: React, now: float) -> Events:
    if command.expression not in EXPRESSIONS:
        raise Malformed(Code.BAD_CHOICE, f"A reaction is one of {' '.join(EXPRESSIONS)}.")
    recent = room.reactions.recent.get(command.by, [])
    if len(recent) == limits.REACTIONS_PER_WINDOW and now - recent[0] < limits.REACTION_WINDOW_S:
        raise LimitReached(Code.TOO_FAST, "These are too many reactions in a few seconds.")
    return [Reacted(at=now, by=command.by, expression=command.expression)]


def _reacted(state: State, event: Reacted) -> None:
    state.counts[event.expression] = state.counts.get(event.expression, 0) + 1
    recent = state.recent.setdefault(event.by, [])
    recent.append(event.at)
    if len(recent) > limits.REACTIONS_PER_WINDOW:
        recent.pop(0)


class View(Struct, frozen=True):
    """Counts of the reactions shown so far."""

    counts: dict[str, int]


def _view(room: "Classroom", _person: "Person", _now: float) -> View:
    return View(dict(room.reactions.counts))


FEATURE: Final = Feature(
    name="reactions",
    state=State,
    decide={React: _react},
    apply={Reacted: _reacted},
    shown={Reacted: everyone},
    view=_view,
)
