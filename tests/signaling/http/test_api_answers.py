"""What handlers may return, and what an API may decide for all of its routes."""

import msgspec
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from signaling.http.api import Answer, Api, ApiError, Document, Fault, Route, Style
from signaling.http.headers import LONG_LIVED
from signaling.http.openapi import describe


class Problem(msgspec.Struct):
    code: str
    detail: str
    status: int = 0


async def authenticate(request):
    return request.query.get("who", "nobody")


async def make() -> Answer[int]:
    """Make something."""
    return Answer(7, headers={"ETag": '"x"'})


async def file() -> Document:
    """Return a file."""
    return Document(b"a,b", "text/csv", {"X-Name": "x"})


async def stream(request: web.Request) -> int:
    """Return a response of its own."""
    return web.Response(text=request.path)


async def fail() -> int:
    """Fail in a way that only this API knows."""
    raise KeyError("gone")


async def around(operation, arguments, caller, respond):
    if caller == "eve":
        raise ApiError(403, "no", "not you")
    response = await respond()
    response.headers["X-Caller"] = caller
    return response


async def another(_request):
    return web.Response(text="another API")


STYLE = Style(
    title="Things",
    prefixes=("/v2",),
    error=Problem,
    codes={fault: fault.name.lower() for fault in Fault},
    authenticate=authenticate,
    access_errors={},
    refuse=lambda error: ApiError(400, "refused", str(error)),
    translate=lambda error: ApiError(404, "gone", str(error)) if isinstance(error, KeyError) else None,
    refusal=lambda error: Problem(error.code, str(error), error.status),
    refusal_type="application/problem+json",
    shares_prefix=True,
    around=around,
)
ROUTES = [
    Route("POST", "/things", make, status=201),
    Route("GET", "/file", file),
    Route("GET", "/stream", stream, long_lived=True),
    Route("GET", "/fail", fail),
]


async def test_answers_documents_and_responses_go_out_as_they_are():
    app = web.Application()
    api = Api(STYLE, ROUTES)
    api.add_routes(app.router)
    app.router.add_get("/v2/{rest}", another)
    async with TestClient(TestServer(app)) as client:
        made = await client.post("/v2/things?who=sam")
        assert (made.status, made.headers["ETag"], made.headers["X-Caller"]) == (201, '"x"', "sam")
        csv = await client.get("/v2/file")
        assert (csv.content_type, await csv.read(), csv.headers["X-Name"]) == ("text/csv", b"a,b", "x")
        assert await (await client.get("/v2/stream")).text() == "/v2/stream"
        gone = await client.get("/v2/fail")
        assert (gone.status, gone.content_type) == (404, "application/problem+json")
        assert await gone.json(content_type=None) == {"code": "gone", "detail": "'gone'", "status": 404}
        assert (await client.get("/v2/file?who=eve")).status == 403
        # What this API does not have is another one's.
        assert await (await client.get("/v2/else")).text() == "another API"
    handlers = {route.handler for route in app.router.routes() if "stream" in route.resource.canonical}
    assert any(handler in LONG_LIVED for handler in handlers)
    paths = describe([api]).paths
    assert set(paths["/v2/things"]["post"]["responses"]) == {"201", "429"}
    assert "*/*" in paths["/v2/file"]["get"]["responses"]["200"]["content"]
