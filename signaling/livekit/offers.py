"""The server's own offers to one client (dual-connection mode): one at a time, each answered before the next."""

import logging
from collections.abc import Callable

from livekit.protocol import rtc

from sfu.facade import MediaEngine
from sfu.values import EngineError, MediaError, UnknownPeerError
from signaling.livekit.session import Session
from signaling.logs import about
from signaling.rooms.model import LeaveReason
from signaling.timers import Timers

log = logging.getLogger(__name__)

# LiveKit's: a client that is silent for this long has lost its connection or its mind.
ANSWER_TIMEOUT_S = 15.0


class Offers:
    """Makes, numbers and repeats the offers of one session."""

    def __init__(
        self,
        session: Session,
        media: MediaEngine,
        timers: Timers,
        subscribed: Callable[[dict[str, str]], None],
        give_up: Callable[[LeaveReason], None],
    ) -> None:
        """`subscribed(mid -> track)` after each answer; `give_up(why)` when the client cannot be talked to."""
        self._session = session
        self._media = media
        self._timers = timers
        self._subscribed = subscribed
        self._give_up = give_up
        self._id = 0
        self._outstanding = False

    async def make(self, *, restart: bool = False) -> None:
        """Offer what there is; with `restart` again if the last offer was lost, and with new ICE credentials."""
        if self._outstanding and not restart:
            return  # the engine asks again after the answer
        self._outstanding = True
        self._id += 1
        number = self._id
        sid = self._session.participant.sid
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
        self._session.send(rtc.SignalResponse(offer=description))

    async def answered(self, number: int, sdp: str) -> None:
        """Take the answer to the last offer; those to earlier ones are late. Native clients do not number theirs."""
        if not self._outstanding or number not in {0, self._id}:
            return
        sid = self._session.participant.sid
        self._timers.cancel(sid, "answer")
        self._outstanding = False
        try:
            self._subscribed(await self._media.answer(sid, sdp))
        except UnknownPeerError:
            self._give_up(LeaveReason.MEDIA_LOST)
        except EngineError as error:
            self._engine_failed(error)
        except MediaError as error:
            log.warning("answer refused: %s", error, extra=about(self._session.participant))
            self._give_up(LeaveReason.MEDIA_REFUSED)

    def _engine_failed(self, error: EngineError) -> None:
        log.error("the engine failed: %s", error, extra=about(self._session.participant))
        self._give_up(LeaveReason.MEDIA_FAILED)
