"""Office hours: a tutor's hours, the queue, and the sessions of its visits."""

from collections.abc import Mapping
from functools import partial

import msgspec

from classroom.features import people, session
from classroom.ids import PersonId, SessionId
from classroom.school import office_hours
from classroom.school.availability import Availability
from signaling.http.api import Route
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.command_routes import CommandRoute, command_route
from signaling.sessions_api.desk import Desk
from signaling.sessions_api.path_ids import PersonPath
from signaling.sessions_api.school.school_desk import (
    REFUSALS,
    SchoolDone,
    author,
    carry_to,
    require_member,
    require_teacher,
)
from signaling.teaching.names import PREFIX
from signaling.teaching.school import School, SchoolPart


class Admission(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is admitted."""

    person: PersonId = PersonId("")
    "Empty: the first in the queue."
    title: str = "Office hours"
    "Of the session."


class Admitted(msgspec.Struct, frozen=True):
    """A visit that begins."""

    person: PersonId
    session: SessionId
    "The session, which is live; both join it."


class OfficeHoursAnswer(msgspec.Struct, frozen=True):
    """A tutor's office hours as the caller sees them."""

    tutor: PersonId
    name: str
    "Of the tutor; empty if they were not seen since the server started."
    open: bool
    "Visitors are admitted now."
    hours: Availability | None
    waiting: int
    "People in the queue."
    position: int
    "The caller's place, from 1; 0: not in the queue."
    wait_s: float
    "Estimated wait of the caller, or of a new visitor."
    session: SessionId
    "The session of the present visit, for tutor and visitor; otherwise empty."
    queue: list[office_hours.Place]
    "Empty except for the tutor and administrators."


class OfficeHoursList(msgspec.Struct, frozen=True):
    """The office hours of all tutors."""

    data: list[OfficeHoursAnswer]


class OfficeHourCalls:
    """The handlers."""

    def __init__(self, desk: Desk, school: School) -> None:
        """Visits are sessions of the desk."""
        self._desk = desk
        self._school = school

    def routes(self) -> list[Route]:
        """Return the routes."""
        prefix = "/office-hours/{tutor}"
        teach, visit = carry_to(self._part, require_teacher), carry_to(self._part, by=_person)
        own = (
            CommandRoute("PUT", "/hours", office_hours.SetHours),
            CommandRoute("POST", "/open", office_hours.Open),
            CommandRoute("POST", "/close", office_hours.Close),
            CommandRoute("POST", "/complete", office_hours.Complete),
            CommandRoute("POST", "/no-show", office_hours.NoShow),
        )
        return [
            *(command_route(row, prefix, teach, SchoolDone, REFUSALS) for row in own),
            command_route(
                CommandRoute("POST", "/leave", office_hours.Leave), prefix, visit, SchoolDone, REFUSALS
            ),
            Route("POST", f"{prefix}/join", self.join, REFUSALS),
            Route("POST", f"{prefix}/admit", self.admit, REFUSALS),
            Route("GET", prefix, self.get),
            Route("GET", "/office-hours", self.list),
        ]

    async def list(self, caller: Caller) -> OfficeHoursList:
        """List the office hours of all tutors."""
        require_member(caller)
        tutors = await self._school.tutors(caller.tenant, office_hours.OFFICE_HOURS)
        return OfficeHoursList([await self.get(caller, tutor) for tutor in tutors])

    async def get(self, caller: Caller, tutor: PersonPath) -> OfficeHoursAnswer:
        """Return a tutor's office hours."""
        require_member(caller)
        part, now = self._school.office_hours(caller.tenant, tutor), self._school.wall_clock()
        return await part.read(lambda state: self._answer(state, caller, tutor, now))

    async def join(self, caller: Caller, tutor: PersonPath, body: "QueueJoin") -> OfficeHoursAnswer:
        """Join the queue."""
        require_member(caller)
        part, now = self._school.office_hours(caller.tenant, tutor), self._school.wall_clock()
        person = caller.person or body.person
        name = caller.name or body.name or person
        command = office_hours.Join(by=person, name=name, topic=body.topic)
        return await part.do(command, lambda state, _events: self._answer(state, caller, tutor, now))

    async def admit(self, caller: Caller, tutor: PersonPath, body: Admission) -> Admitted:
        """Admit a person from the queue; a session starts, with tutor and visitor on its roster."""
        require_teacher(caller)
        part, session_id = self._school.office_hours(caller.tenant, tutor), SessionId(caller.new_id(PREFIX))
        admit = office_hours.Admit(by=author(caller), session=session_id, person=body.person)

        def visit(state: office_hours.State, _events: object) -> office_hours.Visit:
            assert state.visit is not None
            return state.visit

        made = await part.do(admit, visit)
        live = self._desk.session(caller, session_id)
        owner_name = caller.name if caller.person == tutor and caller.name else tutor
        make = partial(
            session.Create, session=session_id, owner=tutor, owner_name=owner_name, title=body.title
        )
        await self._desk.create(live, make)
        for step in (people.Invite(person=made.person, name=made.name), session.Start()):
            await live.do(step, lambda _room, _events: None)
        return Admitted(made.person, session_id)

    def _answer(
        self, state: office_hours.State, caller: Caller, tutor: PersonId, now: float
    ) -> OfficeHoursAnswer:
        own = caller.manages or caller.person == tutor
        visit = state.visit
        shown = visit is not None and (own or visit.person == caller.person)
        return OfficeHoursAnswer(
            tutor=tutor,
            name=self._school.name_of(caller.tenant, tutor),
            open=office_hours.is_open(state, now),
            hours=state.hours,
            waiting=len(state.queue),
            position=office_hours.position(state, caller.person),
            wait_s=round(office_hours.wait_s(state, caller.person, now), 1),
            session=visit.session if visit is not None and shown else SessionId(""),
            queue=list(state.queue.values()) if own else [],
        )

    def _part(self, caller: Caller, names: Mapping[str, str]) -> SchoolPart[office_hours.State]:
        return self._school.office_hours(caller.tenant, PersonId(names["tutor"]))


class QueueJoin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The visitor's topic."""

    topic: str = ""
    person: PersonId = PersonId("")
    "Only for the application, which acts for this person."
    name: str = ""


def _person(caller: Caller) -> PersonId:
    return caller.person
