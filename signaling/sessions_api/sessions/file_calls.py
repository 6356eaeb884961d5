"""Files of a session: upload, and download by authorised people.

A file is checked twice: its name, declared size and the person's quotas before a byte is read, and its content when
all bytes are on the disk. Downloads are attachments, or images in place; a browser runs none of them.
"""

import asyncio
from pathlib import PurePosixPath
from typing import Annotated, Final
from urllib.parse import quote

import msgspec
from aiohttp import hdrs, web

from classroom import engine, limits, permissions
from classroom.base import Command
from classroom.errors import Code, Malformed, NotFound
from classroom.features import files
from classroom.ids import FileId, SessionId
from classroom.state import Classroom
from signaling.errors import StoreError
from signaling.http.api import ApiError, Document, Route
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import Desk, Done, known
from signaling.sessions_api.path_ids import FilePath, SessionPath
from signaling.store.blobs import Draft
from signaling.store.people.audit import AuditEntry, AuditLog
from signaling.teaching.files.content_types import content_type
from signaling.teaching.files.session_files import SessionFiles

# A client that sends nothing for this long, or less than this on average, is not waited for.
_SILENCE_S: Final = 15.0
_START_S: Final = 30.0
_BYTES_PER_S: Final = 32 * 1024

_CHUNK: Final = 64 * 1024

# The sender is not trusted: no scripts, no forms, a separate origin (CSP level 3, section 6.3).
FILE_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    hdrs.CACHE_CONTROL: "private, no-cache",
}

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
    400: "the content is of a type that is not taken, or the name does not fit it",
    403: "the caller may not add files to this session",
    404: "there is no such session, or no such target",
    408: "the file came too slowly",
    409: "the session is over, or has too many files",
    411: "the length of the file is not declared",
    413: "the file is too large, or a quota is used up",
    429: "too many uploads are under way",
    507: "the server's disk is full",
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
            size, kind = _declared(query.name, request)
            engine.decide(room, command(room, kind, size, _DIGEST), self._desk.now)
            return size

        size = await self._desk.session(caller, session).read(check)
        if not self._files.begin_upload(caller.tenant, caller.person):
            text = "Other uploads are under way; repeat this one when they are done."
            raise ApiError(429, "too_many_uploads", text, {hdrs.RETRY_AFTER: "5"})
        try:
            draft = await self._receive(request, size)
            try:
                found = await asyncio.to_thread(_finished, draft)
                await asyncio.to_thread(draft.keep, self._files.blobs.path(caller.tenant, session, file_id))
            finally:
                draft.discard()
        except OSError as error:
            raise StoreError(f"a file cannot be stored: {error.strerror}") from error
        finally:
            self._files.end_upload(caller.tenant, caller.person)
        stored = draft.size, draft.digest
        try:
            return await self._desk.carry_out(
                caller, session, lambda room, _by: command(room, found, *stored), file_id
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
        # A document in place would be the sender's page on this server's origin; images are not documents.
        inline = query.inline and files.is_inline(found.kind) and found.kind.startswith("image/")
        kind = f"{found.kind}; charset=utf-8" if found.kind == "text/plain" else found.kind
        headers = {str(hdrs.CONTENT_DISPOSITION): disposition(found.name, inline=inline)}
        return Document(path, kind, {**FILE_HEADERS, **headers})

    async def _note(self, caller: Caller, session: SessionId, file: FileId) -> None:
        key, now = (caller.tenant, caller.person, file), self._desk.now
        if now - self._noted.get(key, 0.0) < _NOTED_S:
            return
        await self._audit.add(caller.tenant, AuditEntry(now, "file.loaded", caller.person, file, session))
        self._noted.pop(key, None)
        self._noted[key] = now
        if len(self._noted) > _MAX_NOTED:
            del self._noted[next(iter(self._noted))]

    async def _receive(self, request: web.Request, size: int) -> Draft:
        """Return the body on the disk. ApiError, OSError."""
        if not self._files.blobs.has_room(size):
            raise ApiError(507, "disk_full", "The server's disk is full.")
        draft = self._files.blobs.draft()
        try:
            async with asyncio.timeout(_START_S + size / _BYTES_PER_S):
                while True:
                    async with asyncio.timeout(_SILENCE_S):
                        chunk = await request.content.read(_CHUNK)
                    if not chunk:
                        break
                    draft.write(chunk)
        except TimeoutError as error:
            draft.discard()
            raise ApiError(408, "too_slow", "The file came too slowly.") from error
        except BaseException:
            draft.discard()
            raise
        if draft.size != size:
            draft.discard()
            raise ApiError(400, "unreadable", "The file is not as long as declared.")
        return draft


def disposition(name: str, *, inline: bool) -> str:
    """Return a Content-Disposition header (RFC 6266, appendix D) for a name in any script."""
    shown = "".join(char if (char.isascii() and char.isalnum()) or char in "-_." else "_" for char in name)
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{shown}\"; filename*=UTF-8''{quote(name, safe='')}"


def _declared(name: str, request: web.Request) -> tuple[int, str]:
    """Return the declared length, and the type of the name's extension. ApiError, `Malformed`."""
    if request.headers.get(hdrs.CONTENT_ENCODING, "identity") != "identity":
        raise ApiError(400, "invalid", "Files are sent without a Content-Encoding.")
    if request.content_length is None:
        raise ApiError(411, "length_required", "The call needs a Content-Length header.")
    suffix = PurePosixPath(name).suffix.lower()
    kind = next((kind for kind, taken in files.KINDS.items() if suffix in taken.suffixes), None)
    if kind is None:
        raise Malformed(Code.FILE_TYPE_REFUSED, f"Files with names in {suffix[:20]!r} are not accepted.")
    return request.content_length, kind


def _finished(draft: Draft) -> str:
    """Put a file on the disk, and return the type that its content shows. OSError."""
    draft.finish()
    return content_type(draft.path)


def _absent() -> NotFound:
    return NotFound(Code.FILE_NOT_FOUND, "There is no such file.")
