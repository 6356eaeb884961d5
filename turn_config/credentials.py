"""Time-limited TURN credentials by a secret shared with the relay, as coturn's `use-auth-secret` checks them.

Source: draft-uberti-behave-turn-rest-00. The relay keeps no list of users: a username carries its own expiry,
and the password proves that whoever made it knows the secret.
"""

import base64
import hmac
import re
from dataclasses import dataclass, field

__all__ = ["IceServer", "TurnConfigError", "ice_servers", "parse_turn_urls"]

# The username is one STUN attribute (RFC 8489 section 14.3: under 509 bytes) and a word in the relay's log:
# the user part is held to what a participant id can contain. A ":" could make coturn count another's quota.
_USER = re.compile(r"[A-Za-z0-9_.@-]{1,128}")

# RFC 7065 section 3.1. The query is the only one it defines. Hosts are checked for their alphabet only: the
# client resolves them.
_TURN_URL = re.compile(
    r"(?P<scheme>turns?):"
    r"(?P<host>[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?:\?transport=(?P<transport>udp|tcp))?",
)


class TurnConfigError(ValueError):
    """A TURN setting that cannot be used; the message says which one and why, and quotes no secret."""


@dataclass(frozen=True, slots=True)
class IceServer:
    """One entry of WebRTC's `iceServers` (RTCIceServer)."""

    urls: tuple[str, ...]
    "The relay's `turn:` and `turns:` addresses (RFC 7065), in the operator's order."
    username: str
    "`<expiry>:<user>`, expiry in whole seconds since 1970."
    credential: str = field(repr=False)
    "The password that goes with the username; kept out of `repr` and so out of logs."


def parse_turn_urls(turn_url: str) -> tuple[str, ...]:
    """Split a comma-separated list of `turn:` and `turns:` URLs; empty text gives an empty tuple.

    TurnConfigError names the entry that is no such URL.
    """
    urls = tuple(entry for part in turn_url.split(",") if (entry := part.strip()))
    for url in urls:
        match = _TURN_URL.fullmatch(url)
        if match is None or not 0 < int(match["port"] or 3478) < 65536:
            raise TurnConfigError(
                f"not a TURN URL like turns:turn.example.org:443?transport=tcp: {url[:200]!r}"
            )
    return urls


def ice_servers(turn_url: str, secret: str, user: str, now: float, ttl_s: int) -> tuple[IceServer, ...]:
    """Return what one participant's `iceServers` holds: no entry without a relay, else one with every URL.

    `turn_url` is a comma-separated list; `user` names the participant towards the relay, whose quota counts
    per user (letters, digits, `_.@-`; a participant id, not a display name); `now` is seconds since 1970; the
    credential is good for `ttl_s` seconds from then. TurnConfigError for anything unusable.
    """
    urls = parse_turn_urls(turn_url)
    if not urls:
        return ()
    if not secret:
        raise TurnConfigError("a TURN URL without a TURN secret: set both or neither")
    if not (secret.isascii() and secret.isprintable()):
        raise TurnConfigError("the TURN secret has characters outside printable ASCII")
    if _USER.fullmatch(user) is None:
        raise TurnConfigError(f"not a user name for the relay: {user[:200]!r}")
    if ttl_s <= 0:
        raise TurnConfigError(f"a TURN credential must live for some time, not {ttl_s} s")
    username = f"{int(now) + ttl_s}:{user}"
    # HMAC-SHA1 is the scheme's (section 2.2) and what coturn computes; SHA-1's collisions do not weaken HMAC.
    digest = hmac.digest(secret.encode(), username.encode(), "sha1")
    return (IceServer(urls, username, base64.b64encode(digest).decode()),)
