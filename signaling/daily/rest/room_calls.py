"""Daily's calls about rooms."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec

from signaling.daily.properties import ROOM_SCHEMA, RoomProperties
from signaling.daily.rest.errors import invalid
from signaling.daily.rest.javascript import iso
from signaling.daily.rest.pages import MAX_PAGE, PageQuery
from signaling.daily.rest.style import DEAR, Caller
from signaling.daily.rest.unsupported import name_unsupported
from signaling.daily.rooms import DailyRoom, DailyRooms, Privacy
from signaling.http.api import Route
from signaling.ids import RoomName

RoomNameParameter = Annotated[RoomName, msgspec.Meta(max_length=256)]
Properties = Annotated[dict[str, Any], msgspec.Meta(extra_json_schema=ROOM_SCHEMA)]


# A hundred rooms with all their properties.
MAX_BATCH_BYTES = 256 * 1024


class NewRoom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A room to create."""

    name: RoomName | None = None
    "Random if absent."
    privacy: Privacy | None = None
    properties: Properties | None = None


class RoomChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change of a room; null resets a property to its default."""

    privacy: Privacy | None = None
    properties: Properties | None = None


class RoomAnswer(msgspec.Struct, frozen=True):
    """A room."""

    id: str
    name: RoomName
    api_created: bool
    privacy: Privacy
    url: str
    created_at: str
    config: dict[str, Any]
    "Settings that differ from the defaults."


class RoomPage(msgspec.Struct, frozen=True):
    """A page of the list of rooms."""

    total_count: int
    data: list[RoomAnswer]


class DeletedRoom(msgspec.Struct, frozen=True):
    """A room that is no more."""

    deleted: bool
    name: RoomName


class RoomBatch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rooms to create, all or none."""

    rooms: Annotated[list[NewRoom], msgspec.Meta(min_length=1, max_length=MAX_PAGE)]


class RoomNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rooms to be deleted."""

    names: Annotated[list[RoomNameParameter], msgspec.Meta(min_length=1, max_length=MAX_PAGE)]


class DeletedRooms(msgspec.Struct, frozen=True):
    """Number of rooms that were deleted."""

    deleted_count: int


class RoomCalls:
    """The handlers."""

    def __init__(self, rooms: DailyRooms, wall_clock: Callable[[], float]) -> None:
        """`wall_clock` is seconds since 1970."""
        self._rooms = rooms
        self._wall_clock = wall_clock

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent = {404: "there is no such room"}
        return [
            Route("POST", "/rooms", self.create_room),
            Route("GET", "/rooms", self.list_rooms),
            Route("GET", "/rooms/{name}", self.get_room, absent),
            Route("POST", "/rooms/{name}", self.update_room, absent),
            Route("DELETE", "/rooms/{name}", self.delete_room, absent, rate=DEAR),
            Route("POST", "/batch/rooms", self.create_rooms, max_body_bytes=MAX_BATCH_BYTES),
            Route("DELETE", "/batch/rooms", self.delete_rooms, rate=DEAR),
        ]

    async def create_room(self, caller: Caller, body: NewRoom) -> RoomAnswer:
        """Make a room."""
        made = await self._rooms.create(
            caller.domain, body.name, body.privacy or "public", body.properties or {}, self._wall_clock()
        )
        name_unsupported(caller, RoomProperties, [body.properties])
        return answer(made, caller)

    async def list_rooms(self, caller: Caller, query: PageQuery) -> RoomPage:
        """List rooms, newest first."""
        total, rooms = await self._rooms.page(caller.domain, query)
        return RoomPage(total, [answer(room, caller) for room in rooms])

    async def get_room(self, caller: Caller, name: RoomNameParameter) -> RoomAnswer:
        """Return a room."""
        return answer(await self._rooms.get(caller.domain, name), caller)

    async def update_room(self, caller: Caller, name: RoomNameParameter, body: RoomChange) -> RoomAnswer:
        """Change some of a room's settings."""
        changed = await self._rooms.update(
            caller.domain, name, body.privacy, body.properties or {}, self._wall_clock()
        )
        name_unsupported(caller, RoomProperties, [body.properties])
        return answer(changed, caller)

    async def delete_room(self, caller: Caller, name: RoomNameParameter) -> DeletedRoom:
        """Delete a room, and end the meeting in it."""
        await self._rooms.delete(caller.domain, name)
        return DeletedRoom(deleted=True, name=name)

    async def create_rooms(self, caller: Caller, body: RoomBatch) -> RoomPage:
        """Create several rooms, or none if one of them cannot be created."""
        wanted = [(room.name, room.privacy or "public", room.properties or {}) for room in body.rooms]
        made = await self._rooms.create_all(caller.domain, wanted, self._wall_clock())
        name_unsupported(caller, RoomProperties, [room.properties for room in body.rooms])
        return RoomPage(len(made), [answer(room, caller) for room in made])

    async def delete_rooms(self, caller: Caller, body: RoomNames) -> DeletedRooms:
        """Delete several rooms; missing ones are ignored."""
        if len(set(body.names)) < len(body.names):
            raise invalid("a room is named twice")
        return DeletedRooms(await self._rooms.delete_all(caller.domain, body.names))


def answer(room: DailyRoom, caller: Caller) -> RoomAnswer:
    """Return a room as the API shows it."""
    return RoomAnswer(
        id=room.id,
        name=room.name,
        api_created=True,
        privacy=room.privacy,
        url=caller.room_url(room.name),
        created_at=iso(room.created_at),
        config=room.config,
    )
