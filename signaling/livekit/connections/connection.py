"""The signalling connection of one LiveKit participant; it outlives the WebSocket that carries it."""

import asyncio
import logging
from collections import deque
from typing import TYPE_CHECKING, Any, Protocol

from livekit.protocol import models, rtc

from signaling.access.tokens import Claims
from signaling.errors import IncompleteMessageError
from signaling.livekit.connections.absence import ABSENCES, MAX_KEPT, MAX_KEPT_BYTES, Absence
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
        "Tracks that the engine does not send for lack of bandwidth."
        self.switched_by_server: set[str] = set()
        "Own tracks that the server muted or unmuted since the client last did so."
        self.taken_down: set[str] = set()
        "Own tracks that the server ended and that the client may still list."
        self.answered: set[str] = set()
        "Own tracks whose announcement was sent to a WebSocket and whose media had not come by then."
        self.sections_required: tuple[int, int] | None = None
        "Media sections (audio, video) that the client's next offer must add."
        self.told: dict[str, dict[str, Any]] = {}
        "What the client was sent last of each fact in `state`, by kind and key."
        self.told_room = b""
        "The room as the client was sent it last."
        self.missed: deque[EncodedResponse] = deque(maxlen=MAX_KEPT)
        "Answers that were due while there was no WebSocket."
        self.former_rooms: set[str] = set()
        "Names of rooms that the participant was moved from; the client's token may still name one."
        self.missed_move = False
        "The client was not sent the last move to another room."
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
        """Send a message shared with other recipients; `absence` says what becomes of it without a WebSocket."""
        if self.outbox is not None:
            self.outbox.put(outgoing)
        elif ABSENCES[outgoing.kind] is Absence.ANSWER:
            self.missed.append(outgoing)
            while sum(len(each.binary()) for each in self.missed) > MAX_KEPT_BYTES:
                self.missed.popleft()

    def deliver_missed(self) -> None:
        """Send the answers that were kept while there was no WebSocket."""
        while self.missed:
            self.deliver(self.missed.popleft())

    def send_participants(self, infos: list[models.ParticipantInfo]) -> None:
        """Send the infos that are new to this client; without a WebSocket they remain new."""
        if self.outbox is None:
            return
        news = [info for info in infos if self.seen.news(info)]
        for part in chunks(news):
            self.send(rtc.SignalResponse(update=rtc.ParticipantUpdate(participants=part)))
