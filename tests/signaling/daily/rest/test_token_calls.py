import time

import jwt
import pytest

DAY_S = 86_400
NOW = int(time.time())


async def test_a_token_is_made_and_read(daily):
    properties = {
        "room_name": "maths",
        "is_owner": True,
        "user_name": "Ada",
        "exp": NOW + DAY_S,
        "start_audio_off": False,
        "permissions": {"canSend": ["audio"]},
    }
    made = await daily.post("/meeting-tokens", {"properties": properties})
    assert list(made) == ["token"]
    assert await daily.get(f"/meeting-tokens/{made['token']}") == properties
    empty = await daily.post("/meeting-tokens", {"properties": {}})
    assert await daily.get(f"/meeting-tokens/{empty['token']}") == {}
    assert (await daily.call("POST", "/meeting-tokens"))[0] == 200


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")  # the dev secret is short
async def test_a_token_that_the_application_signed_is_read(daily):
    domain = await daily.get("/")
    claims = {"r": "maths", "iat": NOW, "d": domain["domain_id"], "o": True, "ud": "u-1"}
    token = jwt.encode(claims, "secret", algorithm="HS256")
    assert await daily.get(f"/meeting-tokens/{token}") == {
        "room_name": "maths",
        "is_owner": True,
        "user_id": "u-1",
    }


async def test_bad_tokens(daily):
    assert (await daily.refused("GET", "/meeting-tokens/nonsense"))[:2] == (400, "invalid-request-error")
    early = (await daily.post("/meeting-tokens", {"properties": {"nbf": NOW + DAY_S}}))["token"]
    assert (await daily.refused("GET", f"/meeting-tokens/{early}"))[0] == 400
    assert await daily.get(f"/meeting-tokens/{early}?ignoreNbf=true") == {"nbf": NOW + DAY_S}
    assert (await daily.refused("GET", f"/meeting-tokens/{early}?ignoreNbf=maybe"))[0] == 400


@pytest.mark.parametrize(
    ("properties", "info"),
    [
        ({"exp": 5}, "exp was '5', which is in the past rather than in the future"),
        ({"exp": "x"}, "exp was 'x' but should be a number of seconds since the unix epoch"),
        ({"is_owner": "yes"}, "is_owner: Expected `bool`, got `str`"),
        ({"user_id": "x" * 37}, "user_id: Expected `str` of length <= 36"),
        ({"permissions": {"canAdmin": ["all"]}}, "permissions.canAdmin[0]: Invalid enum value 'all'"),
    ],
)
async def test_wrong_properties(daily, properties, info):
    refused = await daily.refused("POST", "/meeting-tokens", {"properties": properties})
    assert refused == (400, "invalid-request-error", info)


async def test_the_domain(daily):
    domain = await daily.get("/")
    assert (domain["domain_name"], domain["config"]) == ("devkey", {})
    changed = await daily.post("/", {"properties": {"lang": "de", "enable_chat": True}})
    assert changed == {**domain, "config": {"lang": "de", "enable_chat": True}}
    assert await daily.post("/", {"properties": {"lang": None}}) == {
        **domain,
        "config": {"enable_chat": True},
    }
    assert (await daily.refused("POST", "/", {"properties": {"enable_chat": "x"}}))[0] == 400
    assert (await daily.refused("POST", "/", {"lang": "de"}))[0] == 400
    assert (await daily.get("/"))["config"] == {"enable_chat": True}
