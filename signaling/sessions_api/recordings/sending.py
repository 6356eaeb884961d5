"""Sends the content of a media file, or a range of it (RFC 9110, section 14), from the folder or from the bucket."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from aiohttp import hdrs, web

from signaling.http.api import ApiError
from signaling.recordings.storage.address import DamagedFileError, StorageError
from signaling.recordings.storage.archive import Archive
from signaling.recordings.storage.content import PartFile, content

log = logging.getLogger(__name__)

_UNAVAILABLE: Final = "The storage of this server does not answer; try again later."


async def send_file(
    found: PartFile,
    archive: Archive | None,
    request: web.Request,
    headers: Mapping[str, str],
    *,
    zeros: bool = False,
) -> web.StreamResponse:
    """Send a file. ApiError before the first octet; the connection ends early if a later octet cannot be read.

    With `zeros`, damaged records of an encrypted file become zeros, so that the rest of it can be used.
    """
    if found.stored is None and found.cipher is None:
        return web.FileResponse(found.path, headers=headers)
    if found.stored is not None and archive is None:
        raise ApiError(503, "storage_off", "The file is in a bucket that this server does not use any more.")
    try:
        octets = await asyncio.to_thread(found.octets)
    except OSError as error:
        raise ApiError(404, "no_file", "There is no such file.") from error
    try:
        wanted = request.http_range
        start, end, _ = wanted.indices(octets)
    except ValueError:
        start, end, wanted = 0, 0, slice(0, 0)
    is_range = hdrs.RANGE in request.headers
    if is_range and start >= end:
        return web.Response(status=416, headers={hdrs.CONTENT_RANGE: f"bytes */{octets}"})
    pieces = content(found, archive, start, end, zeros=zeros)
    try:
        first = await anext(pieces, b"")
    except DamagedFileError as error:
        log.error("a recording is damaged: %s", error)  # noqa: TRY400 - the cause is in the message
        raise ApiError(410, "damaged", "This part of the recording is damaged.") from error
    except StorageError as error:
        raise ApiError(503, "storage_unavailable", _UNAVAILABLE) from error
    response = web.StreamResponse(status=206 if is_range else 200, headers=headers)
    response.headers[hdrs.ACCEPT_RANGES] = "bytes"
    response.content_length = end - start
    if is_range:
        response.headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{end - 1}/{octets}"
    await response.prepare(request)
    await response.write(first)
    async for piece in pieces:
        await response.write(piece)
    await response.write_eof()
    return response
