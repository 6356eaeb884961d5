"""Single things of a session in full, where the lists show a beginning; and the export of a poll."""

from typing import Final

import msgspec

from classroom.errors import Code, NotFound
from classroom.features import exercises, polls, whiteboard
from classroom.features.people import Person
from classroom.ids import PersonId
from classroom.roles import STAFF
from classroom.state import Classroom
from signaling.http.api import Document, Route
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import Desk, require_staff
from signaling.sessions_api.path_ids import ExercisePath, PagePath, PollPath, SessionPath
from signaling.sessions_api.tables import table

_ABSENT: Final = {403: "the caller may not see this", 404: "there is no such thing"}


class ExerciseDetail(msgspec.Struct, frozen=True):
    """An exercise with the work on it."""

    exercise: exercises.Exercise
    works: dict[PersonId, exercises.Work]
    "By person; students see their own."


class BoardPage(msgspec.Struct, frozen=True):
    """A page of the whiteboard."""

    page: str
    updates: tuple[bytes, ...]
    "Updates of the CRDT in order, in base64; the first may be a snapshot."


class DetailCalls:
    """The handlers."""

    def __init__(self, desk: Desk) -> None:
        """Use the desk."""
        self._desk = desk

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("GET", "/sessions/{session}/polls/{poll}/results.csv", self.poll_table, _ABSENT),
            Route("GET", "/sessions/{session}/exercises/{exercise}", self.exercise, _ABSENT),
            Route("GET", "/sessions/{session}/whiteboards/{page}", self.board, _ABSENT),
        ]

    async def poll_table(self, caller: Caller, session: SessionPath, poll: PollPath) -> Document:
        """Return the answers to a poll as a CSV file, without names if it is anonymous."""

        def look(room: Classroom, _viewer: Person) -> list[tuple[str, str]]:
            require_staff(room, caller)
            found = room.polls.polls.get(poll)
            if found is None:
                raise NotFound(Code.POLL_NOT_FOUND, "There is no such poll.")
            return polls.export(found)

        rows = await self._desk.look(caller, session, look)
        return table(f"poll-{poll}", ("person", "answer"), rows)

    async def exercise(self, caller: Caller, session: SessionPath, exercise: ExercisePath) -> ExerciseDetail:
        """Return an exercise, and the work on it."""

        def look(room: Classroom, viewer: Person) -> ExerciseDetail:
            found = room.exercises.exercises.get(exercise)
            works = room.exercises.works.get(exercise, {})
            if found is None or (viewer.role not in STAFF and viewer.id not in works):
                raise NotFound(Code.EXERCISE_NOT_FOUND, "There is no such exercise.")
            shown = works if viewer.role in STAFF else {viewer.id: works[viewer.id]}
            return ExerciseDetail(found, dict(shown))

        return await self._desk.look(caller, session, look)

    async def board(self, caller: Caller, session: SessionPath, page: PagePath) -> BoardPage:
        """Return all that is on a page of the whiteboard."""

        def look(room: Classroom, _viewer: Person) -> BoardPage:
            if page not in room.whiteboard.pages:
                raise NotFound(Code.PAGE_NOT_FOUND, "There is no such page.")
            return BoardPage(page, whiteboard.content(room, page))

        return await self._desk.look(caller, session, look)
