"""Access tokens in LiveKit's form: JSON Web Tokens (RFC 7519) signed with HMAC-SHA256 and nothing else.

The current time is an argument, so the library's own checks of times are off, and this module checks them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from signaling.access import private_claims, signed
from signaling.errors import BadRequestError, LimitError, TokenError
from signaling.ids import Identity, RoomName
from signaling.rooms.memory import MAX_CLOCK_LEAD_S
from signaling.rooms.model import RoomConfig
from signaling.rooms.permissions import ALL_ADMIN_RIGHTS, AdminRight, Permissions, Source
from signaling.rooms.rooms import MAX_NAME_CHARS, check_profile

# The clocks of the application's server and of this one may differ by this much (LiveKit's value).
LEEWAY_S = MAX_CLOCK_LEAD_S

# A refreshed token is valid at least this long, so that a client can reconnect with it (LiveKit's value).
MIN_REFRESH_TTL_S = 600

# Participant kinds that tokens may name.
KINDS = frozenset({"standard", "ingress", "egress", "sip", "agent", "connector", "bridge"})

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Claims:
    """The content of a verified token."""

    identity: Identity
    "`sub`, otherwise `jti`; may be empty for server APIs."
    room: RoomName
    "The room to which the grants apply; may be empty."
    room_join: bool
    "Permission to join that room."
    permissions: Permissions
    "What the participant may do."
    name: str = ""
    "Display name."
    kind: str = "standard"
    "Participant kind."
    kind_details: tuple[str, ...] = ()
    "Details of `kind`."
    metadata: str = ""
    "Initial metadata."
    attributes: Mapping[str, str] = field(default_factory=dict)
    "Initial attributes."
    room_config: RoomConfig | None = None
    "For a room that this join creates."
    leaves_at: float | None = None
    "When the attendance ends, in seconds since 1970."
    room_id: str | None = None
    "See `PrivateClaims.room_id`."
    profile_kept: bool = False
    "See `PrivateClaims.profile_kept`."
    valid_from: float = 0.0
    "`nbf`, which SDKs set to the time of creation; seconds since 1970, 0 if absent."
    expires_at: float = 0.0
    "Seconds since 1970."
    key: str = ""
    "The API key that signed it."
    raw: Mapping[str, Any] = field(default_factory=dict)
    "The whole payload, for the token's refreshed successors."


@dataclass(frozen=True, slots=True)
class Bearer:
    """The current profile and permissions of a participant."""

    name: str
    "Display name."
    metadata: str
    "Set by the application."
    attributes: Mapping[str, str]
    "Set by the application."
    permissions: Permissions
    "Current permissions."
    leaves_at: float | None = None
    "When the attendance ends, in seconds since 1970."
    room_id: str | None = None
    "See `PrivateClaims.room_id`."
    profile_kept: bool = False
    "See `PrivateClaims.profile_kept`."


@dataclass(frozen=True, slots=True)
class Signer:
    """An API key and its secret."""

    key: str
    "The key's id, the issuer of the token."
    secret: str = field(repr=False)
    "Signs the token; not shown by `repr`, and so not in logs."


def verify(token: str, keys: Mapping[str, str], now: float) -> Claims:
    """Check a token's signature, issuer and times, and return its content.

    `keys` maps API keys to secrets; `now` is seconds since 1970. TokenError, and nothing else.
    """
    try:
        issuer = signed.peek(token).get("iss")
        secret = keys.get(issuer) if isinstance(issuer, str) else None
        if secret is None:
            raise TokenError("the access token names no API key of this server")
        payload = signed.verify(token, secret)
    except signed.SignatureError as error:
        raise TokenError(f"the access token cannot be used: {error}") from error
    try:
        return _claims(payload, now)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise TokenError("the access token cannot be read") from error


def mint(claims: Mapping[str, Any], signer: Signer, now: float, ttl_s: float) -> str:
    """Return a signed token; `claims` holds all claims but the issuer and the times."""
    payload = {**claims, "iss": signer.key, "nbf": int(now), "exp": int(now + ttl_s)}
    return signed.sign(payload, signer.secret)


def refresh(claims: Claims, bearer: Bearer, signer: Signer, now: float) -> str:
    """Return a successor of a token with the participant's current profile and permissions."""
    video = _mapping(claims.raw, "video")
    is_admin = video.get("roomAdmin") is True and bearer.permissions.admin == ALL_ADMIN_RIGHTS
    updated = {
        **{claim: value for claim, value in claims.raw.items() if claim not in {"iat", "jti"}},
        "sub": claims.identity,
        "name": bearer.name,
        "metadata": bearer.metadata,
        "attributes": dict(bearer.attributes),
        "video": {**video, **_grants(bearer.permissions), "roomAdmin": is_admin},
        private_claims.NAME: _private(bearer),
    }
    return mint(updated, signer, now, max(MIN_REFRESH_TTL_S, claims.expires_at - now))


