"""Usage of a tenant by month: what a bill can be made from."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from typing import Annotated, Final

import msgspec

from classroom.ids import SessionId
from signaling.http.api import ApiError, Document, Route
from signaling.sessions_api import paging
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import Desk
from signaling.sessions_api.people.user_calls import require_manager
from signaling.sessions_api.tables import table
from signaling.store.classroom.records import SessionRow, Usage

_MONTH: Final = re.compile(r"(20\d\d)-(0[1-9]|1[0-2])")
_PAGE: Final = 1000

Month = Annotated[str, msgspec.Meta(max_length=7)]


class MonthQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which month."""

    month: Month
    "Such as 2026-11, in UTC. A session belongs to the month in which it ended."


class SessionUsageQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which month, and which page of it."""

    month: Month
    limit: paging.Limit = 50
    cursor: paging.Cursor | None = None


class UsageLine(msgspec.Struct, frozen=True):
    """The usage of one tutor, or of all."""

    tutor: str
    "Id; empty: all."
    sessions: int
    lesson_minutes: float
    "Time in which lessons ran."
    attended_minutes: float
    "Time that people were there, of all together."


class MonthUsage(msgspec.Struct, frozen=True):
    """The usage of a month."""

    month: str
    total: UsageLine
    tutors: list[UsageLine]


class SessionUsage(msgspec.Struct, frozen=True):
    """The usage of one session."""

    session: SessionId
    external_id: str
    title: str
    tutor: str
    started_at: float | None
    ended_at: float | None
    lesson_minutes: float
    attended_minutes: float


class SessionUsagePage(msgspec.Struct, frozen=True):
    """Sessions of a month, in the order in which they ended."""

    data: list[SessionUsage]
    next_cursor: str | None


class UsageCalls:
    """The handlers."""

    def __init__(self, desk: Desk) -> None:
        """Use the desk's store."""
        self._desk = desk

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("GET", "/usage", self.month),
            Route("GET", "/usage/sessions", self.sessions),
            Route("GET", "/usage.csv", self.csv),
            Route("GET", "/usage.html", self.report),
        ]

    async def month(self, caller: Caller, query: MonthQuery) -> MonthUsage:
        """Return the minutes of a month, of the tenant and of each tutor."""
        require_manager(caller)
        first, last = _bounds(query.month)
        rows = await self._desk.registry.store.of(caller.tenant).usage(first, last)
        tutors = [_line(row.owner, [row]) for row in rows]
        return MonthUsage(query.month, _line("", rows), tutors)

    async def sessions(self, caller: Caller, query: SessionUsageQuery) -> SessionUsagePage:
        """List the sessions that ended in a month, with their minutes."""
        require_manager(caller)
        after = None if query.cursor is None else paging.decode(query.cursor)
        rows = await self._rows(caller, query.month, after, query.limit + 1)
        page = [_session(row) for row in rows[: query.limit]]
        more = len(rows) > query.limit
        return SessionUsagePage(page, _cursor(rows[query.limit - 1]) if more else None)

    async def csv(self, caller: Caller, query: MonthQuery) -> Document:
        """Return the sessions of a month as a CSV file."""
        require_manager(caller)
        lines: list[tuple[object, ...]] = []
        after: tuple[float, str] | None = None
        while rows := await self._rows(caller, query.month, after, _PAGE):
            lines += [_cells(_session(row)) for row in rows]
            after = (rows[-1].ended_at or 0.0, rows[-1].id)
        return table(f"usage-{query.month}", SessionUsage.__struct_fields__, lines)

    async def report(self, caller: Caller, query: MonthQuery) -> Document:
        """Return the minutes of a month as a page to be printed."""
        found = await self.month(caller, query)
        return Document(_page(found).encode(), "text/html; charset=utf-8", _PAGE_HEADERS)

    async def _rows(
        self, caller: Caller, month: str, after: tuple[float, str] | None, limit: int
    ) -> list[SessionRow]:
        return await self._desk.registry.store.of(caller.tenant).ended(*_bounds(month), after, limit)


def _bounds(month: str) -> tuple[float, float]:
    """Return the beginning of a month and of the next one, seconds since 1970. ApiError."""
    found = _MONTH.fullmatch(month)
    if found is None:
        raise ApiError(400, "invalid", "A month is written like 2026-11.")
    year, number = int(found[1]), int(found[2])
    following = (year, number + 1) if number < 12 else (year + 1, 1)
    return datetime(year, number, 1, tzinfo=UTC).timestamp(), datetime(*following, 1, tzinfo=UTC).timestamp()


def _minutes(seconds: float) -> float:
    return round(seconds / 60, 2)


def _line(tutor: str, rows: Iterable[Usage]) -> UsageLine:
    rows = list(rows)
    taught, attended = sum(row.taught_s for row in rows), sum(row.attended_s for row in rows)
    return UsageLine(tutor, sum(row.sessions for row in rows), _minutes(taught), _minutes(attended))


def _session(row: SessionRow) -> SessionUsage:
    return SessionUsage(
        session=row.id,
        external_id=row.external_id,
        title=row.title,
        tutor=row.owner,
        started_at=row.started_at,
        ended_at=row.ended_at,
        lesson_minutes=_minutes(row.taught_s),
        attended_minutes=_minutes(row.attended_s),
    )


def _cells(usage: SessionUsage) -> tuple[object, ...]:
    cells = msgspec.structs.asdict(usage)
    for name in ("started_at", "ended_at"):
        cells[name] = None if cells[name] is None else datetime.fromtimestamp(cells[name], UTC).isoformat()
    return tuple(cells.values())


def _cursor(row: SessionRow) -> str:
    return paging.encode(row.ended_at or 0.0, row.id)


# A page without scripts that loads nothing.
_PAGE_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox allow-modals"
}
_STYLE: Final = (
    "body{font:11pt sans-serif;margin:2cm}table{border-collapse:collapse;width:100%}"
    "td,th{border-bottom:1px solid #999;padding:.3em;text-align:right}td:first-child,th:first-child{text-align:left}"
    "thead{display:table-header-group}tr{break-inside:avoid}tfoot{font-weight:bold}"
)


def _page(usage: MonthUsage) -> str:
    def row(name: str, line: UsageLine) -> str:
        cells = (f"{line.sessions}", f"{line.lesson_minutes:.2f}", f"{line.attended_minutes:.2f}")
        return f"<tr><td>{escape(name)}</td>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"

    tutors = "".join(row(line.tutor, line) for line in usage.tutors)
    heads = ("Tutor", "Sessions", "Lesson minutes", "Attended minutes")
    head = "".join(f"<th>{text}</th>" for text in heads)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Usage {usage.month}</title>'
        f"<style>{_STYLE}</style><h1>Usage {usage.month}</h1><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{tutors}</tbody><tfoot>{row('Total', usage.total)}</tfoot></table></html>"
    )
