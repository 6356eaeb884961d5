"""What all routes of the API share: problem details, status codes, repeated calls."""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec
from aiohttp import hdrs, web

from classroom.errors import Code, Conflict, LimitReached, Malformed, NotAllowed, NotFound, Refused
from signaling.errors import AccessError, RequestError, StoreError, VaultError, by_type
from signaling.http.api import ApiError, Fault, Operation, Respond, Style
from signaling.sessions_api.callers import Caller, Callers
from signaling.store import Store
from signaling.store.classroom.classroom import ClassroomStore
from signaling.store.classroom.records import SavedAnswer
from signaling.store.vault import Vault

PREFIX: Final = "/api/v1"

_CODES: Final = {
    Fault.MALFORMED: "unreadable",
    Fault.INVALID: "invalid",
    Fault.NO_ROUTE: "no_such_path",
    Fault.NO_METHOD: "no_such_method",
    Fault.TOO_SLOW: "too_slow",
    Fault.TOO_LARGE: "too_large",
    Fault.TOO_OFTEN: "too_fast",
    Fault.INTERNAL: "internal",
    Fault.UNAVAILABLE: "unavailable",
}

# The one place where refusals of the engine become HTTP statuses.
_STATUSES: Final[Mapping[type[Refused], int]] = {
    Malformed: 400,
    NotAllowed: 403,
    NotFound: 404,
    Conflict: 409,
    LimitReached: 409,
}
_BY_CODE: Final = {
    Code.TOO_FAST: 429,
    Code.TOO_LARGE: 413,
    Code.QUOTA_EXCEEDED: 413,
    Code.CHANGED_MEANWHILE: 412,
}

_TITLES: Final = {
    400: "The request is wrong in itself",
    401: "The caller is not known",
    403: "The caller may not do this",
    404: "There is no such thing",
    405: "The path has no such method",
    408: "The request took too long",
    409: "The present state does not allow this",
    412: "The thing was changed meanwhile",
    413: "The request is too large",
    422: "The idempotency key belongs to another request",
    429: "Too many requests",
    500: "The server failed",
    503: "The server cannot answer now",
}

_ABOUT: Final = """\
Teaching sessions and the school around them. The bearer token is the secret of an API key (the application, which may
do everything in its tenant), or a token that names a person (`sub`, `name`, `role`, `exp`), signed with an API key or
by the configured issuer. Times are seconds since 1970. A POST with an `Idempotency-Key` header is carried out once for
each key in 24 hours, and a repetition gets the same answer. PATCH and DELETE of a session take `If-Match` with the
`ETag` of GET. Refusals are problem details (RFC 9457); `code` is stable."""


class Problem(msgspec.Struct, frozen=True):
    """A refusal (RFC 9457)."""

    code: str
    "Stable, for programs."
    detail: str
    "A sentence for people."
    title: str = ""
    "The same for each status."
    status: int = 0
    "The HTTP status."
    type: str = "about:blank"
    "A URI of the kind of problem; none beyond title and code."


def style(callers: Callers, store: Store, wall_clock: Callable[[], float]) -> Style:
    """Return the style of the API."""
    return Style(
        title="Sessions",
        prefixes=(PREFIX,),
        error=Problem,
        codes=_CODES,
        authenticate=callers.authenticate,
        access_errors={401: "there is no token, or it cannot be used", 403: "the caller may not do this"},
        refuse=_refuse,
        about=_ABOUT,
        translate=translate,
        refusal=_problem,
        refusal_type="application/problem+json",
        # Not the token, which browsers give in two places.
        rate_key=lambda caller: f"{caller.tenant}/{caller.person}",
        shares_prefix=True,
        around=Repetitions(store.classroom, store.vault, wall_clock).once,
    )


def translate(error: Exception) -> ApiError | None:
    """Return a refusal of the engine as one of the API."""
    if not isinstance(error, Refused):
        return None
    status = _BY_CODE.get(error.code) or by_type(_STATUSES, error, 409)
    return ApiError(status, error.code.value, error.message)


def _problem(error: ApiError) -> Problem:
    text = str(error)
    return Problem(error.code, text, _TITLES.get(error.status, "The request is refused"), error.status)


def _refuse(error: AccessError | RequestError) -> ApiError:
    return ApiError(403, "refused", str(error))


_PURPOSE = "the answer to a call with an idempotency key"


class Repetitions:
    """Carries a call with an idempotency key out once. Answers are stored encrypted: some hold tokens or secrets."""

    def __init__(self, store: ClassroomStore, vault: Vault, wall_clock: Callable[[], float]) -> None:
        """Answers are stored."""
        self._store = store
        self._vault = vault
        self._wall_clock = wall_clock
        self._under_way: set[tuple[str, str, str]] = set()

    async def once(
        self, operation: Operation, arguments: Mapping[str, Any], caller: Any, respond: Respond
    ) -> web.StreamResponse:
        """Return the answer to the first call with this key. ApiError, StoreError."""
        if not isinstance(caller, Caller) or not caller.idempotency_key:
            return await respond()
        key = caller.tenant, caller.person, caller.idempotency_key
        shelf, fingerprint = self._store.of(caller.tenant), _fingerprint(operation, arguments)
        if key in self._under_way:
            raise ApiError(409, "in_progress", "The first call with this idempotency key is under way.")
        self._under_way.add(key)
        try:
            saved = await shelf.answer(caller.person, caller.idempotency_key)
            if saved is not None:
                return self._repeated(saved, fingerprint)
            response = await respond()
            if isinstance(response, web.Response) and isinstance(response.body, bytes):
                kept = {
                    str(name): response.headers[name]
                    for name in (hdrs.CONTENT_TYPE, hdrs.ETAG, hdrs.LOCATION)
                    if name in response.headers
                }
                body = self._vault.seal(response.body.decode(), _PURPOSE)
                answer = SavedAnswer(fingerprint, response.status, body, kept)
                await shelf.save_answer(caller.person, caller.idempotency_key, answer, self._wall_clock())
            return response
        finally:
            self._under_way.discard(key)

    def _repeated(self, saved: SavedAnswer, fingerprint: str) -> web.Response:
        if saved.fingerprint != fingerprint:
            raise ApiError(422, "idempotency_key_reused", "This idempotency key belongs to another request.")
        try:
            body = self._vault.open(saved.body, _PURPOSE)
        except VaultError as error:
            raise StoreError(str(error)) from error
        headers = {**saved.headers, "Idempotent-Replayed": "true", hdrs.CACHE_CONTROL: "no-store"}
        return web.Response(body=body.encode(), status=saved.status, headers=headers)


def _fingerprint(operation: Operation, arguments: Mapping[str, Any]) -> str:
    given = {name: arguments[name] for name in (*operation.path_types, "query", "body") if name in arguments}
    text = msgspec.json.encode([operation.route.method, operation.route.path, given], order="deterministic")
    return hashlib.sha256(text).hexdigest()
