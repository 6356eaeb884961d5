"""iCalendar (RFC 5545): sessions and lessons as events in UTC, which every calendar program takes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

PRODUCT: Final = "-//Lectern//Sessions//EN"

# RFC 5545, section 3.1: lines of 75 octets at most, continued by a space.
_LINE_OCTETS: Final = 75


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


def calendar(name: str, events: Iterable[CalendarEvent]) -> bytes:
    """Return a calendar."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        f"PRODID:{PRODUCT}",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{text(name)}",
    ]
    for event in events:
        lines += _event(event)
    lines.append("END:VCALENDAR")
    return "".join(f"{fold(line)}\r\n" for line in lines).encode()


def _event(event: CalendarEvent) -> list[str]:
    lines = [
        "BEGIN:VEVENT",
        f"UID:{text(event.uid)}",
        f"DTSTAMP:{_utc(event.changed_at)}",
        f"DTSTART:{_utc(event.starts_at)}",
        f"DTEND:{_utc(event.ends_at)}",
        f"SEQUENCE:{event.sequence}",
        f"SUMMARY:{text(event.title)}",
        f"STATUS:{'CANCELLED' if event.cancelled else 'CONFIRMED'}",
    ]
    if event.description:
        lines.append(f"DESCRIPTION:{text(event.description)}")
    if event.url:
        lines.append(f"URL:{event.url}")
    return [*lines, "END:VEVENT"]


def text(value: str) -> str:
    """Return a text with what has a meaning escaped (section 3.3.11)."""
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return escaped.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")


def fold(line: str) -> str:
    """Return a line in pieces that are short enough, never within a character."""
    pieces, piece, octets = [], "", 0
    for char in line:
        size = len(char.encode())
        if octets + size > _LINE_OCTETS:
            pieces.append(piece)
            piece, octets = " ", 1
        piece, octets = piece + char, octets + size
    return "\r\n".join([*pieces, piece])


def _utc(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
