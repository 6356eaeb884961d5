"""A second tenant tries every route; and every command is tried in every role."""

import pytest

from classroom.permissions import RULES
from classroom.roles import Role
from signaling.sessions_api.sessions.feature_calls import ROWS
from tests.signaling.school_client import SECRET, Caller
from tests.signaling.sessions_api import samples

pytestmark = pytest.mark.usefixtures("unlimited")

# Routes that name no session. A new one needs a row: the code with which it refuses the names of another tenant, or, in
# parentheses, why it needs none.
BEYOND_SESSIONS = {
    ("POST", "/sessions"): "(creates)",
    ("GET", "/sessions"): "(lists the own, see below)",
    ("POST", "/sessions/join-by-code"): "(see below)",
    ("POST", "/guests/join"): "(guests belong to the session's tenant)",
    ("GET", "/me"): "(themselves)",
    ("POST", "/me/connection-check"): "(a room of its own)",
    ("POST", "/me/calendar"): "(their own)",
    ("GET", "/calendar/{token}.ics"): "(the signed address names the tenant)",
    ("POST", "/dev/sign-in"): "(development mode has one tenant)",
    ("POST", "/sign-in"): "(the body names the tenant)",
    ("POST", "/sign-out"): "(their own)",
    ("POST", "/passwords"): "(the token names the account)",
    ("PUT", "/me/password"): "(their own)",
    ("POST", "/passwords/forgotten"): "(the body names the tenant)",
    ("GET", "/me/mail"): "(their own)",
    ("PUT", "/me/mail"): "(their own)",
    ("GET", "/me/totp"): "(their own)",
    ("PUT", "/me/totp"): "(their own)",
    ("POST", "/me/totp/confirm"): "(their own)",
    ("POST", "/me/totp/recovery-codes"): "(their own)",
    ("POST", "/me/totp/disable"): "(their own)",
    ("DELETE", "/users/{user}/totp"): "user_not_found",
    ("POST", "/users"): "(creates)",
    ("GET", "/users"): "(lists the own, see below)",
    ("GET", "/users/{user}"): "user_not_found",
    ("PATCH", "/users/{user}"): "user_not_found",
    ("DELETE", "/users/{user}"): "user_not_found",
    ("POST", "/users/{user}/reset-password"): "user_not_found",
    ("GET", "/bans"): "(the own, see test_ban_calls)",
    ("DELETE", "/bans/{person}"): "ban_not_found",
    ("GET", "/audit"): "(the own, see test_audit_calls)",
    ("GET", "/usage"): "(the own, see test_usage_calls)",
    ("GET", "/usage/sessions"): "(the own, see test_usage_calls)",
    ("GET", "/usage.csv"): "(the own, see test_usage_calls)",
    ("GET", "/usage.html"): "(the own, see test_usage_calls)",
    ("GET", "/me/data"): "(their own)",
    ("GET", "/privacy/{person}"): "(the own person of this id, see below)",
    ("POST", "/privacy/{person}/erase"): "(the own person of this id, see below)",
    ("GET", "/tenants"): "(the own, see test_privacy_calls)",
    ("GET", "/tenants/current"): "(the own, see test_privacy_calls)",
    ("PATCH", "/tenants/current"): "(the own, see test_privacy_calls)",
    ("POST", "/courses"): "(creates)",
    ("GET", "/courses"): "(lists the own, see below)",
    ("GET", "/courses/{course}"): "course_not_found",
    ("PATCH", "/courses/{course}"): "course_not_found",
    ("POST", "/courses/{course}/archive"): "course_not_found",
    ("POST", "/courses/{course}/enrolments"): "course_not_found",
    ("DELETE", "/courses/{course}/enrolments/{person}"): "course_not_found",
    ("POST", "/study-groups"): "(creates)",
    ("GET", "/study-groups"): "(lists the own, see below)",
    ("GET", "/study-groups/{group}"): "group_not_found",
    ("DELETE", "/study-groups/{group}"): "group_not_found",
    ("POST", "/study-groups/{group}/join"): "group_not_found",
    ("POST", "/study-groups/{group}/leave"): "group_not_found",
    ("POST", "/study-groups/{group}/meet"): "group_not_found",
    ("POST", "/study-groups/{group}/members"): "group_not_found",
    ("DELETE", "/study-groups/{group}/members/{person}"): "group_not_found",
    ("POST", "/study-groups/{group}/members/{person}/role"): "group_not_found",
    ("GET", "/office-hours"): "(lists the own, see below)",
    ("GET", "/office-hours/{tutor}"): "(the own tutor of this name)",
    ("PUT", "/office-hours/{tutor}/hours"): "(the own tutor of this name)",
    ("POST", "/office-hours/{tutor}/open"): "(the own tutor of this name)",
    ("POST", "/office-hours/{tutor}/close"): "hours_closed",
    ("POST", "/office-hours/{tutor}/join"): "hours_closed",
    ("POST", "/office-hours/{tutor}/leave"): "not_queued",
    ("POST", "/office-hours/{tutor}/admit"): "not_queued",
    ("POST", "/office-hours/{tutor}/complete"): "not_queued",
    ("POST", "/office-hours/{tutor}/no-show"): "not_queued",
    ("GET", "/library"): "(lists the own, see test_library_calls)",
    ("POST", "/library"): "(creates)",
    ("GET", "/library/{item}"): "item_not_found",
    ("PUT", "/library/{item}"): "(see test_library_calls)",
    ("DELETE", "/library/{item}"): "item_not_found",
    ("GET", "/library/files"): "(lists the own, see test_library_file_calls)",
    ("POST", "/library/files"): "(creates)",
    ("GET", "/library/files/{file}"): "file_not_found",
    ("DELETE", "/library/files/{file}"): "file_not_found",
    ("GET", "/availability"): "(lists the own, see test_booking_calls)",
    ("GET", "/availability/common"): "(the own people of these names)",
    ("GET", "/availability/{tutor}"): "(the own tutor of this name)",
    ("PUT", "/availability/{tutor}"): "(the own tutor of this name)",
    ("GET", "/availability/{tutor}/slots"): "(the own tutor of this name)",
    ("GET", "/availability/{tutor}/bookings"): "(the own tutor of this name)",
    ("POST", "/availability/{tutor}/bookings"): "(see test_booking_calls)",
    ("DELETE", "/availability/{tutor}/bookings/{booking}"): "booking_not_found",
    ("POST", "/webhook-endpoints"): "(creates)",
    ("GET", "/webhook-endpoints"): "(lists the own, see below)",
    ("POST", "/webhook-endpoints/{endpoint}/resume"): "endpoint_not_found",
    ("DELETE", "/webhook-endpoints/{endpoint}"): "endpoint_not_found",
    ("GET", "/webhook-endpoints/{endpoint}/deliveries"): "endpoint_not_found",
    ("POST", "/webhook-endpoints/{endpoint}/deliveries/{event}/send-again"): "endpoint_not_found",
    ("GET", "/server"): "not_allowed",
    ("GET", "/server/meetings"): "not_allowed",
    ("GET", "/server/meetings/{meeting}/events"): "not_allowed",
    ("POST", "/presence/heartbeat"): "(their own)",
    ("GET", "/recordings/{recording}"): "recording_not_found",
    ("GET", "/recordings/{recording}/manifest"): "recording_not_found",
    ("POST", "/recordings/{recording}/stop"): "recording_not_found",
    ("POST", "/recordings/{recording}/pause"): "recording_not_found",
    ("POST", "/recordings/{recording}/resume"): "recording_not_found",
    ("POST", "/recordings/{recording}/links"): "recording_not_found",
    ("DELETE", "/recordings/{recording}"): "recording_not_found",
    ("GET", "/replays"): "(names the own alone, see test_replay_calls)",
    ("POST", "/recordings/{recording}/replay/viewings"): "recording_not_found",
    ("GET", "/recordings/{recording}/replay"): "(the signed token names the recording)",
    (
        "GET",
        "/recordings/{recording}/replay/tracks/{track}/segments",
    ): "(the signed token names the recording)",
    (
        "GET",
        "/recordings/{recording}/replay/tracks/{track}/parts/{part}",
    ): "(the signed token names the recording)",
    ("POST", "/recordings/{recording}/film"): "recording_not_found",
    ("GET", "/recordings/{recording}/film"): "recording_not_found",
    ("DELETE", "/recordings/{recording}/film"): "recording_not_found",
    ("GET", "/transcripts"): "(searches the own alone, see test_transcript_calls)",
    ("GET", "/recordings/{recording}/transcript"): "recording_not_found",
    ("GET", "/recordings/{recording}/captions"): "recording_not_found",
    ("GET", "/recordings/{recording}/chapters"): "recording_not_found",
    ("GET", "/recordings/{recording}/highlights"): "recording_not_found",
    ("GET", "/recordings/{recording}/notes"): "recording_not_found",
    ("GET", "/recordings/{recording}/whiteboard"): "recording_not_found",
    ("POST", "/recordings/{recording}/bookmarks"): "recording_not_found",
    ("GET", "/recordings/{recording}/download"): "(the signed link names the recording)",
    ("POST", "/presence/status"): "(their own)",
    ("POST", "/presence/activity"): "(their own)",
    ("POST", "/presence/bulk"): "(see test_school)",
    ("GET", "/presence/online"): "(see test_school)",
    ("GET", "/presence/user/{person}"): "(see test_school)",
    ("GET", "/presence/course/{course}"): "course_not_found",
    ("GET", "/schedule/{tutor}"): "(the own tutor of this name)",
    ("POST", "/schedule/{tutor}/series"): "(creates)",
    ("PUT", "/schedule/{tutor}/series/{series}"): "occurrence_not_found",
    ("DELETE", "/schedule/{tutor}/series/{series}"): "occurrence_not_found",
    ("POST", "/schedule/{tutor}/series/{series}/occurrences/{key}/cancel"): "occurrence_not_found",
    ("POST", "/schedule/{tutor}/series/{series}/occurrences/{key}/move"): "occurrence_not_found",
    ("POST", "/schedule/{tutor}/series/{series}/occurrences/{key}/restore"): "occurrence_not_found",
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
        path = samples.path(template, {"session": session, "person": "sam", "page": "1"})
        path += samples.query(operation)
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


async def test_another_tenant_finds_nothing_of_the_school(school):
    tutor = school.person("tutor", "tutor")
    course = (await school.application.post("/courses", {"title": "Physics"}))["id"]
    await school.application.post(f"/courses/{course}/enrolments", {"person": "tutor", "role": "tutor"})
    group = (await tutor.post("/study-groups", {"course": course, "name": "Optics"}))["id"]
    await tutor.post("/office-hours/tutor/open")
    await school.person("sam").post("/office-hours/tutor/join")
    hook = (await school.application.post("/webhook-endpoints", {"url": "https://school.example/hook"}))["id"]
    lesson = {"title": "Algebra", "starts": "2027-01-11T09:00", "time_zone": "UTC", "duration_s": 3600}
    series = (await tutor.post("/schedule/tutor/series", lesson))["series"]["id"]
    names = {"course": course, "group": group, "tutor": "tutor", "series": series, "person": "tutor"}
    names["endpoint"] = hook
    names["recording"] = "rec_1"  # test_recording_calls has one that exists
    ada = {"email": "ada@school.example", "name": "Ada"}
    names["user"] = (await school.application.post("/users", ada))["user"]["id"]
    names["booking"] = "ses_1"  # test_booking_calls has one that exists
    names["item"] = (await tutor.post("/library", {"content": {"kind": "exercise", "title": "Sums"}}))["id"]
    names["key"] = "2027-01-11T09:00:00"
    operations, schemas = await samples.operations(school)
    stranger = school.person("tutor", "tutor", tenant="other")
    manager = school.person("tutor", "admin", tenant="other")
    for (method, template), code in BEYOND_SESSIONS.items():
        if code.startswith("("):
            continue
        body = lesson if method == "PUT" else samples.body(operations[method, template], schemas)
        caller = manager if template.startswith(("/webhook", "/users")) else stranger
        answer = await caller.attempt(method, samples.path(template, names), body)
        assert answer[1] == code, (method, template, answer)
    found = await manager.get("/privacy/tutor")
    assert (found["sessions"], found["school"], found["audit"]) == ([], [], [])
    assert (await manager.post("/privacy/tutor/erase"))["events"] == 0
    for path in ("/courses", "/study-groups", "/office-hours"):
        assert (await stranger.get(path))["data"] == []
    assert (await manager.get("/webhook-endpoints"))["data"] == []
    assert (await manager.get("/users"))["data"] == []
    assert [each["id"] for each in (await school.application.get("/webhook-endpoints"))["data"]] == [hook]
    assert (await tutor.get("/webhook-endpoints", 403))["code"] == "not_allowed"
    assert (await stranger.get("/schedule/tutor"))["series"] == []
    assert (await tutor.get("/office-hours/tutor"))["waiting"] == 1
    assert (await tutor.get(f"/study-groups/{group}"))["members"] == {"tutor": "leader"}
    assert len((await tutor.get("/schedule/tutor"))["series"]) == 1


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
            refused = answer[0] == 403 and answer[1] == "not_allowed"
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
