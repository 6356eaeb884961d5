"""Daily's calls for features that this server does not have: transcripts and streams."""

from typing import Annotated, Any

import msgspec

from signaling.daily.rest.errors import DailyError, not_found
from signaling.daily.rest.pages import PageQuery
from signaling.daily.rest.people_calls import hosting
from signaling.daily.rest.room_calls import RoomNameParameter
from signaling.daily.rest.style import Caller
from signaling.daily.rooms import DailyRooms
from signaling.http.api import Route
from signaling.rooms.services import Services

Id = Annotated[str, msgspec.Meta(max_length=128)]

# Commands to a running call, by the feature that they would start, change or stop.
_COMMANDS = {
    "transcription": ("start", "update", "stop"),
    "live-streaming": ("start", "update", "stop"),
}


class TranscriptQuery(
    PageQuery, frozen=True, kw_only=True, rename={"room_id": "roomId", "meeting": "mtgSessionId"}
):
    """Which transcripts."""

    room_id: str | None = None
    meeting: str | None = None


class EmptyPage(msgspec.Struct, frozen=True):
    """None of them."""

    total_count: int
    data: list[dict[str, Any]]


class AbsentCalls:
    """The handlers."""

    def __init__(self, services: Services, rooms: DailyRooms) -> None:
        """A command needs its room, as it would at Daily."""
        self._services = services
        self._rooms = rooms

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent = {404: "there is no such thing"}
        refused = {403: "this server has no such feature", 404: "there is no such room, or no call in it"}
        routes = [
            Route("POST", f"/rooms/{{name}}/{feature}/{command}", self.command, refused)
            for feature, commands in _COMMANDS.items()
            for command in commands
        ]
        return [
            *routes,
            Route("GET", "/transcript", self.list_transcripts),
            *(
                Route(method, f"/transcript/{{thing}}{suffix}", self.get_thing, absent)
                for method, suffix in (("GET", ""), ("DELETE", ""), ("GET", "/access-link"))
            ),
        ]

    async def command(self, caller: Caller, name: RoomNameParameter, body: dict[str, Any]) -> dict[str, Any]:
        """Refuse a command, in the words that applications wait for when the call has not begun."""
        del body  # accepted, so that invalid JSON is refused as such
        await self._rooms.get(caller.domain, name)
        hosting(self._services, name)
        raise DailyError(403, "forbidden-error", "this server neither transcribes nor streams")

    async def list_transcripts(self, query: TranscriptQuery) -> EmptyPage:
        """List transcripts."""
        del query
        return EmptyPage(0, [])

    async def get_thing(self, thing: Id) -> dict[str, Any]:
        """Refuse: there is none of this id."""
        raise not_found(f"{thing} not found")
