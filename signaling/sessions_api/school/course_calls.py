"""Courses and who belongs to them."""

from collections.abc import Mapping

import msgspec

from classroom.ids import PersonId
from classroom.school import courses
from signaling.http.api import Route
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.command_routes import CommandRoute, command_route
from signaling.sessions_api.path_ids import CoursePath
from signaling.sessions_api.school.school_desk import (
    REFUSALS,
    SchoolDone,
    carry_to,
    require_member,
    require_teacher,
)
from signaling.teaching.school import School, SchoolPart


class CourseAnswer(msgspec.Struct, frozen=True):
    """A course."""

    id: str
    title: str
    external_id: str
    archived: bool
    people: dict[PersonId, courses.Role]
    "Roles by person; students see only themselves and those who teach."


class CourseList(msgspec.Struct, frozen=True):
    """Courses."""

    data: list[CourseAnswer]


class CourseCalls:
    """The handlers."""

    def __init__(self, school: School) -> None:
        """Use the school."""
        self._school = school

    def routes(self) -> list[Route]:
        """Return the routes."""
        new = CommandRoute("POST", "", courses.Create, makes="course")
        rows = (
            CommandRoute("PATCH", "/{course}", courses.Rename),
            CommandRoute("POST", "/{course}/archive", courses.Archive),
            CommandRoute("POST", "/{course}/enrolments", courses.Enrol),
            CommandRoute("DELETE", "/{course}/enrolments/{person}", courses.Withdraw),
        )
        carry, create = carry_to(self._part), carry_to(self._part, require_teacher)
        return [
            command_route(new, "/courses", create, SchoolDone, REFUSALS),
            *(command_route(row, "/courses", carry, SchoolDone, REFUSALS) for row in rows),
            Route("GET", "/courses", self.list),
            Route("GET", "/courses/{course}", self.get, {404: "there is no such course"}),
        ]

    async def list(self, caller: Caller) -> CourseList:
        """List courses: all of the tenant for those who manage it, their own for others."""
        require_member(caller)

        def look(state: courses.State) -> CourseList:
            mine = state.courses.values() if caller.manages else courses.courses_of(state, caller.person)
            return CourseList([_answer(course, caller) for course in mine])

        return await self._school.courses(caller.tenant).read(look)

    async def get(self, caller: Caller, course: CoursePath) -> CourseAnswer:
        """Return a course."""
        require_member(caller)

        def look(state: courses.State) -> CourseAnswer:
            found = courses.find(state, course)
            if not caller.manages and caller.person not in found.people:
                return _answer(courses.find(courses.State(), course), caller)  # as if it were not there
            return _answer(found, caller)

        return await self._school.courses(caller.tenant).read(look)

    def _part(self, caller: Caller, _names: Mapping[str, str]) -> SchoolPart[courses.State]:
        return self._school.courses(caller.tenant)


def _answer(course: courses.Course, caller: Caller) -> CourseAnswer:
    teaches = caller.manages or course.people.get(caller.person) in {
        courses.Role.TUTOR,
        courses.Role.ASSISTANT,
    }
    people = {
        person: role
        for person, role in course.people.items()
        if teaches or person == caller.person or role is not courses.Role.STUDENT
    }
    return CourseAnswer(course.id, course.title, course.external_id, course.archived, people)
