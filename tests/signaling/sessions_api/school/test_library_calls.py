"""Libraries of tutors: kept outside of sessions, copied into them."""

import asyncio
from collections import Counter

from signaling.errors import StoreError
from signaling.sessions_api.desk import Desk

SUMS = {"kind": "exercise", "title": "Sums", "text": "Add 2 and 2."}
MOOD = {"kind": "poll", "question": "How was it?", "answers": "single", "options": ["Good", "Bad"]}
LESSON = {"kind": "set", "title": "Lesson 1", "items": [SUMS, MOOD]}


async def test_a_set_is_put_into_a_session_in_one_call(school):
    tutor = school.person("tutor", "tutor")
    kept = await tutor.post("/library", {"content": LESSON}, 201)
    assert (kept["kind"], kept["title"], kept["version"]) == ("set", "Lesson 1", 1)
    session = await school.lesson()
    sam = school.person("sam")
    await sam.post(f"/sessions/{session}/join")
    used = await tutor.post(f"/sessions/{session}/from-library", {"item": kept["id"], "assign": True}, 201)
    assert (used["version"], len(used["exercises"]), len(used["polls"])) == (1, 1, 1)
    (mine,) = (await sam.get(f"/sessions/{session}/exercises"))["mine"]
    assert (mine["exercise"], mine["title"]) == (used["exercises"][0], "Sums")
    (poll,) = (await tutor.get(f"/sessions/{session}/polls"))["polls"]
    assert (poll["id"], poll["question"]) == (used["polls"][0], "How was it?")


async def test_later_versions_change_no_session(school):
    tutor = school.person("tutor", "tutor")
    item = (await tutor.post("/library", {"content": SUMS}))["id"]
    session = await school.lesson()
    use = {"item": item}
    await tutor.post(f"/sessions/{session}/from-library", use)
    changed = await tutor.call(
        "PUT", f"/library/{item}", {"content": {**SUMS, "title": "Sums 2"}, "version": 1}
    )
    assert (changed["version"], changed["content"]["title"]) == (2, "Sums 2")
    assert (await tutor.get(f"/library/{item}")) == changed
    await tutor.call("DELETE", f"/library/{item}")
    exercises = (await tutor.get(f"/sessions/{session}/exercises"))["exercises"]
    assert [title for _, title in exercises] == ["Sums"]
    gone = await tutor.post(f"/sessions/{session}/from-library", use, 404)
    assert gone["code"] == "item_not_found"


async def test_of_many_changes_of_one_version_one_holds(school):
    tutor = school.person("tutor", "tutor")
    item = (await tutor.post("/library", {"content": SUMS}))["id"]

    async def change(number):
        body = {"content": {**SUMS, "title": f"Sums {number}"}, "version": 1}
        return await tutor.attempt("PUT", f"/library/{item}", body)

    answers = Counter(await asyncio.gather(*map(change, range(10))))
    assert answers == {(200, ""): 1, (412, "changed_meanwhile"): 9}


async def test_a_repetition_adds_what_is_missing(school, monkeypatch):
    tutor, session = school.person("tutor", "tutor"), await school.lesson()
    item = (await tutor.post("/library", {"content": LESSON}))["id"]
    path, body = f"/sessions/{session}/from-library", {"item": item}
    carry_out, count = Desk.carry_out, iter(range(9))

    async def breaks(*arguments):
        if next(count) == 1:
            raise StoreError("the disk is full")
        return await carry_out(*arguments)

    monkeypatch.setattr(Desk, "carry_out", breaks)
    await tutor.post(path, body, 503, Idempotency_Key="k1")
    used = await tutor.post(path, body, 201, Idempotency_Key="k1")
    exercises = (await tutor.get(f"/sessions/{session}/exercises"))["exercises"]
    assert [[key for key, _ in exercises], len(used["polls"])] == [used["exercises"], 1]


async def test_what_does_not_fit_a_session_is_refused_as_a_whole(school):
    tutor, session = school.person("tutor", "tutor"), await school.lesson()
    polls = {"kind": "set", "title": "Many", "items": [SUMS, *[MOOD] * 29]}
    item = (await tutor.post("/library", {"content": polls}))["id"]
    for _ in range(3):
        await tutor.post(f"/sessions/{session}/from-library", {"item": item})
    refused = await tutor.post(f"/sessions/{session}/from-library", {"item": item}, 409)
    assert refused["code"] == "too_many"
    assert len((await tutor.get(f"/sessions/{session}/exercises"))["exercises"]) == 3
    assert (await tutor.post("/library", {"content": {**LESSON, "items": []}}, 400))["code"] == "text_empty"


async def test_libraries_are_a_tutors_own(school):
    tutor, eve = school.person("tutor", "tutor"), school.person("eve", "tutor")
    items = [(await tutor.post("/library", {"content": each}))["id"] for each in (SUMS, MOOD, LESSON)]
    assert (await eve.get("/library"))["data"] == []
    assert (await eve.get("/library?owner=tutor", 403))["code"] == "not_yours"
    assert (await eve.get(f"/library/{items[0]}", 404))["code"] == "item_not_found"
    assert (await school.person("sam").get("/library", 403))["code"] == "not_allowed"
    assert (await school.application.get("/library", 400))["code"] == "owner_missing"
    first = await school.application.get("/library?owner=tutor&limit=2")
    rest = await school.application.get(f"/library?owner=tutor&limit=2&cursor={first['next_cursor']}")
    assert [each["id"] for each in [*first["data"], *rest["data"]]] == items[::-1]
    assert rest["next_cursor"] is None
    assert [each["kind"] for each in (await tutor.get("/library?kind=poll"))["data"]] == ["poll"]
    lesson = await school.lesson()
    refused = await eve.post(f"/sessions/{lesson}/from-library", {"item": items[0]}, 404)
    assert refused["code"] == "item_not_found"
    stranger = school.person("tutor", "tutor", tenant="other")
    body = {"content": SUMS, "version": 1}
    assert (await stranger.call("PUT", f"/library/{items[0]}", body, 404))["code"] == "item_not_found"


async def test_a_tutor_s_library_is_exported_and_erased(school):
    await school.person("tutor", "tutor").post("/library", {"content": SUMS})
    assert [each["title"] for each in (await school.application.get("/privacy/tutor"))["library"]] == ["Sums"]
    await school.application.post("/privacy/tutor/erase")
    assert (await school.application.get("/library?owner=tutor"))["data"] == []
