"""Invitations to a room for the built-in page, and rooms in which the page tries its connection.

An invitation is a JSON Web Token signed with an API key. It admits nobody by itself: each visitor exchanges it for
an access token with an identity of their own, so one link serves any number of people.
"""

from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

from signaling.access import private_claims, tokens
from signaling.errors import BadRequestError, TokenError
from signaling.http.api import bearer
from signaling.http.page_requests import (
    GUEST_TOKEN_TTL_S,
    UnreadableError,
    answer,
    guest_claims,
    is_text,
    read_fields,
)
from signaling.rooms.rooms import MAX_NAME_CHARS
from signaling.rooms.sids import random_sid

# Long enough for a link that is sent out a few days before a lesson.
INVITATION_TTL_S = 7 * 24 * 3600
# A check takes five seconds; a phone may take a minute to start it.
CHECK_TOKEN_TTL_S = 120
# The claim that holds the room of an invitation. Access tokens do not have it, and invitations have no grants.
INVITES = "lectern_invites"
CHECK_PREFIX = "connection-check-"
# An invitation with a room name of 256 characters of four bytes, and a display name, both as JSON may escape them.
MAX_BODY_BYTES = 16 * 1024
_FORM = '{"invitation": ..., "name": ...}'


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
            return answer(
                {"invitation": invitation(self._bearer(request), self._signer(), self._wall_clock())}
            )
        except (TokenError, BadRequestError) as error:
            return answer({"error": str(error)}, 403)

    async def guest(self, request: web.Request) -> web.Response:
        """Exchange `{"invitation": ..., "name": ...}` for an access token."""
        try:
            body = await read_fields(request, MAX_BODY_BYTES, "invitation", _FORM)
        except UnreadableError as error:
            return error.response()
        text, name = body["invitation"], body.get("name", "")
        if not is_text(text, MAX_BODY_BYTES) or not is_text(name):
            return answer({"error": f"the request is not {_FORM}"}, 400)
        try:
            room = invited_to(text, self._keys, self._wall_clock())
        except TokenError as error:
            return answer({"error": str(error)}, 403)
        return self._token(guest_claims(room, name), GUEST_TOKEN_TTL_S)

    async def check(self, request: web.Request) -> web.Response:
        """Give the bearer of an access token another one, for a room to try the connection in."""
        try:
            tokens.check_join(self._bearer(request))
        except (TokenError, BadRequestError) as error:
            return answer({"error": str(error)}, 403)
        return self._token(check_claims(), CHECK_TOKEN_TTL_S)

    def _bearer(self, request: web.Request) -> tokens.Claims:
        token = bearer(request)
        if not token:
            raise TokenError("the request has no access token")
        return tokens.verify(token, self._keys, self._wall_clock())

    def _token(self, claims: dict[str, Any], ttl_s: float) -> web.Response:
        return answer({"token": tokens.mint(claims, self._signer(), self._wall_clock(), ttl_s), "url": ""})
