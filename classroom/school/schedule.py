"""A tutor's timetable: single and recurring lessons with their exceptions, conflicts between them, and reminders."""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Final

from msgspec import Struct, field, structs

from classroom import checks, limits
from classroom.base import SERVER, Command, Event
from classroom.errors import Code, Conflict, LimitReached, Malformed, NotAllowed, NotFound
from classroom.ids import CourseId, PersonId
from classroom.school import recurrence
from classroom.school.aggregate import Aggregate


class Series(Struct, frozen=True, forbid_unknown_fields=True):
    """A lesson, or lessons that repeat."""

    id: str
    title: str
    starts: str
    "Local time of the first occurrence, `2026-11-28T09:00`."
    time_zone: str
    "IANA name."
    duration_s: int
    rule: str = ""
    "Value of an RRULE property (RFC 5545 section 3.3.10); empty: once."
    reminders: tuple[int, ...] = ()
    "Seconds before each start."
    course: CourseId = CourseId("")
    "Id of the course, or empty."


class Move(Struct, frozen=True, forbid_unknown_fields=True):
    """New time of a moved occurrence."""

    starts: str
    "Local time."
    duration_s: int


class Occurrence(Struct, frozen=True, order=True):
    """One lesson of the timetable; ordered by time."""

    starts_at: float
    ends_at: float
    series: str
    key: str
    "The local time that the rule gives; exceptions name the occurrence by it (RECURRENCE-ID), even after a move."


class Conflicting(Struct, frozen=True):
    """Two lessons at the same time."""

    first: Occurrence
    second: Occurrence


class Reminder(Struct, frozen=True, order=True):
    """A reminder whose time has come."""

    at: float
    occurrence: Occurrence
    before_s: int


class Add(Command, frozen=True, tag="schedule.add"):
    """Add a series to the timetable. `conflicts` reports conflicts; they are not refused."""

    series: Series


class Change(Command, frozen=True, tag="schedule.change"):
    """Replace a series; exceptions remain where the new rule still has their times."""

    series: Series


class Remove(Command, frozen=True, tag="schedule.remove"):
    """Remove a series."""

    series: str


class CancelOne(Command, frozen=True, tag="schedule.cancel_one"):
    """Cancel one occurrence."""

    series: str
    key: str


class MoveOne(Command, frozen=True, tag="schedule.move_one"):
    """Move one occurrence to another time."""

    series: str
    key: str
    move: Move


class RestoreOne(Command, frozen=True, tag="schedule.restore_one"):
    """Undo the exception of one occurrence."""

    series: str
    key: str


class Added(Event, frozen=True, tag="schedule.added"):
    """A series was added."""

    series: Series


class Changed(Event, frozen=True, tag="schedule.changed"):
    """A series was changed."""

    series: Series


class Removed(Event, frozen=True, tag="schedule.removed"):
    """A series was removed."""

    series: str


class Cancelled(Event, frozen=True, tag="schedule.one_cancelled"):
    """One occurrence was cancelled."""

    series: str
    key: str


class Moved(Event, frozen=True, tag="schedule.one_moved"):
    """One occurrence was moved."""

    series: str
    key: str
    move: Move


class Restored(Event, frozen=True, tag="schedule.one_restored"):
    """An exception of one occurrence was undone."""

    series: str
    key: str


class Reminded(Event, frozen=True, tag="schedule.reminded"):
    """The time of reminders has come; the caller sends them to the tutor and the members of the course."""

    reminders: tuple[Reminder, ...]


class Entry(Struct):
    """A series with its exceptions."""

    series: Series
    changed_at: float = 0.0
    "When the series was last changed: a reminder whose time had passed by then is not sent."
    exceptions: dict[str, Move | None] = field(default_factory=dict)
    "By key; None: cancelled."


class State(Struct):
    """The timetable of one tutor."""

    tutor: PersonId = PersonId("")
    "The owner; only the owner and the application change the timetable."
    entries: dict[str, Entry] = field(default_factory=dict)
    seen_at: float = 0.0
    "Up to when reminders were looked for."


# Occurrences are searched for reminders this far ahead at once; a timetable with none in this time is looked at again.
_AHEAD_S: Final = 8 * 86_400.0

_LATEST: Final = 8e9  # in the year 2223: local times go up to 2200


def check_series(series: Series) -> Series:
    """Return a series that is within the limits and has at least one occurrence."""
    tz, starts = recurrence.zone(series.time_zone), recurrence.local(series.starts)
    if len(series.reminders) > limits.REMINDERS:
        raise LimitReached(Code.TOO_MANY, f"There may be {limits.REMINDERS} reminders at most.")
    for before_s in series.reminders:
        checks.number(before_s, 0, limits.EXPIRY_S, "time of a reminder")
    if series.rule:
        window = timedelta(seconds=limits.WINDOW_S)
        for _ in recurrence.expand(series.rule, starts, tz, starts, starts + window):
            break
        else:
            raise Malformed(Code.BAD_RECURRENCE, "The rule has no occurrence within a year of its start.")
    return structs.replace(
        series,
        id=checks.identifier(series.id, "series"),
        title=checks.line(series.title, limits.TITLE_LENGTH, "title"),
        starts=starts.isoformat(),
        duration_s=int(checks.number(series.duration_s, 60, limits.DURATION_S, "duration")),
        reminders=tuple(sorted(set(series.reminders))),
        course=checks.identifier(series.course, "course") if series.course else "",
    )


