from itertools import product

ADA = {"email": "ada@school.example", "name": "Ada", "role": "tutor"}


async def test_those_who_manage_invite_list_change_and_delete(school):
    boss = school.person("boss", "admin")
    made = (await boss.post("/users", ADA, 201))["user"]
    assert made == {**made, **ADA, "active": False, "disabled": False}
    assert (await boss.post("/users", {**ADA, "email": "ADA@school.example"}, 409))[
        "code"
    ] == "already_exists"
    assert (await boss.get("/users"))["data"] == [made]
    changed = await boss.call("PATCH", f"/users/{made['id']}", {"name": "Ada L.", "role": "student"})
    assert (changed["name"], changed["role"]) == ("Ada L.", "student")
    assert (await boss.post(f"/users/{made['id']}/reset-password"))["password_token"].startswith("lst_")
    await boss.call("DELETE", f"/users/{made['id']}")
    assert (await boss.get(f"/users/{made['id']}", 404))["code"] == "user_not_found"


async def test_pages_of_users(school):
    ids = sorted(
        [
            (await school.application.post("/users", {**ADA, "email": f"{n}@school.example"}, 201))["user"][
                "id"
            ]
            for n in range(3)
        ]
    )
    page = await school.application.get("/users?limit=2")
    rest = await school.application.get(f"/users?limit=2&cursor={page['next_cursor']}")
    assert [each["id"] for each in page["data"] + rest["data"]] == ids
    assert rest["next_cursor"] is None


async def test_others_manage_no_users(school):
    user = (await school.application.post("/users", ADA, 201))["user"]["id"]
    calls = [
        ("GET", "/users", None),
        ("POST", "/users", ADA),
        ("GET", f"/users/{user}", None),
        ("PATCH", f"/users/{user}", {"role": "admin"}),
        ("DELETE", f"/users/{user}", None),
        ("POST", f"/users/{user}/reset-password", {}),
    ]
    for role, (method, path, body) in product(("tutor", "assistant", "student"), calls):
        answer = await school.person("eve", role).attempt(method, path, body)
        assert answer == (403, "not_allowed"), (role, method, path)


async def test_administrators_do_not_take_their_own_role_away(school):
    user = (await school.application.post("/users", {**ADA, "role": "admin"}, 201))["user"]["id"]
    own = school.person(user, "admin")
    for method, body in (("PATCH", {"role": "tutor"}), ("PATCH", {"disabled": True}), ("DELETE", None)):
        assert await own.attempt(method, f"/users/{user}", body) == (409, "own_account")
    await own.call("PATCH", f"/users/{user}", {"name": "Ada Lovelace"})


async def test_what_is_no_address_is_refused(school):
    for email in ["ada", "@school", "ada@", "a b@c.de", "a\u0000@b"]:
        status, code = await school.application.attempt("POST", "/users", {**ADA, "email": email})
        assert (status, code in {"bad_email", "invalid"}) == (400, True), email
