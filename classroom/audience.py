"""The common visibilities of events, and lists cut to their share of a view.

Each returns the event itself, a copy without the parts hidden from this person, or None.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from classroom import limits
from classroom.roles import STAFF, TUTORS

if TYPE_CHECKING:
    from classroom.base import Event
    from classroom.features.people import Person
    from classroom.state import Classroom

_encode = msgspec.json.Encoder().encode

T = TypeVar("T")


def everyone(_room: "Classroom", event: "Event", _person: "Person") -> "Event | None":
    """Show it to all participants. `classroom.batch` knows this function and asks once for all of them."""
    return event


def staff(_room: "Classroom", event: "Event", person: "Person") -> "Event | None":
    """Show it to tutors and assistants."""
    return event if person.role in STAFF else None


def tutors(_room: "Classroom", event: "Event", person: "Person") -> "Event | None":
    """Show it to the owner and the co-tutors."""
    return event if person.role in TUTORS else None


def staff_and_author(_room: "Classroom", event: "Event", person: "Person") -> "Event | None":
    """Show it to tutors, assistants and its author."""
    return event if person.role in STAFF or event.by == person.id else None


def staff_and_subject(_room: "Classroom", event: Any, person: "Person") -> "Event | None":
    """Show it to tutors, assistants and the person concerned (`event.person`)."""
    return event if person.role in STAFF or event.person == person.id else None


def nobody(_room: "Classroom", _event: "Event", _person: "Person") -> "Event | None":
    """Show it to no participant: only the log and the server use it."""
    return None


def fitting(items: Iterable[T], size: int) -> tuple[list[T], bool]:
    """Return the first items whose JSON together stays within `size` bytes, and whether others were left out.

    The first item is always included, whatever its size, so that one long item does not hide all others.
    """
    kept: list[T] = []
    for item in items:
        size -= len(_encode(item)) + 1
        if size < 0 and kept:
            return kept, True
        kept.append(item)
    return kept, False


def beginning(text: str) -> tuple[str, bool]:
    """Return as much of a text as a list shows, and whether it was cut."""
    return text[: limits.VIEW_TEXT], len(text) > limits.VIEW_TEXT
