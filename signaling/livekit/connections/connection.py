"""The signalling connection of one LiveKit participant; it outlives the WebSocket that carries it."""

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any, Protocol

from livekit.protocol import models, rtc

from signaling.access.tokens import Claims
from signaling.errors import IncompleteMessageError
from signaling.livekit.connections.absence import ABSENCES, MAX_KEPT, MAX_KEPT_BYTES, Absence
from signaling.livekit.connections.updates import SeenVersions, chunks
from signaling.livekit.messages.convert import participant_info
from signaling.livekit.messages.wire import EncodedResponse
from signaling.logs import about
from signaling.rooms.model import Participant, Room

if TYPE_CHECKING:
    from signaling.ids import TrackSid
    from signaling.livekit.connections.downstream_offers import DownstreamOffers

log = logging.getLogger(__name__)

# Other participants in the first message of a room (Join, RoomMoved); the rest follow in updates while the client
# reads. An ordinary class has 100 KB. Clients wait 15 s for Join, and LiveKit's native client accepts no frame above
# 16 MiB.
MAX_FIRST_STATE_BYTES = 512 * 1024


class ClientSocket(Protocol):
    """The WebSocket to which a connection sends its messages."""

    def put(self, outgoing: EncodedResponse) -> None:
        """Send a message after all earlier ones; never blocks, never raises."""

    def put_urgent(self, outgoing: EncodedResponse) -> None:
        """Send a message ahead of waiting state; never blocks, never raises."""

    def put_state(self, messages: Iterator[EncodedResponse]) -> None:
        """Send messages that are made only when the client has read everything before them."""

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
        self.trickled = asyncio.Event()
        "The client has sent a candidate, so it has applied its offer as local description."
        self.closes_media = False
        "The client closed its peer connection and has not sent the reason yet."
        self.paused: set[TrackSid] = set()
        "Tracks that the engine does not send for lack of bandwidth."
        self.switched_by_server: set[TrackSid] = set()
        "Own tracks that the server muted or unmuted since the client last did so."
        self.taken_down: set[TrackSid] = set()
        "Own tracks that the server ended and that the client may still list."
        self.answered: set[TrackSid] = set()
        "Own tracks whose announcement was sent to a WebSocket and whose media had not come by then."
        self.sections_required: tuple[int, int] | None = None
        "Media sections (audio, video) that the client's next offer must add."
        self.sent_facts: dict[str, dict[Any, Any]] = {}
        "What the client was sent last of each fact in `state`, by kind and key."
        self.sent_room = b""
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

    def send_pong(self, message: rtc.SignalResponse) -> None:
        """Send the answer to a ping. It does not wait for state: clients give up after 15 s without one."""
        if self.outbox is not None:
            self.outbox.put_urgent(EncodedResponse(message))

    def first_state(
        self,
    ) -> tuple[models.ParticipantInfo, list[models.ParticipantInfo], list[Participant]]:
        """Return the participant, as many others as fit into the first message of a room, and the rest.

        The rest are for `send_state`, after that message. From now on the client knows nobody else.
        """
        others = [other for other in self.participant.room.visible() if other is not self.participant]
        own = participant_info(self.participant)
        infos: list[models.ParticipantInfo] = []
        size = 0
        for other in others:
            info = participant_info(other)
            size += info.ByteSize()
            if size > MAX_FIRST_STATE_BYTES:
                break
            infos.append(info)
        self.seen = SeenVersions()
        for info in (own, *infos):
            self.seen.news(info)
        return own, infos, others[len(infos) :]

    def send_state(self, people: list[Participant], *infos: models.ParticipantInfo) -> None:
        """Send other participants in the state they have when their turn comes, unless they have gone by then.

        `infos` follow as they are. Later messages wait for all of them: a client ignores what it is sent about a
        participant it does not know.
        """
        if self.outbox is not None:
            self.seen.await_turn(person.sid for person in people)
            news = [info for info in infos if self.seen.news(info)]
            self.outbox.put_state(
                self._updates(chain(self._present(people, self.participant.room, self.seen), news))
            )

    def _updates(self, infos: Iterable[models.ParticipantInfo]) -> Iterator[EncodedResponse]:
        for part in chunks(infos):
            try:
                yield EncodedResponse(rtc.SignalResponse(update=rtc.ParticipantUpdate(participants=part)))
            except IncompleteMessageError:
                log.exception("not sent", extra=about(self.participant))

    def _present(
        self, people: list[Participant], room: Room, seen: SeenVersions
    ) -> Iterator[models.ParticipantInfo]:
        for person in people:
            if self.seen is not seen:
                return  # The participant was moved; the state of the former room is of no use.
            is_present = person.room is room and not person.has_left and not person.permissions.hidden
            if is_present and seen.take_turn(person.sid):
                info = participant_info(person)
                if seen.news(info):
                    yield info

    def send_participants(self, infos: list[models.ParticipantInfo]) -> None:
        """Send the infos that are new to this client; without a WebSocket they remain new."""
        if self.outbox is None:
            return
        self.send_infos(info for info in infos if self.seen.news(info))

    def send_infos(self, infos: Iterable[models.ParticipantInfo]) -> None:
        """Send these infos now, whether or not they are new."""
        for outgoing in self._updates(infos):
            self.deliver(outgoing)
