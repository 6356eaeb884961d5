"""Live captions: whether a session has them, and turning them on or off for oneself."""

import msgspec

from classroom.features.people import Person
from classroom.state import Classroom
from signaling.http.api import ApiError, Route
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import Desk
from signaling.sessions_api.path_ids import SessionPath
from signaling.sessions_api.recordings.session_captions import SessionCaptions


class TurnCaptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whether the caller wants captions."""

    on: bool


class CaptionState(msgspec.Struct, frozen=True):
    """Live captions, as the caller has them."""

    available: bool
    "This server can caption."
    allowed: bool
    "The session allows it (`settings.captions`)."
    on: bool
    "The caller has turned captions on."


class CaptionCalls:
    """The handlers of live captions."""

    def __init__(self, desk: Desk, captions: SessionCaptions) -> None:
        self._desk = desk
        self._captions = captions

    def routes(self) -> list[Route]:
        """Return the routes."""
        path, absent = "/sessions/{session}/captions", {404: "there is no such session"}
        refused = {409: "the session does not allow captions", 501: "this server does not caption"}
        return [
            Route("GET", path, self.state, absent),
            Route("PUT", path, self.turn, {**absent, **refused}),
        ]

    async def state(self, caller: Caller, session: SessionPath) -> CaptionState:
        """Return whether there are live captions, and whether the caller has turned them on."""
        return await self._desk.look(
            caller, session, lambda room, person: self._state(caller, session, room, person)
        )

    async def turn(self, caller: Caller, session: SessionPath, body: TurnCaptions) -> CaptionState:
        """Turn live captions on or off for the caller alone.

        Whoever turns them on gets messages `captions` in the stream of events, while in a room of the session by media.
        """
        state, person = await self._desk.look(
            caller, session, lambda room, person: (self._state(caller, session, room, person), person.id)
        )
        if body.on and not self._captions.is_on:
            raise ApiError(501, "captions_off", "This server does not caption.")
        if body.on and not state.allowed:
            raise ApiError(409, "captions_not_allowed", "The session does not allow captions.")
        change = self._captions.turn_on if body.on else self._captions.turn_off
        change(self._desk.session(caller, session), person)
        return msgspec.structs.replace(state, on=body.on)

    def _state(self, caller: Caller, session: SessionPath, room: Classroom, person: Person) -> CaptionState:
        on = self._captions.is_reader(self._desk.session(caller, session), person.id)
        return CaptionState(self._captions.is_on, room.session.settings.captions, on)
