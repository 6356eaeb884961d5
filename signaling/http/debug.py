"""What a developer may look into, in development mode only: why somebody gets the video they get."""

from dataclasses import asdict

from aiohttp import web

from sfu.facade import MediaEngine
from sfu.values import EngineError, UnknownPeerError
from signaling.http.headers import SECURITY_HEADERS
from signaling.ids import Identity, RoomName
from signaling.rooms.rooms import Rooms


class Debug:
    """Endpoints that no server for others has."""

    def __init__(self, rooms: Rooms, media: MediaEngine) -> None:
        """Look people up in `rooms`, and ask `media` about them."""
        self._rooms = rooms
        self._media = media

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Register the endpoint."""
        router.add_get("/debug/rooms/{room}/{identity}", self._explain)

    async def _explain(self, request: web.Request) -> web.Response:
        """How the bandwidth of one participant is shared out among the videos that it receives."""
        room = self._rooms.room(RoomName(request.match_info["room"]))
        person = room.participants.get(Identity(request.match_info["identity"])) if room is not None else None
        if person is None:
            return web.json_response(
                {"error": "nobody of that name is there"}, status=404, headers=SECURITY_HEADERS
            )
        try:
            explanation = await self._media.explain(person.sid)
        except UnknownPeerError:
            return web.json_response({"error": "it has just left"}, status=404, headers=SECURITY_HEADERS)
        except EngineError as error:
            return web.json_response({"error": str(error)}, status=503, headers=SECURITY_HEADERS)
        return web.json_response(asdict(explanation), headers=SECURITY_HEADERS)
