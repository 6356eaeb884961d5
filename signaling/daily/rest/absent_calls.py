"""Daily's calls for a feature that this server does not have: streams."""

from typing import Any

from signaling.daily.rest.errors import DailyError
from signaling.daily.rest.people_calls import hosting
from signaling.daily.rest.room_calls import RoomNameParameter
from signaling.daily.rest.style import Caller
from signaling.daily.rooms import DailyRooms
from signaling.http.api import Route
from signaling.rooms.services import Services

# Commands to a running call, by the feature that they would start, change or stop.
_COMMANDS = {
    "live-streaming": ("start", "update", "stop"),
}


class AbsentCalls:
    """The handlers."""

    def __init__(self, services: Services, rooms: DailyRooms) -> None:
        """A command needs its room, as it would at Daily."""
        self._services = services
        self._rooms = rooms

    def routes(self) -> list[Route]:
        """Return the routes."""
        refused = {403: "this server has no such feature", 404: "there is no such room, or no call in it"}
        return [
            Route("POST", f"/rooms/{{name}}/{feature}/{command}", self.command, refused)
            for feature, commands in _COMMANDS.items()
            for command in commands
        ]

    async def command(self, caller: Caller, name: RoomNameParameter, body: dict[str, Any]) -> dict[str, Any]:
        """Refuse a command, in the words that applications wait for when the call has not begun."""
        del body  # accepted, so that invalid JSON is refused as such
        await self._rooms.get(caller.domain, name)
        hosting(self._services, name)
        raise DailyError(403, "forbidden-error", "this server does not stream")
