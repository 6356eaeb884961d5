PASSWORD = "correct horse battery"


async def invited(school, email="ada@school.example", role="admin", password=PASSWORD):
    made = await school.application.post("/users", {"email": email, "name": "Ada", "role": role}, 201)
    nobody = school.bearer("")
    await nobody.post("/passwords", {"token": made["password_token"], "password": password})
    return made["user"]["id"]


async def sign_in(school, email="ada@school.example", password=PASSWORD, status=200, **more):
    return await school.bearer("").post("/sign-in", {"email": email, "password": password, **more}, status)


async def test_an_invited_person_sets_a_password_signs_in_teaches_and_signs_out(school):
    person = await invited(school, role="tutor")
    signed_in = await sign_in(school, " ADA@School.example")
    assert (signed_in["person"], signed_in["role"]) == (person, "tutor")
    tutor = school.bearer(signed_in["access_token"])
    assert (await tutor.get("/me"))["person"] == person
    session = (await tutor.post("/sessions", {"title": "Algebra"}, 201))["id"]
    joined = await tutor.post(f"/sessions/{session}/join")
    assert joined["token"]
    await tutor.post("/sign-out")
    assert (await tutor.get("/me", 401))["code"] == "expired_token"


async def test_who_is_unknown_who_is_wrong_and_who_is_disabled_get_the_same_answer(school):
    person = await invited(school)
    answers = [await sign_in(school, "nobody@school.example", status=401)]
    answers.append(await sign_in(school, password="x", status=401))
    await school.application.post("/users", {"email": "eve@school.example", "name": "Eve"}, 201)
    answers.append(await sign_in(school, "eve@school.example", "", 401))
    await school.application.call("PATCH", f"/users/{person}", {"disabled": True})
    answers.append(await sign_in(school, status=401))
    assert answers == [answers[0]] * 4
    assert answers[0]["code"] == "wrong_credentials"
    actions = [each.action for each in await school_audit(school)]
    assert actions.count("sign_in.refused") == 4, "each costs the same write"


async def school_audit(school):
    return await school.world.server.store.audit.read("devkey", None, 50)


async def test_guessing_is_slowed_for_one_account_whether_it_exists_or_not(school):
    for email in ("ada@school.example", "nobody@school.example"):
        for _ in range(10):
            await sign_in(school, email, "wrong", 401)
        assert (await sign_in(school, email, "wrong", 429))["code"] == "too_fast"
    await sign_in(school, "eve@school.example", "wrong", 401)


async def test_a_password_token_holds_once_and_for_its_account(school):
    made = await school.application.post("/users", {"email": "ada@school.example", "name": "Ada"}, 201)
    body = {"token": made["password_token"], "password": PASSWORD}
    nobody = school.bearer("")
    assert (await nobody.post("/passwords", {**body, "password": "short"}, 400))["code"] == "weak_password"
    await nobody.post("/passwords", body)
    assert (await nobody.post("/passwords", body, 404))["code"] == "token_not_found"
    token = (await sign_in(school))["access_token"]
    refused = await nobody.post("/passwords", {"token": token, "password": PASSWORD}, 404)
    assert refused["code"] == "token_not_found"
    assert (await school.bearer(made["password_token"]).get("/me", 401))["code"] == "expired_token"


async def test_a_new_password_ends_all_sign_ins(school):
    await invited(school)
    first = school.bearer((await sign_in(school))["access_token"])
    second = school.bearer((await sign_in(school))["access_token"])
    change = {"old": PASSWORD, "new": "another long password"}
    assert (await first.call("PUT", "/me/password", {**change, "old": "x"}, 401))[
        "code"
    ] == "wrong_credentials"
    await first.call("PUT", "/me/password", change)
    for caller in (first, second):
        await caller.get("/me", 401)
    await sign_in(school, status=401)
    await sign_in(school, password="another long password")
    assert (await school.person("ada").call("PUT", "/me/password", change, 403))["code"] == "not_allowed"


async def test_a_role_that_changes_holds_at_once(school):
    person = await invited(school, role="admin")
    ada = school.bearer((await sign_in(school))["access_token"])
    await ada.get("/users")
    await school.application.call("PATCH", f"/users/{person}", {"role": "student"})
    assert (await ada.get("/users", 403))["code"] == "not_allowed"


ORIGINS = [
    ({}, 200),
    ({"Sec-Fetch-Site": "same-origin"}, 200),
    ({"Sec-Fetch-Site": "none"}, 200),
    ({"Sec-Fetch-Site": "cross-site"}, 403),
    ({"Sec-Fetch-Site": "same-site"}, 403),
    ({"Origin": "https://evil.example"}, 403),
]


async def test_a_cookie_serves_this_servers_own_pages_alone(school):
    await invited(school)
    answer = await school.bearer("").post(
        "/sign-in", {"email": "ada@school.example", "password": PASSWORD, "cookie": True}
    )
    assert answer["access_token"] == ""
    async with school.http.post(
        f"{school.url}/api/v1/sign-in",
        json={"email": "ada@school.example", "password": PASSWORD, "cookie": True},
    ) as response:
        assert (await response.json())["access_token"] == ""
        cookie = response.headers["Set-Cookie"]
    assert "; HttpOnly; SameSite=Lax" in cookie
    for headers, status in ORIGINS:
        sent = {**headers, "Cookie": cookie.partition(";")[0]}
        async with school.http.get(f"{school.url}/api/v1/me", headers=sent) as response:
            assert response.status == status
            code = (await response.json(content_type=None)).get("code")
            assert code == ("other_origin" if status == 403 else None)


async def test_the_schools_of_one_server_have_accounts_of_their_own(school):
    await invited(school)
    await sign_in(school, status=401, tenant="north")
