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
"The author of commands and events without a person: the application by its API key, a timer, recovery after a crash."


class Command(Struct, frozen=True, kw_only=True, tag_field="type", forbid_unknown_fields=True):
    """A request to change a session. The caller has authenticated `by` and chosen new ids."""

    by: PersonId = SERVER
    "Id of the requesting person."
    v: int = 1
    "Version of this kind of command."


class Event(Struct, frozen=True, kw_only=True, tag_field="type"):
    """A change of a session. Events are stored for years: a kind that changes gets a new version and an upcast."""

    at: float
    "Time in seconds since 1970; never earlier than that of the previous event in the log."
    by: PersonId = SERVER
    "Id of the person who caused the event."
    v: int = 1
    "Version of this kind of event."


class Deadline(Struct, frozen=True, order=True):
    """When and why a session next needs the server."""

    at: float
    "Seconds since 1970."
    reason: str
    "The name of the rule, `feature.rule`."
    subject: str = ""
    "Id of the person or thing that the rule is about."


Events = Sequence[Event]
Decide = Callable[["Classroom", Any, float], Events]
"Returns the resulting events, or raises `Refused`; changes nothing."
Apply = Callable[[Any, Any], None]
"Changes the feature's own part of the state, the only part that is passed in, by one event."
Shown = Callable[["Classroom", Any, "Person"], Event | None]
"Returns an event as this person may see it, or None if the person may not see it."
Expire = Callable[["Classroom", Deadline, float], Events]
"Returns the events that follow when a deadline of the feature has passed."


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
    "By kind of event; may include events of other features."
    shown: Mapping[type[Event], Shown]
    "By kind of event; exactly the feature's own events."
    view: Callable[["Classroom", "Person", float], Any]
    "Returns the feature's part of a joining person's view."
    due: Callable[["Classroom"], Iterable[Deadline]] = field(default=_no_deadlines)
    "Returns its deadlines."
    expire: Expire = field(default=_nothing_expires)
    "Handles a deadline that has passed."
