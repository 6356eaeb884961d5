"""Daily's calls about the people in a room, and what is said to them."""

from typing import Annotated, Any, Literal

import msgspec

from signaling.daily import grants, notices
from signaling.daily.grants import PermissionsPatch
from signaling.daily.meetings import meeting_id
from signaling.daily.rest.errors import invalid, not_found
from signaling.daily.rest.javascript import iso
from signaling.daily.rest.pages import MAX_PAGE
from signaling.daily.rest.room_calls import RoomNameParameter
from signaling.daily.rest.style import Caller
from signaling.daily.rooms import DailyRooms
from signaling.http.api import Route
from signaling.ids import Identity, RoomName, UserId
from signaling.rooms.model import USER_ID, Participant, Room
from signaling.rooms.services import Services

# Daily's, of the JSON's text.
MAX_APP_MESSAGE_CHARS = 4096

# What one packet brings to a page; Daily lets it be 102,400 characters.
MAX_SESSION_DATA_BYTES = 60_000

# Its characters may be escaped, each as six.
MAX_SESSION_BODY_BYTES = 384 * 1024

EVERYBODY = Identity("*")


class PresenceQuery(msgspec.Struct, frozen=True, rename="camel"):
    """Whose presence."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGE)] = MAX_PAGE
    user_id: UserId | None = None
    user_name: str | None = None


class Presence(msgspec.Struct, frozen=True, rename="camel"):
    """Somebody who is in a room."""

    room: RoomName
    id: Identity
    "The session id."
    user_id: UserId | None
    user_name: str
    mtg_session_id: str
    join_time: str
    duration: int
    "Seconds so far."


class PresencePage(msgspec.Struct, frozen=True):
    """Those who are in a room."""

    total_count: int
    data: list[Presence]


class Ejection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who is to be sent out."""

    ids: Annotated[list[Annotated[Identity, msgspec.Meta(max_length=256)]], msgspec.Meta(max_length=100)] = []
    user_ids: Annotated[
        list[Annotated[UserId, msgspec.Meta(max_length=256)]], msgspec.Meta(max_length=100)
    ] = []
    ban: bool = False
    "They may not come back while the meeting lasts."


class Ejected(msgspec.Struct, frozen=True, rename="camel"):
    """Who was sent out."""

    ejected_ids: list[Identity]


class PermissionsChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Permissions by session id; `*` is everybody who is not named."""

    data: dict[Identity, PermissionsPatch]


class AppMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Data for the pages of those in the room."""

    data: dict[str, Any]
    recipient: Identity = EVERYBODY
    "A session id, or `*`."


