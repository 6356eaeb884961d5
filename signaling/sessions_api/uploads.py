"""Receiving files, and the headers with which they are served.

A file is checked twice: its name, declared size and quotas before a byte is read, and its content when all bytes are on
the disk. Downloads are attachments, or images in place; a browser runs none of them.
"""

import asyncio
from pathlib import Path, PurePosixPath
from typing import Final, NamedTuple
from urllib.parse import quote

from aiohttp import hdrs, web

from classroom.errors import Code, Malformed
from classroom.features import files
from signaling.errors import StoreError
from signaling.http.api import ApiError, Document
from signaling.sessions_api.callers import Caller
from signaling.store.blobs import Draft
from signaling.teaching.files.content_types import content_type
from signaling.teaching.files.picture_size import PictureError, picture_size
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

UPLOAD_ERRORS: Final = {
    400: "the content is of a type that is not accepted, or the name does not fit it",
    408: "the file came too slowly",
    411: "the length of the file is not declared",
    413: "the file is too large, or a quota is used up",
    429: "too many uploads are under way",
    507: "the server's disk is full",
}


class Received(NamedTuple):
    """A complete file on the disk."""

    kind: str
    "Content type, as the bytes show it."
    size: int
    digest: str
    "SHA-256 in hex."


def declared(name: str, request: web.Request) -> tuple[int, str]:
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


async def receive(
    session_files: SessionFiles, caller: Caller, request: web.Request, size: int, path: Path
) -> Received:
    """Store the body, of the declared size, at a path. ApiError, StoreError; `Refused` for a bad image."""
    if not session_files.begin_upload(caller.tenant, caller.person):
        text = "Other uploads are under way; repeat this one when they are done."
        raise ApiError(429, "too_many_uploads", text, {hdrs.RETRY_AFTER: "5"})
    try:
        draft = await _body(session_files, request, size)
        try:
            kind = await asyncio.to_thread(_finished, draft)
            await asyncio.to_thread(draft.keep, path)
        finally:
            draft.discard()
    except OSError as error:
        raise StoreError(f"a file cannot be stored: {error.strerror}") from error
    finally:
        session_files.end_upload(caller.tenant, caller.person)
    return Received(kind, draft.size, draft.digest)


def document(path: Path, name: str, kind: str, *, inline: bool) -> Document:
    """Return a file for a download; only images can be shown in place.

    A document in place would be the sender's page on this server's origin; images are not documents.
    """
    inline = inline and files.is_inline(kind) and kind.startswith("image/")
    served = f"{kind}; charset=utf-8" if kind == "text/plain" else kind
    headers = {str(hdrs.CONTENT_DISPOSITION): disposition(name, inline=inline)}
    return Document(path, served, {**FILE_HEADERS, **headers})


def disposition(name: str, *, inline: bool) -> str:
    """Return a Content-Disposition header (RFC 6266, appendix D) for a name in any script."""
    shown = "".join(char if (char.isascii() and char.isalnum()) or char in "-_." else "_" for char in name)
    kind = "inline" if inline else "attachment"
    return f"{kind}; filename=\"{shown}\"; filename*=UTF-8''{quote(name, safe='')}"


async def _body(session_files: SessionFiles, request: web.Request, size: int) -> Draft:
    """Return the body on the disk. ApiError, OSError."""
    if not session_files.blobs.has_room(size):
        raise ApiError(507, "disk_full", "The server's disk is full.")
    draft = session_files.blobs.draft()
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


def _finished(draft: Draft) -> str:
    """Put a file on the disk, and return the type that its content shows. OSError; `Refused` for a bad image."""
    draft.finish()
    kind = content_type(draft.path)
    if kind.startswith("image/"):
        _check_picture(draft.path, kind)
    return kind


def _check_picture(path: Path, kind: str) -> None:
    """Refuse an image that states no size or too large a one. OSError, `Refused`."""
    try:
        width, height = picture_size(path, kind)
    except PictureError as error:
        raise Malformed(Code.FILE_TYPE_REFUSED, f"The image cannot be read: {error}.") from error
    files.check_pixels(width, height)
