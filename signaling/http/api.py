"""Typed routes: a handler's signature declares its request and response, and the OpenAPI document is generated from it.

    async def update_room(caller: Key, name: RoomName, body: RoomChange) -> Room:
        '''Change a room.'''

    Route("POST", "/rooms/{name}", update_room, {404: "there is no such room"})

Parameters by name: those of the path; `query` and `body`, which are msgspec structs; `caller`, the result of the
style's authentication; `address`, the client's address (`limits.Limits.address`). Values are checked against their
types before the handler runs. `request` is the request itself, for handlers that answer with a stream. A handler
returns its answer, an `Answer` with status and headers, a `Document`, or a response. An API's `Style` defines its
errors and its authentication.
"""

import hmac
import inspect
import logging
import re
import typing
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
from aiohttp import hdrs, web

from signaling.errors import (
    AccessError,
    RequestError,
    StoreError,
    TooOftenError,
    UnstorableError,
    by_type,
)
from signaling.http.body import BodyError, BodyTooLargeError, BodyTooSlowError, read_body
from signaling.http.headers import LONG_LIVED, SECURITY_HEADERS
from signaling.http.json_bounds import TooManyElementsError, check_elements
from signaling.limits import CALLS, Limits, Rate

log = logging.getLogger(__name__)

T = TypeVar("T")

# A client that sends its body slower than this is not waited for.
BODY_TIMEOUT_S = 15.0

# Unless a route says otherwise.
MAX_BODY_BYTES = 64 * 1024

_HEADERS = {**SECURITY_HEADERS, hdrs.CACHE_CONTROL: "no-store"}

# Valid in JSON; PostgreSQL cannot store text that contains it.
_NUL_IN_JSON = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")

# Of the call that the running task handles.
_added_headers: ContextVar[dict[str, str]] = ContextVar("added_headers")

# Unless a route says otherwise.
RATE = Rate(per_s=100, burst=200)


class Fault(Enum):
    """What the routes refuse by themselves, and its status."""

    MALFORMED = "malformed", 400
    INVALID = "invalid", 400
    NO_ROUTE = "no route", 404
    NO_METHOD = "no method", 405
    TOO_SLOW = "too slow", 408
    TOO_LARGE = "too large", 413
    TOO_OFTEN = "too often", 429
    INTERNAL = "internal", 500
    UNAVAILABLE = "unavailable", 503

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.value[1]


