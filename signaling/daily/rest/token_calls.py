"""Daily's calls about meeting tokens and about the domain itself."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from signaling.daily import tokens
from signaling.daily.properties import ROOM_SCHEMA, TOKEN_SCHEMA, RoomProperties, TokenProperties, check_exp
from signaling.daily.rest.domains import Domains
from signaling.daily.rest.style import Caller
from signaling.daily.rest.unsupported import name_unsupported
from signaling.daily.rooms import DailyRooms
from signaling.http.api import Route

Token = Annotated[str, msgspec.Meta(max_length=tokens.MAX_TOKEN_CHARS)]


class NewToken(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A token to create."""

    properties: Annotated[dict[str, Any], msgspec.Meta(extra_json_schema=TOKEN_SCHEMA)] | None = None


class TokenAnswer(msgspec.Struct, frozen=True):
    """A token."""

    token: str


class TokenQuery(msgspec.Struct, frozen=True, rename="camel"):
    """How a token is to be checked."""

    ignore_nbf: bool = False
    "Accept a token that is not valid yet."


class DomainChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A change of the domain's properties; null resets one to its default."""

    properties: Annotated[dict[str, Any], msgspec.Meta(extra_json_schema=ROOM_SCHEMA)] | None = None


class DomainAnswer(msgspec.Struct, frozen=True):
    """The domain of the key."""

    domain_name: str
    domain_id: str
    "The claim `d` of self-signed tokens."
    config: dict[str, Any]


class TokenCalls:
    """The handlers."""

    def __init__(self, domains: Domains, rooms: DailyRooms, wall_clock: Callable[[], float]) -> None:
        """`wall_clock` is seconds since 1970."""
        self._domains = domains
        self._rooms = rooms
        self._wall_clock = wall_clock

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("POST", "/meeting-tokens", self.create_meeting_token),
            Route("GET", "/meeting-tokens/{token}", self.get_meeting_token),
            Route("GET", "/", self.get_domain),
            Route("POST", "/", self.update_domain),
        ]

    async def create_meeting_token(self, caller: Caller, body: NewToken) -> TokenAnswer:
        """Make a meeting token."""
        given = body.properties or {}
        now = self._wall_clock()
        check_exp(given, now)
        token = tokens.mint(caller.domain, given, now)
        name_unsupported(caller, TokenProperties, [given])
        return TokenAnswer(token)

    async def get_meeting_token(self, caller: Caller, token: Token, query: TokenQuery) -> dict[str, Any]:
        """Return what a meeting token says, if it is good."""
        now = self._wall_clock()
        return tokens.read(token, caller.domain, self._domains, now, ignore_nbf=query.ignore_nbf)

    async def get_domain(self, caller: Caller) -> DomainAnswer:
        """Return the domain and its settings for rooms."""
        config = await self._rooms.domain_config(caller.domain.name)
        return DomainAnswer(caller.domain.name, caller.domain.id, config)

    async def update_domain(self, caller: Caller, body: DomainChange) -> DomainAnswer:
        """Change what the domain sets for its rooms."""
        config = await self._rooms.configure_domain(caller.domain, body.properties or {})
        name_unsupported(caller, RoomProperties, [body.properties])
        return DomainAnswer(caller.domain.name, caller.domain.id, config)
