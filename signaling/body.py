"""Reads a request's body within limits of size and time, before anything is made of it."""

import asyncio

from aiohttp import web


class BodyError(Exception):
    """A body that cannot be had; the text is for the developer who sent it."""


class BodyTooLargeError(BodyError):
    """More bytes than allowed."""


class BodyTooSlowError(BodyError):
    """It did not arrive in time."""


class BrokenBodyError(BodyError):
    """Its framing or compression is broken."""


async def read_body(request: web.Request, max_bytes: int, timeout_s: float) -> bytes:
    """Return the body. BodyError, and nothing else.

    By hand, as the limit of the application as a whole is a page's, much smaller than some calls need.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(timeout_s):
            async for chunk in request.content.iter_chunked(64 * 1024):
                body += chunk
                if len(body) > max_bytes:
                    raise BodyTooLargeError(f"the request is larger than {max_bytes} bytes")
    except TimeoutError as error:
        raise BodyTooSlowError("the request's body did not arrive in time") from error
    except (ValueError, EOFError, OSError, RuntimeError, web.RequestPayloadError) as error:
        # aiohttp says RuntimeError where the connection is gone already.
        raise BrokenBodyError("the request's body cannot be read") from error
    return bytes(body)