class ApiError(Exception):
    """A call that is refused."""

    def __init__(self, status: int, code: str, text: str, headers: Mapping[str, str] | None = None) -> None:
        """`code` is one of the API's own; `text` is for the calling developer."""
        super().__init__(text)
        self.status = status
        self.code = code
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a handler returns that needs more than its content."""

    content: T
    status: int = 0
    "0: the route's own."
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Document:
    """An answer that is not JSON."""

    body: bytes | Path
    "A path is a file, sent without reading it into memory, and in ranges if the request has them."
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


RefusalPage = Callable[[ApiError], web.StreamResponse]
"Makes the page that says to a person why a call was refused."

Respond = Callable[[], Awaitable[web.StreamResponse]]
"Runs a handler and returns its response."


@dataclass(frozen=True, slots=True)
class Style:
    """What one API decides for all of its routes."""

    title: str
    "Its name in the OpenAPI document."
    prefixes: tuple[str, ...]
    "Where it is; the first is documented, the others are aliases."
    error: type[msgspec.Struct]
    "Makes the body of a refusal from code and text, in this order."
    codes: Mapping[Fault, str]
    "Its codes for what the routes refuse by themselves."
    authenticate: Callable[[web.Request], Any]
    "Returns the caller, or an awaitable of it; handlers receive it as `caller`. ApiError."
    access_errors: Mapping[int, str]
    "What `authenticate` refuses, by status."
    refuse: Callable[[AccessError | RequestError], ApiError]
    "Turns a refusal of the domain into the API's."
    about: str = ""
    "Documentation that applies to all routes, such as the kind of bearer token."
    translate: Callable[[Exception], ApiError | None] | None = None
    "Turns exceptions of other packages into refusals; returns None for unknown ones."
    refusal: Callable[[ApiError], msgspec.Struct] | None = None
    "Makes the body of a refusal that has more fields than code and text."
    refusal_type: str = "application/json"
    "Content type of a refusal."
    rate_key: Callable[[Any], str] | None = None
    "Returns the key under which a caller's calls are counted; None: the bearer token."
    shares_prefix: bool = False
    "Another API answers for paths of the first prefix that are not there."
    around: Callable[["Operation", Mapping[str, Any], Any, Respond], Awaitable[web.StreamResponse]] | None = (
        None
    )
    "Runs each handler, given its operation, its arguments and the caller; for concerns of all routes."


@dataclass(frozen=True, slots=True)
class Route:
    """One operation; `errors` are the refusals of its own, in words by status."""

    method: str
    path: str
    handler: Callable[..., Awaitable[Any]]
    errors: Mapping[int, str] = field(default_factory=dict)
    open: bool = False
    "Without authentication."
    max_body_bytes: int = MAX_BODY_BYTES
    status: int = 200
    "Of an answer that says nothing else."
    long_lived: bool = False
    "May answer with a stream that lasts."
    upload: bool = False
    "The body is the bytes of a file, which the handler reads from `request` by itself."
    rate: Rate = RATE
    "How often one bearer may call all routes of this rate together."


@dataclass(frozen=True, slots=True)
class Operation:
    """A route with the types of its handler."""

    route: Route
    path_types: Mapping[str, Any]
    query_type: type[msgspec.Struct] | None
    body_type: Any
    "None where there is no body."
    answer_type: Any
    takes_caller: bool
    takes_address: bool
    takes_request: bool = False

    @classmethod
    def of(cls, route: Route) -> "Operation":
        """Read the handler's signature. TypeError when it does not fit the route."""
        types = typing.get_type_hints(route.handler, include_extras=True)
        named = {name: types[name] for name in inspect.signature(route.handler).parameters}
        path_types = {name: named.pop(name, None) for name in re.findall(r"{(\w+)}", route.path)}
        query_type, body_type = named.pop("query", None), named.pop("body", None)
        takes_caller = named.pop("caller", None) is not None
        takes_address = named.pop("address", None) is not None
        takes_request = named.pop("request", None) is not None
        if None in path_types.values() or named or (takes_caller and route.open):
            raise TypeError(f"{route.method} {route.path} and the parameters of its handler do not fit")
        returned = types["return"]
        return cls(
            route,
            path_types,
            query_type,
            body_type,
            typing.get_args(returned)[0] if typing.get_origin(returned) is Answer else returned,
            takes_caller,
            takes_address,
            takes_request,
        )


