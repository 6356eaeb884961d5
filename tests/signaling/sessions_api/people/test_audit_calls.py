from tests.signaling.session_files import PDF, Files


async def test_the_log_tells_who_did_what_to_whom_without_names_or_texts(school):
    session = await school.lesson(people=[{"id": "sam", "name": "Sam Smith"}], settings={"lobby": "knock"})
    path, tutor, sam = f"/sessions/{session}", school.person("tutor", "tutor"), school.person("sam")
    await sam.post(f"{path}/join")
    await school.person("eve").post(f"{path}/join")
    await tutor.post(f"{path}/participants/eve/admit")
    await tutor.post(f"{path}/participants/eve/role", {"role": "observer"})
    await tutor.post(f"{path}/moderation/allow", {"permission": "chat.pin", "allowed": True, "person": "sam"})
    file = await Files(school, session).add(tutor, PDF, "a.pdf")
    for _ in range(3):
        await Files(school, session).load(sam, file)
    await tutor.post(f"{path}/moderation/ban", {"person": "eve"})
    rows = (await school.application.get("/audit"))["data"][::-1]
    assert [(row["action"], row["actor"], row["subject"]) for row in rows] == [
        ("participant.admitted", "tutor", "eve"),
        ("participant.role_changed", "tutor", "eve"),
        ("permission.changed", "tutor", "sam"),
        ("file.added", "tutor", file),
        ("file.loaded", "sam", file),
        ("participant.banned", "tutor", "eve"),
        ("participant.removed", "tutor", "eve"),
    ]
    assert {row["session"] for row in rows} == {session}
    assert "Sam Smith" not in str(rows)
    of_eve = (await school.application.get("/audit?person=eve"))["data"]
    assert {row["subject"] for row in of_eve} == {"eve"}


async def test_pages_and_tenants(school):
    for number in range(3):
        body = {"email": f"{number}@school.example", "name": "x"}
        await school.application.post("/users", body, 201)
    first = await school.application.get("/audit?limit=2")
    rest = await school.application.get(f"/audit?limit=2&cursor={first['next_cursor']}")
    assert [row["action"] for row in first["data"] + rest["data"]] == ["user.invited"] * 3
    assert rest["next_cursor"] is None
    assert (await school.person("boss", "admin", tenant="other").get("/audit"))["data"] == []
