"""Typed routes over HTTP: what reaches the handler, and what is refused before it."""

import json
from contextlib import asynccontextmanager
from typing import Annotated, Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from hypothesis import given
from hypothesis import strategies as st

from signaling.errors import NotFoundError, StoreError, UnstorableError
from signaling.http.api import Api, ApiError, Fault, Route, Style, bearer, key_of
from signaling.limits import Limits, Rate, parse_networks

KEYS = {"school": "a secret"}
Name = Annotated[str, msgspec.Meta(max_length=8)]


class Problem(msgspec.Struct):
    error: str
    info: str


class NewRoom(msgspec.Struct, forbid_unknown_fields=True):
    name: Name
    seats: Annotated[int, msgspec.Meta(ge=0, le=100)] = 2


class Room(msgspec.Struct):
    name: str
    seats: int
    made_by: str


class Page(msgspec.Struct):
    limit: Annotated[int, msgspec.Meta(ge=1, le=100)] = 10
    after: str | None = None


def authenticate(request):
    key = key_of(bearer(request), KEYS)
    if key is None:
        raise ApiError(401, "who-are-you", "no key")
    return key


async def create(caller: str, body: NewRoom) -> Room:
    """Make a room."""
    if body.name == "taken":
        raise ApiError(409, "taken", "there is one", {"X-Why": "taken"})
    return Room(body.name, body.seats, caller)


async def rooms(query: Page) -> list[Room]:
    """List rooms.

    Newest first.
    """
    return [Room(query.after or "", query.limit, "")]


async def delete(name: Name) -> dict[str, bool]:
    """Delete a room."""
    if name in FAILURES:
        raise FAILURES[name]
    return {"deleted": True}


async def state() -> str:
    """Say how it is."""
    return "well"


async def note(body: dict[str, Any]) -> int:
    """Take anything."""
    return len(body)


FAILURES = {
    "domain": NotFoundError("no such thing"),
    "store": StoreError("the password is hunter2"),
    "value": UnstorableError("the password is hunter2"),
    "bug": RuntimeError("the password is hunter2"),
}

STYLE = Style(
    title="Rooms",
    prefixes=("/v1", "/api/v1"),
    error=Problem,
    codes={fault: fault.name.lower() for fault in Fault},
    authenticate=authenticate,
    access_errors={401: "the key is wrong"},
    refuse=lambda error: ApiError(404, "not-found", str(error)),
    about="The bearer token is the key.",
)
ROUTES = [
    Route("POST", "/rooms", create, {409: "the name is taken"}, max_body_bytes=200),
    Route("GET", "/rooms", rooms),
    Route("DELETE", "/rooms/{name}", delete, {404: "there is no such room"}),
    Route("GET", "/state", state, open=True),
    Route("POST", "/notes", note, rate=Rate(per_s=0.5, burst=2)),
]


@asynccontextmanager
async def serving(limits=None):
    app = web.Application()
    Api(STYLE, ROUTES, limits).add_routes(app.router)
    async with TestClient(TestServer(app)) as client:
        yield client


@pytest.fixture
async def client():
    async with serving() as client:
        yield client


async def call(client, method, path, data=None, headers=None):
    headers = {"Authorization": "Bearer a secret"} if headers is None else headers
    async with client.request(method, path, data=data, headers=headers) as answer:
        return answer.status, json.loads(await answer.read()), answer.headers


@pytest.mark.parametrize("prefix", ["/v1", "/api/v1"])
async def test_values_reach_the_handler_by_name_and_type(client, prefix):
    status, room, headers = await call(client, "POST", f"{prefix}/rooms", b'{"name": "maths"}')
    assert (status, room) == (200, {"name": "maths", "seats": 2, "made_by": "school"})
    assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
    status, listed, _ = await call(client, "GET", f"{prefix}/rooms?limit=7&after=x")
    assert (status, listed) == (200, [{"name": "x", "seats": 7, "made_by": ""}])
    assert (await call(client, "DELETE", f"{prefix}/rooms/a%20b"))[:2] == (200, {"deleted": True})


async def test_an_open_route_asks_for_no_key(client):
    assert (await call(client, "GET", "/v1/state", headers={}))[:2] == (200, "well")


