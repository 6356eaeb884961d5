import base64
import contextlib
import datetime as dt
import hashlib
import hmac
import json
import random
import time
from dataclasses import replace

import jwt
import pytest
from livekit import api

from signaling.access import tokens
from signaling.errors import BadRequestError, TokenError
from signaling.rooms.model import RoomConfig
from signaling.rooms.permissions import (
    ALL_ADMIN_RIGHTS,
    ALL_SOURCES,
    AdminRight,
    Permissions,
    Receiving,
    Source,
)

NOW = 1_795_000_000.0
SECRET = "a secret long enough for the other hashes that tests try " * 2
KEYS = {"key": SECRET, "other": SECRET.title()}
SIGNER = tokens.Signer("key", SECRET)


def token(claims=None, ttl_s=600, **video):
    return tokens.mint({"sub": "ada", "video": video, **(claims or {})}, SIGNER, NOW, ttl_s)


def forge(payload, secret=SECRET, algorithm="HS256"):
    # Below the layer that checks the claims of those who sign.
    content = json.dumps({"iss": "key", "exp": NOW + 600, **payload}).encode()
    return jwt.PyJWS().encode(content, secret, algorithm=algorithm)


def test_a_token_of_the_server_sdk_is_understood():
    made = (
        api.AccessToken("key", SECRET)
        .with_identity("ada")
        .with_name("Ada")
        .with_metadata("teacher")
        .with_attributes({"hand": "up"})
        .with_kind("agent")
        .with_ttl(dt.timedelta(hours=1))
        .with_grants(
            api.VideoGrants(room_join=True, room="lesson", can_publish_sources=["camera"], hidden=True)
        )
        .with_room_config(api.RoomConfiguration(max_participants=7, empty_timeout=60, metadata="maths"))
        .to_jwt()
    )
    claims = tokens.verify(made, KEYS, time.time())
    assert (claims.identity, claims.name, claims.metadata, claims.kind) == ("ada", "Ada", "teacher", "agent")
    assert claims.attributes == {"hand": "up"}
    assert (claims.room, claims.room_join) == ("lesson", True)
    assert claims.permissions == Permissions(can_publish_sources=(Source.CAMERA,), hidden=True)
    assert claims.room_config == RoomConfig(empty_timeout_s=60, max_participants=7, metadata="maths")


@pytest.mark.parametrize(
    ("video", "permissions"),
    [
        ({}, Permissions()),
        ({"canPublish": False}, Permissions(can_publish=False, can_publish_data=False)),
        ({"canPublish": False, "canPublishData": True}, Permissions(can_publish=False)),
        ({"canPublishData": False}, Permissions(can_publish_data=False)),
        ({"canSubscribe": False}, Permissions(can_subscribe=False)),
        ({"canSubscribe": None}, Permissions()),
        ({"canUpdateOwnMetadata": True}, Permissions(can_update_own_metadata=True)),
        ({"canPublishSources": ["Camera"]}, Permissions(can_publish_sources=(Source.CAMERA,))),
        ({"roomAdmin": True}, Permissions(admin=ALL_ADMIN_RIGHTS)),
        ({"canPublishSources": ["x-ray"]}, Permissions(can_publish_sources=(Source.UNKNOWN,))),
    ],
)
def test_absent_grants_have_their_defaults(video, permissions):
    assert tokens.verify(token(**video), KEYS, NOW).permissions == permissions


def test_a_room_configuration_is_read_in_every_spelling_of_its_json():
    config = {"emptyTimeout": "60", "departure_timeout": 5, "maxParticipants": 7, "tags": {"a": "b"}}
    claims = tokens.verify(token({"roomConfig": config}), KEYS, NOW)
    assert claims.room_config == RoomConfig(empty_timeout_s=60, departure_timeout_s=5, max_participants=7)


def test_the_identity_may_stand_in_jti():
    assert tokens.verify(forge({"jti": "ada"}), KEYS, NOW).identity == "ada"


@pytest.mark.parametrize(
    ("offset_s", "good"), [(0, True), (660, True), (661, False), (-60, True), (-61, False)]
)
def test_clocks_may_differ_by_a_minute(offset_s, good):
    made = token(ttl_s=600)
    if good:
        tokens.verify(made, KEYS, NOW + offset_s)
    else:
        with pytest.raises(TokenError):
            tokens.verify(made, KEYS, NOW + offset_s)


