"""The page of a room at `/<room>`, which other sites may embed in a frame."""

import re
from pathlib import Path

from aiohttp import hdrs, web

from signaling.daily.rooms import DailyRooms
from signaling.http.headers import CONTENT_SECURITY_POLICY, SECURITY_HEADERS
from signaling.http.prefix import page
from signaling.ids import RoomName

# Applications embed the page: Daily allows it for every site, and the token limits what the frame can do.
_FRAMED = {
    **{name: value for name, value in SECURITY_HEADERS.items() if name != "X-Frame-Options"},
    "Content-Security-Policy": re.sub(r"frame-ancestors [^;]*", "frame-ancestors *", CONTENT_SECURITY_POLICY),
    # A site that isolates itself (COEP) may only embed responses with this header.
    "Cross-Origin-Resource-Policy": "cross-origin",
}

_FILE = "room.html"


class RoomPage:
    """Serves the page of each room."""

    def __init__(self, rooms: DailyRooms, folder: Path | None, prefix: str = "") -> None:
        """`folder` contains the built page; with None, there is no page. See `signaling.http.prefix`."""
        self._prefix = prefix
        self._rooms = rooms
        self._folder = folder

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Register the page; routes with one path segment that were registered before take precedence."""
        router.add_get("/{room:[A-Za-z0-9_-]{1,128}}", self.page)

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Serve the page, also for a room that does not exist, which the page then reports."""
        exists = await self._rooms.find(RoomName(request.match_info["room"])) is not None
        status = 200 if exists else 404
        headers = {**_FRAMED, hdrs.CACHE_CONTROL: "no-cache"}
        path = None if self._folder is None else self._folder / _FILE
        if path is None or not path.is_file():
            return web.Response(status=404, text="not found", headers=headers)
        return page(path, self._prefix, headers, status)
