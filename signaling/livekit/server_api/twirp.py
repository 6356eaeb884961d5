"""Twirp (version 7 of its wire protocol), as LiveKit's server SDKs speak it: one POST per call, JSON or protobuf."""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from aiohttp import hdrs, web
from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message

from signaling.access import tokens
from signaling.access.tokens import Claims
from signaling.errors import (
    LimitError,
    NotAllowedError,
    NotFoundError,
    RequestError,
    StoreError,
    TokenError,
    TooOftenError,
    UnstorableError,
    WireError,
    by_type,
)
from signaling.http.api import bearer
from signaling.http.body import BodyError, BodyTooLargeError, BodyTooSlowError, read_body
from signaling.http.json_bounds import check_elements
from signaling.limits import CALLS, Limits, Rate
from signaling.livekit.cors import preflight, shared
from signaling.livekit.messages.bounds import scan
from signaling.livekit.messages.json_bytes import check_base64

log = logging.getLogger(__name__)

# Unless a method needs more; LiveKit's own server takes 10 MiB of every caller.
MAX_BODY_BYTES = 128 * 1024

# A client that sends its body slower than this is not waited for.
BODY_TIMEOUT_S = 20.0

# LiveKit's own server has no such limit; an application's endless loop must not use up the rooms' time.
PER_KEY = Rate(per_s=200, burst=1000)

_JSON, _PROTOBUF = "application/json", "application/protobuf"

# The protocol's codes and their statuses.
STATUSES = {
    "canceled": 408,
    "unknown": 500,
    "invalid_argument": 400,
    "malformed": 400,
    "deadline_exceeded": 408,
    "not_found": 404,
    "bad_route": 404,
    "already_exists": 409,
    "permission_denied": 403,
    "unauthenticated": 401,
    "resource_exhausted": 429,
    "failed_precondition": 412,
    "aborted": 409,
    "out_of_range": 400,
    "unimplemented": 501,
    "internal": 500,
    "unavailable": 503,
}

# The one place where the domain's refusals become the protocol's codes.
_CODES: dict[type[RequestError], str] = {
    NotFoundError: "not_found",
    LimitError: "invalid_argument",
    NotAllowedError: "permission_denied",
}

_BODY_CODES: dict[type[BodyError], str] = {
    BodyTooLargeError: "resource_exhausted",
    BodyTooSlowError: "deadline_exceeded",
}

# Services of LiveKit that this server does not have; calls are answered as unimplemented.
_ABSENT = frozenset(
    {
        "livekit.Ingress",
        "livekit.SIP",
        "livekit.AgentDispatchService",
        "livekit.Connector",
    }
)


class TwirpError(Exception):
    """A call that is refused."""

    def __init__(self, code: str, text: str, **meta: str) -> None:
        """`code` is one of the protocol's; `text` is for the calling developer."""
        super().__init__(text)
        self.code = code
        self.meta = meta
        self.headers: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Method:
    """One call."""

    request: type[Message]
    "The request message."
    handler: Callable[[Claims, Any], Message | Awaitable[Message]]
    "Answers it, at once or later."
    allows: Callable[[Claims], None]
    "Raises TwirpError when a token lacks the grant that the method needs; asked before the body is read."
    max_body_bytes: int = MAX_BODY_BYTES


