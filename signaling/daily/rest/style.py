"""Common to all of Daily's REST calls: authentication and the form of refusals."""

from dataclasses import dataclass

import msgspec
from aiohttp import web

from signaling.daily.rest.domains import Domain, Domains
from signaling.daily.rest.errors import DailyError
from signaling.errors import (
    AccessError,
    LimitError,
    NotAllowedError,
    NotFoundError,
    RequestError,
    by_type,
)
from signaling.forwarded import origin
from signaling.http.api import ApiError, Fault, Style, bearer
from signaling.limits import Rate

_CODES = {
    Fault.MALFORMED: "json-parsing-error",
    Fault.INVALID: "invalid-request-error",
    Fault.NO_ROUTE: "not-found",
    Fault.NO_METHOD: "not-found",
    Fault.TOO_SLOW: "invalid-request-error",
    Fault.TOO_LARGE: "invalid-request-error",
    Fault.TOO_OFTEN: "rate-limit-error",
    Fault.INTERNAL: "server-error",
    Fault.UNAVAILABLE: "server-error",
}

# The one place where the domain's refusals become Daily's.
_REFUSALS: dict[type[AccessError | RequestError], tuple[int, str]] = {
    NotFoundError: (404, "not-found"),
    NotAllowedError: (403, "forbidden-error"),
    LimitError: (400, "invalid-request-error"),
}

# Daily limits expensive calls to this tenth of the normal rate; all rates here are five times Daily's (20 calls a
# second, 100 in five seconds), so that applications within Daily's limits never reach ours.
DEAR = Rate(per_s=10, burst=100)


class Problem(msgspec.Struct):
    """A refusal."""

    error: str
    "A stable code."
    info: str
    "For the calling developer."


@dataclass(frozen=True, slots=True)
class Caller:
    """The domain of a request's key, and the address under which the server was reached."""

    domain: Domain
    origin: str
    "Without a slash at its end."

    def room_url(self, name: str) -> str:
        """Return a room's address for people."""
        return f"{self.origin}/{name}"


def style(domains: Domains, public_url: str) -> Style:
    """Return the style of Daily's API; without a `public_url` rooms are where the caller finds the server."""

    def authenticate(request: web.Request) -> Caller:
        given = bearer(request)
        if not given:
            raise DailyError(400, "authorization-header-error", "bad Authorization header format")
        domain = domains.by_secret(given)
        if domain is None:
            raise DailyError(401, "authentication-error", "the API key is not valid")
        return Caller(domain, public_url.rstrip("/") or _origin(request))

    return Style(
        title="Daily",
        # The first as in the API's reference, the other as in Daily's own samples.
        prefixes=("/v1", "/api/v1"),
        error=Problem,
        codes=_CODES,
        authenticate=authenticate,
        access_errors={400: "there is no Authorization header, or not of this form", 401: "the key is wrong"},
        refuse=_refuse,
        about="Compatible with Daily's REST API. The bearer token is the secret of an API key.",
    )


def _origin(request: web.Request) -> str:
    # Set by a proxy that terminates TLS. It only appears in the answer to the sender, who has the key.
    return origin(request.headers, request.scheme, request.host)


def _refuse(error: AccessError | RequestError) -> ApiError:
    status, code = by_type(_REFUSALS, error, (400, "invalid-request-error"))
    return ApiError(status, code, str(error))
