"""Every route with what it does not want: no fault of the server, and each refusal as the description says."""

import json
import time

import pytest

from classroom import limits
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


async def test_an_enormous_poll_is_refused_and_nothing_of_it_is_there(school):
    session, tutor = await school.lesson(), school.person("tutor", "tutor")
    path = f"/sessions/{session}/polls"
    before = await tutor.get(f"/sessions/{session}")
    for count, status, code in ((10_000, 413, "too_large"), (limits.POLL_OPTIONS + 1, 409, "too_many")):
        poll = {"question": "Which?", "kind": "single", "options": [f"Option {at}" for at in range(count)]}
        assert (await tutor.post(path, poll, status))["code"] == code
    assert (await tutor.get(path))["polls"] == []
    assert (await tutor.get(f"/sessions/{session}"))["seq"] == before["seq"]


RULES = [
    ("FREQ=DAILY;COUNT=10000000", "bad_recurrence"),
    ("FREQ=SECONDLY;COUNT=10000000", "bad_recurrence"),
    ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "bad_recurrence"),
    ("FREQ=DAILY", ""),
    ("FREQ=DAILY;UNTIL=99991231T000000Z", ""),
]


async def test_endless_recurrences_are_refused_or_cost_little(school):
    """A rule that is accepted is expanded within the window of a call alone."""
    tutor, path = school.person("tutor", "tutor"), "/schedule/tutor"
    series = {"title": "Algebra", "starts": "2027-01-11T09:00", "time_zone": "UTC", "duration_s": 3600}
    for rule, code in RULES:
        since = time.process_time()
        if code:
            assert (await tutor.post(f"{path}/series", {**series, "rule": rule}, 400))["code"] == code, rule
        else:
            made = (await tutor.post(f"{path}/series", {**series, "rule": rule}, 201))["series"]["id"]
            await tutor.get(path)
            await tutor.call("DELETE", f"{path}/series/{made}")
        assert time.process_time() - since < 1, rule
    assert (await tutor.get(path))["occurrences"] == []


NAMES = [
    "👩🏽‍🏫 Zoë",
    "\u05e9\u05b8\u05c1\u05dc\u05d5\u05b9\u05dd \u05db\u05d4\u05df",
    "\u0645\u062d\u0645\u062f \u0639\u0644\u064a",
    "<img src=x onerror=alert(1)>",
]


async def test_names_of_any_script_are_kept_as_they_are(school):
    session = await school.lesson(title=NAMES[0])
    for at, name in enumerate(NAMES):
        person = school.person(f"p{at}", name=name)
        await person.post(f"/sessions/{session}/join")
        await person.post(f"/sessions/{session}/chat", {"text": name})
    tutor = school.person("tutor", "tutor")
    people = (await tutor.get(f"/sessions/{session}/people"))["present"]
    assert {each["name"] for each in people} >= set(NAMES)
    assert [each["text"] for each in (await tutor.get(f"/sessions/{session}/chat"))["messages"]] == NAMES
    assert (await tutor.get(f"/sessions/{session}"))["title"] == NAMES[0]
    # What would make a name read as another one is refused (Unicode, UAX 9: overrides).
    hidden = await school.person("p9", name="Ada \u202ednE").attempt("POST", f"/sessions/{session}/join")
    assert hidden == (401, "bad_token")
