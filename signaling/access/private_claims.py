"""What LiveKit's grants have no name for: the claim `lectern` of access tokens, so that it outlives a reconnect."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

from signaling.errors import TokenError
from signaling.rooms.permissions import AdminRight, Permissions, Receiving

NAME = "lectern"


@dataclass(frozen=True, slots=True)
class PrivateClaims:
    """The content of the claim; an absent one is that of a token which says nothing."""

    receiving: Receiving = field(default_factory=Receiving)
    "See `Permissions.receiving`."
    admin: frozenset[AdminRight] | None = None
    "See `Permissions.admin`; None: as LiveKit's `roomAdmin` says."
    leaves_at: Annotated[float, msgspec.Meta(ge=0, lt=2**53)] | None = None
    "See `Participant.leaves_at`."
    room_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    "The room of this `RoomConfig.id` and no later one of the same name; None: an application's word, for any room."


def encode(permissions: Permissions, leaves_at: float | None, room_id: str | None = None) -> dict[str, Any]:
    """Return the claim, without what is as usual: browsers send their token in an address."""
    claims = PrivateClaims(permissions.receiving, permissions.admin, leaves_at, room_id)
    return {name: value for name, value in _plain(claims).items() if value != _USUAL[name]}


def _plain(claims: PrivateClaims) -> dict[str, Any]:
    # Sorted, so that equal permissions make equal tokens.
    plain: dict[str, Any] = msgspec.to_builtins(claims, order="sorted")
    return plain


_USUAL = _plain(PrivateClaims())


def decode(claims: Mapping[str, Any]) -> PrivateClaims:
    """Return what the claim in a token says. TokenError."""
    try:
        return msgspec.convert(claims.get(NAME, {}), PrivateClaims)
    except (msgspec.ValidationError, ValueError, OverflowError, RecursionError) as error:
        # Others than the first come of what JSON can spell and no text can hold, such as lone surrogates.
        raise TokenError(f"the access token's {NAME} cannot be used") from error