class Twirp:
    """The endpoint of all services."""

    def __init__(
        self,
        services: Mapping[str, Mapping[str, Method]],
        keys: Mapping[str, str],
        wall_clock: Callable[[], float],
        limits: Limits,
        note_token: Callable[[Claims], None] = lambda _claims: None,
    ) -> None:
        """`services` are methods by service and name; `keys` maps API keys to secrets.

        `note_token` is called with each valid token, which shows whether the application's clock is ahead.
        """
        self._services = services
        self._keys = keys
        self._wall_clock = wall_clock
        self._limits = limits
        self._note_token = note_token

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Register the endpoint."""
        # With a server URL that ends in a slash, SDKs request paths with two.
        for slash in ("/", "//"):
            path = f"{slash}twirp/{{service}}/{{method}}"
            router.add_options(path, preflight)
            router.add_route("*", path, shared(self.call))
            # Where agent workers open their WebSocket.
            router.add_get(f"{slash}agent", _no_agents)

    async def call(self, request: web.Request) -> web.Response:
        """Answer one call; never raises."""
        try:
            return await self._answered(request)
        except Exception as error:  # noqa: BLE001 - all but a few are logged there
            return _refusal(_refused(error, request.path[:200]))

    async def _answered(self, request: web.Request) -> web.Response:
        self._limits.check_address("twirp", request, CALLS)
        method = self._method(request)
        claims = self._claims(request)
        self._limits.check("twirp", str(claims.raw["iss"]), PER_KEY)
        method.allows(claims)
        is_json = request.content_type == _JSON
        body = await _body(request, method.max_body_bytes)
        message = method.request()
        # Each step may take some 30 ms for the largest body: the event loop has its turn between them.
        check_bounds(message, body, is_json=is_json)
        await asyncio.sleep(0)
        decode(message, body, is_json=is_json)
        await asyncio.sleep(0)
        answer = method.handler(claims, message)
        if not isinstance(answer, Message):
            answer = await answer
        return _answer(answer, is_json=is_json)

    def _method(self, request: web.Request) -> Method:
        service, name = request.match_info["service"], request.match_info["method"]
        if request.method != "POST":
            raise TwirpError("bad_route", f"unsupported method {request.method!r} (only POST is allowed)")
        if request.content_type not in {_JSON, _PROTOBUF}:
            raise TwirpError("bad_route", f"unexpected Content-Type: {request.content_type!r}")
        if service in _ABSENT:
            raise TwirpError("unimplemented", f"this server has no {service}/{name}")
        method = self._services.get(service, {}).get(name)
        if method is None:
            raise TwirpError("bad_route", f"no handler for path {request.path[:200]!r}")
        return method

    def _claims(self, request: web.Request) -> Claims:
        token = bearer(request)
        if not token:
            raise TwirpError("unauthenticated", "no access token was sent")
        try:
            claims = tokens.verify(token, self._keys, self._wall_clock())
        except TokenError as error:
            raise TwirpError("unauthenticated", str(error)) from error
        self._note_token(claims)
        return claims


async def _no_agents(_request: web.Request) -> web.Response:
    return _refusal(TwirpError("unimplemented", "this server dispatches no agents"))


async def _body(request: web.Request, max_bytes: int) -> bytes:
    try:
        return await read_body(request, max_bytes, BODY_TIMEOUT_S)
    except BodyError as error:
        raise TwirpError(by_type(_BODY_CODES, error, "malformed"), str(error)) from error


def check_bounds(message: Message, body: bytes, *, is_json: bool) -> None:
    """Refuse a body that would cost too much to decode. TwirpError (malformed), and nothing else."""
    try:
        if is_json:
            check_elements(body)
        else:
            scan(message.DESCRIPTOR, body)
    except (WireError, ValueError) as error:
        raise TwirpError("malformed", str(error)) from error


def decode(message: Message, body: bytes, *, is_json: bool) -> Message:
    """Fill a message with a body that `check_bounds` has passed. TwirpError (malformed), and nothing else."""
    try:
        if is_json:
            # The library treats an empty list as an empty object.
            fields = dict(json.loads(body or b"{}").items())
            check_base64(message.DESCRIPTOR, fields)
            return json_format.ParseDict(fields, message, ignore_unknown_fields=True)
        message.ParseFromString(body)
    except (
        WireError,
        json_format.ParseError,
        DecodeError,
        ValueError,
        TypeError,
        AttributeError,
        RecursionError,
    ) as error:
        raise TwirpError(
            "malformed", f"the request could not be decoded as {message.DESCRIPTOR.name}"
        ) from error
    return message


def _answer(message: Message, *, is_json: bool) -> web.Response:
    if not is_json:
        return web.Response(body=message.SerializeToString(), content_type=_PROTOBUF)
    text = json_format.MessageToJson(
        message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True, indent=None
    )
    return web.Response(body=text.encode(), content_type=_JSON)


def _refused(error: Exception, path: str) -> TwirpError:
    if isinstance(error, TwirpError):
        return error
    if isinstance(error, TooOftenError):
        refused = TwirpError("resource_exhausted", str(error))
        refused.headers[hdrs.RETRY_AFTER] = str(error.retry_after_s)
        return refused
    if isinstance(error, RequestError):
        return TwirpError(by_type(_CODES, error, "failed_precondition"), str(error))
    if isinstance(error, UnstorableError):
        return TwirpError("invalid_argument", "the database cannot store one of the values")
    if isinstance(error, StoreError):
        log.error("%s failed: %s", path, error)
        return TwirpError("unavailable", "the database does not answer")
    log.error("%s failed", path, exc_info=error)
    return TwirpError("internal", "the server failed")


def _refusal(error: TwirpError) -> web.Response:
    # In bytes: a text would add the charset to the content type, and then the Node SDK reads no error in it.
    body = {"code": error.code, "msg": str(error), **({"meta": error.meta} if error.meta else {})}
    return web.Response(
        status=STATUSES[error.code],
        body=json.dumps(body).encode(),
        content_type=_JSON,
        headers=error.headers,
    )
