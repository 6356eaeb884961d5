"""When people are available: weekly times in their own time zone, and common times of several people. Pure, no log."""

from collections.abc import Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import Final

from msgspec import Struct

from classroom import checks, limits
from classroom.errors import Code, LimitReached, Malformed
from classroom.school import recurrence

DAY_MINUTES: Final = 24 * 60

LATEST: Final = 7_258_118_400.0
"The first second of the year 2200: local times go up to then."

Span = tuple[float, float]
"Start and end, seconds since 1970."


class Weekly(Struct, frozen=True, forbid_unknown_fields=True):
    """A time of each week."""

    weekday: int
    "0 is Monday."
    from_minute: int
    "Minute of the day, local time."
    to_minute: int


class Availability(Struct, frozen=True, forbid_unknown_fields=True):
    """When a person is available."""

    time_zone: str
    weekly: tuple[Weekly, ...]
    away: tuple[Span, ...] = ()
    "Holidays and other times when the person is not available."
    extra: tuple[Span, ...] = ()
    "Times when the person is available beyond the weekly times; `away` prevails."


def check(availability: Availability) -> Availability:
    """Return an availability that is within the limits."""
    recurrence.zone(availability.time_zone)
    if len(availability.weekly) > limits.WEEKLY_HOURS:
        raise LimitReached(Code.TOO_MANY, f"There may be {limits.WEEKLY_HOURS} weekly times at most.")
    if len(availability.away) > limits.EXCEPTIONS or len(availability.extra) > limits.EXCEPTIONS:
        raise LimitReached(
            Code.TOO_MANY, f"There may be {limits.EXCEPTIONS} exceptions of each kind at most."
        )
    for weekly in availability.weekly:
        checks.number(weekly.weekday, 0, 6, "weekday")
        checks.number(weekly.from_minute, 0, DAY_MINUTES, "beginning")
        checks.number(weekly.to_minute, weekly.from_minute + 1, DAY_MINUTES, "end")
    for since, until in (*availability.away, *availability.extra):
        if not 0 <= since < until <= LATEST:
            raise Malformed(
                Code.BAD_TIME, "An exception has to end after its beginning, before the year 2200."
            )
    if any(until - since > limits.DURATION_S for since, until in availability.extra):
        raise Malformed(
            Code.BAD_TIME, f"An additional time may be {limits.DURATION_S // 3_600} hours long at most."
        )
    return availability


def spans(availability: Availability, since: float, until: float) -> list[Span]:
    """Return when a person is available within a window: in order, adjacent spans joined."""
    if until - since > limits.WINDOW_S:
        raise LimitReached(Code.TOO_LARGE, f"A window may be {limits.WINDOW_S // 86_400} days long at most.")
    times = ((max(starts, since), min(ends, until)) for starts, ends in openings(availability, since, until))
    return subtract(join(times), join(availability.away))


def openings(availability: Availability, since: float, until: float) -> list[Span]:
    """Return the weekly and extra times that overlap a window, neither cut nor joined, and regardless of absences."""
    tz = recurrence.zone(availability.time_zone)
    # A time of the day before can reach into the window where the clock is put back at midnight.
    day = recurrence.local_at(since, tz).date() - timedelta(days=1)
    last = recurrence.local_at(until, tz).date()
    found = list(availability.extra)
    while day <= last:
        midnight = datetime.combine(day, time())
        for weekly in availability.weekly:
            if weekly.weekday == day.weekday():
                starts = recurrence.timestamp(midnight + timedelta(minutes=weekly.from_minute), tz)
                ends = recurrence.timestamp(midnight + timedelta(minutes=weekly.to_minute), tz)
                found.append((starts, ends))
        day += timedelta(days=1)
    return [(starts, ends) for starts, ends in found if starts < until and ends > since]


def join(items: Iterable[Span]) -> list[Span]:
    """Return spans in order, joined where they touch or overlap, without empty ones."""
    joined: list[Span] = []
    for starts, ends in sorted(item for item in items if item[0] < item[1]):
        if joined and starts <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(ends, joined[-1][1]))
        else:
            joined.append((starts, ends))
    return joined


def subtract(items: Sequence[Span], holes: Sequence[Span]) -> list[Span]:
    """Return the parts of joined spans outside of joined holes."""
    left = []
    for starts, ends in items:
        at = starts
        for hole_starts, hole_ends in holes:
            if hole_ends > at and hole_starts < ends:
                left.append((at, hole_starts))
                at = max(at, hole_ends)
        left.append((at, ends))
    return join(left)


def common(people: Sequence[Sequence[Span]], duration_s: float) -> list[Span]:
    """Return when all are available for at least this long; each person's spans are joined and in order."""
    if not people:
        return []
    shared = list(people[0])
    for others in people[1:]:
        shared = join(
            (max(starts, since), min(ends, until)) for starts, ends in shared for since, until in others
        )
    return [(starts, ends) for starts, ends in shared if ends - starts >= duration_s]


def is_free(items: Sequence[Span], starts_at: float, ends_at: float) -> bool:
    """Return whether a person with these joined spans is available for the whole of a time."""
    return any(since <= starts_at and ends_at <= until for since, until in items)