class SessionDataChange(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel"):
    """What is to be kept with the meeting."""

    data: dict[str, Any] = {}
    merge_strategy: Literal["replace", "shallow-merge"] = "replace"
    keys_to_delete: list[str] = []


class SessionData(msgspec.Struct, frozen=True):
    """What is kept with the meeting."""

    data: dict[str, Any]


class Status(msgspec.Struct, frozen=True):
    """A command that was passed on."""

    status: Literal["sent"] = "sent"


class SentAnswer(msgspec.Struct, frozen=True):
    """Data that was passed on; the text is Daily's."""

    sent: Literal["true"] = "true"


class PeopleCalls:
    """The handlers."""

    def __init__(self, services: Services, rooms: DailyRooms) -> None:
        """Who is in a room is the domain's to know."""
        self._services = services
        self._rooms = rooms

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent = {404: "there is no such room, or nobody has it open"}
        return [
            Route("GET", "/presence", self.get_presence),
            Route("GET", "/rooms/{name}/presence", self.get_room_presence, absent),
            Route("GET", "/rooms/{name}/get-session-data", self.get_session_data, absent),
            Route("POST", "/rooms/{name}/eject", self.eject, absent),
            Route("POST", "/rooms/{name}/update-permissions", self.update_permissions, absent),
            Route("POST", "/rooms/{name}/send-app-message", self.send_app_message, absent),
            Route(
                "POST",
                "/rooms/{name}/set-session-data",
                self.set_session_data,
                absent,
                max_body_bytes=MAX_SESSION_BODY_BYTES,
            ),
        ]

    async def get_presence(self, caller: Caller) -> dict[str, list[Presence]]:
        """Return who is where."""
        seen = await self._rooms.visible(caller.domain, [room.name for room in self._services.rooms.rooms])
        rooms = [room for room in self._services.rooms.rooms if room.name in seen]
        return {room.name: self._present(room) for room in rooms if room.participants}

    async def get_room_presence(
        self, caller: Caller, name: RoomNameParameter, query: PresenceQuery
    ) -> PresencePage:
        """Return who is in a room."""
        await self._rooms.get(caller.domain, name)
        room = self._services.rooms.room(name)
        found = [
            present
            for present in (self._present(room) if room is not None else [])
            if query.user_id in {None, present.user_id} and query.user_name in {None, present.user_name}
        ]
        return PresencePage(len(found), found[: query.limit])

    async def eject(self, caller: Caller, name: RoomNameParameter, body: Ejection) -> Ejected:
        """Send people out of a room."""
        if not (body.ids or body.user_ids):
            raise invalid("ids or user_ids is required")
        await self._rooms.get(caller.domain, name)
        room = self._services.rooms.room(name)
        if room is None:
            return Ejected([])
        detail = f"eject by API key {caller.domain.name}{', banned' if body.ban else ''}"
        gone = self._services.moderation.eject(room, body.ids, body.user_ids, ban=body.ban, detail=detail)
        return Ejected([person.identity for person in gone])

    async def update_permissions(
        self, caller: Caller, name: RoomNameParameter, body: PermissionsChange
    ) -> Status:
        """Change what people in a room may do."""
        room = await self._open(caller, name)
        for person in tuple(room.participants.values()):
            patch = body.data.get(person.identity, body.data.get(EVERYBODY))
            self._services.rooms.set_permissions(person, grants.apply(patch, person.permissions))
        return Status()

    async def send_app_message(self, caller: Caller, name: RoomNameParameter, body: AppMessage) -> SentAnswer:
        """Send data to the pages of those in a room."""
        room = await self._open(caller, name)
        if len(msgspec.json.encode(body.data).decode()) > MAX_APP_MESSAGE_CHARS:
            raise invalid(f"data is larger than {MAX_APP_MESSAGE_CHARS} characters of JSON")
        if body.recipient != EVERYBODY and body.recipient not in room.participants:
            raise not_found(f"participant {body.recipient[:64]} not found")
        recipients = () if body.recipient == EVERYBODY else (body.recipient,)
        self._services.moderation.send(room, notices.app_message(body.data, recipients))
        return SentAnswer()

    async def get_session_data(self, caller: Caller, name: RoomNameParameter) -> SessionData:
        """Return what is kept with the meeting."""
        return SessionData((await self._open(caller, name)).session_data)

    async def set_session_data(
        self, caller: Caller, name: RoomNameParameter, body: SessionDataChange
    ) -> SentAnswer:
        """Keep data with the meeting, until it ends."""
        room = await self._open(caller, name)
        before = room.session_data if body.merge_strategy == "shallow-merge" else {}
        merged = {**before, **body.data}
        data = {key: value for key, value in merged.items() if key not in body.keys_to_delete}
        if len(msgspec.json.encode(data)) > MAX_SESSION_DATA_BYTES:
            raise invalid(f"the data is larger than {MAX_SESSION_DATA_BYTES} bytes of JSON")
        self._services.moderation.set_session_data(room, data)
        return SentAnswer()

    async def _open(self, caller: Caller, name: RoomName) -> Room:
        await self._rooms.get(caller.domain, name)
        return hosting(self._services, name)

    def _present(self, room: Room) -> list[Presence]:
        now = self._services.wall_clock()
        return [
            Presence(
                room=room.name,
                id=person.identity,
                user_id=known_user(person),
                user_name=person.name,
                mtg_session_id=meeting_id(room.sid),
                join_time=iso(person.joined_at),
                duration=int(now - person.joined_at),
            )
            for person in room.participants.values()
        ]


def hosting(services: Services, name: RoomName) -> Room:
    """Return the open room with people in it. DailyError, in words that applications wait for."""
    room = services.rooms.room(name)
    if room is None or not room.participants:
        raise not_found(f"room {name} does not seem to be hosting a call currently")
    return room


def known_user(person: Participant) -> UserId | None:
    """Return the application's user, None when it named none."""
    return UserId(person.attributes.get(USER_ID, "")) or None
