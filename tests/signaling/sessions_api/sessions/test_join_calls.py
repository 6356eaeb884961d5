"""Coming and going: codes, guests, the lobby, tokens."""


async def test_a_code_in_any_spelling_leads_to_the_session_of_the_own_tenant(school):
    session = await school.lesson()
    code = (await school.application.get(f"/sessions/{session}"))["code"]
    sam = school.person("sam")
    typed = f" {code[:3].lower()}-{code[3:]} "
    assert (await sam.post("/sessions/join-by-code", {"code": typed}))["session"] == session
    assert (await sam.post("/sessions/join-by-code", {"code": "000000"}, 400))["code"] == "bad_code"
    await school.application.post(f"/sessions/{session}/end")
    assert (await sam.post("/sessions/join-by-code", {"code": code}, 404))["code"] == "session_not_found"


async def test_guests_come_where_the_session_takes_them(school):
    closed = await school.lesson()
    open_ = await school.lesson(settings={"guests": True})

    async def knock(session, status):
        code = (await school.application.get(f"/sessions/{session}"))["code"]
        body = {"code": code, "name": "Grandma 👵"}
        async with school.http.post(f"{school.url}/api/v1/guests/join", json=body) as response:
            assert response.status == status
            return await response.json(content_type=None)

    assert (await knock(closed, 403))["code"] == "not_invited"
    joined = await knock(open_, 200)
    assert joined["join_url"] == f"{school.url}/sessions/{open_}#access_token={joined['access_token']}"
    guest = school.bearer(joined["access_token"])
    assert (await guest.get(f"/sessions/{open_}"))["role"] == "student"
    assert (await guest.post("/sessions", {"title": "Mine"}, 403))["code"] == "not_allowed"
    assert (await guest.get("/presence/online", 403))["code"] == "not_allowed"
    assert (await guest.get(f"/sessions/{closed}", 404))["code"] == "session_not_found"


async def test_nobody_joins_for_others_or_as_more_than_they_are(school):
    session = await school.lesson()
    path = f"/sessions/{session}"
    sam = school.person("sam")
    assert (await sam.post(f"{path}/join", {"person": "kim"}, 403))["code"] == "not_allowed"
    assert (await sam.post(f"{path}/join", {"role": "co_tutor"}, 403))["code"] == "not_allowed"
    assert (await school.application.post(f"{path}/join", {}, 404))["code"] == "person_not_found"
    assert (await school.person("eve", "tutor").post(f"{path}/join"))["role"] == "observer"
    assert (await school.person("boss", "admin").post(f"{path}/join"))["role"] == "co_tutor"
    asked = {"person": "kim", "name": "Kim", "role": "assistant"}
    assert (await school.application.post(f"{path}/join", asked))["role"] == "assistant"
    assert (await sam.post(f"{path}/token", status=404))["code"] == "session_not_found"


async def test_the_lobby_and_leaving(school):
    session = await school.lesson(live=False, starts_at=None)
    path = f"/sessions/{session}"
    sam = school.person("sam")
    waiting = await sam.post(f"{path}/join")
    assert (waiting["why"], waiting["place"], waiting["token"]) == ("not_started", 1, "")
    assert (await sam.get(f"{path}/door"))["door"]["place"] == 1
    assert (await sam.get(f"{path}/state", 403))["code"] == "not_present"
    await school.application.post(f"{path}/start")
    assert (await sam.get(f"{path}/door"))["door"] is None
    people = (await sam.get(f"{path}/participants"))["data"]
    assert [(person["id"], person["standing"]) for person in people] == [("sam", "present")]
    await sam.post(f"{path}/leave")
    assert (await sam.post(f"{path}/leave", status=409))["code"] == "not_present"


async def test_a_join_that_is_repeated_with_its_key_begins_one_visit(school):
    session = await school.lesson()
    sam = school.person("sam")
    for _ in range(2):
        await sam.post(f"/sessions/{session}/join", Idempotency_Key="j1")
    lines = (await school.application.get(f"/sessions/{session}/attendance"))["lines"]
    assert next(line["visits"] for line in lines if line["person"] == "sam") == 1


async def test_the_application_says_the_grade_of_a_student_and_staff_see_it(school):
    session = await school.lesson(people=[{"id": "ada", "name": "Ada", "grade": "7b"}])
    path = f"/sessions/{session}"
    sam = school.person("sam", grade=8)
    await sam.post(f"{path}/join")
    kim = {"person": "kim", "name": "Kim"}
    await school.application.post(f"{path}/join", {**kim, "grade": "Year 9"})
    await school.application.post(f"{path}/join", kim)
    assert (await sam.post(f"{path}/join", {"grade": "10"}, 403))["code"] == "not_allowed"
    eve = school.person("eve", grade=["not", "ours"])
    await eve.post(f"{path}/join")
    expected = {"ada": "7b", "sam": "8", "kim": "Year 9"}
    assert (await school.application.get(f"{path}/grades"))["grades"] == expected
    people = (await school.application.get(f"{path}/participants"))["data"]
    assert {person["id"]: person["grade"] for person in people if person["grade"]} == expected
    assert (await sam.get(f"{path}/grades"))["grades"] == {}
    assert {person["grade"] for person in (await sam.get(f"{path}/participants"))["data"]} == {""}
    assert (await sam.post(f"{path}/participants/sam/grade", {"grade": "1"}, 403))["code"] == "not_allowed"
    await school.application.post(f"{path}/participants/sam/grade", {"grade": ""})
    assert "sam" not in (await school.application.get(f"{path}/grades"))["grades"]
