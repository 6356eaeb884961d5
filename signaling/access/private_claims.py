"""The claim `lectern` of access tokens: permissions without a LiveKit grant, preserved across a reconnect."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import msgspec

from signaling.errors import TokenError
from signaling.rooms.permissions import AdminRight, Permissions, Receiving

NAME = "lectern"


@dataclass(frozen=True, slots=True)
class PrivateClaims:
    """The content of the claim; a token without the claim has the defaults."""

    receiving: Receiving = field(default_factory=Receiving)
    "See `Permissions.receiving`."
    admin: frozenset[AdminRight] | None = None
    "See `Permissions.admin`; None: decided by LiveKit's grant `roomAdmin`."
    leaves_at: Annotated[float, msgspec.Meta(ge=0, lt=2**53)] | None = None
    "See `Participant.leaves_at`."
    room_id: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    "The token is for the room with this `RoomConfig.id`, not for a later one of the same name; None: for any room."
    profile_kept: bool = False
    "The server keeps metadata and attributes, which are too large for a token."


def encode(
    permissions: Permissions,
    leaves_at: float | None,
    room_id: str | None = None,
    *,
    profile_kept: bool = False,
) -> dict[str, Any]:
    """Return the claim without default values, to keep it short: browsers send their token in a URL."""
    claims = PrivateClaims(permissions.receiving, permissions.admin, leaves_at, room_id, profile_kept)
    return {name: value for name, value in _plain(claims).items() if value != _USUAL[name]}


def _plain(claims: PrivateClaims) -> dict[str, Any]:
    # Sorted, so that equal permissions give equal tokens.
    plain: dict[str, Any] = msgspec.to_builtins(claims, order="sorted")
    return plain


_USUAL = _plain(PrivateClaims())


def decode(claims: Mapping[str, Any]) -> PrivateClaims:
    """Return the private claims of a token. TokenError."""
    try:
        return msgspec.convert(claims.get(NAME, {}), PrivateClaims)
    except (msgspec.ValidationError, ValueError, OverflowError, RecursionError) as error:
        # All but the first are raised for values that JSON allows but text cannot hold, such as lone surrogates.
        raise TokenError(f"the access token's {NAME} is invalid") from error
