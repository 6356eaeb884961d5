"""Reads a request's body within limits of size and time, before it is decoded."""

import asyncio
import zlib

from aiohttp import hdrs, web

# Some clients of JSON APIs compress; other codings are refused (RFC 9110 section 8.4). The windows are zlib's: gzip
# framing, and zlib's own, which is what "deflate" means.
_WINDOWS = {"gzip": 31, "x-gzip": 31, "deflate": 15}


class BodyError(Exception):
    """A body that cannot be read; the text is for the calling developer."""


class BodyTooLargeError(BodyError):
    """More bytes than allowed."""


class BodyTooSlowError(BodyError):
    """It did not arrive in time."""


class BrokenBodyError(BodyError):
    """Its framing or compression is broken."""


async def read_body(request: web.Request, max_bytes: int, timeout_s: float) -> bytes:
    """Return the body, decompressed. BodyError, and nothing else.

    By hand, as the limit of the application as a whole is a page's, much smaller than some calls need; and because
    the library would inflate a whole piece of the network at once, 256 KiB into 256 MiB.
    """
    if request.content_length is not None and request.content_length > max_bytes:
        raise BodyTooLargeError(f"the request is larger than {max_bytes} bytes")
    inflater = _Inflater(request.headers.get(hdrs.CONTENT_ENCODING, ""))
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in request.content.iter_chunked(64 * 1024):
                body += inflater.plain(chunk, max_bytes - len(body))
                if len(body) > max_bytes:
                    raise BodyTooLargeError(f"the request is larger than {max_bytes} bytes")
    except TimeoutError as error:
        raise BodyTooSlowError("the request's body did not arrive in time") from error
    except (ValueError, EOFError, OSError, RuntimeError, web.RequestPayloadError) as error:
        # aiohttp raises RuntimeError if the connection has already ended.
        raise BrokenBodyError("the request's body cannot be read") from error
    inflater.finish()
    return bytes(body)


class _Inflater:
    """Undoes a content coding, or none."""

    def __init__(self, coding: str) -> None:
        coding = coding.strip().lower()
        if coding not in {"", "identity", *_WINDOWS}:
            raise BrokenBodyError("the request's Content-Encoding is neither gzip nor deflate")
        self._inflate = zlib.decompressobj(_WINDOWS[coding]) if coding in _WINDOWS else None

    def plain(self, chunk: bytes, room: int) -> bytes:
        """Return the decompressed piece, up to `room` + 1 bytes."""
        if self._inflate is None:
            return chunk
        try:
            plain = self._inflate.decompress(chunk, room + 1)
        except zlib.error as error:
            raise BrokenBodyError("the request's compression is broken") from error
        if self._inflate.unused_data:
            raise BrokenBodyError("something follows the compressed body")
        return plain

    def finish(self) -> None:
        """Raise BrokenBodyError when the end is missing."""
        if self._inflate is not None and not self._inflate.eof:
            raise BrokenBodyError("the compressed body is cut off")
