"""Who is online."""

from collections.abc import Iterable
from typing import Annotated

import msgspec

from classroom import limits
from classroom.ids import PersonId
from classroom.school import courses, presence
from signaling.http.api import ApiError, Route
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.path_ids import CoursePath, PersonPath
from signaling.sessions_api.school.school_desk import REFUSALS, require_member
from signaling.teaching.school import School

MAX_BULK = 500


class StatusChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A status."""

    status: presence.Status


class ActivityChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line about a person's activity."""

    activity: Annotated[str, msgspec.Meta(max_length=2 * limits.ACTIVITY_LENGTH)]


class Bulk(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """People."""

    people: Annotated[list[PersonPath], msgspec.Meta(max_length=MAX_BULK)]


class Present(msgspec.Struct, frozen=True):
    """The presence of one person."""

    person: PersonId
    name: str
    "As the person's own token had it last; empty if the person was not seen since the server started."
    status: presence.Status
    activity: str
    seen_at: float | None
    "None: never since the server started."


class PresenceList(msgspec.Struct, frozen=True):
    """The presence of several people."""

    data: list[Present]


class PresenceCalls:
    """The handlers."""

    def __init__(self, school: School) -> None:
        """Use the school."""
        self._school = school

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("POST", "/presence/heartbeat", self.heartbeat, REFUSALS),
            Route("POST", "/presence/status", self.set_status, REFUSALS),
            Route("POST", "/presence/activity", self.set_activity, REFUSALS),
            Route("POST", "/presence/bulk", self.bulk, REFUSALS),
            Route("GET", "/presence/online", self.online, REFUSALS),
            Route("GET", "/presence/user/{person}", self.user, REFUSALS),
            Route("GET", "/presence/course/{course}", self.course, REFUSALS),
        ]

    async def heartbeat(self, caller: Caller) -> presence.Line:
        """Report that the caller's page is open; once a minute."""
        person = _person(caller)
        line = self._school.note_presence(caller.tenant, presence.Heartbeat(by=person))
        # Afterwards, because names of people who are not known to presence are forgotten.
        self._school.note_name(caller.tenant, person, caller.name)
        return line

    async def set_status(self, caller: Caller, body: StatusChange) -> presence.Line:
        """Be online, away or busy, or appear offline."""
        command = presence.SetStatus(by=_person(caller), status=body.status)
        return self._school.note_presence(caller.tenant, command)

    async def set_activity(self, caller: Caller, body: ActivityChange) -> presence.Line:
        """Set a line about what the caller does; empty: none."""
        command = presence.SetActivity(by=_person(caller), activity=body.activity)
        return self._school.note_presence(caller.tenant, command)

    async def bulk(self, caller: Caller, body: Bulk) -> PresenceList:
        """Return the presence of several people."""
        require_member(caller)
        return self._list(caller, presence.lines(self._school.present(caller.tenant), body.people))

    async def online(self, caller: Caller) -> PresenceList:
        """List the people of the tenant who are not offline."""
        require_member(caller)
        return self._list(caller, presence.online(self._school.present(caller.tenant)))

    async def user(self, caller: Caller, person: PersonPath) -> presence.Line:
        """Return the presence of a person."""
        require_member(caller)
        return presence.line(self._school.present(caller.tenant), person)

    async def course(self, caller: Caller, course: CoursePath) -> PresenceList:
        """Return the presence of a course's members, for members."""
        require_member(caller)

        def look(state: courses.State) -> list[PersonId]:
            people = courses.find(state, course).people
            if not caller.manages and caller.person not in people:
                courses.find(courses.State(), course)  # as if it were not there
            return list(people)

        people = await self._school.courses(caller.tenant).read(look)
        return self._list(caller, presence.lines(self._school.present(caller.tenant), people))

    def _list(self, caller: Caller, lines: Iterable[presence.Line]) -> PresenceList:
        name_of = self._school.name_of
        return PresenceList(
            [
                Present(
                    line.person,
                    name_of(caller.tenant, line.person),
                    line.status,
                    line.activity,
                    line.seen_at,
                )
                for line in lines
            ]
        )


def _person(caller: Caller) -> PersonId:
    if caller.is_application:
        raise ApiError(403, "not_allowed", "Presence is a person's own; sign in as one.")
    require_member(caller)
    return caller.person
