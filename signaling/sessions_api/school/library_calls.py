"""Libraries of tutors: exercises, polls and sets that are kept outside of sessions and copied into them."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Final, Literal

import msgspec

from classroom import limits
from classroom.base import SERVER, Command
from classroom.errors import Code, Conflict, LimitReached, NotFound
from classroom.features import exercises, files
from classroom.ids import ExerciseId, FileId, PersonId, PollId, SessionId
from classroom.school import library
from classroom.state import Classroom
from signaling.errors import StoreError
from signaling.http.api import Route
from signaling.sessions_api import paging
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import Desk
from signaling.sessions_api.path_ids import Id, SessionPath
from signaling.sessions_api.school.library_file_calls import OwnerQuery, file_not_found, library_owner
from signaling.sessions_api.school.school_desk import REFUSALS
from signaling.store.blobs import BlobFolder
from signaling.store.classroom.library import Shelved, TenantLibrary
from signaling.store.classroom.library_files import LibraryFile
from signaling.store.classroom.shelf import TenantShelf

# Of one tutor: forty lessons with fifty exercises each.
_MAX_ITEMS: Final = 2_000

# A set of the longest exercises, with each character escaped.
_ITEM_BYTES: Final = 2 * 2**20


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
    files: list[FileId]
    "Copies of the files that the exercises name; everybody in the session can load them."


class LibraryCalls:
    """The handlers."""

    def __init__(self, desk: Desk, blobs: BlobFolder) -> None:
        """`blobs` has the files of libraries and sessions."""
        self._desk = desk
        self._blobs = blobs

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
        owner = library_owner(caller, query.owner)
        before = None if query.cursor is None else paging.decode(query.cursor)
        rows = await self._shelves(caller).page(owner, query.kind, before, query.limit + 1)
        page = rows[: query.limit]
        cursor = (
            paging.encode(page[-1].created_at, SessionId(page[-1].id)) if len(rows) > query.limit else None
        )
        return LibraryPage(owner, [_entry(row) for row in page], cursor)

    async def add(self, caller: Caller, body: NewItem, query: OwnerQuery) -> LibraryItem:
        """Keep an exercise, a poll or a set."""
        owner, now = library_owner(caller, query.owner), self._desk.now
        item_id = caller.new_id("li_")
        row = _row(owner, item_id, await self._checked(caller, owner, body.content), now)
        if not await self._shelves(caller).add(row, _MAX_ITEMS):
            raise LimitReached(Code.TOO_MANY, f"A library may have {_MAX_ITEMS} items at most.")
        return _answer(await self._find(caller, owner, item_id))

    async def get(self, caller: Caller, item: Id, query: OwnerQuery) -> LibraryItem:
        """Return an item with its content."""
        return _answer(await self._find(caller, library_owner(caller, query.owner), item))

    async def change(self, caller: Caller, item: Id, body: ChangedItem, query: OwnerQuery) -> LibraryItem:
        """Replace an item by another version; sessions keep their copies."""
        owner = library_owner(caller, query.owner)
        known = await self._find(caller, owner, item)
        content = await self._checked(caller, owner, body.content)
        changed = _row(owner, item, content, self._desk.now)
        row = replace(changed, version=known.version + 1, created_at=known.created_at)
        if known.version != body.version or not await self._shelves(caller).change(row):
            raise Conflict(Code.CHANGED_MEANWHILE, f"Version {body.version} is not the present one.")
        return _answer(row)

    async def delete(self, caller: Caller, item: Id, query: OwnerQuery) -> DeletedItem:
        """Delete an item; sessions keep their copies."""
        if not await self._shelves(caller).delete(library_owner(caller, query.owner), item):
            raise _not_found()
        return DeletedItem(item, deleted=True)

    async def use(self, caller: Caller, session: SessionPath, body: UseOfItem) -> UsedItem:
        """Copy an item of a library into a session, all of it or nothing."""
        live = self._desk.session(caller, session)
        # A session of another tenant is not found, whatever the item is.
        await live.read(lambda _room: None)
        owner = library_owner(caller, body.owner)
        found = await self._find(caller, owner, body.item)
        content = _content(found)
        attached = await self._attached(caller, owner, content)
        await live.read(lambda room: _check_room(room, content, attached, _actor(caller, room)))
        copies = {file.id: await self._copy(caller, session, file) for file in attached}
        used = UsedItem(found.id, found.version, [], [], list(copies.values()))
        for command in library.commands(content, caller.new_id, copies):
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
                caller, session, lambda room, _by: msgspec.structs.replace(command, by=_actor(caller, room))
            )
        except Conflict as error:
            if error.code not in {Code.ALREADY_EXISTS, Code.NOTHING_TO_CHANGE}:
                raise

    async def _copy(self, caller: Caller, session: SessionId, file: LibraryFile) -> FileId:
        """Add a file of a library to a session, for everybody there."""
        file_id = FileId(caller.new_id("f_"))
        source = self._blobs.library_path(caller.tenant, file.owner, file.id)
        try:
            await asyncio.to_thread(self._blobs.copy_to_session, source, caller.tenant, session, file_id)
        except FileNotFoundError as error:
            raise file_not_found() from error
        except OSError as error:
            raise StoreError(f"a file cannot be stored: {error.strerror}") from error

        def command(room: Classroom, _by: PersonId) -> Command:
            return files.Add(
                by=_actor(caller, room),
                file=file_id,
                name=file.name,
                size=file.size,
                kind=file.kind,
                digest=file.digest,
            )

        try:
            await self._desk.carry_out(caller, session, command)
        except BaseException as error:
            if isinstance(error, Conflict) and error.code is Code.ALREADY_EXISTS:
                # The same call was carried out before and its answer was lost.
                return file_id
            await asyncio.to_thread(self._blobs.delete, caller.tenant, session, file_id)
            raise
        return file_id

    async def _checked(self, caller: Caller, owner: PersonId, content: library.Item) -> library.Item:
        """Return an item whose files are in the library. `Refused`."""
        checked = library.check(content)
        await self._attached(caller, owner, checked)
        return checked

    async def _attached(
        self, caller: Caller, owner: PersonId, content: library.Item
    ) -> Sequence[LibraryFile]:
        """Return the files that an item names. `NotFound`."""
        wanted = library.file_ids(content)
        if not wanted:
            return []
        known = {each.id: each for each in await self._shelf(caller).library_files.all(owner)}
        if not known.keys() >= set(wanted):
            raise file_not_found()
        return [known[each] for each in wanted]

    async def _find(self, caller: Caller, owner: PersonId, item_id: str) -> Shelved:
        found = await self._shelves(caller).get(owner, item_id)
        if found is None:
            raise _not_found()
        return found

    def _shelves(self, caller: Caller) -> TenantLibrary:
        return self._shelf(caller).library

    def _shelf(self, caller: Caller) -> TenantShelf:
        return self._desk.registry.store.of(caller.tenant)


def _actor(caller: Caller, room: Classroom) -> PersonId:
    """Return who adds copies: exercises, polls and files are by a person, and the application acts for the owner."""
    by = caller.author(room)
    return room.session.owner if by == SERVER and caller.manages else by


def _check_room(
    room: Classroom, content: library.Item, attached: Sequence[LibraryFile], adder: PersonId
) -> None:
    """Refuse an item that does not fit the session as a whole. `LimitReached`."""
    added = library.parts(content)
    new_exercises = sum(isinstance(each, library.ExerciseItem) for each in added)
    if len(room.exercises.exercises) + new_exercises > limits.EXERCISES:
        raise LimitReached(Code.TOO_MANY, f"A session may have {limits.EXERCISES} exercises at most.")
    if len(room.polls.polls) + len(added) - new_exercises > limits.POLLS:
        raise LimitReached(Code.TOO_MANY, f"A session may have {limits.POLLS} polls at most.")
    files.check_room(room, adder, [each.size for each in attached])


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
