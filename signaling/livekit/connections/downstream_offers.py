"""The server's offers to one client (dual-connection mode): each is answered before the next is sent."""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from livekit.protocol import rtc

from sfu.facade import MediaEngine
from sfu.values import EngineError, MediaError, Mid, PublicationId, UnknownPeerError
from signaling.logs import about
from signaling.rooms.model import LeaveReason, Participant
from signaling.timers import Timers

log = logging.getLogger(__name__)

# LiveKit's value: a client that has not answered by then is treated as out of step.
ANSWER_TIMEOUT_S = 15.0


@dataclass(slots=True, eq=False)
class DownstreamOffers:
    """Makes, numbers and repeats the offers of one connection."""

    participant: Participant
    "The client."
    send: Callable[[rtc.SignalResponse], None]
    "Sends a message to the client."
    connected: Callable[[], bool]
    "Whether the client has a WebSocket; without one it is sent no offer, and its resume makes one."
    media: MediaEngine
    "Makes the offers and takes the answers."
    timers: Timers
    "Limits the wait for an answer."
    subscribed: Callable[[dict[Mid, PublicationId]], None]
    "Called with mid -> track after each answer."
    give_up: Callable[[LeaveReason], None]
    "Called when negotiation with the client fails."
    _id: int = 0
    _outstanding: bool = False

    async def make(self, *, restart: bool = False) -> None:
        """Send an offer; `restart` sends one with new ICE credentials, even while the last offer is unanswered."""
        if not self.connected():
            return
        if self._outstanding and not restart:
            return  # the engine asks again after the answer
        self._outstanding = True
        self._id += 1
        number = self._id
        sid = self.participant.sid
        try:
            sdp = await self.media.offer(sid, restart=restart)
        except UnknownPeerError:
            self.give_up(LeaveReason.MEDIA_LOST)
            return
        except EngineError as error:
            self._engine_failed(error)
            return
        if not self.connected():
            return
        self.timers.set(sid, "answer", ANSWER_TIMEOUT_S, lambda: self.give_up(LeaveReason.STATE_MISMATCH))
        description = rtc.SessionDescription(type="offer", sdp=sdp, id=number)
        self.send(rtc.SignalResponse(offer=description))

    def socket_closed(self) -> None:
        """Expect no answer any more: the resume restarts the exchange."""
        self.timers.cancel(self.participant.sid, "answer")

    async def answered(self, number: int, sdp: str) -> None:
        """Apply the answer to the last offer; answers to earlier offers are ignored. Native clients send number 0."""
        if not self._outstanding or number not in {0, self._id}:
            return
        sid = self.participant.sid
        self.timers.cancel(sid, "answer")
        self._outstanding = False
        try:
            self.subscribed(await self.media.answer(sid, sdp))
        except UnknownPeerError:
            self.give_up(LeaveReason.MEDIA_LOST)
        except EngineError as error:
            self._engine_failed(error)
        except MediaError as error:
            log.warning("answer refused: %s", error, extra=about(self.participant))
            self.give_up(LeaveReason.MEDIA_REFUSED)

    def _engine_failed(self, error: EngineError) -> None:
        log.error("the engine failed: %s", error, extra=about(self.participant))
        self.give_up(LeaveReason.MEDIA_FAILED)