def occurrences(entry: Entry, since: float, until: float) -> list[Occurrence]:
    """Return the occurrences of a series that begin within [since, until), in order."""
    series = entry.series
    tz, starts = recurrence.zone(series.time_zone), recurrence.local(series.starts)
    checks.number(since, 0, _LATEST, "beginning of the window")
    checks.number(until, since, _LATEST, "end of the window")
    # Local clocks differ by an hour or two between the ends of the window: search a day further, then select exactly.
    day = timedelta(days=1)
    lower, upper = recurrence.local_at(since, tz) - day, recurrence.local_at(until, tz) + day
    found = []
    for value in recurrence.expand(series.rule, starts, tz, lower, upper):
        key = value.isoformat()
        if key not in entry.exceptions:
            found.append(_occurrence(entry, key, key, series.duration_s))
    # Moved occurrences may come from outside the window.
    for key, move in entry.exceptions.items():
        if move is not None:
            found.append(_occurrence(entry, key, move.starts, move.duration_s))
    return sorted(item for item in found if since <= item.starts_at < until)


def _occurrence(entry: Entry, key: str, starts: str, duration_s: int) -> Occurrence:
    series = entry.series
    at = recurrence.timestamp(recurrence.local(starts), recurrence.zone(series.time_zone))
    return Occurrence(at, at + duration_s, series.id, key)


def all_occurrences(state: State, since: float, until: float) -> list[Occurrence]:
    """Return all occurrences of a timetable that begin within a window, in order."""
    return sorted(item for entry in state.entries.values() for item in occurrences(entry, since, until))


def conflicts(items: Sequence[Occurrence]) -> list[Conflicting]:
    """Return the overlapping lessons, each with the earlier one that lasts longest; `items` are in order of time."""
    found, open_ = [], None
    for item in items:
        if open_ is not None and item.starts_at < open_.ends_at:
            found.append(Conflicting(open_, item))
        if open_ is None or item.ends_at > open_.ends_at:
            open_ = item
    return found


def conflicts_of(state: State, series: Series, since: float, until: float) -> list[Conflicting]:
    """Return the conflicts within a window that a series would have if it were in the timetable."""
    before = state.entries.get(series.id)
    entry = Entry(series, exceptions=before.exceptions if before is not None else {})
    mine = occurrences(entry, since, until)
    others = [
        item
        for key, other in state.entries.items()
        if key != series.id
        for item in occurrences(other, since - limits.DURATION_S, until)
    ]
    return [
        Conflicting(other, item)
        for item in mine
        for other in others
        if item.starts_at < other.ends_at and other.starts_at < item.ends_at
    ]


def reminders_due(state: State, now: float) -> list[Reminder]:
    """Return the reminders whose time has come since the last ones, and not after `now`, in order.

    A reminder more than a day late, because the server was down, is useless and left out.
    """
    return sorted(
        reminder
        for entry in state.entries.values()
        for reminder in _reminders(entry, max(state.seen_at, now - 86_400), now)
    )


def next_reminder_at(state: State, now: float) -> float | None:
    """Return when reminders after `now` are next to be looked for; None without a series that has some."""
    with_reminders = [entry for entry in state.entries.values() if entry.series.reminders]
    until = now + _AHEAD_S
    found = [each.at for entry in with_reminders for each in _reminders(entry, now, until)]
    return min(found, default=until if with_reminders else None)


def _reminders(entry: Entry, since: float, until: float) -> Iterable[Reminder]:
    """Yield a series' reminders after `since` and up to `until`."""
    since = max(since, entry.changed_at)
    if until <= since:
        return
    for before_s in entry.series.reminders:
        for item in occurrences(entry, since + before_s, until + before_s + 1):
            at = item.starts_at - before_s
            if since < at <= until:
                yield Reminder(at, item, before_s)


def _remind(state: State, now: float) -> list[Event]:
    due = reminders_due(state, now)
    return [Reminded(at=now, reminders=tuple(due))] if due else []


def _check_tutor(state: State, command: Command) -> None:
    if command.by not in {SERVER, state.tutor}:
        raise NotAllowed(Code.NOT_YOURS, "This timetable belongs to another person.")


def _find(state: State, series: str) -> Entry:
    entry = state.entries.get(series)
    if entry is None:
        raise NotFound(Code.OCCURRENCE_NOT_FOUND, "There is no such series in the timetable.")
    return entry


