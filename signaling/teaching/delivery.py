"""The events of a session over the media connection that a page already has.

A page that asks gets what the WebSocket would send as reliable data packets with a topic of their own, addressed to its
participant alone. Nobody else is sent anything, so that other LiveKit clients in the room notice nothing.
"""

import asyncio
import logging
from typing import Final

import msgspec

from classroom.errors import Code, Conflict
from classroom.ids import PersonId
from signaling.ids import Identity
from signaling.rooms.events import Message, ParticipantLeft, RoomEvent
from signaling.rooms.model import Participant
from signaling.rooms.services import Services
from signaling.teaching.feed import Feed
from signaling.teaching.live import LiveSession
from signaling.teaching.names import session_of

log = logging.getLogger(__name__)

TOPIC: Final = "lectern.session"

# Below what a packet may have (`livekit.relay.MAX_PACKET_BYTES`, 64,000). What is larger the page loads by a call.
MAX_PAYLOAD_BYTES: Final = 60_000


class Delivery:
    """The feeds that go over media connections, one for each participant."""

    def __init__(self, services: Services) -> None:
        """Follow participants who leave."""
        self._rooms = services.rooms
        self._moderation = services.moderation
        self._feeds: dict[str, tuple[LiveSession, Feed]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        services.hub.observe(self._on_event)

    async def begin(self, live: LiveSession, person: PersonId, after: int | None) -> None:
        """Send the events after a number to a person's participant from now on. `Refused`.

        A repeated request, as after a reconnect, continues after the number that it states.
        """
        participant = self._find(live, person)
        if participant is None:
            raise Conflict(Code.NOT_PRESENT, "This person has no media connection in the session.")
        self._end(participant.sid)
        feed = Feed(person)
        await live.follow(feed, after)
        if participant.has_left:
            live.leave_feed(feed)
            return
        self._feeds[participant.sid] = live, feed
        task = asyncio.create_task(self._send(participant, feed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def serves(self, participant_sid: str) -> bool:
        """Whether a participant gets the session's events over the media connection."""
        return participant_sid in self._feeds

    async def _send(self, participant: Participant, feed: Feed) -> None:
        while (message := await feed.next()) is not None:
            payload = message.data
            if len(payload) > MAX_PAYLOAD_BYTES:
                payload = msgspec.json.encode({"type": "load", "kind": message.kind, "seq": message.seq})
            if participant.has_left:
                break
            addressed = Message(payload, topic=TOPIC, sids=(participant.sid,))
            self._moderation.send(participant.room, addressed)

    def _find(self, live: LiveSession, person: PersonId) -> Participant | None:
        for room in self._rooms.rooms:
            participant = room.participants.get(Identity(person))
            if participant is not None and session_of(room.name) == live.id:
                return participant
        return None

    def _on_event(self, event: RoomEvent) -> None:
        if isinstance(event, ParticipantLeft):
            self._end(event.participant.sid)

    def _end(self, participant_sid: str) -> None:
        live, feed = self._feeds.pop(participant_sid, (None, None))
        if live is not None and feed is not None:
            live.leave_feed(feed)
