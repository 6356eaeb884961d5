"""The server's offers to one client (dual-connection mode): each is answered before the next is sent."""

import logging
from collections.abc import Callable

from livekit.protocol import rtc

from sfu.facade import MediaEngine
from sfu.values import EngineError, MediaError, UnknownPeerError
from signaling.livekit.connection import Connection
from signaling.logs import about
from signaling.rooms.model import LeaveReason
from signaling.timers import Timers

log = logging.getLogger(__name__)

# LiveKit's value: a client that has not answered by then is treated as out of step.
ANSWER_TIMEOUT_S = 15.0


class DownstreamOffers:
    """Makes, numbers and repeats the offers of one connection."""

    def __init__(
        self,
        connection: Connection,
        media: MediaEngine,
        timers: Timers,
        subscribed: Callable[[dict[str, str]], None],
        give_up: Callable[[LeaveReason], None],
    ) -> None:
        """`subscribed(mid -> track)` after each answer; `give_up(reason)` when negotiation with the client fails."""
        self._connection = connection
        self._media = media
        self._timers = timers
        self._subscribed = subscribed
        self._give_up = give_up
        self._id = 0
        self._outstanding = False

    async def make(self, *, restart: bool = False) -> None:
        """Send an offer; `restart` sends one with new ICE credentials, even while the last offer is unanswered."""
        if self._outstanding and not restart:
            return  # the engine asks again after the answer
        self._outstanding = True
        self._id += 1
        number = self._id
        sid = self._connection.participant.sid
        try:
            sdp = await self._media.offer(sid, restart=restart)
        except UnknownPeerError:
            self._give_up(LeaveReason.MEDIA_LOST)
            return
        except EngineError as error:
            self._engine_failed(error)
            return
        self._timers.set(sid, "answer", ANSWER_TIMEOUT_S, lambda: self._give_up(LeaveReason.STATE_MISMATCH))
        description = rtc.SessionDescription(type="offer", sdp=sdp, id=number)
        self._connection.send(rtc.SignalResponse(offer=description))

    async def answered(self, number: int, sdp: str) -> None:
        """Apply the answer to the last offer; answers to earlier offers are ignored. Native clients send number 0."""
        if not self._outstanding or number not in {0, self._id}:
            return
        sid = self._connection.participant.sid
        self._timers.cancel(sid, "answer")
        self._outstanding = False
        try:
            self._subscribed(await self._media.answer(sid, sdp))
        except UnknownPeerError:
            self._give_up(LeaveReason.MEDIA_LOST)
        except EngineError as error:
            self._engine_failed(error)
        except MediaError as error:
            log.warning("answer refused: %s", error, extra=about(self._connection.participant))
            self._give_up(LeaveReason.MEDIA_REFUSED)

    def _engine_failed(self, error: EngineError) -> None:
        log.error("the engine failed: %s", error, extra=about(self._connection.participant))
        self._give_up(LeaveReason.MEDIA_FAILED)
