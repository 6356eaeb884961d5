"""Files of tutors' libraries: accepted, bounded and served like the files of sessions."""

import asyncio
from typing import Annotated, Final

import msgspec
from aiohttp import web

from classroom import limits
from classroom.errors import Code, Conflict, NotAllowed, NotFound
from classroom.features import files
from classroom.ids import FileId, PersonId
from classroom.school import library
from signaling.http.api import ApiError, Document, Route
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import Desk
from signaling.sessions_api.path_ids import FilePath
from signaling.sessions_api.school.school_desk import REFUSALS, require_teacher
from signaling.sessions_api.uploads import UPLOAD_ERRORS, declared, document, receive
from signaling.store.classroom.library_files import LibraryFile, TenantLibraryFiles
from signaling.teaching.files.session_files import SessionFiles

_UPLOAD_ERRORS: Final = {
    **UPLOAD_ERRORS,
    403: "the caller does not teach, or the library belongs to another tutor",
    409: "the library has too many files",
}


class OwnerQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Whose library."""

    owner: Annotated[PersonId, msgspec.Meta(max_length=limits.IDENTIFIER_LENGTH)] = PersonId("")
    "The tutor; the caller when empty. Only administrators and the application name another one."


class NewLibraryFile(OwnerQuery, frozen=True, kw_only=True):
    """A file's name."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.FILE_NAME_LENGTH)]
    "Without folders; its extension has to match the content."


class LibraryFileQuery(OwnerQuery, frozen=True, kw_only=True):
    """How the file is served."""

    inline: bool = False
    "Show an image in place; other files are always saved."


class LibraryFileAnswer(msgspec.Struct, frozen=True):
    """A file of a library."""

    id: FileId
    name: str
    kind: str
    "Content type, as the bytes show it."
    size: int
    digest: str
    "SHA-256 in hex."
    created_at: float


class LibraryFileList(msgspec.Struct, frozen=True):
    """The files of a library, the oldest first."""

    owner: PersonId
    data: list[LibraryFileAnswer]
    bytes: int
    "All files together."
    quota: int
    "The largest value of `bytes`."


class DeletedFile(msgspec.Struct, frozen=True):
    """A file that was deleted; sessions keep their copies."""

    id: FileId
    deleted: bool


class LibraryFileCalls:
    """The handlers."""

    def __init__(self, desk: Desk, session_files: SessionFiles) -> None:
        """Bytes are in the folder of `session_files`."""
        self._desk = desk
        self._files = session_files

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent = {**REFUSALS, 404: "there is no such file", 206: "a range of the bytes"}
        path = "/library/files/{file}"
        return [
            Route("GET", "/library/files", self.list, REFUSALS),
            Route(
                "POST",
                "/library/files",
                self.upload,
                _UPLOAD_ERRORS,
                status=201,
                long_lived=True,
                upload=True,
            ),
            Route("GET", path, self.download, absent, long_lived=True),
            Route("DELETE", path, self.delete, {**REFUSALS, 409: "an exercise names the file"}),
        ]

    async def list(self, caller: Caller, query: OwnerQuery) -> LibraryFileList:
        """List the files of a tutor's library."""
        owner = library_owner(caller, query.owner)
        found = await self._rows(caller).all(owner)
        size = sum(each.size for each in found)
        return LibraryFileList(owner, [_answer(each) for each in found], size, limits.LIBRARY_QUOTA)

    async def upload(self, caller: Caller, query: NewLibraryFile, request: web.Request) -> LibraryFileAnswer:
        """Add a file, whose bytes are the body.

        Its type is detected from its content. An idempotency key covers the name, not the content.
        """
        owner, rows = library_owner(caller, query.owner), self._rows(caller)
        file_id = FileId(caller.new_id("lf_"))
        known = await rows.get(owner, file_id)
        if known is not None:
            # The same call was carried out, and its answer was lost.
            return _answer(known)
        size, kind = declared(query.name, request)
        files.check_name(query.name, kind)
        files.check_size(size, kind)
        library.check_room(*await rows.usage(owner), size)
        path = self._files.blobs.library_path(caller.tenant, owner, file_id)
        received = await receive(self._files, caller, request, size, path)
        try:
            name = files.check_name(query.name, received.kind)
            files.check_size(received.size, received.kind)
            # Other uploads of the tutor may have ended meanwhile.
            library.check_room(*await rows.usage(owner), received.size)
            row = LibraryFile(
                owner, file_id, name, received.kind, received.size, received.digest, self._desk.now
            )
            await rows.add(row)
        except BaseException:
            await asyncio.to_thread(self._files.blobs.delete_library_file, caller.tenant, owner, file_id)
            raise
        return _answer(row)

    async def download(self, caller: Caller, file: FilePath, query: LibraryFileQuery) -> Document:
        """Return the bytes of a file, or ranges of them (RFC 9110, section 14)."""
        owner = library_owner(caller, query.owner)
        found = await self._rows(caller).get(owner, file)
        path = self._files.blobs.library_path(caller.tenant, owner, file)
        if found is None or not path.is_file():
            raise file_not_found()
        return document(path, found.name, found.kind, inline=query.inline)

    async def delete(self, caller: Caller, file: FilePath, query: OwnerQuery) -> DeletedFile:
        """Delete a file that no item of the library names; sessions keep their copies."""
        owner, shelf = library_owner(caller, query.owner), self._desk.registry.store.of(caller.tenant)
        if await shelf.library.is_named(owner, file):
            raise Conflict(Code.FILE_IN_USE, "An exercise of the library names this file.")
        if not await shelf.library_files.delete(owner, file):
            raise file_not_found()
        await asyncio.to_thread(self._files.blobs.delete_library_file, caller.tenant, owner, file)
        return DeletedFile(file, deleted=True)

    def _rows(self, caller: Caller) -> TenantLibraryFiles:
        return self._desk.registry.store.of(caller.tenant).library_files


def library_owner(caller: Caller, given: PersonId) -> PersonId:
    """Return whose library a call is about. ApiError, `NotAllowed`."""
    require_teacher(caller)
    if given and given != caller.person and not caller.manages:
        raise NotAllowed(Code.NOT_YOURS, "This library belongs to another tutor.")
    owner = given or caller.person
    if not owner:
        raise ApiError(400, "owner_missing", "An application has to say whose library it is (owner).")
    return owner


def file_not_found() -> NotFound:
    """Return the refusal for a file that is not in the library."""
    return NotFound(Code.FILE_NOT_FOUND, "There is no such file in the library.")


def _answer(file: LibraryFile) -> LibraryFileAnswer:
    return LibraryFileAnswer(file.id, file.name, file.kind, file.size, file.digest, file.created_at)
