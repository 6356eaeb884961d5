"""Calendars: one file for a session, and a private feed for each person."""

from collections.abc import Mapping
from typing import Annotated, Final

import msgspec
from aiohttp import web

from classroom.ids import PersonId
from classroom.school import schedule
from classroom.state import Classroom
from signaling.access import signed
from signaling.http.api import ApiError, Document, Route
from signaling.ids import TenantId
from signaling.sessions_api.callers import Caller, Callers
from signaling.sessions_api.desk import Desk, known
from signaling.sessions_api.path_ids import SessionPath
from signaling.sessions_api.school.school_desk import require_member
from signaling.store.classroom.records import SessionQuery, SessionRow
from signaling.store.tenants import tenant_parts
from signaling.teaching import ical
from signaling.teaching.school import School

# A session does not say how long it will be.
USUAL_S: Final = 3600.0

# What the feed shows: a month back, and a year ahead.
BACK_S: Final = 31 * 86_400.0
AHEAD_S: Final = 366 * 86_400.0
MAX_SESSIONS: Final = 1000

_TYPE: Final = "text/calendar; charset=utf-8"
_USE: Final = "calendar"

Token = Annotated[str, msgspec.Meta(max_length=2000)]


class CalendarFeed(msgspec.Struct, frozen=True):
    """The URL of a person's calendar."""

    url: str
    "Whoever has it sees the calendar; it ends with the API key of the tenant."


class CalendarCalls:
    """The handlers."""

    def __init__(self, desk: Desk, school: School, callers: Callers, keys: Mapping[str, str]) -> None:
        """Addresses of feeds are signed with the API key of the tenant."""
        self._desk = desk
        self._school = school
        self._callers = callers
        self._keys = keys

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent = {404: "there is no such calendar"}
        return [
            Route("POST", "/me/calendar", self.feed),
            Route("GET", "/calendar/{token}.ics", self.calendar, absent, open=True),
            Route("GET", "/sessions/{session}/calendar.ics", self.session, absent),
        ]

    async def feed(self, caller: Caller) -> CalendarFeed:
        """Return the address of the caller's private calendar feed."""
        require_member(caller)
        if caller.is_application:
            raise ApiError(403, "not_allowed", "A calendar is a person's own; sign in as one.")
        claims = {"use": _USE, "iss": caller.key, "sub": caller.person, "tenant": caller.tenant}
        token = signed.sign(claims, self._keys[caller.key])
        return CalendarFeed(f"{caller.origin}/api/v1/calendar/{token}.ics")

    async def calendar(self, token: Token, request: web.Request) -> Document:
        """Return a person's sessions, and a tutor's timetable, for a calendar program."""
        try:
            key = str(signed.peek(token).get("iss", ""))
            claims = signed.verify(token, self._keys.get(key, ""))
        except signed.SignatureError:
            claims, key = {}, ""
        tenant, person = claims.get("tenant"), claims.get("sub")
        if claims.get("use") != _USE or key not in self._keys or not _is_of(tenant, key) or not person:
            raise ApiError(404, "calendar_not_found", "There is no such calendar.")
        origin, now = self._callers.origin(request), self._desk.now
        shelf = self._desk.registry.store.of(TenantId(str(tenant)))
        query = SessionQuery(
            person=PersonId(str(person)), starts_from=now - BACK_S, starts_until=now + AHEAD_S
        )
        rows = await shelf.sessions(query, MAX_SESSIONS)
        events = [_of_row(row, origin) for row in rows]
        part = self._school.schedule(TenantId(str(tenant)), PersonId(str(person)))
        events += await part.read(lambda state: _of_timetable(state, now))
        events.sort(key=lambda event: event.starts_at)
        return Document(await ical.calendar("Lessons", events), _TYPE)

    async def session(self, caller: Caller, session: SessionPath) -> Document:
        """Return a session as a calendar file."""

        def look(room: Classroom) -> ical.CalendarEvent:
            known(room, caller)
            state = room.session
            starts_at = (
                state.starts_at if state.starts_at is not None else state.started_at or state.created_at
            )
            return ical.CalendarEvent(
                uid=f"{state.id}@lectern",
                title=state.title,
                starts_at=starts_at,
                ends_at=max(state.ended_at or 0.0, starts_at + USUAL_S),
                changed_at=state.changed_at,
                url=f"{caller.origin}/sessions/{state.id}",
                description=state.description,
                cancelled=state.phase == "cancelled",
                sequence=room.seq,
            )

        event = await self._desk.session(caller, session).read(look)
        return Document(await ical.calendar(event.title, [event]), _TYPE)


def _is_of(tenant: object, key: str) -> bool:
    return isinstance(tenant, str) and tenant_parts(TenantId(tenant))[0] == key


def _of_row(row: SessionRow, origin: str) -> ical.CalendarEvent:
    starts_at = row.starts_at or row.created_at
    return ical.CalendarEvent(
        uid=f"{row.id}@lectern",
        title=row.title,
        starts_at=starts_at,
        ends_at=max(row.ended_at or 0.0, starts_at + USUAL_S),
        changed_at=row.created_at,
        url=f"{origin}/sessions/{row.id}",
        cancelled=row.phase == "cancelled",
        sequence=row.seq,
    )


def _of_timetable(state: schedule.State, now: float) -> list[ical.CalendarEvent]:
    return [
        ical.CalendarEvent(
            uid=f"{item.series}/{item.key}@lectern",
            title=state.entries[item.series].series.title,
            starts_at=item.starts_at,
            ends_at=item.ends_at,
            changed_at=now,
        )
        for item in schedule.all_occurrences(state, now - BACK_S, now + AHEAD_S - BACK_S)
    ]
