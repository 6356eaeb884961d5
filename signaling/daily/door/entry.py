"""What somebody who was admitted takes along into the room: the claims of their access token."""

from typing import Any

from signaling.access import tokens
from signaling.daily.door.admission import Admitted
from signaling.rooms.model import USER_ID, Participant, Visitor
from signaling.rooms.permissions import Permissions

# Which door somebody came through: those of Daily's are told on the topic `lectern.daily`.
DOOR, DAILY = "lectern.door", "daily"

IS_OWNER, YES = "lectern.is_owner", "true"

# Shown by pages to everybody: what LiveKit's clients do not tell each other of permissions, and the end of a stay.
CAN_ADMIN, EJECT_AT = "lectern.can_admin", "lectern.eject_at"


def claims(room_name: str, room_id: str, session_id: str, admitted: Admitted) -> dict[str, Any]:
    """Return the claims for `tokens.mint`; `session_id` is a new UUID, and becomes the identity.

    `room_id` is the `RoomConfig.id` of the room that they are for.
    """
    attributes = _attributes(admitted)
    bearer = tokens.Bearer(admitted.name, "", attributes, admitted.permissions, admitted.eject_at, room_id)
    return tokens.join_claims(room_name, session_id, bearer)


def visitor(knock_id: str, admitted: Admitted, now: float) -> Visitor:
    """Return somebody who has to knock, as the domain knows them."""
    return Visitor(
        knock_id, admitted.name, _attributes(admitted), admitted.permissions, admitted.eject_at, joined_at=now
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
    """Return the attribute that shows everybody what somebody may do about others; empty for nothing."""
    return ",".join(sorted(permissions.admin))


def is_by_daily(person: Participant) -> bool:
    """Whether somebody came through Daily's door."""
    return person.attributes.get(DOOR) == DAILY


def is_owner(person: Participant) -> bool:
    """Whether somebody's meeting token made them an owner."""
    return person.attributes.get(IS_OWNER) == YES
