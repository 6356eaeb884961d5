"""Sessions as such, by an application and by people."""

import sqlite3
from contextlib import closing
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.usefixtures("world")


async def test_a_session_from_creation_to_end(school):
    made = await school.application.post(
        "/sessions",
        {"title": "Algebra", "owner": {"id": "tutor", "name": "Ms Noether"}, "external_id": "L-7"},
        201,
    )
    assert made["phase"] == "draft"
    assert len(made["code"]) == 6
    assert school.application.headers["Location"] == f"/api/v1/sessions/{made['id']}"
    path = f"/sessions/{made['id']}"
    tutor = school.person("tutor", "tutor")
    joined = await tutor.post(f"{path}/join")
    assert (joined["standing"], joined["role"], joined["room_code"]) == ("present", "owner", made["code"])
    assert joined["credentials"]["room"] == made["id"]
    done = await tutor.post(f"{path}/start")
    assert [event["type"] for event in done["events"]] == ["session.started"]
    for step, phase in (("pause", "paused"), ("resume", "live"), ("end", "ended")):
        await tutor.post(f"{path}/{step}")
        assert (await tutor.get(path))["phase"] == phase
    refusal = await tutor.post(f"{path}/start", status=409)
    assert refusal["code"] == "wrong_phase"
    assert (await school.application.get("/sessions?external_id=L-7"))["data"][0]["id"] == made["id"]


async def test_a_tutor_owns_what_they_create_and_a_student_creates_nothing(school):
    made = await school.person("eve", "tutor").post("/sessions", {"title": "Optics"})
    assert made["owner"]["id"] == "eve"
    other = {"title": "Optics", "owner": {"id": "tutor"}}
    assert (await school.person("eve", "tutor").post("/sessions", other, 403))["code"] == "not_allowed"
    assert (await school.person("sam").post("/sessions", {"title": "Mine"}, 403))["code"] == "not_allowed"
    assert (await school.application.post("/sessions", {"title": "Whose?"}, 400))["code"] == "owner_missing"


async def test_pages_do_not_move_while_sessions_are_added(school):
    made = [await school.lesson(live=False) for _ in range(5)]
    first = await school.application.get("/sessions?limit=2")
    assert [row["id"] for row in first["data"]] == made[:2:-1]
    await school.lesson(live=False)
    second = await school.application.get(f"/sessions?limit=2&cursor={first['next_cursor']}")
    assert [row["id"] for row in second["data"]] == [made[2], made[1]]
    last = await school.application.get(f"/sessions?limit=2&cursor={second['next_cursor']}")
    assert ([row["id"] for row in last["data"]], last["next_cursor"]) == ([made[0]], None)


async def test_people_list_the_sessions_to_which_they_belong(school):
    mine = await school.lesson(live=False, people=[{"id": "sam", "name": "Sam"}])
    await school.lesson(live=False)
    sam = school.person("sam")
    assert [row["id"] for row in (await sam.get("/sessions"))["data"]] == [mine]
    assert (await sam.get("/sessions"))["data"][0]["code"] == ""
    assert (await sam.get("/sessions?phase=over"))["data"] == []
    assert (await sam.get("/sessions?phase=whatever", 400))["code"] == "invalid"


async def test_a_change_needs_the_present_entity_tag_if_one_is_given(school):
    session = await school.lesson(live=False)
    await school.application.get(f"/sessions/{session}")
    tag = school.application.headers["ETag"]
    changed = await school.application.call(
        "PATCH", f"/sessions/{session}", {"settings": {"capacity": 5}}, If_Match=tag
    )
    assert (changed["settings"]["capacity"], changed["settings"]["grace_s"]) == (5, 30)
    refusal = await school.application.call(
        "PATCH", f"/sessions/{session}", {"title": "Late"}, 412, If_Match=tag
    )
    assert refusal["code"] == "changed_meanwhile"
    assert (await school.application.get(f"/sessions/{session}"))["title"] == "Algebra"
    moved = await school.application.call("PATCH", f"/sessions/{session}", {"starts_at": 4e9}, 400)
    assert moved["code"] == "bad_time"


async def test_an_open_session_cannot_be_deleted_and_a_deleted_one_is_gone(school):
    session = await school.lesson()
    assert (await school.application.call("DELETE", f"/sessions/{session}", None, 409))[
        "code"
    ] == "wrong_phase"
    await school.application.post(f"/sessions/{session}/end")
    assert (await school.person("eve", "tutor").call("DELETE", f"/sessions/{session}", None, 404))["code"]
    assert await school.person("tutor", "tutor").call("DELETE", f"/sessions/{session}") == {
        "id": session,
        "deleted": True,
    }
    assert (await school.application.get(f"/sessions/{session}", 404))["code"] == "session_not_found"


async def test_the_database_has_no_token_of_a_repeated_call_in_clear(school, tmp_path):
    session = await school.lesson()
    asked = {"person": "kim", "name": "Kim Lee", "role": "student"}
    joined = await school.application.post(f"/sessions/{session}/join", asked, Idempotency_Key="k1")
    again = await school.application.post(f"/sessions/{session}/join", asked, Idempotency_Key="k1")
    assert again == joined
    with closing(sqlite3.connect(tmp_path / "lectern.db")) as connection:
        [(body,)] = connection.execute("SELECT body FROM classroom_answers WHERE key = 'k1'")
    assert joined["access_token"] not in body
    assert "Kim Lee" not in body  # three letters alone are in some encrypted bodies


async def test_a_repeated_call_is_carried_out_once(school):
    body = {"title": "Algebra", "owner": {"id": "tutor"}}
    first = await school.application.post("/sessions", body, Idempotency_Key="k1")
    again = await school.application.post("/sessions", body, 201, Idempotency_Key="k1")
    assert first == again
    assert school.application.headers["Idempotent-Replayed"] == "true"
    refusal = await school.application.post("/sessions", {**body, "title": "Else"}, 422, Idempotency_Key="k1")
    assert refusal["code"] == "idempotency_key_reused"
    assert len((await school.application.get("/sessions"))["data"]) == 1


async def test_a_join_code_that_is_taken_is_replaced_by_another(school, monkeypatch):
    numbers = iter([7, 7, 8, 7, 9])
    monkeypatch.setattr(
        "signaling.sessions_api.desk.secrets", SimpleNamespace(randbelow=lambda _: next(numbers))
    )
    tutor = school.person("eve", "tutor")
    for title in ("Optics", "Waves"):
        await tutor.post("/sessions", {"title": title})
    group = await tutor.post("/study-groups", {"course": "c1", "name": "Reading"}, 201)
    met = await tutor.post(f"/study-groups/{group['id']}/meet")
    sessions = (await tutor.get("/sessions"))["data"]
    assert met["session"] in {each["id"] for each in sessions}
    codes = [(await tutor.get(f"/sessions/{each['id']}"))["code"] for each in sessions]
    assert len(set(codes)) == len(codes) == 3
