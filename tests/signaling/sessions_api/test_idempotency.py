"""Every POST with an idempotency key: a repetition gets the first answer and does nothing.

The routes come from the OpenAPI description, so a new one is tried, too.
"""

import itertools

import pytest

from tests.signaling.sessions_api import samples

pytestmark = pytest.mark.usefixtures("unlimited")

# People who are not signed in make these calls, and an idempotency key belongs to a signed-in caller.
OPEN = {"/dev/sign-in", "/sign-in", "/guests/join", "/passwords", "/passwords/forgotten"}

SERIES = {"title": "Algebra", "starts": "2027-01-11T09:00", "time_zone": "UTC", "duration_s": 3600}
POLL = {"question": "Why?", "kind": "short"}
BODIES = {
    "/schedule/{tutor}/series": SERIES,
    "/sessions/{session}/polls": POLL,
    "/sessions/{session}/polls/{poll}/answer": {"text": "Because"},
    "/sessions/{session}/reactions": {"expression": "clap"},
    "/sessions/{session}/scenes": {"kind": "whiteboard"},
    "/sessions/{session}/breakouts": {"rooms": [{"id": "a", "name": "A"}, {"id": "b", "name": "B"}]},
    "/sessions/{session}/breakouts/assign": {"person": "sam", "room": "a"},
    "/sessions/{session}/breakouts/call-back": {"seconds": 60},
    "/sessions/{session}/exercises/mode": {"person": "sam", "mode": "observe"},
    "/sessions/{session}/moderation/allow": {"permission": "whiteboard.draw", "allowed": True},
    "/users": {"email": "new@school.example", "name": "New"},
    "/library": {"content": {"kind": "poll", "question": "Why?", "answers": "short"}},
}


async def things(application, tutor, sam, session):
    """Make what the paths name; the ids."""
    path = f"/sessions/{session}"
    found = {
        "message": (await sam.post(f"{path}/chat", {"text": "hello"}))["id"],
        "question": (await sam.post(f"{path}/questions", {"text": "Why?"}))["id"],
        "poll": (await tutor.post(f"{path}/polls", POLL))["id"],
        "request": (await sam.post(f"{path}/help-requests", {"urgency": "high"}))["id"],
        "page": (await tutor.post(f"{path}/whiteboards"))["id"],
        "course": (await tutor.post("/courses", {"title": "Physics"}))["id"],
        "group": (await sam.post("/study-groups", {"course": "c", "name": "Optics"}))["id"],
        "series": (await tutor.post("/schedule/tutor/series", SERIES))["series"]["id"],
    }
    exercise = {"id": "e1", "title": "Rings"}
    await tutor.post(f"{path}/exercises", {"exercise": exercise})
    await tutor.post(f"{path}/exercises/e1/assign", {"people": ["sam"]})
    await tutor.post("/office-hours/tutor/open")
    await sam.post("/office-hours/tutor/join")
    return {**found, "exercise": "e1"}


async def test_a_repetition_of_any_post_is_answered_by_the_first_answer(school):
    session = await school.lesson()
    callers = [school.application, school.person("tutor", "tutor"), school.person("sam")]
    await callers[2].post(f"/sessions/{session}/join")
    names = {"session": session, "tutor": "tutor", "person": "sam", **await things(*callers, session)}
    operations, schemas = await samples.operations(school)
    posts = [template for method, template in operations if method == "POST" and template not in OPEN]
    # What ends the session or a sign-in comes last.
    posts.sort(key=lambda each: each.endswith(("/end", "/leave", "/sign-out", "/erase", "/cancel")))
    number = itertools.count()
    repeated = set()
    for template in posts:
        operation = operations["POST", template]
        path = samples.path(template, names)
        path += samples.query(operation)
        body = BODIES.get(template, samples.body(operation, schemas))
        for caller in callers:
            key = f"key-{next(number)}"
            sent = {"Authorization": f"Bearer {caller.token}", "Idempotency-Key": key}
            answers = []
            for _ in range(2):
                url = f"{school.url}/api/v1{path}"
                async with school.http.post(url, json=body, headers=sent) as response:
                    replayed = response.headers.get("Idempotent-Replayed", "")
                    answers.append((response.status, await response.read(), replayed))
            (first, content, _), (second, again, replayed) = answers
            if first < 400:
                assert (second, again, replayed) == (first, content, "true"), (template, answers)
                repeated.add(template)
    # The others need things or moments that are not there. One place (`style.Repetitions`) handles the keys of all.
    assert len(repeated) > 50, sorted(repeated)
