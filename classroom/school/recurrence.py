"""Recurring times: RFC 5545 rules in a time zone, expanded within a window and within limits.

A rule is expanded in local time and each result is then converted with the zone, so that a lesson at nine is at nine in
summer and in winter. Where the clock skips that time, or shows it twice, RFC 5545 section 3.3.5 decides: the offset
before the gap, and the first of the two.

The expansion is our own, for the parts of a rule that lessons use: python-dateutil checks UNTIL only when a rule
matches, so that a rule without a match keeps it busy up to the year 9999, for half a minute. Tests compare the two.
"""

import calendar
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from classroom import limits
from classroom.errors import Code, LimitReached, Malformed

# Left out: the parts that expand within a day (BYHOUR, BYMINUTE, BYSECOND, and frequencies below a day) and those
# that calendar programs do not offer in their forms (BYWEEKNO, BYYEARDAY).
_PARTS: Final = frozenset(
    {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"}
)
_FREQUENCIES: Final = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_WEEKDAYS: Final = {name: number for number, name in enumerate(["MO", "TU", "WE", "TH", "FR", "SA", "SU"])}
_PART: Final = re.compile(r"([A-Z]+)=([A-Z0-9,+-]+)")
_DAY: Final = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_NUMBER: Final = re.compile(r"[+-]?\d{1,3}")
_LOCAL: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?")
_UNTIL: Final = re.compile(r"\d{8}(T\d{6}Z?)?")
_ONE_DAY: Final = timedelta(days=1)


class Rule(NamedTuple):
    """A parsed rule."""

    frequency: str
    interval: int
    limit: int | None
    "COUNT."
    until: str
    days: frozenset[tuple[int, int]]
    "(ordinal, weekday); ordinal 0: every such weekday."
    month_days: frozenset[int]
    months: frozenset[int]
    positions: frozenset[int]
    week_start: int


def zone(name: str) -> ZoneInfo:
    """Return a time zone of the IANA database by name, such as `Europe/Berlin`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a folder, a path, a name that no file can have
        raise Malformed(Code.BAD_TIME_ZONE, f"There is no time zone {name[:100]!r}.") from None


def local(text: str) -> datetime:
    """Return a local time, `2026-11-28T09:00`, as a naive datetime."""
    if _LOCAL.fullmatch(text) is not None:
        try:
            value = datetime.fromisoformat(text)
        except ValueError:
            pass
        else:
            if 1970 <= value.year <= 2200:
                return value
    raise Malformed(Code.BAD_TIME, f"{text[:100]!r} is not a local time such as 2026-11-28T09:00.")


def timestamp(value: datetime, tz: ZoneInfo) -> float:
    """Return a zone's naive local time in seconds since 1970: the first of two, in a gap by the offset before it."""
    return value.replace(tzinfo=tz, fold=0).timestamp()


def local_at(at: float, tz: ZoneInfo) -> datetime:
    """Return seconds since 1970 as the naive local time of a zone."""
    return datetime.fromtimestamp(at, tz).replace(tzinfo=None)


def with_offset(at: float, tz: ZoneInfo) -> str:
    """Return seconds since 1970 as a zone's time with its offset from UTC, `2026-11-30T09:00:00+01:00` (RFC 3339)."""
    return datetime.fromtimestamp(at, tz).isoformat(timespec="seconds")


def read(text: str) -> Rule:
    """Return a parsed rule (the value of an RRULE property). Raises `Malformed` if it is invalid or unsupported."""
    parts = _split(text)
    if parts.get("FREQ") not in _FREQUENCIES:
        raise Malformed(Code.BAD_RECURRENCE, "FREQ has to be DAILY, WEEKLY, MONTHLY or YEARLY.")
    if "COUNT" in parts and "UNTIL" in parts:  # RFC 5545 section 3.3.10
        raise Malformed(Code.BAD_RECURRENCE, "COUNT and UNTIL cannot be used together.")
    if "UNTIL" in parts and _UNTIL.fullmatch(parts["UNTIL"]) is None:
        raise Malformed(Code.BAD_RECURRENCE, "UNTIL has to be a date or a time such as 20261224T225959Z.")
    rule = Rule(
        frequency=parts["FREQ"],
        interval=_number(parts.get("INTERVAL", "1"), "INTERVAL", 1, 999),
        limit=_number(parts["COUNT"], "COUNT", 1, limits.OCCURRENCES) if "COUNT" in parts else None,
        until=parts.get("UNTIL", ""),
        days=frozenset(map(_day, parts["BYDAY"].split(","))) if "BYDAY" in parts else frozenset(),
        month_days=_numbers(parts, "BYMONTHDAY", -31, 31),
        months=_numbers(parts, "BYMONTH", 1, 12),
        positions=_numbers(parts, "BYSETPOS", -366, 366),
        week_start=_day(parts.get("WKST", "MO"))[1],
    )
    # RFC 5545 section 3.3.10, the notes on BYDAY and BYMONTHDAY.
    if rule.frequency in {"DAILY", "WEEKLY"} and any(which for which, _ in rule.days):
        raise Malformed(Code.BAD_RECURRENCE, "BYDAY has numbers only with MONTHLY and YEARLY.")
    if rule.frequency == "WEEKLY" and rule.month_days:
        raise Malformed(Code.BAD_RECURRENCE, "BYMONTHDAY does not go with WEEKLY.")
    return rule


def _split(text: str) -> dict[str, str]:
    if len(text) > limits.RECURRENCE_LENGTH:
        raise Malformed(Code.BAD_RECURRENCE, "The recurrence rule is too long.")
    parts: dict[str, str] = {}
    for part in text.split(";"):
        match = _PART.fullmatch(part)
        if match is None or match[1] in parts:
            raise Malformed(Code.BAD_RECURRENCE, f"{part[:50]!r} is not a part of a rule, or is there twice.")
        if match[1] not in _PARTS:
            raise Malformed(Code.BAD_RECURRENCE, f"{match[1]} is not supported in a recurrence rule.")
        parts[match[1]] = match[2]
    return parts


def _number(text: str, name: str, low: int, high: int) -> int:
    if _NUMBER.fullmatch(text) is None or not low <= int(text) <= high or int(text) == 0:
        raise Malformed(Code.BAD_RECURRENCE, f"{name} has to be a number from {low} to {high}, and not 0.")
    return int(text)


def _numbers(parts: dict[str, str], name: str, low: int, high: int) -> frozenset[int]:
    if name not in parts:
        return frozenset()
    return frozenset(_number(text, name, low, high) for text in parts[name].split(","))


def _day(text: str) -> tuple[int, int]:
    match = _DAY.fullmatch(text)
    if match is None or (match[1] is not None and not 1 <= abs(int(match[1])) <= 53):
        raise Malformed(Code.BAD_RECURRENCE, f"{text[:50]!r} is not a weekday such as MO or -1FR.")
    return int(match[1] or 0), _WEEKDAYS[match[2]]


def _local_until(text: str, tz: ZoneInfo) -> datetime:
    """Return UNTIL as local time: a value ending with Z is UTC; a date means the end of that day."""
    try:
        if len(text) == 8:
            return datetime.strptime(text, "%Y%m%d").replace(hour=23, minute=59, second=59)  # noqa: DTZ007 - local
        value = datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - as above
        return value.replace(tzinfo=UTC).astimezone(tz).replace(tzinfo=None) if text.endswith("Z") else value
    except (ValueError, OverflowError):
        raise Malformed(Code.BAD_RECURRENCE, "UNTIL is not a time.") from None


def expand(text: str, starts: datetime, tz: ZoneInfo, since: datetime, until: datetime) -> Iterator[datetime]:
    """Yield the local times of a rule within [since, until), in order; without a rule, the one start.

    Raises `LimitReached` if the window is too long or contains too many. A series ends after ten years.
    """
    if not text:
        if since <= starts < until:
            yield starts
        return
    if until - since > timedelta(seconds=limits.WINDOW_S):
        raise LimitReached(Code.TOO_LARGE, f"A window may be {limits.WINDOW_S // 86_400} days long at most.")
    rule = read(text)
    ends = min(until, starts + timedelta(seconds=limits.SERIES_S))
    last = _local_until(rule.until, tz) if rule.until else ends
    found = 0
    for number, value in enumerate(_times(rule, starts, ends)):
        if value > last or (rule.limit is not None and number >= rule.limit):
            return
        if value < since:
            continue
        found += 1
        if found > limits.OCCURRENCES:
            raise LimitReached(
                Code.TOO_MANY, f"There are more than {limits.OCCURRENCES} times in this window."
            )
        yield value


def _times(rule: Rule, starts: datetime, ends: datetime) -> Iterator[datetime]:
    """Yield the times of a rule from its start to before `ends`, without regard to COUNT and UNTIL, in order."""
    time = starts.time()
    for period in _periods(rule, starts.date(), ends.date()):
        days = [day for day in period if _matches(rule, starts.date(), day)]
        if rule.positions:
            chosen = {place - 1 if place > 0 else len(days) + place for place in rule.positions}
            days = [day for index, day in enumerate(days) if index in chosen]
        for day in days:
            value = datetime.combine(day, time)
            if starts <= value < ends:
                yield value


def _periods(rule: Rule, first: date, last: date) -> Iterator[list[date]]:
    """Yield the days of each period that the interval selects, from the first day's period to the last day's."""
    if rule.frequency == "DAILY":
        for number in range(0, (last - first).days + 1, rule.interval):
            yield [first + number * _ONE_DAY]
    elif rule.frequency == "WEEKLY":
        monday = first - (first.weekday() - rule.week_start) % 7 * _ONE_DAY
        for number in range(0, (last - monday).days + 1, 7 * rule.interval):
            yield [monday + (number + day) * _ONE_DAY for day in range(7)]
    elif rule.frequency == "MONTHLY":
        month = first.year * 12 + first.month - 1
        for index in range(month, last.year * 12 + last.month, rule.interval):
            yield _month(index // 12, index % 12 + 1)
    else:
        for year in range(first.year, last.year + 1, rule.interval):
            yield [day for month in range(1, 13) for day in _month(year, month)]


def _month(year: int, month: int) -> list[date]:
    return [date(year, month, day + 1) for day in range(calendar.monthrange(year, month)[1])]


def _matches(rule: Rule, first: date, day: date) -> bool:
    """Return whether the rule includes a day of a period; unspecified parts are those of the first day."""
    if rule.months and day.month not in rule.months:
        return False
    if rule.month_days:
        length = calendar.monthrange(day.year, day.month)[1]
        if day.day not in rule.month_days and day.day - length - 1 not in rule.month_days:
            return False
    if rule.days:
        return any(_is_weekday(rule, which, weekday, day) for which, weekday in rule.days)
    if rule.month_days or rule.frequency == "DAILY":
        return True
    if rule.frequency == "WEEKLY":
        return day.weekday() == first.weekday()
    return day.day == first.day and (
        rule.frequency == "MONTHLY" or bool(rule.months) or day.month == first.month
    )


def _is_weekday(rule: Rule, which: int, weekday: int, day: date) -> bool:
    """Return whether a day is a weekday, or the which-th one of its month (YEARLY without BYMONTH: of its year)."""
    if day.weekday() != weekday:
        return False
    if rule.frequency == "YEARLY" and not rule.months:
        number, length = day.timetuple().tm_yday, 366 if calendar.isleap(day.year) else 365
    else:
        number, length = day.day, calendar.monthrange(day.year, day.month)[1]
    return which in {0, (number - 1) // 7 + 1, -((length - number) // 7 + 1)}
