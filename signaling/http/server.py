"""The HTTP side of the server: every endpoint in one application, with limits before any work."""

import asyncio
import errno
import logging
import os
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from itertools import chain
from typing import Protocol
from urllib.parse import unquote_to_bytes

from aiohttp import hdrs, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.typedefs import Middleware

from signaling.http.connections import CONNECTIONS, Connections, Use, record
from signaling.http.headers import LONG_LIVED, SECURITY_HEADERS

log = logging.getLogger(__name__)

# A join request with an offer is 2-3 KB of the URL today; a token with attributes may be longer.
MAX_LINE_BYTES = 64 * 1024

# Of what the framework itself reads, which is nothing: each API bounds its own (`body.read_body`).
MAX_BODY_BYTES = 8 * 1024

# A connection that has not sent a whole request after this time is closed.
IDLE_TIMEOUT_S = 30.0

# One request's body and answer; WebSockets are not bound by it.
REQUEST_TIMEOUT_S = 20.0

_WEBSOCKETS = frozenset({"/rtc/v1", "//rtc/v1", "/rtc", "//rtc"})

# Calls of the server API bound their bodies themselves; one of them waits for a client's answer.
_CALLS = "twirp/"

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RoutePart(Protocol):
    """A part of the application."""

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Register its endpoints."""


# Told of each answered request: method, route, status, seconds.
Observer = Callable[[str, str, int, float], None]


def build_app(
    parts: Iterable[RoutePart],
    observe: Observer,
    metrics: Callable[[], dict[str, float]] | None,
    connections: Connections | None = None,
) -> web.Application:
    """Return the application. `metrics` is served for debugging if given, in development mode only.

    `connections` is notified of requests; see `listener`.
    """
    app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_observed(observe), _bounded])
    if connections is not None:
        app[CONNECTIONS] = connections
    if metrics is not None:
        app.router.add_get("/debug/media", _metrics_endpoint(metrics))
    for part in parts:
        part.add_routes(app.router)
    return app


def build_runner(app: web.Application) -> web.AppRunner:
    """Return a runner with this server's limits. Nothing is logged per request: addresses hold tokens."""
    logging.getLogger("aiohttp.server").addFilter(_is_our_fault)
    return web.AppRunner(
        app,
        access_log=None,
        handle_signals=False,
        keepalive_timeout=IDLE_TIMEOUT_S,
        max_line_size=MAX_LINE_BYTES,
        max_field_size=MAX_LINE_BYTES,
        lingering_time=2.0,
        shutdown_timeout=2.0,
        # `body.read_body` does it, with a bound.
        auto_decompress=False,
    )


# The status of a WebSocket, whose duration is not a response time.
_SWITCHED = 101


def _observed(observe: Observer) -> Middleware:
    """Time every request except WebSockets, which last as long as the meeting."""

    @web.middleware
    async def observed(request: web.Request, handler: Handler) -> web.StreamResponse:
        started = time.perf_counter()
        status = 500
        record(request, Use.BUSY)
        try:
            response = await handler(request)
            status = response.status
        except web.HTTPException as error:
            status = error.status
            raise
        finally:
            record(request, Use.IDLE)
            resource = request.match_info.route.resource
            # Labels that clients can choose freely would create a time series each.
            route = "none" if resource is None else resource.canonical
            method = request.method if request.method in hdrs.METH_ALL else "other"
            if status != _SWITCHED:
                observe(method, route, status, time.perf_counter() - started)
        return response

    return observed


def _is_our_fault(record: logging.LogRecord) -> bool:
    # A request that cannot be parsed is its sender's fault; as a line it would let strangers fill the log, 64 KiB each.
    return not (record.exc_info and isinstance(record.exc_info[1], HttpProcessingError))


@web.middleware
async def _bounded(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Bound the time of a request, and hide the details of errors from the answer."""
    if not _is_text(request):
        return _plain(400, "the request's address or its headers are not UTF-8")
    try:
        is_call = request.path.lstrip("/").startswith(_CALLS)
        if is_call or request.path in _WEBSOCKETS or request.match_info.handler in LONG_LIVED:
            return await handler(request)
        async with asyncio.timeout(REQUEST_TIMEOUT_S):
            return await handler(request)
    except TimeoutError:
        return _timed_out(request)
    except web.HTTPException as error:
        error.headers.update(SECURITY_HEADERS)
        raise
    except (ConnectionError, web.RequestPayloadError):
        # The client disconnected during the request, so nobody receives the answer.
        return _plain(400, "the request is cut off")
    except Exception as error:  # noqa: BLE001 - logged there
        return _failed(request, error)


def _timed_out(request: web.Request) -> web.Response:
    """Return 408 where the client's body is missing; where all of it is here, the server is at fault."""
    if not request.content.at_eof():
        return _plain(408, "the request took too long")
    log.error("a request to %s was not answered within %.0f s", request.path[:200], REQUEST_TIMEOUT_S)
    return _plain(503, "the server took too long", {hdrs.RETRY_AFTER: "5"})


def _failed(request: web.Request, error: Exception) -> web.Response:
    if isinstance(error, OSError) and error.errno in {errno.EMFILE, errno.ENFILE}:
        log.error("a request is refused: %s", os.strerror(error.errno).lower())
        return _plain(503, "too many files are open")
    # Not the request's address, which may hold a token.
    log.error("a request to %s failed", request.path[:200], exc_info=error)
    return _plain(500, "internal error")


def _is_text(request: web.Request) -> bool:
    """Whether a request's path is valid text: broken UTF-8 arrives as surrogates, which no answer can contain."""
    try:
        # Percent-encoded bytes are in the decoded forms.
        "".join((request.raw_path, request.path, request.query_string, *request.query.values())).encode()
        "".join(chain.from_iterable(request.headers.items())).encode()
        # Percent-encoded bytes that are not UTF-8 are left encoded, and would be read as the text `%FF`.
        unquote_to_bytes(request.raw_path).decode()
    except UnicodeError:
        return False
    return True


def _plain(status: int, text: str, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(status=status, text=text, headers={**SECURITY_HEADERS, **(headers or {})})


def _metrics_endpoint(metrics: Callable[[], dict[str, float]]) -> Handler:
    async def endpoint(_request: web.Request) -> web.StreamResponse:
        return web.json_response(metrics(), headers=SECURITY_HEADERS)

    return endpoint
