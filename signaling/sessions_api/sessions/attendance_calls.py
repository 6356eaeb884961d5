"""Present people and attendance, as JSON and as a table for spreadsheets."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import msgspec

from classroom.features.attendance import totals
from classroom.features.people import LeaveReason, Person
from classroom.ids import PersonId, SessionId
from classroom.roles import STAFF, Role, Standing, Why
from classroom.state import Classroom
from signaling.http.api import Document, Route
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import Desk, require_staff
from signaling.sessions_api.paging import Limit
from signaling.sessions_api.path_ids import PersonPath, SessionPath
from signaling.sessions_api.tables import table


class ParticipantsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which people."""

    standing: Standing | None = None
    limit: Limit = 200
    after: PersonPath | None = None
    "Id of the last person of the page before."


class Participant(msgspec.Struct, frozen=True):
    """Somebody of the session."""

    id: str
    name: str
    role: Role
    standing: Standing
    since: float
    "When that began."
    why: Why | None
    "Why they wait."
    lost_at: float | None
    "Since when the connection is lost."
    hand_raised_at: float | None
    grade: str
    "Class or year at school; empty for callers who are not staff."


class ParticipantPage(msgspec.Struct, frozen=True):
    """A page of the people, in the order in which they joined."""

    data: list[Participant]
    more: bool


class VisitAnswer(msgspec.Struct, frozen=True):
    """One visit."""

    joined_at: float
    left_at: float | None
    reason: LeaveReason | None
    active_s: float
    idle_s: float
    lost_s: float


class AttendanceLine(msgspec.Struct, frozen=True):
    """One person's attendance."""

    person: PersonId
    name: str
    role: Role
    standing: Standing
    visits: int
    first_joined_at: float
    last_left_at: float | None
    total_s: float
    "Time in the session."
    lesson_s: float
    "The part of it during the lesson."
    lost_s: float
    "Time without connection during visits, which does not count above."
    talk_s: float
    "Time during which the person spoke, as measured from the microphone."
    stays: list[VisitAnswer]
    "The latest visits."


class Attendance(msgspec.Struct, frozen=True):
    """Everybody's attendance at one time."""

    session: SessionId
    title: str
    at: float
    lines: list[AttendanceLine]


class AttendanceCalls:
    """The handlers."""

    def __init__(self, desk: Desk) -> None:
        """Use the desk."""
        self._desk = desk

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent = {404: "there is no such session"}
        return [
            Route("GET", "/sessions/{session}/participants", self.participants, absent),
            Route("GET", "/sessions/{session}/attendees", self.attendees, absent),
            Route("GET", "/sessions/{session}/attendance", self.attendance, absent),
            Route("GET", "/sessions/{session}/attendance.csv", self.table, absent),
        ]

    async def participants(
        self, caller: Caller, session: SessionPath, query: ParticipantsQuery
    ) -> ParticipantPage:
        """List the people of the session; students see only present ones."""

        def look(room: Classroom, viewer: Person) -> ParticipantPage:
            people = list(room.people.everyone.values())
            if viewer.role not in STAFF:
                people = [person for person in people if person.standing is Standing.PRESENT]
            if query.standing is not None:
                people = [person for person in people if person.standing is query.standing]
            ids = [person.id for person in people]
            start = ids.index(query.after) + 1 if query.after in ids else 0
            page = people[start : start + query.limit]
            return ParticipantPage(
                [_participant(room, person, viewer) for person in page], start + len(page) < len(people)
            )

        return await self._desk.look(caller, session, look)

    async def attendees(self, caller: Caller, session: SessionPath) -> Attendance:
        """The same as `attendance`, without the single visits."""
        found = await self.attendance(caller, session)
        lines = [msgspec.structs.replace(line, stays=[]) for line in found.lines]
        return msgspec.structs.replace(found, lines=lines)

    async def attendance(self, caller: Caller, session: SessionPath) -> Attendance:
        """Return the attendance: visits and durations; students see their own line."""
        now = self._desk.now

        def look(room: Classroom, viewer: Person) -> Attendance:
            lines = list(_lines(room, now))
            if viewer.role not in STAFF:
                lines = [line for line in lines if line.person == viewer.id]
            return Attendance(room.session.id, room.session.title, now, lines)

        return await self._desk.look(caller, session, look)

    async def table(self, caller: Caller, session: SessionPath) -> Document:
        """Return the attendance as a CSV file (RFC 4180)."""
        now = self._desk.now

        def look(room: Classroom, _viewer: Person) -> list[tuple[object, ...]]:
            require_staff(room, caller)
            return _rows(_lines(room, now))

        rows = await self._desk.look(caller, session, look)
        return table(f"attendance-{session}", _COLUMNS, rows)


def _participant(room: Classroom, person: Person, viewer: Person) -> Participant:
    return Participant(
        id=person.id,
        name=person.name,
        role=person.role,
        standing=person.standing,
        since=person.since,
        why=person.why,
        lost_at=person.lost_at,
        hand_raised_at=room.hands.raised.get(person.id),
        grade=room.grades.known.get(person.id, "") if viewer.role in STAFF else "",
    )


def _lines(room: Classroom, now: float) -> Iterator[AttendanceLine]:
    for person in room.people.everyone.values():
        sums = totals(room.attendance, person.id, now)
        if sums is None:
            continue
        stays = [
            VisitAnswer(
                joined_at=visit.joined_at,
                left_at=visit.left_at,
                reason=visit.reason,
                active_s=round(visit.active_s, 3),
                idle_s=round(visit.idle_s, 3),
                lost_s=round(visit.lost_s, 3),
            )
            for visit in room.attendance.records[person.id].visits
        ]
        yield AttendanceLine(
            person=person.id,
            name=person.name,
            role=person.role,
            standing=person.standing,
            visits=sums.visits,
            first_joined_at=sums.first_joined_at,
            last_left_at=sums.last_left_at,
            total_s=round(sums.total_s, 3),
            lesson_s=round(sums.lesson_s, 3),
            lost_s=round(sums.lost_s, 3),
            talk_s=round(sums.talk_s, 1),
            stays=stays,
        )


_COLUMNS: Final = (
    "person",
    "name",
    "role",
    "visits",
    "first joined",
    "last left",
    "total seconds",
    "lesson seconds",
    "lost seconds",
    "talk seconds",
)


def _rows(lines: Iterator[AttendanceLine]) -> list[tuple[object, ...]]:
    return [
        (
            line.person,
            line.name,
            line.role,
            line.visits,
            _iso(line.first_joined_at),
            None if line.last_left_at is None else _iso(line.last_left_at),
            round(line.total_s),
            round(line.lesson_s),
            round(line.lost_s),
            round(line.talk_s),
        )
        for line in lines
    ]


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