def _add(state: State, command: Add, now: float) -> list[Event]:
    _check_tutor(state, command)
    series = check_series(command.series)
    if series.id in state.entries:
        raise Conflict(Code.ALREADY_EXISTS, "There is a series with this id already.")
    checks.room_for_one(len(state.entries), limits.SERIES_COMPARED, "series in a timetable")
    return [Added(at=now, by=command.by, series=series)]


def _change(state: State, command: Change, now: float) -> list[Event]:
    _check_tutor(state, command)
    series = check_series(command.series)
    if _find(state, series.id).series == series:
        raise Conflict(Code.NOTHING_TO_CHANGE, "The series is unchanged.")
    return [Changed(at=now, by=command.by, series=series)]


def _remove(state: State, command: Remove, now: float) -> list[Event]:
    _check_tutor(state, command)
    _find(state, command.series)
    return [Removed(at=now, by=command.by, series=command.series)]


def _key(state: State, series: str, key: str) -> str:
    """Return the key of an occurrence after checking that the rule gives it."""
    entry = _find(state, series)
    value = recurrence.local(key)
    if not _has(entry.series, value.isoformat()):
        raise NotFound(Code.OCCURRENCE_NOT_FOUND, "The series has no occurrence at this time.")
    if value.isoformat() not in entry.exceptions:
        checks.room_for_one(len(entry.exceptions), limits.EXCEPTIONS, "exceptions of one series")
    return value.isoformat()


def _has(series: Series, key: str) -> bool:
    starts, tz, value = (
        recurrence.local(series.starts),
        recurrence.zone(series.time_zone),
        recurrence.local(key),
    )
    return value in recurrence.expand(series.rule, starts, tz, value, value + timedelta(seconds=1))


def _cancel_one(state: State, command: CancelOne, now: float) -> list[Event]:
    _check_tutor(state, command)
    key = _key(state, command.series, command.key)
    if state.entries[command.series].exceptions.get(key, ...) is None:
        raise Conflict(Code.NOTHING_TO_CHANGE, "This occurrence is cancelled already.")
    return [Cancelled(at=now, by=command.by, series=command.series, key=key)]


def _move_one(state: State, command: MoveOne, now: float) -> list[Event]:
    _check_tutor(state, command)
    key = _key(state, command.series, command.key)
    duration_s = int(checks.number(command.move.duration_s, 60, limits.DURATION_S, "duration"))
    move = Move(recurrence.local(command.move.starts).isoformat(), duration_s)
    return [Moved(at=now, by=command.by, series=command.series, key=key, move=move)]


def _restore_one(state: State, command: RestoreOne, now: float) -> list[Event]:
    _check_tutor(state, command)
    key = recurrence.local(command.key).isoformat()
    if key not in _find(state, command.series).exceptions:
        raise Conflict(Code.NOTHING_TO_CHANGE, "This occurrence is as the rule has it.")
    return [Restored(at=now, by=command.by, series=command.series, key=key)]


def _added(state: State, event: Added) -> None:
    state.entries[event.series.id] = Entry(event.series, event.at)


def _changed(state: State, event: Changed) -> None:
    entry = state.entries[event.series.id]
    entry.series, entry.changed_at = event.series, event.at
    entry.exceptions = {key: move for key, move in entry.exceptions.items() if _has(event.series, key)}


def _removed(state: State, event: Removed) -> None:
    del state.entries[event.series]


def _cancelled(state: State, event: Cancelled) -> None:
    state.entries[event.series].exceptions[event.key] = None


def _moved(state: State, event: Moved) -> None:
    entry = state.entries[event.series]
    entry.exceptions[event.key], entry.changed_at = event.move, event.at


def _restored(state: State, event: Restored) -> None:
    entry = state.entries[event.series]
    del entry.exceptions[event.key]
    entry.changed_at = event.at


def _reminded(state: State, event: Reminded) -> None:
    state.seen_at = event.at


SCHEDULE: Final = Aggregate(
    name="schedule",
    new=State,
    decisions={
        Add: _add,
        Change: _change,
        Remove: _remove,
        CancelOne: _cancel_one,
        MoveOne: _move_one,
        RestoreOne: _restore_one,
    },
    changes={
        Added: _added,
        Changed: _changed,
        Removed: _removed,
        Cancelled: _cancelled,
        Moved: _moved,
        Restored: _restored,
        Reminded: _reminded,
    },
    due=next_reminder_at,
    expire=_remind,
)


def gaps(items: Iterable[Occurrence], since: float, until: float) -> list[tuple[float, float]]:
    """Return the free times between lessons (given in order of time) within a window."""
    edges = [
        (since, since),
        *((max(i.starts_at, since), min(i.ends_at, until)) for i in items),
        (until, until),
    ]
    merged: list[tuple[float, float]] = []
    for starts, ends in sorted(edge for edge in edges if edge[0] <= edge[1]):
        if merged and starts <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(ends, merged[-1][1]))
        else:
            merged.append((starts, ends))
    return [(before[1], after[0]) for before, after in pairwise(merged)]
