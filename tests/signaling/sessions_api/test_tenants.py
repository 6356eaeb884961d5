"""A second tenant tries every route; and every command is tried in every role."""

import pytest

from classroom.permissions import RULES
from classroom.roles import Role
from signaling.sessions_api.feature_calls import ROWS
from tests.signaling.school_client import SECRET, Caller
from tests.signaling.sessions_api import samples

# Routes that name no session, and what somebody of another tenant finds there. A new route needs a row.
BEYOND_SESSIONS = {
    ("POST", "/sessions"): "their own new session",
    ("GET", "/sessions"): "their own sessions",
    ("POST", "/sessions/join-by-code"): "no session with this code",
    ("POST", "/guests/join"): "guests belong to the session's tenant",
    ("GET", "/me"): "themselves",
    ("POST", "/dev/sign-in"): "development mode has one tenant",
}


class OtherApplication(Caller):
    """The application of another school behind the same key."""

    async def call(self, method, path, body=None, status=None, **headers):
        return await super().call(method, path, body, status, Lectern_Tenant="other", **headers)


async def test_another_tenant_finds_nothing_at_any_route(school):
    session = await school.lesson(people=[{"id": "sam", "name": "Sam"}])
    code = (await school.application.get(f"/sessions/{session}"))["code"]
    before = (await school.application.get(f"/sessions/{session}"))["seq"]
    operations, schemas = await samples.operations(school)
    unknown = [key for key in operations if "{session}" not in key[1] and key not in BEYOND_SESSIONS]
    assert unknown == [], "say what another tenant finds there"
    strangers = [
        school.person("tutor", "admin", tenant="other"),
        school.person("tutor", "tutor", tenant="other"),
        OtherApplication(school.http, school.url, SECRET),
    ]
    for (method, template), operation in operations.items():
        if "{session}" not in template:
            continue
        path = samples.path(template, {"session": session, "person": "sam"})
        for stranger in strangers:
            body = samples.body(operation, schemas)
            if isinstance(stranger, OtherApplication) and template.endswith(("/join", "/leave", "/token")):
                body = {"person": "sam"}
            refusal = await stranger.call(method, path, body, 404)
            assert refusal["code"] == "session_not_found", (method, template, refusal)
    for stranger in strangers:
        assert (await stranger.get("/sessions"))["data"] == []
        body = {"code": code, **({"person": "sam"} if isinstance(stranger, OtherApplication) else {})}
        assert (await stranger.post("/sessions/join-by-code", body, 404))["code"] == "session_not_found"
    assert (await school.application.get(f"/sessions/{session}"))["seq"] == before


PEOPLE = {
    Role.OWNER: "tutor",
    Role.CO_TUTOR: "co",
    Role.ASSISTANT: "helper",
    Role.STUDENT: "sam",
    Role.OBSERVER: "guest",
}


async def test_each_command_is_refused_to_the_roles_that_may_not_give_it(school):
    """403 exactly where the table of permissions says so; whatever else follows is the command's own affair."""
    roster = [
        {"id": PEOPLE[role], "name": role.title(), "role": role} for role in PEOPLE if role != Role.OWNER
    ]
    session = await school.lesson(people=roster)
    callers = {role: school.person(person, "tutor") for role, person in PEOPLE.items()}
    for role in (Role.CO_TUTOR, Role.ASSISTANT, Role.STUDENT, Role.OBSERVER):
        await callers[role].post(f"/sessions/{session}/join")
    operations, schemas = await samples.operations(school)
    stranger = school.person("eve", "student")
    for row in ROWS:
        command = str(row.command.__struct_config__.tag)
        if command in {"session.end", "session.cancel", "people.set_role"}:
            continue  # the first ends the rest of the table; roles of others are another test
        template = f"/sessions/{{session}}{row.path}"
        body = samples.body(operations[row.method, template], schemas)
        path = samples.path(template, {"session": session, "person": "nobody"})
        for role, caller in callers.items():
            answer = await caller.attempt(row.method, path, body)
            # What a role does not allow is refused before anything is looked at.
            refused = answer[0] == 403 and answer[1] in {"not_allowed"}
            assert refused == (role not in RULES[command].roles), (command, role, answer)
        status, code = await stranger.attempt(row.method, path, body)
        assert (status, code) == (403, "not_a_participant"), (command, code)


@pytest.mark.parametrize("role", ["student", "assistant", "tutor"])
async def test_those_who_do_not_manage_a_tenant_see_no_strange_session(school, role):
    session = await school.lesson()
    caller = school.person("eve", role)
    for path in ("", "/state", "/events", "/participants", "/attendance", "/chat", "/door"):
        assert (await caller.get(f"/sessions/{session}{path}", 404))["code"] == "session_not_found"
    assert (await school.person("boss", "admin").get(f"/sessions/{session}"))["title"] == "Algebra"
