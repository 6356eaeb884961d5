async def banned(school, scope="forever"):
    session = await school.lesson()
    await school.person("sam").post(f"/sessions/{session}/join")
    tutor = school.person("tutor", "tutor")
    await tutor.post(f"/sessions/{session}/moderation/ban", {"person": "sam", "scope": scope})
    return session


async def refusal(school, session, person="sam"):
    return (await school.person(person).attempt("POST", f"/sessions/{session}/join", {}))[1]


async def test_a_ban_for_good_holds_in_later_sessions_of_the_tutor_until_it_is_lifted(school):
    first = await banned(school)
    later = await school.lesson()
    other = await school.lesson(owner="eve")
    assert [await refusal(school, each) for each in (first, later, other)] == ["banned", "banned", ""]
    code = (await school.application.get(f"/sessions/{later}"))["code"]
    assert (await school.person("sam").attempt("POST", "/sessions/join-by-code", {"code": code}))[
        1
    ] == "banned"
    assert await refusal(school, later, "ada") == ""
    tutor = school.person("tutor", "tutor")
    (ban,) = (await tutor.get("/bans"))["data"]
    assert (ban["person"], ban["session"], ban["name"], ban["title"]) == ("sam", first, "Sam", "Algebra")
    await tutor.call("DELETE", "/bans/sam")
    assert await refusal(school, later) == ""
    assert (await tutor.call("DELETE", "/bans/sam", status=404))["code"] == "ban_not_found"


async def test_a_ban_of_a_session_ends_with_it_and_unbanning_lifts_both(school):
    first = await banned(school, "session")
    assert await refusal(school, await school.lesson()) == ""
    tutor = school.person("tutor", "tutor")
    await tutor.post(f"/sessions/{first}/moderation/unban", {"person": "sam"})
    second = await banned(school)
    await tutor.post(f"/sessions/{second}/moderation/unban", {"person": "sam"})
    assert await refusal(school, await school.lesson()) == ""


async def test_bans_are_a_tutors_own_and_of_one_tenant(school):
    await banned(school)
    assert (await school.person("eve", "tutor").get("/bans"))["data"] == []
    assert (await school.person("eve", "tutor").get("/bans?owner=tutor", 403))["code"] == "not_yours"
    assert (await school.person("sam").get("/bans", 403))["code"] == "not_allowed"
    assert len((await school.application.get("/bans?owner=tutor"))["data"]) == 1
    stranger = school.person("tutor", "admin", tenant="other")
    assert (await stranger.get("/bans"))["data"] == []


async def test_erasure_forgets_the_ban(school):
    session = await banned(school)
    await school.application.post(f"/sessions/{session}/end")
    await school.application.post("/privacy/sam/erase")
    assert (await school.application.get("/bans?owner=tutor"))["data"] == []