def moved(claims: Claims, room: RoomName) -> Claims:
    """Return the claims of a participant that the server moved to another room."""
    video = {**_mapping(claims.raw, "video"), "room": room}
    return replace(claims, room=room, raw={**claims.raw, "video": video})


def join_claims(room: RoomName, identity: Identity, bearer: Bearer) -> dict[str, Any]:
    """Return the claims, for `mint`, that admit a participant to a room with the given profile and permissions."""
    return {
        "sub": identity,
        "name": bearer.name,
        "metadata": bearer.metadata,
        "attributes": dict(bearer.attributes),
        "video": {"room": room, "roomJoin": True, **_grants(bearer.permissions)},
        private_claims.NAME: _private(bearer),
    }


def _private(bearer: Bearer) -> dict[str, Any]:
    return private_claims.encode(
        bearer.permissions, bearer.leaves_at, bearer.room_id, profile_kept=bearer.profile_kept
    )


def check_room(claims: Claims, config: RoomConfig | None) -> None:
    """Raise TokenError if the token does not open this durable room; None: no application created the room."""
    config = config or RoomConfig()
    if config.sealed and claims.room_id != config.id:
        raise TokenError("this room belongs to a teaching session, which gives out its tokens")
    if claims.room_id is None:
        return
    if claims.room_id == "" and config.is_private:
        raise TokenError("this room can only be entered through its own page")
    if claims.room_id not in {"", config.id}:
        raise TokenError("the access token is for a room that no longer exists")


def check_join(claims: Claims) -> None:
    """Raise TokenError if the token does not allow joining, BadRequestError if it lacks a value or has a bad one."""
    if not claims.room_join:
        raise TokenError("the access token does not allow joining a room")
    if not claims.room:
        raise BadRequestError("the access token names no room")
    if not claims.identity:
        raise BadRequestError("the access token names no identity")
    if len(claims.identity) > MAX_NAME_CHARS or len(claims.room) > MAX_NAME_CHARS:
        raise BadRequestError(f"identity or room name is longer than {MAX_NAME_CHARS} characters")
    try:
        check_profile(claims.name, claims.metadata, claims.attributes)
        if claims.room_config is not None:
            check_profile("", claims.room_config.metadata, {})
    except LimitError as error:
        raise BadRequestError(str(error)) from error


def _claims(payload: Mapping[str, Any], now: float) -> Claims:
    expires_at = _number(payload, "exp")
    if expires_at is None:
        raise TokenError("the access token has no expiry")
    if now > expires_at + LEEWAY_S:
        raise TokenError("the access token has expired")
    if now < (_number(payload, "nbf") or 0.0) - LEEWAY_S:
        raise TokenError("the access token is not valid yet")
    video = _mapping(payload, "video")
    private = private_claims.decode(payload)
    kind = _get(payload, "kind", str, "") or "standard"
    if kind not in KINDS:
        raise TokenError("the access token names an unknown kind of participant")
    return Claims(
        identity=Identity(_get(payload, "sub", str, "") or _get(payload, "jti", str, "")),
        room=RoomName(_get(video, "room", str, "")),
        room_join=_get(video, "roomJoin", bool, False),
        permissions=replace(
            _permissions(video),
            receiving=private.receiving,
            admin=_admin(video) if private.admin is None else private.admin,
        ),
        name=_get(payload, "name", str, ""),
        kind=kind,
        kind_details=_strings(payload, "kindDetails"),
        metadata=_get(payload, "metadata", str, ""),
        attributes=_attributes(payload),
        room_config=_room_config(_mapping(payload, "roomConfig")),
        leaves_at=private.leaves_at,
        room_id=private.room_id,
        profile_kept=private.profile_kept,
        valid_from=_number(payload, "nbf") or _number(payload, "iat") or 0.0,
        expires_at=expires_at,
        key=payload["iss"],
        raw=payload,
    )


