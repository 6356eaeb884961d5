"""Who calls: keys, tokens, roles, tenants."""

import time

from signaling.access import tokens
from signaling.http.invitations import CHECK_PREFIX
from tests.signaling.livekit_client import make_token
from tests.signaling.school_client import KEY, SECRET, person_token

REFUSED = [
    ("", "no_credentials"),
    ("guess", "bad_token"),
    (person_token("sam", key="stranger"), "bad_token"),
    (person_token("sam", secret="x" * 32), "bad_token"),
    (person_token("sam", ttl_s=-100), "expired_token"),
    (person_token("sam", role="king"), "bad_token"),
    (person_token("bad id"), "bad_token"),
    (person_token("sam", tenant="a/b"), "bad_token"),
    # A LiveKit token is signed with the same key.
    (make_token("lesson", "sam"), "bad_token"),
]


async def test_others_are_refused(school):
    for token, code in REFUSED:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with school.http.get(f"{school.url}/api/v1/me", headers=headers) as response:
            assert response.status == 401
            assert response.content_type == "application/problem+json"
            problem = await response.json(content_type=None)
        assert (problem["code"], problem["status"]) == (code, 401), token


async def test_a_token_names_person_role_and_tenant(school):
    assert await school.person("sam", "assistant", tenant="north").get("/me") == {
        "person": "sam",
        "name": "Sam",
        "role": "assistant",
        "tenant": "devkey:north",
        "session": "",
    }
    assert (await school.application.get("/me"))["tenant"] == "devkey"
    north = await school.application.call("GET", "/me", Lectern_Tenant="north")
    assert north["tenant"] == "devkey:north"


async def test_a_person_gets_access_to_a_room_of_their_own_to_test_the_connection(school):
    given = (await school.person("sam").post("/me/connection-check"))["token"]
    claims = tokens.verify(given, {KEY: SECRET}, time.time())
    tokens.check_join(claims)
    assert claims.room.startswith(CHECK_PREFIX)
    assert claims.raw["video"]["hidden"] is True
    await school.bearer(given).post("/me/connection-check", status=401)


async def test_a_token_for_one_session_opens_no_other(school):
    first, second = await school.lesson(), await school.lesson()
    joined = await school.person("sam").post(f"/sessions/{first}/join")
    sam = school.bearer(joined["access_token"])
    assert (await sam.get(f"/sessions/{first}"))["role"] == "student"
    await school.person("sam").post(f"/sessions/{second}/join")
    assert (await sam.get(f"/sessions/{second}", 404))["code"] == "session_not_found"
    assert [row["id"] for row in (await sam.get("/sessions"))["data"]] == [first]


async def test_development_mode_signs_its_own_page_in(school):
    body = {"name": "Sam", "role": "tutor"}
    url = f"{school.url}/api/v1/dev/sign-in"
    async with school.http.post(url, json=body, headers={"Origin": "https://evil.example"}) as response:
        assert response.status == 403
    async with school.http.post(url, json=body) as response:
        signed = await response.json()
    assert (await school.bearer(signed["access_token"]).get("/me"))["role"] == "tutor"


async def test_addresses_are_those_that_the_first_proxy_was_asked_for(school):
    headers = {"X_Forwarded_Proto": "https,http", "X_Forwarded_Host": "school.example"}
    feed = await school.person("sam").call("POST", "/me/calendar", **headers)
    assert feed["url"].startswith("https://school.example/api/v1/calendar/")
