"""Calendar files (RFC 5545): sessions and lessons as events in UTC, which every calendar program accepts."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import icalendar

PRODUCT: Final = "-//Lectern//Sessions//EN"


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One entry of a calendar."""

    uid: str
    "The same whenever the entry is written."
    title: str
    starts_at: float
    "Seconds since 1970."
    ends_at: float
    changed_at: float
    url: str = ""
    description: str = ""
    cancelled: bool = False
    sequence: int = 0
    "Grows with each change."


async def calendar(name: str, events: Iterable[CalendarEvent]) -> bytes:
    """Return a calendar. In a thread, because the library needs 0.2 ms for each event, and a feed may have 1,500."""
    return await asyncio.to_thread(_calendar, name, list(events))


def _calendar(name: str, events: Iterable[CalendarEvent]) -> bytes:
    import icalendar  # noqa: PLC0415 - it takes 0.2 s, which a server's start should not wait for

    made = icalendar.Calendar()
    for key, value in (
        ("prodid", PRODUCT),
        ("version", "2.0"),
        ("method", "PUBLISH"),
        ("x-wr-calname", name),
    ):
        made.add(key, value)
    for event in events:
        made.add_component(_filled(icalendar.Event(), event))
    content: bytes = made.to_ical()
    return content


def _filled(made: "icalendar.Event", event: CalendarEvent) -> "icalendar.Event":
    fields = {
        "uid": event.uid,
        "dtstamp": datetime.fromtimestamp(event.changed_at, UTC),
        "dtstart": datetime.fromtimestamp(event.starts_at, UTC),
        "dtend": datetime.fromtimestamp(event.ends_at, UTC),
        "sequence": event.sequence,
        "summary": event.title,
        "status": "CANCELLED" if event.cancelled else "CONFIRMED",
        "description": event.description,
        "url": event.url,
    }
    for key, value in fields.items():
        if value != "":
            made.add(key, value)
    return made
