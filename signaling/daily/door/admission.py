"""Admission to a Daily room: whether a person may enter, as what, and for how long, decided over plain values.

The token's settings override the room's, which override the domain's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from signaling.daily import grants
from signaling.daily.properties import RoomProperties
from signaling.daily.rooms import DailyRoom
from signaling.daily.tokens import MeetingToken
from signaling.ids import UserId
from signaling.rooms.permissions import Permissions

RefusalType = Literal[
    "nbf-room", "nbf-token", "exp-room", "exp-token", "no-room", "meeting-full", "not-allowed"
]

# Settings for the page that a token may override.
_SHARED_SETTINGS = (
    "enable_screenshare",
    "start_video_off",
    "start_audio_off",
    "enable_recording",
    "enable_prejoin_ui",
    "enable_live_captions_ui",
    "enable_terse_logging",
    "lang",
    "redirect_on_meeting_exit",
)


@dataclass(frozen=True, slots=True)
class Admitted:
    """The person may enter."""

    permissions: Permissions
    name: str
    "Display name; empty if neither the token nor the person gives one."
    user_id: UserId | None
    "The application's user; None: not given, and Daily then shows the session id."
    is_owner: bool
    eject_at: float | None
    "When the attendance ends, in seconds since 1970; None: it is not limited."
    settings: RoomProperties
    "The settings for this person: token over room over domain."


@dataclass(frozen=True, slots=True)
class MustKnock:
    """The person has to knock; `admitted` applies once an owner admits the person."""

    admitted: Admitted


@dataclass(frozen=True, slots=True)
class Refused:
    """The person may not enter."""

    type: RefusalType
    "Daily's error type."
    message: str


def admit(
    room: DailyRoom | None,
    token: MeetingToken | None,
    *,
    now: float,
    present: int,
    user_name: str = "",
) -> Admitted | MustKnock | Refused:
    """Decide on admission. `now`: seconds since 1970; `present`: places taken; `user_name`: the person's own choice."""
    if room is None:
        return Refused("no-room", "The meeting you're trying to join does not exist.")
    properties = room.properties
    refused = _times(properties, token, now) or _rights(room, token)
    if refused is not None:
        return refused
    admitted = _admitted(properties, token, now, user_name)
    stranger = token is None and room.privacy == "private"
    if stranger and not properties.enable_knocking:
        return Refused("not-allowed", "You are not allowed to join this meeting")
    if stranger or (token is not None and token.properties.knocking):
        return MustKnock(admitted)
    if present >= properties.max_participants:
        return Refused("meeting-full", "Meeting is full")
    return admitted


def _times(room: RoomProperties, token: MeetingToken | None, now: float) -> Refused | None:
    if room.nbf is not None and now < room.nbf:
        return Refused("nbf-room", "The meeting you're trying to join is not open yet.")
    if room.exp is not None and now >= room.exp:
        return Refused("exp-room", "The meeting you're trying to join has ended.")
    if token is None:
        return None
    if token.properties.nbf is not None and now < token.properties.nbf:
        return Refused("nbf-token", "Your meeting token is not valid yet.")
    if token.properties.exp is not None and now >= token.properties.exp:
        return Refused("exp-token", "Your meeting token has expired.")
    return None


def _rights(room: DailyRoom, token: MeetingToken | None) -> Refused | None:
    if token is None:
        return None
    foreign = room.domain not in {token.domain.name, ""}
    if foreign or token.properties.room_name not in {None, room.name}:
        return Refused("not-allowed", "Your meeting token is not for this meeting.")
    return None


def _admitted(room: RoomProperties, token: MeetingToken | None, now: float, user_name: str) -> Admitted:
    is_owner = token is not None and token.properties.is_owner
    settings = _settings(room, {} if token is None else token.given)
    return Admitted(
        permissions=_permissions(room, settings, token, is_owner=is_owner),
        name=(token.properties.user_name if token is not None else None) or user_name,
        user_id=token.properties.user_id if token is not None else None,
        is_owner=is_owner,
        eject_at=_eject_at(room, token, now),
        settings=settings,
    )


def _settings(room: RoomProperties, given: Mapping[str, Any]) -> RoomProperties:
    said = {name: given[name] for name in _SHARED_SETTINGS if given.get(name) is not None}
    values = {name: getattr(room, name) for name in RoomProperties.__struct_fields__}
    return RoomProperties(**{**values, **said})


def _permissions(
    room: RoomProperties, settings: RoomProperties, token: MeetingToken | None, *, is_owner: bool
) -> Permissions:
    # Participants may change their own display name and other metadata.
    permissions = Permissions(can_update_own_metadata=True)
    if is_owner:
        permissions = grants.apply(grants.PermissionsPatch(can_admin=True), permissions)
    else:
        if room.owner_only_broadcast:
            permissions = grants.apply(grants.PermissionsPatch(can_send=False), permissions)
        permissions = grants.apply(room.permissions, permissions)
    permissions = grants.apply(token.properties.permissions if token is not None else None, permissions)
    return permissions if settings.enable_screenshare else grants.without_screen(permissions)


def _eject_at(room: RoomProperties, token: MeetingToken | None, now: float) -> float | None:
    given = None if token is None else token.properties
    if given is not None and (given.eject_at_token_exp or given.eject_after_elapsed is not None):
        # A token that limits the attendance overrides the room's limits.
        exp = given.exp if given.eject_at_token_exp else None
        elapsed = given.eject_after_elapsed
    else:
        exp = room.exp if room.eject_at_room_exp else None
        elapsed = room.eject_after_elapsed
    ends = (exp, None if elapsed is None else now + elapsed)
    return min((end for end in ends if end is not None), default=None)
