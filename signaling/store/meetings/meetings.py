"""Meetings and attendance, derived from the event log."""

from typing import Any

from sqlalchemy import ColumnElement, Row, delete, exists, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncEngine

from signaling.ids import RoomName, RoomSid
from signaling.store.access import transaction
from signaling.store.records import Attendance, Meeting, MeetingFilter
from signaling.store.tables import events, sessions, stays


class Meetings:
    """Reads the meetings and attendances that `Events.append` derives from entries."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use the store's engine."""
        self._engine = engine

    async def of_room(self, room: RoomName, limit: int = 100) -> list[Meeting]:
        """Return the latest meetings of a room, newest first. StoreError."""
        return await self.find(MeetingFilter(room=room), limit)

    async def get(self, session_sid: RoomSid) -> Meeting | None:
        """Return a meeting, None if there is none. StoreError."""
        async with transaction(self._engine) as connection:
            row = (await connection.execute(select(sessions).where(sessions.c.sid == session_sid))).first()
        return None if row is None else _session(row)

    async def find(
        self,
        wanted: MeetingFilter,
        limit: int = 100,
        *,
        older_than: RoomSid | None = None,
        newer_than: RoomSid | None = None,
    ) -> list[Meeting]:
        """Return meetings, newest first: the page after the meeting `older_than`, or the page before `newer_than`.

        The result is empty if the named meeting does not exist. StoreError.
        """
        place = tuple_(sessions.c.started_at, sessions.c.sid)
        query = select(sessions).where(*_conditions(wanted))
        if older_than is not None:
            query = query.where(place < _place(older_than))
        if newer_than is not None:
            # The nearest ones are wanted, so the query sorts the other way round.
            nearest = query.where(place > _place(newer_than)).order_by(sessions.c.started_at, sessions.c.sid)
            query = select(nearest.limit(limit).subquery())
        order = (query.selected_columns.started_at.desc(), query.selected_columns.sid.desc())
        async with transaction(self._engine) as connection:
            return [_session(row) for row in await connection.execute(query.order_by(*order).limit(limit))]

    async def oldest(self, wanted: MeetingFilter, limit: int) -> list[Meeting]:
        """Return the oldest meetings, the newest of them first. StoreError."""
        query = (
            select(sessions)
            .where(*_conditions(wanted))
            .order_by(sessions.c.started_at, sessions.c.sid)
            .limit(limit)
        )
        async with transaction(self._engine) as connection:
            return [_session(row) for row in await connection.execute(query)][::-1]

    async def count(self, wanted: MeetingFilter) -> int:
        """Return the number of meetings. StoreError."""
        query = select(func.count()).select_from(sessions).where(*_conditions(wanted))
        async with transaction(self._engine) as connection:
            return await connection.scalar(query) or 0

    async def stays(self, *session_sids: str) -> list[Attendance]:
        """Return the attendances of these meetings, in the order of joining. StoreError."""
        query = (
            select(stays)
            .where(stays.c.session_sid.in_(session_sids))
            .order_by(stays.c.joined_at, stays.c.participant_sid)
        )
        async with transaction(self._engine) as connection:
            return [
                Attendance(
                    row.session_sid,
                    row.participant_sid,
                    row.identity,
                    row.name,
                    row.joined_at,
                    row.left_at,
                    row.user_id or None,
                )
                for row in await connection.execute(query)
            ]

    async def forget(self, ended_before: float, limit: int = 1000) -> int:
        """Delete meetings that ended before a time, with attendances and log; return how many. StoreError."""
        old = (
            select(sessions.c.sid)
            .where(sessions.c.ended_at < ended_before)
            .order_by(sessions.c.ended_at)
            .limit(limit)
        )
        async with transaction(self._engine) as connection:
            sids = list((await connection.execute(old)).scalars())
            for column in (events.c.session_sid, stays.c.session_sid, sessions.c.sid):
                await connection.execute(delete(column.table).where(column.in_(sids)))
        return len(sids)


def _conditions(wanted: MeetingFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.room is not None:
        conditions.append(sessions.c.room == wanted.room)
    if wanted.started_from is not None:
        conditions.append(sessions.c.started_at >= wanted.started_from)
    if wanted.ended_until is not None:
        conditions.append(sessions.c.ended_at <= wanted.ended_until)
    if wanted.ongoing is not None:
        conditions.append(
            sessions.c.ended_at.is_(None) if wanted.ongoing else sessions.c.ended_at.is_not(None)
        )
    if wanted.sid is not None:
        conditions.append(sessions.c.sid == wanted.sid)
    if wanted.attended:
        conditions.append(exists().where(stays.c.session_sid == sessions.c.sid))
    if wanted.visible_to is not None:
        conditions.append(sessions.c.owner.in_(("", wanted.visible_to)))
    return conditions


def _place(session_sid: RoomSid) -> Any:
    return (
        select(sessions.c.started_at, sessions.c.sid).where(sessions.c.sid == session_sid).scalar_subquery()
    )


def _session(row: Row[Any]) -> Meeting:
    return Meeting(row.sid, row.room, row.started_at, row.ended_at)
