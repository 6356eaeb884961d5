"""Files of a session: upload, and download by authorised people."""

import asyncio
from typing import Annotated, Final

import msgspec
from aiohttp import web

from classroom import engine, limits, permissions
from classroom.base import Command
from classroom.errors import Code, NotFound
from classroom.features import files
from classroom.ids import FileId, SessionId
from classroom.state import Classroom
from signaling.http.api import Document, Route
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import Desk, Done, known
from signaling.sessions_api.path_ids import FilePath, SessionPath
from signaling.sessions_api.uploads import UPLOAD_ERRORS, declared, document, receive
from signaling.store.people.audit import AuditEntry, AuditLog
from signaling.teaching.files.session_files import SessionFiles

# A reader that loads a file in ranges, or again and again, is one entry of the audit log in this time.
_NOTED_S: Final = 600.0
_MAX_NOTED: Final = 10_000

_DIGEST: Final = "0" * 64


class NewFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file's name, and its readers."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=limits.FILE_NAME_LENGTH)]
    "Without folders; its ending has to fit the content."
    scope: files.Scope = files.Scope.ALL
    target: Annotated[str, msgspec.Meta(max_length=limits.IDENTIFIER_LENGTH)] = ""
    "The reader of a file for one person."


class FileQuery(msgspec.Struct, frozen=True, kw_only=True):
    """How the file is wanted."""

    inline: bool = False
    "Show an image in place; other files are always saved."


_UPLOAD_ERRORS: Final = {
    **UPLOAD_ERRORS,
    403: "the caller may not add files to this session",
    404: "there is no such session, or no such target",
    409: "the session is over, or has too many files",
}


class FileCalls:
    """The handlers."""

    def __init__(self, desk: Desk, session_files: SessionFiles, audit: AuditLog) -> None:
        """Bytes are in the folder of `session_files`."""
        self._desk = desk
        self._files = session_files
        self._audit = audit
        self._noted: dict[tuple[str, str, str], float] = {}

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent = {404: "there is no such file, or not for this caller", 206: "a range of the bytes"}
        upload = Route(
            "POST",
            "/sessions/{session}/files",
            self.upload,
            _UPLOAD_ERRORS,
            status=201,
            long_lived=True,
            upload=True,
        )
        path = "/sessions/{session}/files/{file}"
        return [upload, Route("GET", path, self.download, absent, long_lived=True)]

    async def upload(
        self, caller: Caller, session: SessionPath, query: NewFile, request: web.Request
    ) -> Done:
        """Add a file, whose bytes are the body.

        Its type is detected from its content. An idempotency key covers name and readers, not the content.
        """
        file_id = FileId(caller.new_id("f_"))

        def command(room: Classroom, kind: str, size: int, digest: str) -> Command:
            return files.Add(
                by=caller.author(room),
                file=file_id,
                name=query.name,
                size=size,
                kind=kind,
                digest=digest,
                scope=query.scope,
                target=query.target,
            )

        def check(room: Classroom) -> int:
            permissions.check(room, command(room, "", 0, _DIGEST))
            size, kind = declared(query.name, request)
            engine.decide(room, command(room, kind, size, _DIGEST), self._desk.now)
            return size

        size = await self._desk.session(caller, session).read(check)
        path = self._files.blobs.path(caller.tenant, session, file_id)
        received = await receive(self._files, caller, request, size, path)
        try:
            return await self._desk.carry_out(
                caller, session, lambda room, _by: command(room, *received), file_id
            )
        except BaseException:
            await asyncio.to_thread(self._files.blobs.delete, caller.tenant, session, file_id)
            raise

    async def download(
        self, caller: Caller, session: SessionPath, file: FilePath, query: FileQuery
    ) -> Document:
        """Return the bytes of a file, or ranges of them (RFC 9110, section 14)."""

        def look(room: Classroom) -> files.File:
            if not files.may_read(room, file, known(room, caller).id):
                raise _absent()
            return room.files.files[file]

        found = await self._desk.session(caller, session).read(look)
        path = self._files.blobs.path(caller.tenant, session, file)
        if not path.is_file():
            raise _absent()
        await self._note(caller, session, file)
        return document(path, found.name, found.kind, inline=query.inline)

    async def _note(self, caller: Caller, session: SessionId, file: FileId) -> None:
        key, now = (caller.tenant, caller.person, file), self._desk.now
        if now - self._noted.get(key, 0.0) < _NOTED_S:
            return
        await self._audit.add(caller.tenant, AuditEntry(now, "file.loaded", caller.person, file, session))
        self._noted.pop(key, None)
        self._noted[key] = now
        if len(self._noted) > _MAX_NOTED:
            del self._noted[next(iter(self._noted))]


def _absent() -> NotFound:
    return NotFound(Code.FILE_NOT_FOUND, "There is no such file.")
