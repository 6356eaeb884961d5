import json
import random

import jwt
import pytest

from signaling.daily import tokens
from signaling.daily.properties import TokenProperties
from signaling.daily.rest.domains import Domain, Domains
from signaling.daily.rest.errors import DailyError

NOW = 1_795_000_000.0
SECRET = "a secret long enough for the other hashes that tests try " * 2
DOMAINS = Domains({"school": SECRET, "other": SECRET.title()})
SCHOOL = DOMAINS.by_name("school")

EVERYTHING = {
    "room_name": "maths",
    "nbf": 1,
    "exp": NOW + 60,
    "is_owner": True,
    "user_name": "Ada",
    "user_id": "u-1",
    "enable_screenshare": False,
    "start_video_off": True,
    "start_audio_off": False,
    "eject_at_token_exp": True,
    "eject_after_elapsed": 30,
    "knocking": False,
    "lang": "de",
    "permissions": {"hasPresence": False, "canSend": ["audio"], "canReceive": {"base": False}},
}


def test_a_token_holds_what_it_was_made_of():
    made = tokens.mint(SCHOOL, {**EVERYTHING, "close_tab_on_exit": None}, NOW)
    token = tokens.verify(made, DOMAINS)
    assert token.domain == SCHOOL
    assert token.given == EVERYTHING
    assert token.properties.eject_after_elapsed == 30
    claims = jwt.decode(made, options={"verify_signature": False})
    assert (claims["r"], claims["o"], claims["u"], claims["ud"]) == ("maths", True, "Ada", "u-1")
    assert (claims["d"], claims["iat"]) == (SCHOOL.id, NOW)
    assert claims["p"] == {"hp": False, "cs": "a", "cr": {"b": False}}


def test_an_application_signs_itself():
    # The documented sample, with our domain.
    claims = {"r": "test", "iat": 1610596413, "d": SCHOOL.id, "o": True, "ss": True, "p": {"ca": "p,s"}}
    token = tokens.verify(jwt.encode(claims, SECRET, algorithm="HS256"), DOMAINS)
    assert (token.properties.room_name, token.properties.is_owner) == ("test", True)
    assert token.given["permissions"] == {"canAdmin": ["participants", "streaming"]}
    assert tokens.verify(jwt.encode({"d": SCHOOL.id}, SECRET, algorithm="HS256"), DOMAINS).given == {}


def test_the_short_dev_secret_signs():
    domains = Domains({"devkey": "secret"})
    made = tokens.mint(domains.by_name("devkey"), {}, NOW)
    assert tokens.verify(made, domains).properties == TokenProperties()


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b.c",
        "x" * 20_000,
        jwt.encode({"d": SCHOOL.id}, "wrong secret that is long enough to be one", algorithm="HS256"),
        jwt.encode({"d": "nobody"}, SECRET, algorithm="HS256"),
        jwt.encode({"d": 3}, SECRET, algorithm="HS256"),
        jwt.encode({"r": "maths"}, SECRET, algorithm="HS256"),
        jwt.encode({"d": SCHOOL.id}, SECRET, algorithm="HS384"),
        jwt.encode({"d": SCHOOL.id}, None, algorithm="none"),
        jwt.encode({"d": SCHOOL.id, "o": "yes"}, SECRET, algorithm="HS256"),
        jwt.encode({"d": SCHOOL.id, "p": {"cr": 3}}, SECRET, algorithm="HS256"),
    ],
)
def test_other_tokens_are_refused(token):
    with pytest.raises(tokens.MeetingTokenError):
        tokens.verify(token, DOMAINS)


def test_wrong_properties_are_not_signed():
    with pytest.raises(DailyError, match="is_owner"):
        tokens.mint(SCHOOL, {"is_owner": "yes"}, NOW)


def test_reading_checks_times_and_domain():
    made = tokens.mint(SCHOOL, {"nbf": NOW + 10, "exp": NOW + 20, "user_name": "Ada"}, NOW)
    read = tokens.read
    assert read(made, SCHOOL, DOMAINS, NOW + 15, ignore_nbf=False)["user_name"] == "Ada"
    assert read(made, SCHOOL, DOMAINS, NOW, ignore_nbf=True)["exp"] == NOW + 20
    for domain, now, token in (
        (SCHOOL, NOW, made),
        (SCHOOL, NOW + 20, made),
        (Domain("other", SECRET.title()), NOW + 15, made),
        (SCHOOL, NOW + 15, "nonsense"),
    ):
        with pytest.raises(DailyError):
            read(token, domain, DOMAINS, now, ignore_nbf=False)


def test_fuzz_only_the_documented_error():
    chance = random.Random(5)
    made = tokens.mint(SCHOOL, EVERYTHING, NOW)
    names = [*EVERYTHING, "p", "r", "exp", "sro", "er", "unknown"]
    values = [None, True, 0, -1, 1e308, "", "x", [], {}, [[]], {"cr": {"u": []}}, "\ud800", {"cs": [1]}]
    accepted = 0
    for _ in range(3000):
        if chance.random() < 0.5:
            broken = bytearray(made.encode())
            broken[chance.randrange(len(broken))] = chance.randrange(256)
            token = broken.decode("latin-1")
        else:
            claims = {chance.choice(names): chance.choice(values) for _ in range(3)}
            content = json.dumps({"d": SCHOOL.id, **claims}).encode()
            token = jwt.PyJWS().encode(content, SECRET, algorithm="HS256")
        try:
            tokens.verify(token, DOMAINS)
            accepted += 1
        except tokens.MeetingTokenError:
            continue
    assert 0 < accepted < 1500
