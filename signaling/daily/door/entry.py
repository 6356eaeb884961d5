"""The claims of an admitted person's access token."""

from typing import Any

from signaling.access import tokens
from signaling.daily.door.admission import Admitted
from signaling.ids import Identity, RoomName
from signaling.rooms.model import USER_ID, Participant, Visitor
from signaling.rooms.permissions import Permissions

# The API that admitted a participant. Participants that Daily's page admitted receive messages on the topic
# `lectern.daily`.
DOOR, DAILY = "lectern.door", "daily"

IS_OWNER, YES = "lectern.is_owner", "true"

# Shown to all participants by pages: permissions that LiveKit's clients do not show, and the end of the attendance.
CAN_ADMIN, EJECT_AT = "lectern.can_admin", "lectern.eject_at"


def claims(room_name: RoomName, room_id: str, session_id: Identity, admitted: Admitted) -> dict[str, Any]:
    """Return the claims for `tokens.mint`; `session_id` is a new UUID, and becomes the identity.

    `room_id` is the `RoomConfig.id` of the room.
    """
    attributes = _attributes(admitted)
    bearer = tokens.Bearer(admitted.name, "", attributes, admitted.permissions, admitted.eject_at, room_id)
    return tokens.join_claims(room_name, session_id, bearer)


def visitor(knock_id: str, admitted: Admitted, now: float) -> Visitor:
    """Return the domain's visitor for a person who has to knock."""
    return Visitor(
        Identity(knock_id),
        admitted.name,
        _attributes(admitted),
        admitted.permissions,
        admitted.eject_at,
        joined_at=now,
    )


def _attributes(admitted: Admitted) -> dict[str, str]:
    attributes = {DOOR: DAILY}
    if admitted.user_id:
        attributes[USER_ID] = admitted.user_id
    if admitted.is_owner:
        attributes[IS_OWNER] = YES
    if admitted.permissions.admin:
        attributes[CAN_ADMIN] = shown_rights(admitted.permissions)
    if admitted.eject_at is not None:
        attributes[EJECT_AT] = str(admitted.eject_at)
    return attributes


def shown_rights(permissions: Permissions) -> str:
    """Return the attribute that shows all participants a participant's admin rights; empty for none."""
    return ",".join(sorted(permissions.admin))


def is_by_daily(person: Participant) -> bool:
    """Whether a participant was admitted by Daily's page."""
    return person.attributes.get(DOOR) == DAILY


def is_owner(person: Participant) -> bool:
    """Whether a participant's meeting token made the participant an owner."""
    return person.attributes.get(IS_OWNER) == YES