def unsigned(header, payload):
    def part(content):
        return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")

    return f"{part(header)}.{part(payload)}."


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "a.b.c",
        "....",
        forge({}, secret=SECRET.upper()),
        forge({"iss": "nobody"}),
        forge({"iss": ["key"]}),
        forge({"iss": None}),
        forge({"iss": "other"}),
        forge({}, algorithm="HS512"),
        unsigned({"alg": "none", "typ": "JWT"}, {"iss": "key", "exp": NOW + 600}),
        unsigned({"alg": "HS256", "typ": "JWT"}, {"iss": "key", "exp": NOW + 600}),
        jwt.encode({"iss": "key"}, SECRET, algorithm="HS256"),
        forge({"exp": "tomorrow"}),
        forge({"exp": True}),
        forge({"exp": 1e300}),
        forge({"nbf": "x"}),
        forge({"nbf": NOW + 3600}),
        forge({"video": []}),
        forge({"video": {"room": 7}}),
        forge({"video": {"canPublish": "yes"}}),
        forge({"video": {"canPublishSources": [1]}}),
        forge({"kind": "robot"}),
        forge({"attributes": {"a": 1}}),
        forge({"attributes": {"a": "\ud800"}}),
        forge({"name": "\ud800"}),
        forge({"roomConfig": {"maxParticipants": -1}}),
        forge({"roomConfig": {"maxParticipants": True}}),
    ],
)
def test_bad_tokens_are_refused(bad):
    with pytest.raises(TokenError):
        tokens.verify(bad, KEYS, NOW)


@pytest.mark.parametrize(
    ("claims", "video", "error"),
    [
        ({}, {"room": "lesson"}, TokenError),
        ({}, {"roomJoin": True}, BadRequestError),
        ({"sub": ""}, {"roomJoin": True, "room": "lesson"}, BadRequestError),
        ({"sub": "a" * 257}, {"roomJoin": True, "room": "lesson"}, BadRequestError),
        ({}, {"roomJoin": True, "room": "r" * 257}, BadRequestError),
        ({"name": "n" * 257}, {"roomJoin": True, "room": "lesson"}, BadRequestError),
        ({"metadata": "m" * 600_000}, {"roomJoin": True, "room": "lesson"}, BadRequestError),
        ({"attributes": {"a": "v" * 66_000}}, {"roomJoin": True, "room": "lesson"}, BadRequestError),
    ],
)
def test_joining_needs_a_grant_a_room_and_an_identity(claims, video, error):
    with pytest.raises(error):
        tokens.check_join(tokens.verify(token(claims, **video), KEYS, NOW))


def test_a_refreshed_token_carries_what_changed_and_keeps_the_rest():
    claims = tokens.verify(
        token({"sha256": "x", "jti": "1"}, room="lesson", roomJoin=True, roomAdmin=True, canPublish=True),
        KEYS,
        NOW,
    )
    permissions = Permissions(can_publish=False, can_publish_data=True, admin=ALL_ADMIN_RIGHTS)
    bearer = tokens.Bearer("Ada", "m", {"a": "b"}, permissions)
    fresh = tokens.refresh(claims, bearer, SIGNER, NOW + 500)
    again = tokens.verify(fresh, KEYS, NOW + 500)
    assert (again.identity, again.name, again.metadata, again.attributes) == ("ada", "Ada", "m", {"a": "b"})
    assert again.permissions == bearer.permissions
    assert again.raw["video"]["roomAdmin"] is True
    assert again.raw["sha256"] == "x"
    assert again.expires_at == NOW + 500 + 600
    demoted = tokens.refresh(claims, replace(bearer, permissions=Permissions()), SIGNER, NOW)
    assert tokens.verify(demoted, KEYS, NOW).permissions == Permissions()


def test_a_token_of_the_server_says_all_that_it_gives():
    permissions = Permissions(
        can_publish_sources=(Source.MICROPHONE,),
        receiving=Receiving(frozenset({Source.CAMERA}), {"u": ALL_SOURCES}),
        admin=frozenset({AdminRight.PARTICIPANTS}),
    )
    bearer = tokens.Bearer("Ada", "m", {"lectern.user_id": "u-1"}, permissions, leaves_at=NOW + 90)
    made = tokens.mint(tokens.join_claims("lesson", "ada", bearer), SIGNER, NOW, 600)
    claims = tokens.verify(made, KEYS, NOW)
    tokens.check_join(claims)
    assert (claims.room, claims.identity, claims.name, claims.metadata) == ("lesson", "ada", "Ada", "m")
    assert (claims.permissions, claims.leaves_at) == (permissions, NOW + 90)
    assert claims.attributes == bearer.attributes
    fresh = tokens.verify(tokens.refresh(claims, bearer, SIGNER, NOW), KEYS, NOW)
    assert (fresh.permissions, fresh.leaves_at) == (permissions, NOW + 90)
    with pytest.raises(TokenError):
        tokens.verify(token({"lectern": {"admin": ["all"]}}), KEYS, NOW)


def test_a_refreshed_token_does_not_shorten_the_original():
    claims = tokens.verify(token(ttl_s=6 * 3600), KEYS, NOW)
    bearer = tokens.Bearer("", "", {}, Permissions())
    assert tokens.verify(tokens.refresh(claims, bearer, SIGNER, NOW), KEYS, NOW).expires_at == NOW + 6 * 3600


