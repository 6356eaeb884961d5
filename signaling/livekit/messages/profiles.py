"""Profiles that are too large for an access token.

Browsers send their token in the address of the WebSocket, for which this server takes 64 KiB. A participant may have
512 KiB of metadata, and a refreshed token of that size would be refused. It says instead that the server keeps them.
"""

from collections.abc import Mapping
from dataclasses import replace

from signaling.access.tokens import Bearer, Claims
from signaling.ids import Identity
from signaling.rooms.memory import Memory
from signaling.rooms.model import RESERVED_PREFIX

# As base64 a third more. The join request beside the token has 2 to 3 KB, and 64 KiB are the limit of both.
MAX_IN_TOKEN_BYTES = 16 * 1024

# All together; the oldest go. Those of people who are in a room are not in memory twice.
MAX_KEPT_BYTES = 64 * 1024 * 1024


class Profiles:
    """Metadata and attributes of those whose tokens lack them, by room and identity."""

    def __init__(self) -> None:
        """Nothing is kept."""
        self._kept: Memory[tuple[str, str], tuple[str, Mapping[str, str]]] = Memory(
            max_size=MAX_KEPT_BYTES, size=lambda kept: _size(*kept)
        )

    def shorten(self, room: str, identity: Identity, bearer: Bearer, now: float) -> Bearer:
        """Return what the token can carry, and keep what it cannot; `now` is seconds since 1970."""
        if _size(bearer.metadata, bearer.attributes) <= MAX_IN_TOKEN_BYTES:
            return bearer
        self._kept.put((room, identity), (bearer.metadata, bearer.attributes), now)
        # Who somebody is decides who may enter, and these are short.
        own = {name: value for name, value in bearer.attributes.items() if name.startswith(RESERVED_PREFIX)}
        return replace(bearer, metadata="", attributes=own, profile_kept=True)

    def complete(self, claims: Claims, now: float) -> Claims:
        """Return the claims of a token with the profile that was kept for it, as far as it still is."""
        kept = self._kept.get((claims.room, claims.identity), now) if claims.profile_kept else None
        if kept is None:
            return claims
        metadata, attributes = kept
        return replace(claims, metadata=metadata, attributes={**attributes, **claims.attributes})


def _size(metadata: str, attributes: Mapping[str, str]) -> int:
    return len(metadata.encode()) + sum(
        len(name.encode()) + len(value.encode()) for name, value in attributes.items()
    )