def _admin(video: Mapping[str, Any]) -> frozenset[AdminRight]:
    return ALL_ADMIN_RIGHTS if _get(video, "roomAdmin", bool, False) else frozenset()


def _permissions(video: Mapping[str, Any]) -> Permissions:
    can_publish = _get(video, "canPublish", bool, True)
    return Permissions(
        can_subscribe=_get(video, "canSubscribe", bool, True),
        can_publish=can_publish,
        can_publish_data=_get(video, "canPublishData", bool, can_publish),
        can_publish_sources=tuple(_source(name) for name in _strings(video, "canPublishSources")),
        can_update_own_metadata=_get(video, "canUpdateOwnMetadata", bool, False),
        hidden=_get(video, "hidden", bool, False),
        recorder=_get(video, "recorder", bool, False),
        agent=_get(video, "agent", bool, False),
        can_subscribe_metrics=_get(video, "canSubscribeMetrics", bool, False),
        can_manage_agent_session=_get(video, "canManageAgentSession", bool, False),
    )


def _grants(permissions: Permissions) -> dict[str, Any]:
    return {
        "canSubscribe": permissions.can_subscribe,
        "canPublish": permissions.can_publish,
        "canPublishData": permissions.can_publish_data,
        "canPublishSources": [source.value for source in permissions.can_publish_sources],
        "canUpdateOwnMetadata": permissions.can_update_own_metadata,
        "hidden": permissions.hidden,
        "recorder": permissions.recorder,
        "agent": permissions.agent,
        "canSubscribeMetrics": permissions.can_subscribe_metrics,
        "canManageAgentSession": permissions.can_manage_agent_session,
    }


def _source(name: str) -> Source:
    try:
        return Source(name.lower())
    except ValueError:
        return Source.UNKNOWN


def _room_config(config: Mapping[str, Any]) -> RoomConfig | None:
    # The JSON form of a protobuf message: lowerCamelCase names; the message's own names are accepted as well.
    if not config:
        return None
    defaults = RoomConfig()
    return RoomConfig(
        empty_timeout_s=_count(config, "emptyTimeout", "empty_timeout") or defaults.empty_timeout_s,
        departure_timeout_s=_count(config, "departureTimeout", "departure_timeout")
        or defaults.departure_timeout_s,
        max_participants=_count(config, "maxParticipants", "max_participants") or 0,
        metadata=_get(config, "metadata", str, ""),
    )


def _count(config: Mapping[str, Any], *names: str) -> int | None:
    value = next((config[name] for name in names if config.get(name) is not None), None)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
        value = int(value)
    if value is not None and (
        not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**32
    ):
        raise TokenError(f"the access token's {names[0]} is not a valid number")
    return value


def _get(claims: Mapping[str, Any], name: str, kind: type[T], default: T) -> T:
    value = claims.get(name)
    if value is None:
        return default
    if not isinstance(value, kind) or (kind is str and not _is_text(value)):
        raise TokenError(f"the access token's {name} has the wrong type")
    return value


def _number(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    # The upper bound keeps arithmetic on times exact and is beyond the year 100,000,000.
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not abs(value) < 2**53:
        raise TokenError(f"the access token's {name} is not a valid time")
    return float(value)


def _mapping(claims: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value: dict[str, Any] = _get(claims, name, dict, {})
    return value


def _strings(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values: list[Any] = _get(claims, name, list, [])
    if not all(_is_text(value) for value in values):
        raise TokenError(f"the access token's {name} is not a list of strings")
    return tuple(values)


def _attributes(claims: Mapping[str, Any]) -> dict[str, str]:
    attributes = _mapping(claims, "attributes")
    if not all(_is_text(name) and _is_text(value) for name, value in attributes.items()):
        raise TokenError("the access token's attributes are not strings")
    return dict(attributes)


def _is_text(value: object) -> bool:
    # JSON can express lone surrogates, which cannot be encoded and so cannot be sent to any client.
    if not isinstance(value, str):
        return False
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True
