"""Sends a media file, or a range of it (RFC 9110, section 14), from the folder or from the bucket."""

from collections.abc import Mapping
from typing import Final

from aiohttp import hdrs, web

from signaling.http.api import ApiError
from signaling.recordings.files import PartFile
from signaling.recordings.storage.address import StorageError
from signaling.recordings.storage.archive import Archive

_UNAVAILABLE: Final = "The storage of this server does not answer; try again later."


async def send_file(
    found: PartFile, archive: Archive | None, request: web.Request, headers: Mapping[str, str]
) -> web.StreamResponse:
    """Send a file. ApiError before the first octet; the connection ends early if the bucket fails later."""
    if found.stored is None:
        return web.FileResponse(found.path, headers=headers)
    if archive is None:
        raise ApiError(503, "storage_off", "The file is in a bucket that this server does not use any more.")
    try:
        wanted = request.http_range
        start, end, _ = wanted.indices(found.stored)
    except ValueError:
        start, end, wanted = 0, 0, slice(0, 0)
    is_range = hdrs.RANGE in request.headers
    if is_range and start >= end:
        return web.Response(status=416, headers={hdrs.CONTENT_RANGE: f"bytes */{found.stored}"})
    pieces = archive.read(found.path, start, end)
    try:
        first = await anext(pieces, b"")
    except StorageError as error:
        raise ApiError(503, "storage_unavailable", _UNAVAILABLE) from error
    response = web.StreamResponse(status=206 if is_range else 200, headers=headers)
    response.headers[hdrs.ACCEPT_RANGES] = "bytes"
    response.content_length = end - start
    if is_range:
        response.headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{end - 1}/{found.stored}"
    await response.prepare(request)
    await response.write(first)
    async for piece in pieces:
        await response.write(piece)
    await response.write_eof()
    return response
