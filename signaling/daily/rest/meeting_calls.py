"""Daily's calls about meetings, those under way and those of the past."""

from collections.abc import Callable
from typing import Annotated

import msgspec

from signaling.daily.meetings import DailyMeeting, meeting_id, meeting_sid, meetings
from signaling.daily.rest.errors import invalid, not_found
from signaling.daily.rest.pages import MAX_PAGE, PageQuery
from signaling.daily.rest.style import Caller
from signaling.http.api import Route
from signaling.ids import RoomName, UserId
from signaling.store import Attendance, MeetingFilter, Store

Moment = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
Id = Annotated[str, msgspec.Meta(max_length=64)]


class MeetingQuery(PageQuery, frozen=True, kw_only=True):
    """Which meetings."""

    room: RoomName | None = None
    "Name."
    timeframe_start: Moment | None = None
    "Begun then or later, seconds since 1970."
    timeframe_end: Moment | None = None
    "Over by then."
    ongoing: bool | None = None
    no_participants: bool = False
    "Leave out who was there."


class MeetingParticipant(msgspec.Struct, frozen=True):
    """Somebody's stay."""

    user_id: UserId | None
    participant_id: str
    user_name: str | None
    join_time: int
    "Seconds since 1970."
    duration: int
    "Seconds."


class MeetingAnswer(msgspec.Struct, frozen=True, omit_defaults=True):
    """A meeting."""

    id: str
    room: str
    start_time: int
    duration: int
    ongoing: bool
    max_participants: int
    participants: list[MeetingParticipant] | None = None


class MeetingPage(msgspec.Struct, frozen=True):
    """Some of the meetings."""

    total_count: int
    data: list[MeetingAnswer]


class ParticipantQuery(msgspec.Struct, frozen=True):
    """Which participants."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE)] = MAX_PAGE
    joined_after: str | None = None
    "Begin behind the one of this participant id."
    joined_before: str | None = None
    "End before the one of this participant id."


class MeetingParticipants(msgspec.Struct, frozen=True):
    """Some of those who were in a meeting, in the order of joining."""

    data: list[MeetingParticipant]


class MeetingCalls:
    """The handlers."""

    def __init__(self, store: Store, wall_clock: Callable[[], float]) -> None:
        """`wall_clock` is seconds since 1970."""
        self._store = store
        self._wall_clock = wall_clock

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent = {404: "there is no such meeting"}
        return [
            Route("GET", "/meetings", self.list_meetings),
            Route("GET", "/meetings/{meeting}", self.get_meeting, absent),
            Route("GET", "/meetings/{meeting}/participants", self.get_participants, absent),
        ]

    async def list_meetings(self, caller: Caller, query: MeetingQuery) -> MeetingPage:
        """List meetings, newest first."""
        wanted = MeetingFilter(
            room=query.room,
            started_from=query.timeframe_start,
            ended_until=query.timeframe_end,
            ongoing=query.ongoing,
            attended=True,
            visible_to=caller.domain.name,
        )
        cursor = None if query.cursor is None else meeting_sid(query.cursor)
        if query.cursor is not None and cursor is None:
            raise invalid(f"there is no meeting with the id {query.cursor[:64]}")
        total = await self._store.sessions.count(wanted)
        if query.backwards and cursor is None:
            found = await self._store.sessions.oldest(wanted, query.limit)
        elif query.backwards:
            found = await self._store.sessions.find(wanted, query.limit, newer_than=cursor)
        else:
            found = await self._store.sessions.find(wanted, query.limit, older_than=cursor)
        stays = await self._store.sessions.stays(*(session.sid for session in found))
        return MeetingPage(
            total,
            [self._answer(each, with_people=not query.no_participants) for each in meetings(found, stays)],
        )

    async def get_meeting(self, caller: Caller, meeting: Id) -> MeetingAnswer:
        """Return a meeting, without its participants."""
        return self._answer(await self._find(caller, meeting), with_people=False)

    async def get_participants(
        self, caller: Caller, meeting: Id, query: ParticipantQuery
    ) -> MeetingParticipants:
        """Return who was in a meeting."""
        found = await self._find(caller, meeting)
        stays = list(found.stays)
        if query.joined_after is not None:
            stays = stays[_index(stays, query.joined_after) + 1 :][: query.limit]
        elif query.joined_before is not None:
            stays = stays[: _index(stays, query.joined_before)][-query.limit :]
        return MeetingParticipants([self._participant(stay) for stay in stays[: query.limit]])

    async def _find(self, caller: Caller, meeting: str) -> DailyMeeting:
        sid = meeting_sid(meeting)
        wanted = MeetingFilter(sid=sid, attended=True, visible_to=caller.domain.name)
        found = await self._store.sessions.find(wanted) if sid is not None else []
        if not found:
            raise not_found(f"meeting {meeting} not found")
        [here] = meetings(found, await self._store.sessions.stays(found[0].sid))
        return here

    def _answer(self, meeting: DailyMeeting, *, with_people: bool) -> MeetingAnswer:
        return MeetingAnswer(
            id=meeting_id(meeting.session.sid),
            room=meeting.session.room,
            start_time=int(meeting.start_time),
            duration=int(meeting.duration_s(self._wall_clock())),
            ongoing=meeting.ongoing,
            max_participants=meeting.max_participants,
            participants=[self._participant(stay) for stay in meeting.stays] if with_people else None,
        )

    def _participant(self, stay: Attendance) -> MeetingParticipant:
        left_at = self._wall_clock() if stay.left_at is None else stay.left_at
        return MeetingParticipant(
            user_id=stay.user_id,
            participant_id=stay.identity,
            user_name=stay.name or None,
            join_time=int(stay.joined_at),
            duration=int(left_at - stay.joined_at),
        )


def _index(stays: list[Attendance], participant_id: str) -> int:
    for index, stay in enumerate(stays):
        if stay.identity == participant_id:
            return index
    raise invalid(f"there is no participant with the id {participant_id[:64]}")