REFUSED = {
    "not JSON": ("POST", "/rooms", b"{", 400, "malformed"),
    "JSON of another type": ("POST", "/rooms", b"[]", 400, "invalid"),
    "no body for what needs one": ("POST", "/rooms", b"", 400, "invalid"),
    "a field of another type": ("POST", "/rooms", b'{"name": 1}', 400, "invalid"),
    "a number out of range": ("POST", "/rooms", b'{"name": "a", "seats": 101}', 400, "invalid"),
    "an unknown field": ("POST", "/rooms", b'{"name": "a", "colour": "red"}', 400, "invalid"),
    "a lone surrogate": ("POST", "/rooms", b'{"name": "\\ud800"}', 400, "malformed"),
    "not UTF-8": ("POST", "/rooms", b'{"name": "\xff"}', 400, "malformed"),
    "depth": ("POST", "/notes", b'{"x":' + b"[" * 4000, 400, "malformed"),
    "more values than anybody needs": ("POST", "/notes", b"[" + b"0," * 5000 + b"0]", 400, "invalid"),
    "NUL in JSON": ("POST", "/rooms", b'{"name": "a\\u0000"}', 400, "invalid"),
    "201 bytes": ("POST", "/rooms", b" " * 201, 413, "too_large"),
    "a refusal of the handler": ("POST", "/rooms", b'{"name": "taken"}', 409, "taken"),
    "a refusal of the domain": ("DELETE", "/rooms/domain", None, 404, "not-found"),
    "a failing database": ("DELETE", "/rooms/store", None, 503, "unavailable"),
    "a value that no database takes": ("DELETE", "/rooms/value", None, 400, "invalid"),
    "a bug": ("DELETE", "/rooms/bug", None, 500, "internal"),
    "a path parameter that is too long": ("DELETE", "/rooms/123456789", None, 400, "invalid"),
    "NUL in a path": ("DELETE", "/rooms/%00", None, 400, "invalid"),
    "a word for a number": ("GET", "/rooms?limit=many", None, 400, "invalid"),
    "a parameter twice": ("GET", "/rooms?limit=1&limit=2", None, 400, "invalid"),
    "NUL in the query": ("GET", "/rooms?after=%00", None, 400, "invalid"),
    "no such path": ("GET", "/nothing", None, 404, "no_route"),
    "no such method": ("PATCH", "/rooms", None, 405, "no_method"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_refusals_have_the_style_of_the_api(client, name):
    method, path, data, status, code = REFUSED[name]
    answer = await call(client, method, f"/v1{path}", data)
    assert (answer[0], answer[1]["error"]) == (status, code)
    assert list(answer[1]) == ["error", "info"]
    assert "hunter2" not in str(answer)


async def test_words_and_headers_of_refusals(client):
    _status, body, headers = await call(client, "POST", "/v1/rooms", b'{"name": "taken"}')
    assert (body["info"], headers["X-Why"]) == ("there is one", "taken")
    assert (await call(client, "PATCH", "/v1/rooms"))[2]["Allow"] == "GET, POST"


async def test_what_is_the_servers_own_fault_is_in_its_log(client, caplog):
    await call(client, "DELETE", "/v1/rooms/store")
    await call(client, "DELETE", "/v1/rooms/bug")
    await call(client, "DELETE", "/v1/rooms/domain")
    store, bug = caplog.records
    assert store.getMessage() == "/rooms/{name} failed: the password is hunter2"
    assert (bug.getMessage(), bug.exc_info[1]) == ("/rooms/{name} failed", FAILURES["bug"])


async def test_an_escaped_backslash_before_u0000_is_no_nul(client):
    status, room, _ = await call(client, "POST", "/v1/rooms", rb'{"name": "\\u0000"}')
    assert (status, room["name"]) == (200, r"\u0000")


@pytest.mark.parametrize(
    "given", [None, "a secret", "Basic a secret", "Bearer", "Bearer a secreT", "Bearer \xff"]
)
async def test_without_the_key_nothing_is_read(client, given):
    headers = {} if given is None else {"Authorization": given}
    assert (await call(client, "POST", "/v1/rooms", b"{", headers))[0] == 401


async def test_a_key_has_its_rate_for_each_class_of_routes():
    now = 0.0
    async with serving(Limits(lambda: now)) as client:
        for expected in (200, 200, 429):
            status, body, headers = await call(client, "POST", "/v1/notes", b"{}")
            assert status == expected
        assert (body["error"], headers["Retry-After"]) == ("too_often", "2")
        # an alias is the same API, other routes and other keys are not concerned
        assert (await call(client, "POST", "/api/v1/notes", b"{}"))[0] == 429
        assert (await call(client, "POST", "/v1/rooms", b'{"name": "maths"}'))[0] == 200
        now += 2.0
        assert (await call(client, "POST", "/v1/notes", b"{}"))[0] == 200


async def test_an_address_has_its_rate_with_whatever_key(monkeypatch):
    monkeypatch.setattr("signaling.http.api.CALLS", Rate(per_s=1, burst=1))
    async with serving(Limits(lambda: 0.0, parse_networks("127.0.0.1"))) as client:
        headers = {"X-Forwarded-For": "203.0.113.1", "Authorization": "Bearer guess"}
        statuses = [(await call(client, "GET", "/v1/rooms", headers=headers))[0] for _ in range(2)]
        assert statuses == [401, 429]
        headers["X-Forwarded-For"] = "203.0.113.2"
        assert (await call(client, "GET", "/v1/rooms", headers=headers))[0] == 401


async def wrong_parameter(colour: str) -> str:
    return colour


@pytest.mark.parametrize(
    "route",
    [
        Route("GET", "/rooms", wrong_parameter),
        Route("GET", "/rooms/{name}", state),
        Route("POST", "/rooms", create, open=True),
    ],
)
def test_a_handler_that_does_not_fit_its_route_is_found_at_the_start(route):
    with pytest.raises(TypeError, match="do not fit"):
        Api(STYLE, [route])


@given(st.text(), st.dictionaries(st.text(min_size=1), st.text(min_size=1)))
def test_a_key_is_found_by_its_whole_secret(guess, keys):
    found = key_of(guess, keys) if guess.isprintable() else None
    assert found is None or keys[found] == guess
    for secret in keys.values():
        assert keys[key_of(secret, keys) or ""] == secret
