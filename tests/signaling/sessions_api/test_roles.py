"""Every route beside the commands of sessions (test_tenants has those), tried in every role of a school.

The routes come from the OpenAPI description, so a new one without a row fails.
"""

import pytest

from tests.signaling.sessions_api import samples

pytestmark = pytest.mark.usefixtures("unlimited")

ROLES = ("student", "assistant", "tutor", "admin")
ANY = frozenset(ROLES)
TEACHERS = frozenset({"tutor", "admin"})
MANAGERS = frozenset({"admin"})
# Calls about the caller's account on this server; tokens of applications are of no account.
NOBODY = frozenset()

# Who may call, of people who have nothing to do with the things in NAMES. The first row whose path begins a template
# and that names its method, or no method, counts.
ROWS = [
    ("", "/availability/common", TEACHERS),
    ("PUT", "/availability/{tutor}", MANAGERS),
    ("", "/availability", ANY),
    ("", "/audit", MANAGERS),
    ("", "/bans", TEACHERS),
    ("", "/calendar/", ANY),
    ("POST", "/courses/{course}", MANAGERS),
    ("POST", "/courses", TEACHERS),
    ("GET", "/courses", ANY),
    ("", "/courses/{course}", MANAGERS),
    ("", "/dev/sign-in", ANY),
    ("", "/guests/join", ANY),
    ("", "/library", TEACHERS),
    ("", "/me/mail", NOBODY),
    ("", "/me/password", NOBODY),
    ("", "/me/totp", NOBODY),
    ("", "/me", ANY),
    ("GET", "/office-hours", ANY),
    ("POST", "/office-hours/{tutor}/join", ANY),
    ("POST", "/office-hours/{tutor}/leave", ANY),
    ("", "/office-hours", MANAGERS),
    ("", "/passwords", ANY),
    ("", "/presence", ANY),
    ("", "/privacy", MANAGERS),
    # Recordings have roles of their session: test_recording_calls, test_replay_rules.
    ("", "/recordings", ANY),
    ("", "/replays", ANY),
    ("", "/schedule", MANAGERS),
    ("", "/server", MANAGERS),
    ("POST", "/sessions/join-by-code", ANY),
    ("POST", "/sessions", TEACHERS),
    ("GET", "/sessions", ANY),
    ("", "/sign-in", ANY),
    ("", "/sign-out", ANY),
    ("GET", "/study-groups", ANY),
    ("POST", "/study-groups/{group}/join", ANY),
    ("POST", "/study-groups/{group}/leave", ANY),
    ("POST", "/study-groups/{group}/meet", MANAGERS),
    ("POST", "/study-groups/{group}/members", MANAGERS),
    ("POST", "/study-groups", ANY),
    ("DELETE", "/study-groups", MANAGERS),
    ("", "/tenants", MANAGERS),
    ("", "/transcripts", ANY),
    ("", "/usage", MANAGERS),
    ("", "/users", MANAGERS),
    ("", "/webhook-endpoints", MANAGERS),
]
SERIES = {"title": "Algebra", "starts": "2027-01-11T09:00", "time_zone": "UTC", "duration_s": 3600}
HOURS = {"time_zone": "UTC", "weekly": []}
BODIES = {
    ("POST", "/users"): {"email": "new@school.example", "name": "New"},
    ("POST", "/schedule/{tutor}/series"): SERIES,
    ("PUT", "/schedule/{tutor}/series/{series}"): SERIES,
    ("PUT", "/availability/{tutor}"): {"hours": HOURS},
    ("PUT", "/office-hours/{tutor}/hours"): {"hours": HOURS},
}
QUERIES = {"/usage": "?month=2026-11", "/usage/sessions": "?month=2026-11"}
REFUSED = {"not_allowed", "not_yours", "not_a_member"}


def allowed(method, template):
    fitting = (who for verb, start, who in ROWS if verb in {"", method} and template.startswith(start))
    return next(fitting, None)


async def test_each_route_is_refused_to_the_roles_that_may_not_call_it(school):
    operations, schemas = await samples.operations(school)
    course = (await school.application.post("/courses", {"title": "Physics"}))["id"]
    group = (await school.person("zed").post("/study-groups", {"course": course, "name": "Optics"}))["id"]
    names = {"tutor": "zed", "person": "zed", "course": course, "group": group}
    # What ends the things that others are tried with comes last.
    ends = {("DELETE", "/study-groups/{group}"), ("POST", "/courses/{course}/archive")}
    order = sorted(operations, key=lambda key: key in ends or key[1].endswith("erase"))
    found, expected = {}, {}
    for method, template in order:
        if "{session}" in template or template in {"/calendar/{token}.ics", "/usage.csv", "/usage.html"}:
            continue
        operation = operations[method, template]
        path = samples.path(template, names) + QUERIES.get(template, samples.query(operation))
        body = BODIES.get((method, template), samples.body(operation, schemas))
        may = set()
        for role in ROLES:
            status, code = await school.person(f"eve-{role}", role).attempt(method, path, body)
            if not (status == 403 and code in REFUSED):
                may.add(role)
        found[method, template] = may
        expected[method, template] = allowed(method, template)
    assert found == expected


async def test_no_part_of_a_session_is_found_by_those_who_are_not_in_it(school):
    session = await school.lesson()
    operations, _schemas = await samples.operations(school)
    for (method, template), operation in operations.items():
        if method != "GET" or "{session}" not in template:
            continue
        path = samples.path(template, {"session": session, "person": "tutor", "page": "1"})
        for role in ("student", "assistant", "tutor"):
            answer = await school.person("eve", role).attempt("GET", path + samples.query(operation))
            assert answer == (404, "session_not_found"), (template, role)
