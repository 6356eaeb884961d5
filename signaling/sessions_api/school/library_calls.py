"""Libraries of tutors: exercises, polls and sets that are kept outside of sessions and copied into them."""

from dataclasses import replace
from typing import Annotated, Final, Literal

import msgspec

from classroom import limits
from classroom.base import Command
from classroom.errors import Code, Conflict, LimitReached, NotAllowed, NotFound
from classroom.features import exercises
from classroom.ids import ExerciseId, PersonId, PollId, SessionId
from classroom.school import library
from classroom.state import Classroom
from signaling.http.api import ApiError, Route
from signaling.sessions_api import paging
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import Desk
from signaling.sessions_api.path_ids import Id, SessionPath
from signaling.sessions_api.school.school_desk import REFUSALS, require_teacher
from signaling.store.classroom.library import Shelved, TenantLibrary

# Of one tutor: forty lessons with fifty exercises each.
_MAX_ITEMS: Final = 2_000

# A set of the longest exercises, with each character escaped.
_ITEM_BYTES: Final = 2 * 2**20


class OwnerQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Whose library."""

    owner: Annotated[PersonId, msgspec.Meta(max_length=limits.IDENTIFIER_LENGTH)] = PersonId("")
    "The tutor; the caller when empty. Only administrators and the application name another one."


class LibraryQuery(OwnerQuery, frozen=True, kw_only=True):
    """Which items."""

    kind: Literal["", "exercise", "poll", "set"] = ""
    "Empty: all."
    limit: paging.Limit = 50
    cursor: paging.Cursor | None = None


class NewItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be kept."""

    content: library.Item


class ChangedItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another version of an item."""

    content: library.Item
    version: int
    "The version that it replaces; 412 `changed_meanwhile` if there is a later one."


class LibraryItem(msgspec.Struct, frozen=True):
    """An item of a library."""

    id: str
    kind: str
    title: str
    version: int
    created_at: float
    changed_at: float
    content: library.Item


class LibraryEntry(msgspec.Struct, frozen=True):
    """An item in the list."""

    id: str
    kind: str
    title: str
    version: int
    created_at: float
    changed_at: float


class LibraryPage(msgspec.Struct, frozen=True):
    """Items of a library, the newest first."""

    owner: PersonId
    data: list[LibraryEntry]
    next_cursor: str | None


class DeletedItem(msgspec.Struct, frozen=True):
    """An item that was deleted; sessions keep their copies."""

    id: str
    deleted: bool


class UseOfItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An item to be copied into a session."""

    item: Id
    owner: Annotated[PersonId, msgspec.Meta(max_length=limits.IDENTIFIER_LENGTH)] = PersonId("")
    "Whose library; the caller's when empty."
    assign: bool = False
    "Assign its exercises to all students, including those who join later."


class UsedItem(msgspec.Struct, frozen=True):
    """What was added to the session, in the order of the item."""

    item: str
    version: int
    exercises: list[ExerciseId]
    polls: list[PollId]


