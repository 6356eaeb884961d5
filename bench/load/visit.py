"""One visit of a participant: its signalling connection and its media client."""

import threading
import time
from dataclasses import dataclass
from functools import partial

from bench.load.plan import Plan
from bench.load.pool import Process
from bench.load.session import Listener, Part, Session
from signaling.access.tokens import Signer, mint

TOKEN_TTL_S = 24 * 3600


@dataclass(slots=True)
class Seat:
    """A participant of the load, which returns after the server ends a visit."""

    number: int
    room: str
    process: Process
    publish: bool
    "Whether it sends the plan's tracks."
    view: bool
    "Whether it receives all others."
    was_sent_away: bool = False
    "Whether the server has ended a visit."
    silent_since: float = 0.0
    "When that visit's last packet was received; 0: no such visit, or the participant has returned."

    @property
    def identity(self) -> str:
        """The participant's identity."""
        return f"{'viewer' if self.view else 'publisher'}-{self.number}"


def token(plan: Plan, room: str, identity: str, *, publish: bool, view: bool) -> str:
    """Return an access token for one participant of the load, who sends, receives, or both."""
    video = {"room": room, "roomJoin": True, "canPublish": publish, "canSubscribe": view}
    return mint({"sub": identity, "video": video}, Signer(plan.key, plan.secret), time.time(), TOKEN_TTL_S)


class Visit:
    """A visit from join to leave; `leave` must be called whether or not `join` succeeds."""

    def __init__(self, plan: Plan, seat: Seat) -> None:
        """Create the media client. ClientError, ProcessEndedError, as all other methods."""
        self._plan = plan
        self._seat = seat
        self._session: Session | None = None
        self._tracks = plan.tracks if seat.publish else []
        self._opened = seat.process.open(room=seat.room, srtp=plan.srtp, tracks=self._tracks, view=seat.view)
        self.began_at = self.connected_at = 0.0

    def join(self) -> None:
        """Join the room and connect the media. SessionError, ClientError."""
        plan, seat = self._plan, self._seat
        ticket = token(plan, seat.room, seat.identity, publish=seat.publish, view=seat.view)
        self.began_at = time.monotonic()
        part = Part([track.media for track in self._tracks], seat.view, plan.dual)
        session = Session(plan.host, ticket, self._opened.local, part)
        self._session = session
        client = self._opened.client
        listener = Listener(partial(seat.process.renew, client), partial(seat.process.add_address, client))
        # before the connection is made: the server may trickle its addresses
        threading.Thread(target=session.listen, args=(listener,), daemon=True).start()
        self.connected_at = seat.process.connect(client, session.remote)

    def first_media(self) -> float:
        """Wait for the first packet; return when it was received. ClientError."""
        return self._seat.process.first_media(self._opened.client)

    def stay(self, seconds: float) -> bool:
        """Wait this long (0: for ever) or until the server ends the visit; return whether the server ended it."""
        assert self._session is not None
        return self._session.ended.wait(seconds or None)

    def leave(self) -> None:
        """End the visit."""
        session, seat = self._session, self._seat
        was_sent_away = session is not None and session.ended.is_set()
        if session is not None:
            session.leave()
        last_at = seat.process.close(self._opened.client)
        if was_sent_away:
            seat.was_sent_away = True
            seat.silent_since = last_at or seat.silent_since