def test_mutated_tokens_raise_token_errors_only():
    rng = random.Random(7)
    good = token(room="lesson", roomJoin=True)
    tried = 0
    for _ in range(3000):
        text = list(good)
        for _ in range(rng.randint(1, 4)):
            text[rng.randrange(len(text))] = rng.choice("ABCabc019-_.= \x00é")
        mutated = "".join(text)
        if mutated == good:
            continue
        try:
            claims = tokens.verify(mutated, KEYS, NOW)
        except TokenError:
            tried += 1
        else:
            # The last character of base64 has bits that do not count.
            assert claims.room == "lesson"
    assert tried > 2500


def test_mutated_payloads_raise_token_errors_only():
    rng = random.Random(8)
    values = [None, True, 0, -1, 1.5, 2**70, "", "x", "\ud800", [], [1], {}, {"a": 1}, [[]], float("inf")]
    names = [
        "sub",
        "jti",
        "name",
        "kind",
        "kindDetails",
        "metadata",
        "attributes",
        "roomConfig",
        "exp",
        "nbf",
        "video",
    ]
    for _ in range(3000):
        payload = {rng.choice(names): rng.choice(values) for _ in range(3)}
        if rng.random() < 0.5:
            grants = ["room", "roomJoin", "canPublish", "canPublishSources", "hidden"]
            payload["video"] = {rng.choice(grants): rng.choice(values)}
        with contextlib.suppress(TokenError):
            tokens.verify(forge(payload), KEYS, NOW)


def test_a_token_cannot_bring_a_room_with_oversize_metadata():
    permissions = Permissions()
    config = RoomConfig(metadata="x" * (512 * 1024 + 1))
    claims = tokens.Claims("ada", "maths", room_join=True, permissions=permissions, room_config=config)
    with pytest.raises(BadRequestError, match="metadata"):
        tokens.check_join(claims)


ODD = [
    '{"lectern": {"admin": ["\\ud800"]}}',
    '{"lectern": {"room_id": "\\ud800"}}',
    '{"lectern": {"receiving": {"by_user_id": {"\\ud800": []}}}}',
    '{"lectern": {"leaves_at": 1e999}}',
    '{"lectern": {"leaves_at": ' + "9" * 4000 + "}}",
    '{"exp": ' + "9" * 4000 + "}",
    '{"exp": ' + "9" * 5000 + "}",
    '{"exp": NaN}',
    '{"nbf": Infinity}',
    '{"nbf": -1e308}',
    '{"sub": "\\udfff"}',
    '{"video": {"canPublishSources": ["\\ud800"]}}',
    '{"video": ' + "[" * 3000 + "]" * 3000 + "}",
    '{"x": ' + "[" * 100000,
    '{"roomConfig": {"emptyTimeout": "' + "9" * 5000 + '"}}',
    '{"attributes": {"\\ud800": ""}}',
    "[]",
    "1",
    "null",
    '"x"',
    "",
]


@pytest.mark.parametrize("extra", ODD)
def test_a_token_is_read_or_refused_and_nothing_else_whatever_json_can_spell(extra):
    known = json.dumps(
        {"iss": "key", "exp": NOW + 600, "sub": "ada", "video": {"room": "maths", "roomJoin": True}}
    )
    # Written by hand, with both in one object where the odd one is an object: the later name counts.
    content = f"{known[:-1]}, {extra[1:]}" if extra.startswith("{") else extra
    signed = forge_text(content)
    with contextlib.suppress(TokenError):
        claims = tokens.verify(signed, KEYS, NOW)
        with contextlib.suppress(BadRequestError):
            tokens.check_join(claims)
        bearer = tokens.Bearer(claims.name, claims.metadata, claims.attributes, claims.permissions)
        tokens.verify(tokens.refresh(claims, bearer, SIGNER, NOW), KEYS, NOW)


def forge_text(content):
    def packed(part):
        return base64.urlsafe_b64encode(part).rstrip(b"=")

    head = packed(b'{"alg":"HS256","typ":"JWT"}') + b"." + packed(content.encode())
    signature = hmac.new(SECRET.encode(), head, hashlib.sha256).digest()
    return (head + b"." + packed(signature)).decode()


def test_a_token_for_one_room_of_a_name_opens_no_other():
    def claims(room_id):
        bearer = tokens.Bearer("", "", {}, Permissions(), room_id=room_id)
        made = tokens.mint(tokens.join_claims("maths", "ada", bearer), SIGNER, NOW, 60)
        return tokens.verify(made, KEYS, NOW)

    private, public, other = (
        RoomConfig(id="1", is_private=True),
        RoomConfig(id="1"),
        RoomConfig(id="2", is_private=True),
    )
    refused = {
        (given, config)
        for given in (None, "", "1")
        for config in (private, public, other, None)
        if not is_let_in(claims(given), config)
    }
    assert refused == {("", private), ("", other), ("1", other), ("1", None)}
    assert (
        tokens.verify(
            tokens.refresh(claims("1"), tokens.Bearer("", "", {}, Permissions(), room_id="1"), SIGNER, NOW),
            KEYS,
            NOW,
        ).room_id
        == "1"
    )


def is_let_in(claims, config):
    try:
        tokens.check_room(claims, config)
    except TokenError:
        return False
    return True
