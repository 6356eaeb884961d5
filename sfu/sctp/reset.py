"""Stream reset (RFC 6525), which closes data channels: requested by this side or by the peer."""

from collections.abc import Callable, Iterable

from sfu.sctp import chunks as sctp
from sfu.sctp.chunks import OtherRequest, ReConfig, ResetRequest, ResetResponse
from sfu.sctp.receiver import Receiver, unwrap
from sfu.sctp.sender import RTO_MAX_S, Sender

# RFC 6525 section 4.4.
NOTHING_TO_DO, PERFORMED, DENIED, BAD_NUMBER, IN_PROGRESS = 0, 1, 2, 5, 6
# A request for this many streams fits into a packet with other chunks.
MAX_STREAMS_IN_REQUEST = 128

_WHOLE = 1 << 32


class Resets:
    """The reset requests of both sides; each side has at most one open request."""

    def __init__(
        self,
        sender: Sender,
        first_number: int,
        on_reset: Callable[[tuple[int, ...]], None],
        on_done: Callable[[tuple[int, ...]], None],
    ) -> None:
        """`first_number`: this side's initial TSN (section 5.1.1); `on_reset`: the peer reset; `on_done`: this side."""
        self.responses: list[bytes] = []
        "Response parameters to send."
        self.at: float | None = None
        "When to repeat the open request."
        self.supported = True
        "Whether the peer supports RE-CONFIG."
        self._sender = sender
        self._on_reset = on_reset
        self._on_done = on_done
        self._number = first_number
        self._wanted: dict[int, None] = {}
        self._open: ResetRequest | None = None
        self._due = False
        self._last = 0
        "The peer's last request with a final response,"
        self._last_result = NOTHING_TO_DO
        "and that response's result."
        self._deferred: ResetRequest | None = None

    def expect(self, first_number: int) -> None:
        """Set the number of the peer's first request: its initial TSN."""
        self._last = (first_number - 1) % _WHOLE

    # --- of this side ------------------------------------------------------------------------------------------

    def ask(self, streams: Iterable[int]) -> None:
        """Request a reset of these streams soon."""
        self._wanted.update(dict.fromkeys(streams))

    def request(self, now: float) -> bytes | None:
        """Return the RE-CONFIG chunk that is due, None if there is none."""
        if self._open is None and self._wanted and self.supported:
            # Waiting messages were dropped, but a message that is being sent is completed.
            ready = [one for one in self._wanted if not self._sender.backlog(one)]
            ready = ready[:MAX_STREAMS_IN_REQUEST]
            if ready:
                for stream in ready:
                    del self._wanted[stream]
                    self._sender.pause(stream)
                self._open = ResetRequest(
                    self._number % _WHOLE, self._last, self._sender.last % _WHOLE, tuple(ready)
                )
                self._due = True
        if self._open is None or not self._due:
            return None
        self._due = False
        if self.at is None:
            self.at = now + self._sender.rto_s
        return sctp.chunk(sctp.RE_CONFIG, sctp.reset_request(self._open))

    def timed_out(self, now: float, rto_s: float) -> None:
        """Repeat the request."""
        self._due = self._open is not None
        self.at = now + min(2 * rto_s, RTO_MAX_S) if self._due else None

    def _answered(self, response: ResetResponse, now: float) -> None:
        request = self._open
        if request is None or response.number != request.number:
            return
        self._sender.errors = 0
        if response.result == IN_PROGRESS:
            self.at = now + self._sender.rto_s
            return
        self._open = self.at = None
        self._number += 1
        for stream in request.streams:
            self._sender.restart(stream)
        self._on_done(request.streams)

    # --- of the peer -------------------------------------------------------------------------------------------

    def on_reconfiguration(self, chunk: ReConfig, receiver: Receiver, now: float) -> None:
        """Process the peer's requests and responses."""
        for part in chunk.parts:
            if isinstance(part, ResetResponse):
                self._answered(part, now)
            elif part.number == self._last:
                self.responses.append(sctp.reset_response(part.number, self._last_result))
            elif part.number != (self._last + 1) % _WHOLE:
                self.responses.append(sctp.reset_response(part.number, BAD_NUMBER))
            elif isinstance(part, OtherRequest):
                # more streams than agreed, or resets that no browser requests
                self._answer(part.number, DENIED)
            elif unwrap(part.last_tsn, receiver.cumulative) > receiver.cumulative:
                self._deferred = part
                self.responses.append(sctp.reset_response(part.number, IN_PROGRESS))
            else:
                self._perform(part, receiver)

    def catch_up(self, receiver: Receiver) -> None:
        """Perform a request that waited for data, if that data has been received."""
        request = self._deferred
        if request is not None and unwrap(request.last_tsn, receiver.cumulative) <= receiver.cumulative:
            self._perform(request, receiver)

    def _perform(self, request: ResetRequest, receiver: Receiver) -> None:
        self._deferred = None
        self._answer(request.number, PERFORMED)
        receiver.reset(request.streams)
        self._on_reset(request.streams)

    def _answer(self, number: int, result: int) -> None:
        self._last, self._last_result = number, result
        self.responses.append(sctp.reset_response(number, result))
