"""Cross-origin requests (CORS, Fetch standard section 3.2): pages of any origin may call what tokens protect."""

from collections.abc import Awaitable, Callable

from aiohttp import hdrs, web

# LiveKit's value: browsers ask once a day.
MAX_AGE_S = 86_400

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def shared(handler: Handler) -> Handler:
    """Return a handler whose responses, including errors, can be read by pages of any origin."""

    async def respond(request: web.Request) -> web.StreamResponse:
        try:
            response = await handler(request)
        except web.HTTPException as error:
            error.headers.update(_headers(request))
            raise
        if not response.prepared:
            response.headers.update(_headers(request))
        return response

    return respond


async def preflight(request: web.Request) -> web.Response:
    """Answer a CORS preflight request: pages of any origin may make requests."""
    headers = _headers(request)
    for asked, allowed in (
        (hdrs.ACCESS_CONTROL_REQUEST_METHOD, hdrs.ACCESS_CONTROL_ALLOW_METHODS),
        (hdrs.ACCESS_CONTROL_REQUEST_HEADERS, hdrs.ACCESS_CONTROL_ALLOW_HEADERS),
    ):
        if asked in request.headers:
            headers[allowed] = request.headers[asked]
    headers[hdrs.ACCESS_CONTROL_MAX_AGE] = str(MAX_AGE_S)
    return web.Response(status=204, headers=headers)


def _headers(request: web.Request) -> dict[str, str]:
    # Caches must not give the response for one origin to another.
    return {
        hdrs.VARY: hdrs.ORIGIN,
        hdrs.ACCESS_CONTROL_ALLOW_ORIGIN: request.headers.get(hdrs.ORIGIN, "*"),
    }
