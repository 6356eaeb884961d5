"""What somebody gets who joins: a LiveKit token for the room, a token for this API, and addresses."""

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import msgspec

from classroom.features import breakouts
from classroom.ids import PersonId, SessionId
from classroom.roles import STAFF
from classroom.state import Classroom
from signaling.access import tokens
from signaling.access.keyring import Keyring
from signaling.ids import Identity
from signaling.sessions_api.callers import ALL_SESSIONS, Caller, TenantRole
from signaling.store.tenants import tenant_parts
from signaling.teaching.grants import permissions_of
from signaling.teaching.names import room_name

# Longer than the longest session (`classroom.limits.DURATION_S`): a page that reloads in the evening still gets in.
TTL_S: Final = 13 * 3600.0

# Attributes that only the server sets (`signaling.rooms.model.RESERVED_PREFIX`).
ROLE_ATTRIBUTE: Final = "lectern.role"
SESSION_ATTRIBUTE: Final = "lectern.session"


class Credentials(msgspec.Struct, frozen=True):
    """How to come in."""

    token: str
    "A LiveKit access token for `room`; any LiveKit client joins with it at `ws_url`."
    access_token: str
    "A bearer token of this API for this session, for the page."
    join_url: str
    "A page that is complete in itself, also in an iframe; the access token is behind the `#`."
    room_url: str
    "The address of the room's page without the session around it, for `token`."
    ws_url: str
    "The address for LiveKit clients."
    room: str
    "Name of the room."
    expires_at: float
    "When the tokens expire, seconds since 1970."


def make(keyring: Keyring, caller: Caller, room: Classroom, person_id: PersonId, now: float) -> Credentials:
    """Return the credentials of somebody who is in the session."""
    person = room.people.everyone[person_id]
    signer = keyring.successor(caller.key)
    session_id = room.session.id
    media_room = room_name(session_id, breakouts.place(room, person_id))
    bearer = tokens.Bearer(
        name=person.name,
        metadata="",
        attributes={ROLE_ATTRIBUTE: person.role.value, SESSION_ATTRIBUTE: session_id},
        permissions=permissions_of(room, person_id),
        room_id=session_id,
    )
    token = tokens.mint(tokens.join_claims(media_room, Identity(person_id), bearer), signer, now, TTL_S)
    role = TenantRole.TUTOR if person.role in STAFF else TenantRole.STUDENT
    access_token = api_token(signer, caller, person_id, person.name, role, now=now, session=session_id)
    return Credentials(
        token=token,
        access_token=access_token,
        join_url=f"{caller.origin}/sessions/{quote(session_id)}#access_token={access_token}",
        room_url=f"{caller.origin}/join/{quote(session_id)}",
        ws_url=_websocket(caller.origin),
        room=media_room,
        expires_at=float(int(now + TTL_S)),
    )


def api_token(  # noqa: PLR0913 - the claims of one token
    signer: tokens.Signer,
    caller: Caller,
    person: PersonId,
    name: str,
    role: TenantRole,
    *,
    now: float,
    session: SessionId = ALL_SESSIONS,
    ttl_s: float = TTL_S,
) -> str:
    """Return a token of this API for a person of the caller's tenant."""
    claims = {
        "sub": person,
        "name": name,
        "role": role.value,
        "tenant": tenant_parts(caller.tenant)[1],
        "session": session,
    }
    return tokens.mint({key: value for key, value in claims.items() if value}, signer, now, ttl_s)


def _websocket(origin: str) -> str:
    return "ws" + origin.removeprefix("http")


Mint = Callable[[Caller, Classroom, str, float], Credentials]
"Returns the credentials of somebody who is in a session."
