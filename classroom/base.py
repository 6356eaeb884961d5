"""What commands, events and features have in common."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from classroom.ids import PersonId

if TYPE_CHECKING:
    from classroom.features.people import Person
    from classroom.state import Classroom

SERVER: Final = PersonId("")
"The author of what no person did: the application by its API key, a timer, the recovery after a crash."


class Command(Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    """Something that somebody wants. The caller has authenticated `by` and chosen new ids."""

    by: PersonId = SERVER
    "Id of the person who wants it."
    v: int = 1
    "Version of this kind of command."


class Event(Struct, frozen=True, kw_only=True, tag_field="type"):
    """Something that happened. Events are kept for years: a kind that changes gets a new version and an upcast."""

    at: float
    "When, in seconds since 1970; never before the event that precedes it in the log."
    by: PersonId = SERVER
    "Id of the person who caused it."
    v: int = 1
    "Version of this kind of event."


class Deadline(Struct, frozen=True, order=True):
    """When a session needs its server next, and why."""

    at: float
    "Seconds since 1970."
    reason: str
    "The name of the rule, `feature.rule`."
    subject: str = ""
    "Id of the person or thing that the rule is about."


Events = Sequence[Event]
Decide = Callable[["Classroom", Any, float], Events]
"Returns what happens, or raises `Refused`; changes nothing."
Apply = Callable[[Any, Any], None]
"Changes the feature's own part of the state, which is all that it is given, by one event."
Shown = Callable[["Classroom", Any, "Person"], Event | None]
"Returns an event as one person may see it, None if the person may not."
Expire = Callable[["Classroom", Deadline, float], Events]
"Returns what happens when a deadline of the feature has passed."


def _no_deadlines(_room: "Classroom") -> Iterable[Deadline]:
    return ()


def _nothing_expires(_room: "Classroom", _deadline: Deadline, _now: float) -> Events:
    return ()


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of a session as the engine sees it."""

    name: str
    "The field of `Classroom` that holds its state, and the first part of the tags of its commands and events."
    state: Callable[[], Any]
    "Makes the state of a new session."
    decide: Mapping[type[Command], Decide]
    "By kind of command."
    apply: Mapping[type[Event], Apply]
    "By kind of event; events of other features are welcome."
    shown: Mapping[type[Event], Shown]
    "By kind of event; all of the feature's own events and no others."
    view: Callable[["Classroom", "Person", float], Any]
    "Returns what a joining person learns of it."
    due: Callable[["Classroom"], Iterable[Deadline]] = field(default=_no_deadlines)
    "Returns its deadlines."
    expire: Expire = field(default=_nothing_expires)
    "Carries a deadline out."
