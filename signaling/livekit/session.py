"""One LiveKit participant's side of signalling, which outlives the WebSocket it runs over."""

import asyncio
import logging
from typing import TYPE_CHECKING, Protocol

from livekit.protocol import models, rtc

from signaling.access.tokens import Claims
from signaling.errors import IncompleteMessageError
from signaling.livekit.updates import SeenVersions, chunks
from signaling.livekit.wire import Outgoing
from signaling.logs import about
from signaling.rooms.model import Participant

if TYPE_CHECKING:
    from signaling.livekit.offers import Offers

log = logging.getLogger(__name__)


class Outbox(Protocol):
    """Where a session's messages go: one WebSocket."""

    def put(self, outgoing: Outgoing) -> None:
        """Send a message after those before it; never blocks, never raises."""

    def finish(self) -> None:
        """Close once everything is sent."""

    def drop(self) -> None:
        """Close at once without a word, as a broken network would."""


class Session:
    """What the skin knows of one participant beyond the domain."""

    def __init__(
        self, participant: Participant, client: models.ClientInfo, claims: Claims, outbox: Outbox
    ) -> None:
        """`outbox` is the WebSocket that brought the participant."""
        self.participant = participant
        self.client = client
        self.claims = claims
        self.outbox: Outbox | None = outbox
        self.seen = SeenVersions()
        self.negotiation = asyncio.Lock()
        "Offers are answered one after the other, also across two WebSockets."
        self.offers: Offers | None = None
        "The server's own offers, in dual-connection mode."
        self.closes_media = False
        "The client ended its media connection and has not said yet why."
        self.paused: set[str] = set()
        "Tracks that do not flow for want of bandwidth, as last told."
        self.last_sequence = 0
        "Highest sequence number of the participant's reliable data packets."

    def send(self, message: rtc.SignalResponse) -> None:
        """Send a message of this participant's own. An incomplete one is logged and not sent."""
        try:
            outgoing = Outgoing(message)
        except IncompleteMessageError:
            log.exception("not sent", extra=about(self.participant))
            return
        self.deliver(outgoing)

    def deliver(self, outgoing: Outgoing) -> None:
        """Send a message that others get as well. Lost without a WebSocket: a resume repeats the state."""
        if self.outbox is not None:
            self.outbox.put(outgoing)

    def send_participants(self, infos: list[models.ParticipantInfo]) -> None:
        """Send what is new of these to this client; without a WebSocket it stays new."""
        if self.outbox is None:
            return
        news = [info for info in infos if self.seen.news(info)]
        for part in chunks(news):
            self.send(rtc.SignalResponse(update=rtc.ParticipantUpdate(participants=part)))