class Api:
    """A part of the application: the routes of one API."""

    def __init__(
        self,
        style: Style,
        routes: Iterable[Route],
        limits: Limits | None = None,
        refusal_page: RefusalPage | None = None,
    ) -> None:
        """TypeError when a handler does not fit its route. Without `limits`, calls are not rate limited.

        `refusal_page` makes the page that a person sees whose browser opened the address of a call that is refused.
        """
        self.style = style
        self._limits = limits
        self._refusal_page = refusal_page
        self.operations = [Operation.of(route) for route in routes]

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Register the routes, and what answers for paths and methods that are not there."""
        for prefix in self.style.prefixes:
            by_path: dict[str, list[Operation]] = {}
            for operation in self.operations:
                by_path.setdefault(operation.route.path, []).append(operation)
            for path, operations in by_path.items():
                # With and without a trailing slash: clients send both, and other servers accept both.
                for spelled in (path.rstrip("/"), path.rstrip("/") + "/"):
                    resource = router.add_resource(prefix + spelled)
                    for operation in operations:
                        resource.add_route(operation.route.method, self._endpoint(operation))
                    resource.add_route(hdrs.METH_ANY, self._no_method(operations))
            if not self.style.shares_prefix:
                router.add_route(hdrs.METH_ANY, prefix + "/{path:.*}", self._no_route)

    def _endpoint(self, operation: Operation) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        route = operation.route

        async def endpoint(request: web.Request) -> web.StreamResponse:
            added: dict[str, str] = {}
            _added_headers.set(added)
            try:
                caller = await self._caller(operation, request)
                arguments = await self._arguments(operation, request, caller)

                async def respond() -> web.StreamResponse:
                    response = _response(await route.handler(**arguments), route.status)
                    response.headers.update(added)
                    return response

                if self.style.around is None:
                    return await respond()
                return await self.style.around(operation, arguments, caller, respond)
            except Exception as error:  # noqa: BLE001 - all but a few are logged there
                return self._refusal(self._refused(error, operation), request)

        if route.long_lived:
            LONG_LIVED.add(endpoint)
        return endpoint

    async def _caller(self, operation: Operation, request: web.Request) -> Any:
        """Return the caller; None on a route without authentication. ApiError, TooOftenError."""
        if self._limits is not None:
            self._limits.check_address(self.style.title, request, CALLS)
        if operation.route.open:
            return None
        caller = self.style.authenticate(request)
        if inspect.isawaitable(caller):
            caller = await caller
        if self._limits is not None:
            key = bearer(request) if self.style.rate_key is None else self.style.rate_key(caller)
            self._limits.check(self.style.title, key, operation.route.rate)
        return caller

    async def _arguments(self, operation: Operation, request: web.Request, caller: Any) -> dict[str, Any]:
        arguments: dict[str, Any] = {}
        if operation.takes_caller:
            arguments["caller"] = caller
        if operation.takes_request:
            arguments["request"] = request
        if operation.takes_address:
            arguments["address"] = "" if self._limits is None else self._limits.address(request)
        for name, kind in operation.path_types.items():
            arguments[name] = self._converted(request.match_info[name], kind)
        if operation.query_type is not None:
            given = dict(request.query)
            if len(given) < len(request.query):
                raise self._fault(Fault.INVALID, "a parameter is given twice")
            arguments["query"] = self._converted(given, operation.query_type)
        if operation.body_type is not None:
            arguments["body"] = await self._body(operation, request)
        return arguments

    def _converted(self, given: str | dict[str, str], kind: Any) -> Any:
        texts = [given] if isinstance(given, str) else [*given, *given.values()]
        if any("\0" in text for text in texts):
            raise self._fault(Fault.INVALID, "a text holds the character NUL")
        try:
            return msgspec.convert(given, kind, strict=False)
        except msgspec.ValidationError as error:
            raise self._fault(Fault.INVALID, str(error)) from error

    async def _body(self, operation: Operation, request: web.Request) -> Any:
        # JSON whatever the Content-Type says: clients are seen to send it as text/plain.
        try:
            body = await read_body(request, operation.route.max_body_bytes, BODY_TIMEOUT_S)
        except BodyError as error:
            fault = by_type(_BODY_FAULTS, error, Fault.MALFORMED)
            raise self._fault(fault, str(error)) from error
        try:
            check_elements(body)
        except TooManyElementsError as error:
            raise self._fault(Fault.INVALID, str(error)) from error
        if _NUL_IN_JSON.search(body):
            raise self._fault(Fault.INVALID, "a text holds the character NUL")
        try:
            return msgspec.json.decode(body or b"{}", type=operation.body_type)
        except msgspec.ValidationError as error:
            raise self._fault(Fault.INVALID, str(error)) from error
        except (ValueError, RecursionError) as error:
            raise self._fault(Fault.MALFORMED, "the request's body is not JSON") from error

    def _no_method(
        self, operations: list[Operation]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        allowed = ", ".join(sorted(operation.route.method for operation in operations))

        async def endpoint(request: web.Request) -> web.StreamResponse:
            text = f"this path takes {allowed}"
            return self._refusal(self._fault(Fault.NO_METHOD, text, {hdrs.ALLOW: allowed}), request)

        return endpoint

    async def _no_route(self, request: web.Request) -> web.StreamResponse:
        return self._refusal(self._fault(Fault.NO_ROUTE, "there is no such path"), request)

    def _refused(self, error: Exception, operation: Operation) -> ApiError:
        translated = None if self.style.translate is None else self.style.translate(error)
        if translated is not None:
            return translated
        if isinstance(error, ApiError):
            return error
        if isinstance(error, TooOftenError):
            wait: dict[str, str] = {hdrs.RETRY_AFTER: str(error.retry_after_s)}
            return self._fault(Fault.TOO_OFTEN, str(error), wait)
        if isinstance(error, (AccessError, RequestError)):
            return self.style.refuse(error)
        return self._failure(error, operation)

    def _failure(self, error: Exception, operation: Operation) -> ApiError:
        if isinstance(error, UnstorableError):
            return self._fault(Fault.INVALID, "the database cannot store one of the values")
        if isinstance(error, StoreError):
            log.error("%s failed: %s", operation.route.path, error)
            return self._fault(Fault.UNAVAILABLE, "the database does not answer")
        log.error("%s failed", operation.route.path, exc_info=error)
        return self._fault(Fault.INTERNAL, "the server failed")

    def _fault(self, fault: Fault, text: str, headers: Mapping[str, str] | None = None) -> ApiError:
        return ApiError(fault.status, self.style.codes[fault], text, headers)

    def _refusal(self, error: ApiError, request: web.Request) -> web.StreamResponse:
        if self._refusal_page is not None and opened_by_browser(request):
            return self._refusal_page(error)
        make = self.style.refusal
        body = self.style.error(error.code, str(error)) if make is None else make(error)
        return _json(body, error.status, error.headers, self.style.refusal_type)


_BODY_FAULTS: Mapping[type[BodyError], Fault] = {
    BodyTooLargeError: Fault.TOO_LARGE,
    BodyTooSlowError: Fault.TOO_SLOW,
}


def opened_by_browser(request: web.Request) -> bool:
    """Whether a person opened this address in a browser, by a link, a redirect or the address bar.

    Browsers accept HTML when they navigate (Fetch Standard, section 4, "document"); scripts and API clients do not
    ask for it. `Sec-Fetch-Mode` says the same, but browsers send it over HTTPS and to localhost only.
    """
    return request.method == hdrs.METH_GET and "text/html" in request.headers.get(hdrs.ACCEPT, "")


def bearer(request: web.Request) -> str:
    """Return the bearer token of the Authorization header (RFC 6750); empty if absent or of another scheme."""
    scheme, _, given = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
    return given.strip() if scheme.lower() == "bearer" else ""


def key_of(secret: str, keys: Mapping[str, str]) -> str | None:
    """Return the id of the key with this secret; the comparison is constant-time."""
    given = secret.encode(errors="surrogateescape")
    found = [key for key, known in keys.items() if hmac.compare_digest(known.encode(), given)]
    return found[0] if found else None


def add_header(name: str, value: str) -> None:
    """Let the answer to the call that is being handled have this header."""
    _added_headers.get({})[name] = value


def _response(result: Any, status: int) -> web.StreamResponse:
    if isinstance(result, web.StreamResponse):
        return result
    if isinstance(result, Document):
        headers = {**_HEADERS, **result.headers, hdrs.CONTENT_TYPE: result.content_type}
        if isinstance(result.body, Path):
            return web.FileResponse(result.body, status=status, headers=headers)
        return web.Response(body=result.body, status=status, headers=headers)
    if isinstance(result, Answer):
        return _json(result.content, result.status or status, result.headers)
    return _json(result, status)


def _json(
    content: Any,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    content_type: str = "application/json",
) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(content),
        status=status,
        content_type=content_type,
        headers={**_HEADERS, **(headers or {})},
    )
