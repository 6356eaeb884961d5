"""Every route with what it does not want: no fault of the server, and each refusal as the description says."""

import json

import pytest

from tests.signaling.school_client import SECRET
from tests.signaling.sessions_api import samples

pytestmark = pytest.mark.usefixtures("unlimited")

LONG = "é" * 30_000


def _bodies(good):
    """Bodies that are wrong in one way each; bytes go out as they are."""
    yield b"{"
    yield b"\xff"
    yield b'{"a":"\\u0000"}'
    yield []
    yield {**good, "surprise": 1}
    for name in good:
        yield {**good, name: {"deep": [[[[]]]]}}
        yield {**good, name: LONG}
        yield {**good, name: -(2**70)}
        yield {key: value for key, value in good.items() if key != name}


async def test_bad_input_is_refused_clearly_and_costs_nothing(school, caplog):
    session = await school.lesson()
    operations, schemas = await samples.operations(school)
    before = (await school.application.get(f"/sessions/{session}"))["seq"]
    for (method, template), operation in operations.items():
        if not samples.takes_json(operation) or template == "/dev/sign-in":
            continue
        path = samples.path(template, {"session": session, "tutor": "tutor"})
        described = {int(status) for status in operation["responses"]} | {403, 404, 409, 412}
        for body in _bodies(samples.body(operation, schemas)):
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            headers = {"Authorization": f"Bearer {SECRET}"}
            url = f"{school.url}/api/v1{path}"
            async with school.http.request(method, url, data=data, headers=headers) as response:
                problem = await response.json(content_type=None)
                assert response.status in described, (method, template, data[:80], response.status)
                if response.status >= 400:
                    assert response.content_type == "application/problem+json"
                    assert problem["status"] == response.status
                    assert problem["code"], problem
                    assert problem["detail"], problem
                # What the application may do with the smallest body is not refused for it; the wrong ones are.
                assert response.status >= 400 or body != [], (method, template)
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []
    assert (await school.application.get(f"/sessions/{session}"))["seq"] >= before


QUERIES = [
    ("/sessions", ["limit=0", "limit=x", "limit=1&limit=2", "cursor=x", "phase=%00", "phase=king"]),
    ("/sessions/x/events", ["after=-1", "after=x", "limit=5000", "type=king"]),
]


async def test_queries_that_make_no_sense_are_refused(school):
    for path, queries in QUERIES:
        for query in queries:
            refusal = await school.application.get(f"{path}?{query}", 400)
            assert refusal["code"] in {"invalid", "bad_cursor"}, query
