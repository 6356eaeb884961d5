"""Time-limited TURN credentials from a secret shared with the relay, as coturn's `use-auth-secret` checks them.

Source: draft-uberti-behave-turn-rest-00. The relay keeps no list of users: a username contains its own expiry, and the
password proves that its creator knows the secret.
"""

import base64
import hmac
import re
from dataclasses import dataclass, field

__all__ = ["IceServer", "TurnConfigError", "ice_servers", "parse_turn_urls"]

# The username is one STUN attribute (RFC 8489 section 14.3: under 509 bytes) and a word in the relay's log, so the user
# part is limited to the characters of participant ids. With a ":", coturn could count against another user's quota.
_USER = re.compile(r"[A-Za-z0-9_.@-]{1,128}")

# RFC 7065 section 3.1, which defines only this query. Of hosts only the alphabet is checked, since the client resolves
# them.
_TURN_URL = re.compile(
    r"(?P<scheme>turns?):"
    r"(?P<host>[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?:\?transport=(?P<transport>udp|tcp))?",
)


class TurnConfigError(ValueError):
    """An unusable TURN setting; the message names it and the reason, and contains no secret."""


@dataclass(frozen=True, slots=True)
class IceServer:
    """One entry of WebRTC's `iceServers` (RTCIceServer)."""

    urls: tuple[str, ...]
    "The relay's `turn:` and `turns:` URLs (RFC 7065), in the operator's order."
    username: str
    "`<expiry>:<user>`, expiry in whole seconds since 1970."
    credential: str = field(repr=False)
    "The password for the username; not shown by `repr`, and so not in logs."


def parse_turn_urls(turn_url: str) -> tuple[str, ...]:
    """Split a comma-separated list of `turn:` and `turns:` URLs; empty text gives an empty tuple.

    TurnConfigError names the invalid entry.
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
    """Return one participant's `iceServers`: empty without a relay, otherwise one entry with every URL.

    `turn_url` is a comma-separated list; `user` identifies the participant to the relay, whose quota counts per user
    (letters, digits, `_.@-`; a participant id, not a display name); `now` is seconds since 1970; the credential is
    valid for `ttl_s` seconds from `now`. TurnConfigError for an unusable argument.
    """
    urls = parse_turn_urls(turn_url)
    if not urls:
        return ()
    if not secret:
        raise TurnConfigError("there is a TURN URL but no TURN secret: set both or neither")
    if not (secret.isascii() and secret.isprintable()):
        raise TurnConfigError("the TURN secret has characters outside printable ASCII")
    if _USER.fullmatch(user) is None:
        raise TurnConfigError(f"invalid user name for the relay: {user[:200]!r}")
    if ttl_s <= 0:
        raise TurnConfigError(f"the lifetime of a TURN credential must be above 0, not {ttl_s} s")
    username = f"{int(now) + ttl_s}:{user}"
    # The scheme (section 2.2) and coturn use HMAC-SHA1; SHA-1's collisions do not weaken HMAC.
    digest = hmac.digest(secret.encode(), username.encode(), "sha1")
    return (IceServer(urls, username, base64.b64encode(digest).decode()),)
