"""Live captions of sessions: who reads them, and what each of these people is sent.

A room of a session is captioned while somebody in it has turned captions on. Captions are sent to these people alone,
as messages of the feeds by which they follow the session, and as LiveKit's transcription packets to those whose media
connection has no such feed. They are not events: the session's log does not contain them.
"""

import asyncio
import logging
from typing import Any, Final

import msgspec

from classroom.ids import PersonId, SessionId
from classroom.roles import FINAL
from signaling.errors import StoreError
from signaling.recordings.speech.captions import Behind, CaptionEvent, Captions, Spoken, may_read
from signaling.rooms.events import (
    Captioned,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantMoved,
    RoomEvent,
)
from signaling.rooms.model import Participant, Room
from signaling.rooms.services import Services
from signaling.teaching.delivery import Delivery
from signaling.teaching.feed import CAPTIONS, FeedMessage
from signaling.teaching.live import Committed, LiveSession
from signaling.teaching.names import person_of, session_of
from signaling.teaching.registry import Registry

log = logging.getLogger(__name__)

_BY: Final = "session"


class SessionCaptions:
    """The readers of captions, by session."""

    def __init__(
        self, captions: Captions, services: Services, registry: Registry, delivery: Delivery
    ) -> None:
        """Listen to rooms, sessions and captions."""
        self._captions = captions
        self._rooms = services.rooms
        self._hub = services.hub
        self._delivery = delivery
        self._readers: dict[SessionId, tuple[LiveSession, set[PersonId]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        services.hub.observe(self._on_event)
        registry.observe(self._on_commit)
        captions.observe(self._on_captions)

    @property
    def is_on(self) -> bool:
        """Whether this server captions."""
        return self._captions.is_on

    def is_reader(self, live: LiveSession, person: PersonId) -> bool:
        """Whether a person has turned captions on."""
        return person in self._readers.get(live.id, (live, set()))[1]

    def turn_on(self, live: LiveSession, person: PersonId) -> None:
        """Send captions to a person from now on."""
        self._readers.setdefault(live.id, (live, set()))[1].add(person)
        self._settle(live.id)

    def turn_off(self, live: LiveSession, person: PersonId) -> None:
        """Send a person captions no longer."""
        readers = self._readers.get(live.id, (live, set()))[1]
        readers.discard(person)
        if not readers:
            self._readers.pop(live.id, None)
        self._settle(live.id)

    # --- which rooms -----------------------------------------------------------------------------

    def _on_event(self, event: RoomEvent) -> None:
        if isinstance(event, ParticipantJoined | ParticipantLeft | ParticipantMoved):
            session_id = session_of(event.participant.room.name)
            if session_id is not None and session_id in self._readers:
                self._settle(session_id)

    def _on_commit(self, committed: Committed) -> None:
        live, room = committed.live, committed.live.loaded
        if live.id not in self._readers or room is None:
            return
        if room.session.phase in FINAL or not room.session.settings.captions:
            del self._readers[live.id]
            self._settle(live.id)

    def _settle(self, session_id: SessionId) -> None:
        """Caption the rooms in which readers are, and no others."""
        for room in tuple(self._rooms.rooms):
            if session_of(room.name) != session_id:
                continue
            if not self._readers_in(room):
                self._captions.drop(room.name, _BY)
            elif not self._captions.is_captioned(room.name):
                task = asyncio.get_running_loop().create_task(self._begin(room))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def _begin(self, room: Room) -> None:
        try:
            await self._captions.want(room, _BY)
        except StoreError as error:
            log.error("the room %s is not captioned: %s", room.name, error)  # noqa: TRY400 - the cause is in the message
            return
        if not self._readers_in(room):
            self._captions.drop(room.name, _BY)

    def _readers_in(self, room: Room) -> list[Participant]:
        session_id = session_of(room.name)
        readers = self._readers.get(session_id, (None, set()))[1] if session_id is not None else set()
        return [
            person
            for person in room.participants.values()
            if person_of(person) in readers and not person.has_left
        ]

    # --- what is sent ----------------------------------------------------------------------------

    def _on_captions(self, event: CaptionEvent) -> None:
        readers = self._readers_in(event.room)
        if not readers:
            return
        if isinstance(event, Behind):
            self._send(event.room, readers, {"behind": event.behind})
            return
        readers = [person for person in readers if may_read(person, event)]
        line = {
            "person": person_of(event.speaker),
            "line": f"{event.track_sid}-{event.line}",
            "text": event.text,
            "tail": event.tail,
            "final": event.final,
        }
        self._send(event.room, readers, line)
        others = tuple(person for person in readers if not self._delivery.serves(person.sid))
        if others:
            self._hub.emit(_packet(event, others))

    def _send(self, room: Room, readers: list[Participant], fields: dict[str, Any]) -> None:
        session_id = session_of(room.name)
        assert session_id is not None
        live = self._readers[session_id][0]
        people = {person_of(person) for person in readers}
        data = msgspec.json.encode({"type": CAPTIONS, **fields})
        for feed in tuple(live.feeds):
            if feed.person in people and not feed.outside:
                feed.put(FeedMessage(CAPTIONS, 0, data))


def _packet(spoken: Spoken, recipients: tuple[Participant, ...]) -> Captioned:
    text = f"{spoken.text} {spoken.tail}".strip()
    return Captioned(spoken.speaker, spoken.track_sid, spoken.line, text, spoken.final, recipients)
