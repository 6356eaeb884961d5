"""Study groups, and the sessions in which they meet."""

from collections.abc import Mapping
from functools import partial

import msgspec

from classroom.errors import Code, NotAllowed, NotFound
from classroom.features import people, session
from classroom.ids import CourseId, GroupId, PersonId, SessionId
from classroom.roles import OPEN, Role
from classroom.school import study_groups
from signaling.http.api import Route
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.command_routes import CommandRoute, command_route
from signaling.sessions_api.desk import Desk
from signaling.sessions_api.path_ids import CoursePath, GroupPath
from signaling.sessions_api.school.school_desk import REFUSALS, SchoolDone, carry_to, require_member
from signaling.sessions_api.sessions.session_calls import unless_known
from signaling.store.classroom.records import SessionQuery
from signaling.teaching.names import PREFIX, new_id
from signaling.teaching.school import School, SchoolPart


class GroupAnswer(msgspec.Struct, frozen=True):
    """A study group."""

    id: str
    course: CourseId
    name: str
    capacity: int
    open: bool
    "Everybody of the tenant may join."
    members: dict[PersonId, study_groups.Role]
    "Roles by person; empty for those who are no members."
    count: int


class GroupList(msgspec.Struct, frozen=True):
    """Study groups."""

    data: list[GroupAnswer]


class GroupsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which groups."""

    course: CoursePath | None = None
    mine: bool = False
    "Only those of the caller."


class Meeting(msgspec.Struct, frozen=True):
    """Where the group meets now."""

    group: GroupId
    session: SessionId
    "A live session with the members on its roster; each joins it."


class GroupCalls:
    """The handlers."""

    def __init__(self, desk: Desk, school: School) -> None:
        """Groups meet in sessions of the desk."""
        self._desk = desk
        self._school = school

    def routes(self) -> list[Route]:
        """Return the routes."""
        rows = (
            CommandRoute(
                "POST", "", study_groups.Create, makes="group", server={"room": lambda: new_id("r_")}
            ),
            CommandRoute("POST", "/{group}/join", study_groups.Join),
            CommandRoute("POST", "/{group}/leave", study_groups.Leave),
            CommandRoute("POST", "/{group}/members", study_groups.Add),
            CommandRoute("DELETE", "/{group}/members/{person}", study_groups.Remove),
            CommandRoute("POST", "/{group}/members/{person}/role", study_groups.SetRole),
            CommandRoute("DELETE", "/{group}", study_groups.Dissolve),
        )
        carry = carry_to(self._part)
        return [
            *(command_route(row, "/study-groups", carry, SchoolDone, REFUSALS) for row in rows),
            Route("GET", "/study-groups", self.list),
            Route("GET", "/study-groups/{group}", self.get, {404: "there is no such study group"}),
            Route("POST", "/study-groups/{group}/meet", self.meet, REFUSALS),
        ]

    async def list(self, caller: Caller, query: GroupsQuery) -> GroupList:
        """List study groups."""
        require_member(caller)

        def look(state: study_groups.State) -> GroupList:
            groups = [
                group
                for group in state.groups.values()
                if query.course in {None, group.course} and (not query.mine or caller.person in group.members)
            ]
            return GroupList([_answer(group, caller) for group in groups])

        return await self._school.study_groups(caller.tenant).read(look)

    async def get(self, caller: Caller, group: GroupPath) -> GroupAnswer:
        """Return a study group."""
        require_member(caller)
        part = self._school.study_groups(caller.tenant)
        return await part.read(lambda state: _answer(_find(state, group), caller))

    async def meet(self, caller: Caller, group: GroupPath) -> Meeting:
        """Return the session in which the group meets now; it starts with the first one who asks."""
        require_member(caller)

        def look(state: study_groups.State) -> study_groups.Group:
            found = _find(state, group)
            if not caller.manages and not study_groups.may_enter(state, group, caller.person):
                raise NotAllowed(Code.NOT_ALLOWED, "Only members of the group enter its room.")
            return found

        found = await self._school.study_groups(caller.tenant).read(look)
        query = SessionQuery(external_id=f"group:{group}", phases=tuple(str(phase) for phase in OPEN))
        rows = await self._desk.registry.store.of(caller.tenant).sessions(query, 1)
        session_id = rows[0].id if rows else await self._begin(caller, found)
        live = self._desk.session(caller, session_id)
        for member in found.members:
            invite = people.Invite(person=member, name=member, role=Role.STUDENT)
            await live.submit(unless_known(invite))
        return Meeting(group, session_id)

    async def _begin(self, caller: Caller, group: study_groups.Group) -> SessionId:
        leaders = [person for person, role in group.members.items() if role is study_groups.Role.LEADER]
        owner = next(iter(leaders), caller.person)
        if not owner:
            raise NotAllowed(Code.NOT_A_MEMBER, "The group has no members yet.")
        session_id = SessionId(caller.new_id(PREFIX))
        live = self._desk.session(caller, session_id)
        make = partial(
            session.Create,
            session=session_id,
            owner=owner,
            owner_name=caller.name if caller.person == owner and caller.name else owner,
            title=group.name,
            # The members are their own tutors: nobody's absence ends the session but everybody's.
            settings=session.Settings(auto_end_s=0, student_screens=True),
            external_id=f"group:{group.id}",
        )
        await self._desk.create(live, make)
        await live.do(session.Start(), lambda _room, _events: None)
        return session_id

    def _part(self, caller: Caller, _names: Mapping[str, str]) -> SchoolPart[study_groups.State]:
        return self._school.study_groups(caller.tenant)


def _find(state: study_groups.State, group_id: GroupId) -> study_groups.Group:
    group = state.groups.get(group_id)
    if group is None:
        raise NotFound(Code.GROUP_NOT_FOUND, "There is no such study group.")
    return group


def _answer(group: study_groups.Group, caller: Caller) -> GroupAnswer:
    inside = caller.manages or caller.person in group.members
    return GroupAnswer(
        id=group.id,
        course=group.course,
        name=group.name,
        capacity=group.capacity,
        open=group.open,
        members=dict(group.members) if inside else {},
        count=len(group.members),
    )
