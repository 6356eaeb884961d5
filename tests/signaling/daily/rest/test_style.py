"""What all of Daily's calls have in common."""

import io

import pytest

from signaling.daily.rest.domains import Domains
from signaling.daily.rest.style import Caller, style
from signaling.errors import LimitError, NotAllowedError, NotFoundError, UnsupportedError


@pytest.mark.parametrize("prefix", ["/v1", "/api/v1"])
async def test_the_key_of_the_server_is_dailys(daily, prefix):
    status, domain = await daily.call("GET", "/", prefix=prefix)
    assert (status, domain["domain_name"]) == (200, "devkey")


@pytest.mark.parametrize("path", ["", "/", "/rooms", "/rooms/", "/webhooks/", "/rooms/a/presence/"])
async def test_a_slash_at_the_end_matters_not(daily, path):
    await daily.post("/rooms", {"name": "a"})
    assert (await daily.call("GET", path))[0] == 200


async def test_who_calls_without_a_good_key_is_told(daily):
    assert await daily.refused("GET", "/rooms", key=None) == (
        400,
        "authorization-header-error",
        "bad Authorization header format",
    )
    assert (await daily.refused("GET", "/rooms", key=""))[:2] == (400, "authorization-header-error")
    for key in ("Secret", "secret2", "devkey", "ключ"):
        assert (await daily.refused("GET", "/rooms", key=key))[:2] == (401, "authentication-error")
    # the key is looked at before the body
    assert (await daily.refused("POST", "/rooms", key="wrong", data=b"{"))[0] == 401


async def test_what_is_not_there_is_not_found(daily):
    assert (await daily.refused("GET", "/nothing"))[:2] == (404, "not-found")
    assert (await daily.refused("PUT", "/rooms"))[:2] == (405, "not-found")


async def test_bodies_are_json_whatever_the_content_type(daily):
    assert (await daily.refused("POST", "/rooms", data=b"{"))[:2] == (400, "json-parsing-error")
    assert (await daily.refused("POST", "/rooms", data=b"[]"))[:2] == (400, "invalid-request-error")
    assert (await daily.refused("POST", "/rooms", data=b" " * 70_000))[:2] == (413, "invalid-request-error")
    url, headers = (
        f"{daily.origin}/v1/rooms",
        {"Authorization": "Bearer secret", "Content-Type": "text/plain"},
    )
    async with daily.world.http.post(url, data=b'{"name": "maths"}', headers=headers) as answer:
        assert (answer.status, (await answer.json())["name"]) == (200, "maths")


@pytest.mark.parametrize(
    ("said", "scheme"),
    [("https", "https"), ("HTTP", "http"), ("javascript", "http"), ("https,http", "https")],
)
async def test_behind_a_proxy_that_ends_tls_rooms_have_its_address(daily, said, scheme):
    headers = {"Authorization": "Bearer secret", "X-Forwarded-Proto": said, "Host": "school.example"}
    async with daily.world.http.post(
        f"{daily.origin}/v1/rooms", data=b'{"name": "a"}', headers=headers
    ) as answer:
        assert (await answer.json())["url"] == f"{scheme}://school.example/a"


def test_refusals_of_the_domain():
    refuse = style(Domains({}), "").refuse
    for error, status, code in (
        (NotFoundError("a"), 404, "not-found"),
        (NotAllowedError("a"), 403, "forbidden-error"),
        (LimitError("a"), 400, "invalid-request-error"),
        (UnsupportedError("a"), 400, "invalid-request-error"),
    ):
        refusal = refuse(error)
        assert (refusal.status, refusal.code, str(refusal)) == (status, code, "a")


def test_a_room_has_an_address():
    domain = Domains({"school": "secret"}).by_name("school")
    assert Caller(domain, "https://school.example").room_url("maths") == "https://school.example/maths"


def calls(server):
    """Method, path and whether there is a body, of every route of Daily's API."""
    filled = {
        "{name}": "none",
        "{token}": "none",
        "{meeting}": "none",
        "{webhook}": "none",
        "{thing}": "none",
        "{recording}": "none",
        "{transcript}": "none",
    }
    for operation in server.daily.api.operations:
        if operation.route.open:
            continue  # a signed link takes the place of the key (test_transcript_calls)
        path = operation.route.path
        for parameter, value in filled.items():
            path = path.replace(parameter, value)
        assert "{" not in path
        yield operation.route.method, path, operation.body_type is not None


async def test_every_route_wants_a_key_and_a_body_that_can_be_read(daily):
    tried = 0
    for method, path, has_body in calls(daily.server):
        tried += 1
        data = b"{}" if has_body else None
        refused = await daily.refused(method, path, key=None, data=data)
        assert refused[:2] == (400, "authorization-header-error"), path
        refused = await daily.refused(method, path, key="wrong", data=data)
        assert refused[:2] == (401, "authentication-error"), path
        if has_body:
            for data, status, code in (
                (b"{", 400, "json-parsing-error"),
                (b"[1]", 400, "invalid-request-error"),
                (b"\xff", 400, "json-parsing-error"),
                (b'{"a": "\\u0000"}', 400, "invalid-request-error"),
                (io.BytesIO(b" " * 1_100_000), 413, "invalid-request-error"),
            ):
                refused = await daily.refused(method, path, data=data)
                assert refused[:2] == (status, code), path
    assert tried > 40


async def test_every_route_of_something_that_is_not_there_says_so(daily):
    bodies = {
        "/rooms/none/eject": {"ids": ["x"]},
        "/rooms/none/update-permissions": {"data": {}},
        "/rooms/none/send-app-message": {"data": {}},
        "/rooms/none/transcription/update": {"participants": ["x"]},
    }
    for method, path, has_body in calls(daily.server):
        if "none" in path and "meeting-tokens" not in path:
            refused = await daily.refused(method, path, bodies.get(path, {}) if has_body else None)
            assert refused[:2] == (404, "not-found"), path
