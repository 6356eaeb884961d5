"""Invitations to a room: who gets one, and what it is good for."""

import time

import aiohttp
import pytest
from aiohttp import web

from signaling.access import tokens
from signaling.errors import TokenError
from signaling.http import invitations

KEYS = {"key": "k" * 40}
SIGNER = tokens.Signer("key", KEYS["key"])
ADMIN = {"room": "maths", "roomJoin": True, "roomAdmin": True}


def token(ttl_s=60, **video):
    return tokens.mint({"sub": "ada", "video": {**ADMIN, **video}}, SIGNER, time.time(), ttl_s)


@pytest.fixture
async def ask():
    app = web.Application()
    invitations.Invitations(KEYS, lambda: SIGNER, time.time).add_routes(app.router)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession() as http:

        async def post(path, bearer=None, **kwargs):
            headers = {} if bearer is None else {"Authorization": f"Bearer {bearer}"}
            async with http.post(f"http://{host}:{port}{path}", headers=headers, **kwargs) as answer:
                assert answer.headers["Cache-Control"] == "no-store"
                return answer.status, await answer.json()

        yield post
    await runner.cleanup()


async def test_one_invitation_admits_several_people_under_identities_of_their_own(ask):
    status, made = await ask("/page/invitation", token())
    assert status == 200
    guests = []
    for name in ("Ben", "Ben"):
        status, given = await ask("/page/guest", json={"invitation": made["invitation"], "name": name})
        assert (status, given["url"]) == (200, "")
        claims = tokens.verify(given["token"], KEYS, time.time())
        tokens.check_join(claims)
        assert (claims.room, claims.name, claims.room_id) == ("maths", "Ben", "")
        assert not claims.permissions.admin
        guests.append(claims.identity)
    assert len(set(guests)) == 2


@pytest.mark.parametrize(
    "bearer",
    [
        None,
        "nonsense",
        token(roomAdmin=False),
        token(roomJoin=False),
        token(ttl_s=-3600),
        tokens.mint({"sub": "ada", "video": ADMIN}, tokens.Signer("other", "o" * 40), time.time(), 60),
    ],
)
async def test_nobody_else_gets_one(ask, bearer):
    status, answer = await ask("/page/invitation", bearer)
    assert status == 403
    assert answer["error"]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"invitation": token()}, 403),  # an access token invites nobody
        ({"invitation": "nonsense"}, 403),
        ({"invitation": tokens.mint({invitations.INVITES: 7}, SIGNER, time.time(), 60)}, 403),
        ({"invitation": tokens.mint({invitations.INVITES: "r" * 257}, SIGNER, time.time(), 60)}, 403),
        ({"invitation": tokens.mint({invitations.INVITES: "maths"}, SIGNER, time.time(), -3600)}, 403),
        ({"invitation": 7}, 400),
        ({"invitation": "x", "name": "n" * 257}, 400),
        ({"invitation": "x", "name": "\ud800"}, 400),
        ({}, 400),
        ([], 400),
        ({"invitation": "x" * 20_000}, 413),
    ],
)
async def test_what_is_no_invitation_is_refused(ask, body, status):
    answered, answer = await ask("/page/guest", json=body)
    assert answered == status
    assert answer["error"]


def test_an_invitation_is_no_access_token():
    now = time.time()
    text = invitations.invitation(tokens.verify(token(), KEYS, now), SIGNER, now)
    with pytest.raises(TokenError):
        tokens.check_join(tokens.verify(text, KEYS, now))


async def test_a_connection_is_tried_in_a_room_of_its_own(ask):
    rooms = set()
    for _ in range(2):
        status, given = await ask("/page/check", token(roomAdmin=False))
        assert status == 200
        claims = tokens.verify(given["token"], KEYS, time.time())
        tokens.check_join(claims)
        assert claims.room.startswith(invitations.CHECK_PREFIX)
        assert claims.permissions.hidden
        assert claims.expires_at < time.time() + 180
        rooms.add(claims.room)
    assert len(rooms) == 2
    assert (await ask("/page/check"))[0] == 403
