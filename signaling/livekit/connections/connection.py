"""The signalling connection of one LiveKit participant; it outlives the WebSocket that carries it."""

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from livekit.protocol import models, rtc

from signaling.access.tokens import Claims
from signaling.errors import IncompleteMessageError
from signaling.livekit import convert
from signaling.livekit.connections.updates import SeenVersions, chunks
from signaling.livekit.wire import EncodedResponse
from signaling.logs import about
from signaling.rooms.model import Participant

if TYPE_CHECKING:
    from signaling.livekit.connections.downstream_offers import DownstreamOffers

log = logging.getLogger(__name__)


class ClientSocket(Protocol):
    """The WebSocket to which a connection sends its messages."""

    def put(self, outgoing: EncodedResponse) -> None:
        """Send a message after all earlier ones; never blocks, never raises."""

    def finish(self) -> None:
        """Close the WebSocket once every message is sent."""

    def drop(self) -> None:
        """Close at once without a close frame, as a broken network would."""


class Connection:
    """The front end's state of one participant, in addition to the domain's."""

    def __init__(
        self, participant: Participant, client: models.ClientInfo, claims: Claims, outbox: ClientSocket
    ) -> None:
        """`outbox` is the WebSocket that brought the participant."""
        self.participant = participant
        self.client = client
        self.claims = claims
        self.outbox: ClientSocket | None = outbox
        self.seen = SeenVersions()
        self.negotiation = asyncio.Lock()
        "Offers are answered one at a time, also across two WebSockets."
        self.offers: DownstreamOffers | None = None
        "The server's offers, in dual-connection mode."
        self.closes_media = False
        "The client closed its peer connection and has not sent the reason yet."
        self.paused: set[str] = set()
        "Tracks last reported to the client as paused for lack of bandwidth."
        self.last_sequence = 0
        "Highest sequence number of the participant's reliable data packets."

    def send(self, message: rtc.SignalResponse) -> None:
        """Send a message to this participant only. An incomplete message is logged and not sent."""
        try:
            outgoing = EncodedResponse(message)
        except IncompleteMessageError:
            log.exception("not sent", extra=about(self.participant))
            return
        self.deliver(outgoing)

    def deliver(self, outgoing: EncodedResponse) -> None:
        """Send a message shared with other recipients. Without a WebSocket it is lost: a resume repeats the state."""
        if self.outbox is not None:
            self.outbox.put(outgoing)

    def send_participants(self, infos: list[models.ParticipantInfo]) -> None:
        """Send the infos that are new to this client; without a WebSocket they remain new."""
        if self.outbox is None:
            return
        news = [info for info in infos if self.seen.news(info)]
        for part in chunks(news):
            self.send(rtc.SignalResponse(update=rtc.ParticipantUpdate(participants=part)))

    def send_stream_states(self, track_sids: set[str]) -> None:
        """Send which of these tracks are paused for lack of bandwidth, and which are not."""
        room = self.participant.room
        tracks = [track for sid in track_sids if (track := room.find_track(sid)) is not None]
        if tracks:
            states = [convert.stream_state(track, paused=track.sid in self.paused) for track in tracks]
            update = rtc.StreamStateUpdate(stream_states=states)
            self.send(rtc.SignalResponse(stream_state_update=update))
