"""Every POST with an idempotency key: a repetition gets the first answer and does nothing.

The routes come from the OpenAPI description, so a new one is tried, too.
"""

import itertools

import pytest

from tests.signaling.sessions_api import samples

pytestmark = pytest.mark.usefixtures("unlimited")

# Calls of people who are not signed in: there is nobody to whom a key could belong.
OPEN = {"/dev/sign-in", "/sign-in", "/guests/join", "/passwords", "/passwords/forgotten"}


async def test_a_repetition_of_any_post_is_answered_by_the_first_answer(school):
    session = await school.lesson()
    callers = [school.application, school.person("tutor", "tutor"), school.person("sam")]
    await callers[2].post(f"/sessions/{session}/join")
    operations, schemas = await samples.operations(school)
    posts = [template for method, template in operations if method == "POST" and template not in OPEN]
    # What ends the session or a sign-in comes last.
    posts.sort(key=lambda each: each.endswith(("/end", "/leave", "/sign-out", "/erase", "/cancel")))
    number = itertools.count()
    repeated = set()
    for template in posts:
        operation = operations["POST", template]
        path = samples.path(template, {"session": session, "tutor": "tutor", "person": "sam"})
        path += samples.query(operation)
        body = samples.body(operation, schemas)
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
    assert sorted(set(posts) - repeated) == []
