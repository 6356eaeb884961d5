"""Meeting tokens: minted here or signed by the application itself, in the same documented form.

A JSON Web Token signed (HS256) with the domain's API key; claims are abbreviated properties, and `d`, the domain's id.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from signaling.access import signed
from signaling.daily import grants
from signaling.daily.properties import TokenProperties, parse
from signaling.daily.rest.domains import Domain, Domains
from signaling.daily.rest.errors import DailyError, invalid

# As Daily documents them; the last ones have no published abbreviation.
_SHORT = {
    "nbf": "nbf",
    "exp": "exp",
    "room_name": "r",
    "user_id": "ud",
    "user_name": "u",
    "is_owner": "o",
    "knocking": "k",
    "close_tab_on_exit": "ctoe",
    "redirect_on_meeting_exit": "rome",
    "intercom_join_alert": "ij",
    "start_cloud_recording": "sr",
    "start_cloud_recording_opts": "sro",
    "auto_start_transcription": "ast",
    "enable_recording": "er",
    "enable_screenshare": "ss",
    "start_video_off": "vo",
    "start_audio_off": "ao",
    "meeting_join_hook": "mjh",
    "eject_at_token_exp": "ejt",
    "eject_after_elapsed": "eje",
    "lang": "uil",
    "enable_recording_ui": "erui",
    "permissions": "p",
    "enable_prejoin_ui": "enable_prejoin_ui",
    "enable_live_captions_ui": "enable_live_captions_ui",
    "enable_terse_logging": "enable_terse_logging",
}
_LONG = {short: name for name, short in _SHORT.items()}

# A token of 2048 characters is what Daily recommends; beyond this none is looked at.
MAX_TOKEN_CHARS = 16 * 1024


class MeetingTokenError(Exception):
    """A token that is malformed, forged, or of no domain here."""


@dataclass(frozen=True, slots=True)
class MeetingToken:
    """A token with a valid signature; `admission` checks its times and its room."""

    domain: Domain
    "Whose."
    properties: TokenProperties
    "Typed, with defaults."
    given: Mapping[str, Any]
    "Those that the token sets, by their long names."


def mint(domain: Domain, given: Mapping[str, Any], now: float) -> str:
    """Return a token with these properties (long names). DailyError."""
    properties: dict[str, Any] = msgspec.to_builtins(parse(TokenProperties, given))
    if "permissions" in properties:
        properties["permissions"] = grants.shorten(properties["permissions"])
    # An explicit value is stored even if it equals the default: a token overrides its room.
    said = {name: value for name, value in given.items() if name in _SHORT and value is not None}
    claims = {_SHORT[name]: value for name, value in {**said, **properties}.items()}
    return signed.sign({**claims, "d": domain.id, "iat": int(now)}, domain.secret)


def verify(token: str, domains: Domains) -> MeetingToken:
    """Check a token's signature and types, and return its content. MeetingTokenError, and nothing else."""
    if len(token) > MAX_TOKEN_CHARS:
        raise MeetingTokenError("the token is too long")
    try:
        claimed = signed.peek(token).get("d")
        domain = domains.by_id(claimed) if isinstance(claimed, str) else None
        if domain is None:
            raise MeetingTokenError("the token names no domain of this server")
        payload = signed.verify(token, domain.secret)
    except signed.SignatureError as error:
        raise MeetingTokenError(f"the token cannot be used: {error}") from error
    given = {_LONG[name]: value for name, value in payload.items() if name in _LONG}
    if isinstance(given.get("permissions"), Mapping):
        given["permissions"] = grants.expand(given["permissions"])
    try:
        return MeetingToken(domain, parse(TokenProperties, given), given)
    except DailyError as error:
        raise MeetingTokenError(str(error)) from error


def read(token: str, domain: Domain, domains: Domains, now: float, *, ignore_nbf: bool) -> dict[str, Any]:
    """Return the properties of a domain's token that is good now. DailyError."""
    try:
        meeting_token = verify(token, domains)
    except MeetingTokenError as error:
        raise invalid(str(error)) from error
    properties = meeting_token.properties
    if meeting_token.domain != domain:
        raise invalid("the token is of another domain")
    if properties.exp is not None and now >= properties.exp:
        raise invalid("the token is expired")
    if properties.nbf is not None and now < properties.nbf and not ignore_nbf:
        raise invalid("the token is not valid yet")
    return {name: value for name, value in meeting_token.given.items() if value is not None}
