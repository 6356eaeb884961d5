"""Timetables of tutors: series with recurrence, their occurrences, and conflicts."""

from collections.abc import Mapping
from typing import Final

import msgspec

from classroom import limits
from classroom.base import SERVER
from classroom.errors import Code, NotAllowed
from classroom.ids import CourseId, PersonId
from classroom.school import schedule
from signaling.http.api import ApiError, Route
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.command_routes import CommandRoute, command_route
from signaling.sessions_api.path_ids import Id, PersonPath
from signaling.sessions_api.school.school_desk import (
    REFUSALS,
    SchoolDone,
    carry_to,
    require_member,
    require_teacher,
)
from signaling.teaching.school import School, SchoolPart

# A query without an end shows four weeks.
DEFAULT_S: Final = 28 * 86_400.0

# How far ahead conflicts are looked for.
AHEAD_S: Final = 366 * 86_400.0


class NewSeries(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A series of lessons, or a single one."""

    title: str
    starts: str
    "Local time of the first, such as 2026-09-01T09:00."
    time_zone: str
    "IANA name, such as Europe/Berlin."
    duration_s: int
    rule: str = ""
    "Recurrence (RFC 5545), such as FREQ=WEEKLY;BYDAY=TU; empty: once."
    reminders: tuple[int, ...] = ()
    "Seconds before each lesson."
    course: CourseId = CourseId("")


class SeriesAnswer(msgspec.Struct, frozen=True):
    """A series, and where it collides with the tutor's other lessons."""

    series: schedule.Series
    conflicts: list[schedule.Conflicting]


class Window(msgspec.Struct, frozen=True, kw_only=True):
    """From when to when."""

    since: float | None = None
    "Seconds since 1970; now when absent."
    until: float | None = None
    "Four weeks after `since` when absent."


class Timetable(msgspec.Struct, frozen=True):
    """A tutor's lessons in a window of time."""

    tutor: PersonId
    series: list[schedule.Series]
    occurrences: list[schedule.Occurrence]
    conflicts: list[schedule.Conflicting]


class ScheduleCalls:
    """The handlers."""

    def __init__(self, school: School) -> None:
        """Use the school."""
        self._school = school

    def routes(self) -> list[Route]:
        """Return the routes."""
        prefix, carry = "/schedule/{tutor}", carry_to(self._part, require_teacher)
        one = "/series/{series}/occurrences/{key}"
        rows = (
            CommandRoute("DELETE", "/series/{series}", schedule.Remove),
            CommandRoute("POST", f"{one}/cancel", schedule.CancelOne),
            CommandRoute("POST", f"{one}/move", schedule.MoveOne),
            CommandRoute("POST", f"{one}/restore", schedule.RestoreOne),
        )
        return [
            *(command_route(row, prefix, carry, SchoolDone, REFUSALS) for row in rows),
            Route("POST", f"{prefix}/series", self.add, REFUSALS, status=201),
            Route("PUT", f"{prefix}/series/{{series}}", self.change, REFUSALS),
            Route("GET", prefix, self.get, REFUSALS),
        ]

    async def add(self, caller: Caller, tutor: PersonPath, body: NewSeries) -> SeriesAnswer:
        """Add a series. Conflicts are reported, not refused."""
        series = _series(caller.new_id("sr_"), body)
        return await self._put(caller, tutor, schedule.Add(by=_author(caller, tutor), series=series))

    async def change(self, caller: Caller, tutor: PersonPath, series: Id, body: NewSeries) -> SeriesAnswer:
        """Replace a series; exceptions stay."""
        changed = _series(series, body)
        return await self._put(caller, tutor, schedule.Change(by=_author(caller, tutor), series=changed))

    async def get(self, caller: Caller, tutor: PersonPath, query: Window) -> Timetable:
        """Return a tutor's lessons; for the tutor and administrators."""
        _author(caller, tutor)
        since = self._school.wall_clock() if query.since is None else query.since
        until = since + DEFAULT_S if query.until is None else query.until
        if not since < until <= since + limits.WINDOW_S:
            raise ApiError(400, "bad_time", "The window has to be from a moment to 400 days long.")

        def look(state: schedule.State) -> Timetable:
            items = schedule.all_occurrences(state, since, until)
            entries = [entry.series for entry in state.entries.values()]
            return Timetable(tutor, entries, items, schedule.conflicts(items))

        return await self._school.schedule(caller.tenant, tutor).read(look)

    async def _put(
        self, caller: Caller, tutor: PersonId, command: schedule.Add | schedule.Change
    ) -> SeriesAnswer:
        require_teacher(caller)
        now = self._school.wall_clock()

        def answer(state: schedule.State, _events: object) -> SeriesAnswer:
            series = state.entries[command.series.id].series
            return SeriesAnswer(series, schedule.conflicts_of(state, series, now, now + AHEAD_S)[:50])

        return await self._school.schedule(caller.tenant, tutor).do(command, answer)

    def _part(self, caller: Caller, names: Mapping[str, str]) -> SchoolPart[schedule.State]:
        return self._school.schedule(caller.tenant, PersonId(names["tutor"]))


def _author(caller: Caller, tutor: PersonId) -> PersonId:
    require_member(caller)
    if not caller.manages and caller.person != tutor:
        raise NotAllowed(Code.NOT_YOURS, "This timetable belongs to another person.")
    return SERVER if caller.manages else caller.person


def _series(series_id: str, body: NewSeries) -> schedule.Series:
    return schedule.Series(id=series_id, **msgspec.structs.asdict(body))