class LibraryCalls:
    """The handlers."""

    def __init__(self, desk: Desk) -> None:
        """Use the desk."""
        self._desk = desk

    def routes(self) -> list[Route]:
        """Return the routes."""
        item = "/library/{item}"
        session = {**REFUSALS, 404: "there is no such session, or no such item"}
        return [
            Route("GET", "/library", self.list, REFUSALS),
            Route("POST", "/library", self.add, REFUSALS, max_body_bytes=_ITEM_BYTES, status=201),
            Route("GET", item, self.get, REFUSALS),
            Route(
                "PUT",
                item,
                self.change,
                {**REFUSALS, 412: "there is a later version"},
                max_body_bytes=_ITEM_BYTES,
            ),
            Route("DELETE", item, self.delete, REFUSALS),
            Route("POST", "/sessions/{session}/from-library", self.use, session, status=201),
        ]

    async def list(self, caller: Caller, query: LibraryQuery) -> LibraryPage:
        """List the items of a tutor's library."""
        owner = _owner(caller, query.owner)
        before = None if query.cursor is None else paging.decode(query.cursor)
        rows = await self._shelves(caller).page(owner, query.kind, before, query.limit + 1)
        page = rows[: query.limit]
        cursor = (
            paging.encode(page[-1].created_at, SessionId(page[-1].id)) if len(rows) > query.limit else None
        )
        return LibraryPage(owner, [_entry(row) for row in page], cursor)

    async def add(self, caller: Caller, body: NewItem, query: OwnerQuery) -> LibraryItem:
        """Keep an exercise, a poll or a set."""
        owner, now = _owner(caller, query.owner), self._desk.now
        item_id = caller.new_id("li_")
        row = _row(owner, item_id, library.check(body.content), now)
        if not await self._shelves(caller).add(row, _MAX_ITEMS):
            raise LimitReached(Code.TOO_MANY, f"A library may have {_MAX_ITEMS} items at most.")
        return _answer(await self._find(caller, owner, item_id))

    async def get(self, caller: Caller, item: Id, query: OwnerQuery) -> LibraryItem:
        """Return an item with its content."""
        return _answer(await self._find(caller, _owner(caller, query.owner), item))

    async def change(self, caller: Caller, item: Id, body: ChangedItem, query: OwnerQuery) -> LibraryItem:
        """Replace an item by another version; sessions keep their copies."""
        owner = _owner(caller, query.owner)
        known = await self._find(caller, owner, item)
        changed = _row(owner, item, library.check(body.content), self._desk.now)
        row = replace(changed, version=known.version + 1, created_at=known.created_at)
        if known.version != body.version or not await self._shelves(caller).change(row):
            raise Conflict(Code.CHANGED_MEANWHILE, f"Version {body.version} is not the present one.")
        return _answer(row)

    async def delete(self, caller: Caller, item: Id, query: OwnerQuery) -> DeletedItem:
        """Delete an item; sessions keep their copies."""
        if not await self._shelves(caller).delete(_owner(caller, query.owner), item):
            raise _not_found()
        return DeletedItem(item, deleted=True)

    async def use(self, caller: Caller, session: SessionPath, body: UseOfItem) -> UsedItem:
        """Copy an item of a library into a session, all of it or nothing."""
        live = self._desk.session(caller, session)
        # A session of another tenant is not found, whatever the item is.
        await live.read(lambda _room: None)
        found = await self._find(caller, _owner(caller, body.owner), body.item)
        content = _content(found)
        await live.read(lambda room: _check_room(room, content))
        used = UsedItem(found.id, found.version, [], [])
        for command in library.commands(content, caller.new_id):
            if isinstance(command, exercises.Add):
                used.exercises.append(command.exercise.id)
            else:
                used.polls.append(command.poll)
            await self._carry_out(caller, session, command)
        if body.assign:
            for exercise in used.exercises:
                await self._carry_out(caller, session, exercises.Assign(exercise=exercise))
        return used

    async def _carry_out(self, caller: Caller, session: SessionId, command: Command) -> None:
        """Carry out a command, unless the same call was carried out before and its answer was lost."""
        try:
            await self._desk.carry_out(
                caller, session, lambda _room, by: msgspec.structs.replace(command, by=by)
            )
        except Conflict as error:
            if error.code not in {Code.ALREADY_EXISTS, Code.NOTHING_TO_CHANGE}:
                raise

    async def _find(self, caller: Caller, owner: PersonId, item_id: str) -> Shelved:
        found = await self._shelves(caller).get(owner, item_id)
        if found is None:
            raise _not_found()
        return found

    def _shelves(self, caller: Caller) -> TenantLibrary:
        return self._desk.registry.store.of(caller.tenant).library


def _check_room(room: Classroom, content: library.Item) -> None:
    """Refuse an item that does not fit the session as a whole. `LimitReached`."""
    added = library.parts(content)
    new_exercises = sum(isinstance(each, library.ExerciseItem) for each in added)
    if len(room.exercises.exercises) + new_exercises > limits.EXERCISES:
        raise LimitReached(Code.TOO_MANY, f"A session may have {limits.EXERCISES} exercises at most.")
    if len(room.polls.polls) + len(added) - new_exercises > limits.POLLS:
        raise LimitReached(Code.TOO_MANY, f"A session may have {limits.POLLS} polls at most.")


def _owner(caller: Caller, given: PersonId) -> PersonId:
    require_teacher(caller)
    if given and given != caller.person and not caller.manages:
        raise NotAllowed(Code.NOT_YOURS, "This library belongs to another tutor.")
    owner = given or caller.person
    if not owner:
        raise ApiError(400, "owner_missing", "An application has to say whose library it is (owner).")
    return owner


def _row(owner: PersonId, item_id: str, content: library.Item, now: float) -> Shelved:
    """Return the first version of an item."""
    data = msgspec.json.encode(content).decode()
    return Shelved(owner, item_id, library.kind_of(content), library.title_of(content), 1, data, now, now)


def _content(row: Shelved) -> library.Item:
    content: library.Item = msgspec.json.decode(row.data, type=library.Item)
    return content


def _entry(row: Shelved) -> LibraryEntry:
    return LibraryEntry(row.id, row.kind, row.title, row.version, row.created_at, row.changed_at)


def _answer(row: Shelved) -> LibraryItem:
    return LibraryItem(
        row.id, row.kind, row.title, row.version, row.created_at, row.changed_at, _content(row)
    )


def _not_found() -> NotFound:
    return NotFound(Code.ITEM_NOT_FOUND, "There is no such item in the library.")
