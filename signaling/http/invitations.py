"""Invitations to a room for the built-in page, and rooms in which the page tries its connection.

An invitation is a JSON Web Token signed with an API key. It admits nobody by itself: each visitor exchanges it for
an access token with an identity of their own, so one link serves any number of people.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import hdrs, web

from signaling.access import private_claims, tokens
from signaling.errors import BadRequestError, TokenError
from signaling.http.body import BodyError, BodyTooLargeError, read_body
from signaling.http.headers import SECURITY_HEADERS
from signaling.rooms.ids import random_sid
from signaling.rooms.rooms import MAX_NAME_CHARS

# Long enough for a link that is sent out a few days before a lesson.
INVITATION_TTL_S = 7 * 24 * 3600
GUEST_TOKEN_TTL_S = 6 * 3600
# A check takes five seconds; a phone may take a minute to start it.
CHECK_TOKEN_TTL_S = 120
# The claim that holds the room of an invitation. Access tokens do not have it, and invitations have no grants.
INVITES = "lectern_invites"
CHECK_PREFIX = "connection-check-"
# An invitation with a room name of 256 characters of four bytes, and a display name, both as JSON may escape them.
MAX_BODY_BYTES = 16 * 1024
BODY_TIMEOUT_S = 15.0


def invitation(claims: tokens.Claims, signer: tokens.Signer, now: float) -> str:
    """Return an invitation to the room of an access token. TokenError if its bearer may not invite."""
    tokens.check_join(claims)
    video = claims.raw.get("video")
    if not isinstance(video, Mapping) or video.get("roomAdmin") is not True:
        raise TokenError("only somebody who administers the room may invite others")
    return tokens.mint({INVITES: claims.room}, signer, now, INVITATION_TTL_S)


def invited_to(text: str, keys: Mapping[str, str], now: float) -> str:
    """Return the room of an invitation. TokenError."""
    room = tokens.verify(text, keys, now).raw.get(INVITES)
    if not isinstance(room, str) or not 0 < len(room) <= MAX_NAME_CHARS:
        raise TokenError("this is not an invitation")
    return room


def guest_claims(room: str, name: str) -> dict[str, Any]:
    """Return the claims of an access token for a guest of the page."""
    return {
        "sub": random_sid("guest-"),
        "name": name,
        "video": {"room": room, "roomJoin": True, "canUpdateOwnMetadata": True},
        # Not the word of an application: a room with a door stays shut.
        private_claims.NAME: {"room_id": ""},
    }


def check_claims() -> dict[str, Any]:
    """Return the claims of an access token for a room of its own, in which a page tries its connection."""
    return {
        "sub": random_sid("check-"),
        "video": {
            "room": random_sid(CHECK_PREFIX),
            "roomJoin": True,
            "hidden": True,
            "canPublishData": False,
        },
        "roomConfig": {"emptyTimeout": 10, "departureTimeout": 1, "maxParticipants": 1},
        private_claims.NAME: {"room_id": ""},
    }


class Invitations:
    """Serves the three requests. All of them answer JSON, refusals as `{"error": ...}`."""

    def __init__(
        self, keys: Mapping[str, str], signer: Callable[[], tokens.Signer], wall_clock: Callable[[], float]
    ) -> None:
        """`keys` maps API keys to secrets; `signer` returns the key that signs now; `wall_clock` gives seconds."""
        self._keys = keys
        self._signer = signer
        self._wall_clock = wall_clock

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Register the requests."""
        router.add_post("/page/invitation", self.invite)
        router.add_post("/page/guest", self.guest)
        router.add_post("/page/check", self.check)

    async def invite(self, request: web.Request) -> web.Response:
        """Give an invitation to the bearer of an access token who administers its room."""
        try:
            return _json(
                {"invitation": invitation(self._bearer(request), self._signer(), self._wall_clock())}
            )
        except (TokenError, BadRequestError) as error:
            return _json({"error": str(error)}, 403)

    async def guest(self, request: web.Request) -> web.Response:
        """Exchange `{"invitation": ..., "name": ...}` for an access token."""
        try:
            body = json.loads(await read_body(request, MAX_BODY_BYTES, BODY_TIMEOUT_S))
            text, name = (
                _text(body["invitation"], MAX_BODY_BYTES),
                _text(body.get("name", ""), MAX_NAME_CHARS),
            )
        except BodyError as error:
            return _json({"error": str(error)}, 413 if isinstance(error, BodyTooLargeError) else 400)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return _json({"error": 'the request is not {"invitation": ..., "name": ...}'}, 400)
        try:
            room = invited_to(text, self._keys, self._wall_clock())
        except TokenError as error:
            return _json({"error": str(error)}, 403)
        return self._token(guest_claims(room, name), GUEST_TOKEN_TTL_S)

    async def check(self, request: web.Request) -> web.Response:
        """Give the bearer of an access token another one, for a room to try the connection in."""
        try:
            tokens.check_join(self._bearer(request))
        except (TokenError, BadRequestError) as error:
            return _json({"error": str(error)}, 403)
        return self._token(check_claims(), CHECK_TOKEN_TTL_S)

    def _bearer(self, request: web.Request) -> tokens.Claims:
        scheme, _, token = request.headers.get(hdrs.AUTHORIZATION, "").partition(" ")
        if scheme.lower() != "bearer":
            raise TokenError("the request has no access token")
        return tokens.verify(token.strip(), self._keys, self._wall_clock())

    def _token(self, claims: dict[str, Any], ttl_s: float) -> web.Response:
        return _json({"token": tokens.mint(claims, self._signer(), self._wall_clock(), ttl_s), "url": ""})


def _text(value: object, max_chars: int) -> str:
    """Return the value if it is a text that can be sent on; else ValueError or TypeError."""
    if not isinstance(value, str):
        raise TypeError
    if len(value) > max_chars:
        raise ValueError
    value.encode()  # JSON can spell lone surrogates, which cannot be encoded
    return value


def _json(content: dict[str, Any], status: int = 200) -> web.Response:
    headers = {**SECURITY_HEADERS, hdrs.CACHE_CONTROL: "no-store"}
    return web.json_response(content, status=status, headers=headers)
