"""Auto egress: the recording that CreateRoom, or the `roomConfig` of a token, requests together with a new room.

It begins with the room's first published track, so that the file has no empty beginning, and ends with the room. The
request applies to this one opening of the room.
"""

import asyncio
import logging
from typing import Any, Final

from google.protobuf import json_format
from livekit.protocol import egress, room

from signaling.access.tokens import Claims
from signaling.errors import RequestError, StoreError
from signaling.ids import RoomName
from signaling.livekit.server_api.egress import EgressService
from signaling.livekit.server_api.twirp import TwirpError
from signaling.rooms.events import EventHub, RoomEvent, RoomFinished, TrackPublished
from signaling.rooms.model import Room
from signaling.rooms.rooms import Rooms

log = logging.getLogger(__name__)

# A room has one recording, and each of these is an egress of its own for each participant or track.
_REFUSED: Final = ("participant", "tracks")


class AutoEgress:
    """The requests of open rooms whose recording has not begun."""

    def __init__(self, service: EgressService, rooms: Rooms, hub: EventHub) -> None:
        """Listen to rooms."""
        self._service = service
        self._rooms = rooms
        self._waiting: dict[str, tuple[Claims, egress.RoomCompositeEgressRequest]] = {}
        "By the room's sid."
        self._starting: set[asyncio.Task[None]] = set()
        hub.observe(self._on_event)

    @property
    def waiting(self) -> int:
        """How many open rooms have a request and no track yet."""
        return len(self._waiting)

    def check(self, request: room.RoomEgress) -> None:
        """Refuse what this server cannot record, and name it. TwirpError."""
        for name in _REFUSED:
            if request.HasField(name):
                text = f"this server does not support egress.{name}: a room has one egress; use egress.room"
                raise TwirpError("unimplemented", text)
        if request.HasField("room"):
            self._service.check(request.room)

    def await_tracks(self, claims: Claims, here: Room, request: room.RoomEgress) -> None:
        """Record a room that has just been opened, from its first track on. TwirpError."""
        self.check(request)
        if request.HasField("room"):
            wanted = egress.RoomCompositeEgressRequest()
            wanted.CopyFrom(request.room)
            wanted.room_name = here.name
            self._waiting[here.sid] = (claims, wanted)

    def opened_by_token(self, claims: Claims) -> None:
        """Record a room that this token's first use has opened, if its `roomConfig` says so."""
        config = claims.raw.get("roomConfig")
        here = self._rooms.room(claims.room)
        if not isinstance(config, dict) or "egress" not in config or here is None:
            return
        try:
            self.await_tracks(claims, here, _parsed(config["egress"]))
        except TwirpError as error:
            # The token is the application's; the participant who brings it can neither repair nor read the refusal.
            log.warning("the egress of a token for the room %s is refused: %s", here.name, error)

    def _on_event(self, event: RoomEvent) -> None:
        if isinstance(event, TrackPublished):
            found = self._waiting.pop(event.participant.room.sid, None)
            if found is not None:
                task = asyncio.get_running_loop().create_task(self._start(*found))
                self._starting.add(task)
                task.add_done_callback(self._starting.discard)
        elif isinstance(event, RoomFinished):
            self._waiting.pop(event.room.sid, None)

    async def _start(self, claims: Claims, request: egress.RoomCompositeEgressRequest) -> None:
        try:
            await self._service.start_room_composite(claims, request)
        except (TwirpError, RequestError, StoreError) as error:
            log.error("the room %s is not recorded: %s", RoomName(request.room_name), error)  # noqa: TRY400 - the cause is in the message


def _parsed(value: Any) -> room.RoomEgress:
    """Return the message of a token's JSON. TwirpError."""
    try:
        return json_format.ParseDict(value, room.RoomEgress())
    except (json_format.ParseError, TypeError, ValueError, RecursionError) as error:
        raise TwirpError("malformed", "roomConfig.egress is not a RoomEgress message") from error
