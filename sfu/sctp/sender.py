"""The sending half of an SCTP association: queues, congestion control, retransmission, partial reliability.

Each stream has a queue of messages. A message gets its TSNs when it is sent, not when it is queued, so messages of
other streams can overtake waiting ones, and stale ones can be dropped. Without RFC 8260 the fragments of one message
have consecutive TSNs, so a stream waits for at most one message of another (64 KB). RFC 9260 sections 6, 7; RFC 3758.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from sfu.sctp import chunks as sctp
from sfu.sctp.chunks import BEGIN, END, UNORDERED, Sack
from sfu.sctp.receiver import ProtocolError, unwrap

# A packet in DTLS (37), UDP (8) and IPv6 (40) stays below 1,280 bytes; dcsctp's 1,191 is not a multiple of four.
PACKET_BYTES = 1188
PAYLOAD_BYTES = PACKET_BYTES - sctp.HEADER_BYTES - sctp.DATA_HEADER_BYTES
# RFC 6928's initial window, as in dcsctp.
INITIAL_CWND = 10 * PACKET_BYTES
MAX_CWND = 512 * 1024
MAX_OUTSTANDING = 512  # in chunks; bounds the work per SACK
# RFC 9260 section 16 has 1 s, 1 s and 60 s; the lower values are those of dcsctp and usrsctp for WebRTC.
RTO_INITIAL_S, RTO_MIN_S, RTO_MAX_S = 0.5, 0.4, 10.0
MAX_RETRANSMISSIONS = 10
MISSES_OF_LOST = 3
# A longer queue on the path is not filled further, since audio and video share the path.
QUEUE_LIMIT_S = 0.25
MIN_RTT_WINDOW_S = 30.0

_WHOLE = 1 << 32
_IN_FLIGHT, _LOST, _ACKED, _ABANDONED = range(4)


@dataclass(slots=True, eq=False)
class Message:
    """An outgoing message."""

    stream: int
    protocol: int
    payload: bytes
    ordered: bool = True
    max_retransmits: int | None = None
    expires_at: float | None = None
    "When the message is abandoned, sent or not."
    flow: str = ""
    "The owner's key of messages that belong together."
    sent: int = 0
    "Bytes that have been sent at least once."
    sequence: int = 0
    first_tsn: int = 0
    chunks: int = 0
    "Number of its chunks, with consecutive TSNs from the first."
    given_up: bool = False


class _Chunk:
    """A DATA chunk that has been sent."""

    __slots__ = ("message", "misses", "order", "sends", "sent_at", "size", "state", "tsn", "wire")

    def __init__(self, message: Message, tsn: int, size: int, wire: bytes) -> None:
        self.message = message
        self.tsn = tsn
        self.size = size
        self.wire = wire
        self.state = _IN_FLIGHT
        self.sends = 0
        self.misses = 0
        self.order = 0
        self.sent_at = 0.0


class _Queue:
    """The messages of one stream that have not been sent completely."""

    __slots__ = ("bytes", "finish", "messages", "sequence", "start")

    def __init__(self) -> None:
        self.messages: deque[Message] = deque()
        self.bytes = 0
        self.sequence = 0
        # Start-time fair queueing: the stream with the lowest start is next, and a message adds its bytes.
        self.start = self.finish = 0.0


class Sender:
    """Queues messages and sends them in DATA chunks, as fast as the windows allow."""

    def __init__(self, first_tsn: int) -> None:
        """`first_tsn`: from this side's INIT."""
        self.acked = first_tsn - 1 + _WHOLE
        "Unwrapped TSN up to which the peer has acknowledged everything."
        self.last = self.acked
        "The last TSN sent."
        self.window = 0
        "Bytes that the peer can still receive."
        self.timeout_at: float | None = None
        "Expiry of the timer T3-rtx."
        self.rto_s = RTO_INITIAL_S
        self.partial_reliability = True
        "Whether the peer supports FORWARD-TSN; otherwise every message is repeated until it arrives."
        self.errors = 0
        "Consecutive retransmission timeouts without an acknowledgement."
        self.stale = 0
        "Number of messages dropped because of their age."
        self.cwnd = INITIAL_CWND
        self._ssthresh = float(MAX_CWND)
        self._partial = 0
        self._recovery_exit: int | None = None
        self._fast_retransmit = False
        "Whether the next packet is sent regardless of the congestion window (section 7.2.4, 3)."
        self._flight = 0
        self._outstanding: deque[_Chunk] = deque()
        self._lost: deque[_Chunk] = deque()
        self._queues: dict[int, _Queue] = {}
        self._paused: set[int] = set()
        self._current: Message | None = None
        self._virtual = 0.0
        self._order = 0
        self._srtt_s: float | None = None
        self._rttvar_s = 0.0
        self._min_rtt_s = self._next_min_rtt_s = float("inf")
        self._min_rtt_until = 0.0
        self._slowed_at = 0.0
        self._skipped = self.acked
        "TSN up to which the peer is to skip (Advanced.Peer.Ack.Point)."
        self._forward_due = False
        self._forwarded_at = 0.0

    # --- queues ------------------------------------------------------------------------------------------------

    def queue(self, message: Message) -> None:
        """Append a message to the queue of its stream."""
        queue = self._queues.get(message.stream)
        if queue is None:
            queue = self._queues[message.stream] = _Queue()
        if not queue.messages:
            queue.start = max(queue.finish, self._virtual)
        queue.messages.append(message)
        queue.bytes += len(message.payload)

    def backlog(self, stream: int) -> int:
        """Return the waiting bytes of a stream, without those in flight."""
        queue = self._queues.get(stream)
        return queue.bytes if queue is not None else 0

    def flows(self, stream: int) -> Iterator[tuple[str, int]]:
        """Yield (flow, bytes) of each waiting message of a stream."""
        queue = self._queues.get(stream)
        return ((m.flow, len(m.payload)) for m in queue.messages) if queue is not None else iter(())

    def discard(self, stream: int, flow: str | None = None) -> int:
        """Drop a stream's waiting messages, of one flow or all; return their bytes. A partly sent message stays."""
        queue = self._queues.get(stream)
        if queue is None:
            return 0
        kept = deque(m for m in queue.messages if m is self._current or (flow is not None and m.flow != flow))
        before, queue.messages = queue.bytes, kept
        queue.bytes = sum(len(m.payload) - m.sent for m in kept)
        return before - queue.bytes

    def pause(self, stream: int) -> None:
        """Stop sending on a stream that is being reset."""
        self._paused.add(stream)

    def restart(self, stream: int) -> None:
        """Start a stream again after its reset."""
        self._paused.discard(stream)
        queue = self._queues.get(stream)
        if queue is not None:
            queue.sequence = 0
            if not queue.messages:
                del self._queues[stream]

    # --- chunks ------------------------------------------------------------------------------------------------

    @property
    def idle(self) -> bool:
        """Whether everything sent has been acknowledged."""
        return not self._outstanding

    @property
    def next_tsn(self) -> int:
        """The unwrapped TSN of the next chunk."""
        return self.last + 1

    def chunks(self, room: int, now: float) -> list[bytes]:
        """Return serialised chunks for a packet with `room` bytes left, as far as the windows allow."""
        made: list[bytes] = []
        if self._forward_due and room >= PACKET_BYTES // 2:
            chunk = self._forward(now)
            made.append(chunk)
            room -= len(chunk)
        while self._lost and room >= len(self._lost[0].wire):
            chunk_ = self._lost[0]
            if chunk_.state == _LOST:
                if self._flight and self._flight + chunk_.size > self.cwnd and not self._fast_retransmit:
                    return made
                self._transmit(chunk_, now)
                made.append(chunk_.wire)
                room -= len(chunk_.wire)
            self._lost.popleft()
        if made:
            self._fast_retransmit = False
        if not self._lost:
            while (new := self._new_chunk(room, now)) is not None:
                self._transmit(new, now)
                made.append(new.wire)
                room -= len(new.wire)
        return made

    def _new_chunk(self, room: int, now: float) -> _Chunk | None:
        message = self._current or self._pick(now)
        if message is None or len(self._outstanding) >= MAX_OUTSTANDING:
            return None
        left = len(message.payload) - message.sent
        size = min(left, PAYLOAD_BYTES)
        if sctp.DATA_HEADER_BYTES + size > room:
            return None
        # With nothing in flight, one chunk is sent anyway: it probes a zero window (section 6.1 A).
        if self._flight and (self._flight + size > self.cwnd or size > self.window):
            return None
        queue = self._queues[message.stream]
        if not message.sent:
            self._begin(queue, message)
        flags = (0 if message.sent else BEGIN) | (END if size == left else 0)
        if not message.ordered:
            flags |= UNORDERED
        part = (
            message.payload[message.sent : message.sent + size]
            if size < len(message.payload)
            else message.payload
        )
        self.last += 1
        message.chunks += 1
        wire = sctp.data(self.last % _WHOLE, message.stream, message.sequence, message.protocol, flags, part)
        message.sent += size
        queue.bytes -= size
        self.window = max(self.window - size, 0)
        if size == left:
            self._current = None
            queue.messages.popleft()
        chunk = _Chunk(message, self.last, size, wire)
        self._outstanding.append(chunk)
        return chunk

    def _begin(self, queue: _Queue, message: Message) -> None:
        self._current = message
        message.first_tsn = self.last + 1
        self._virtual = queue.start
        queue.finish = queue.start = queue.start + len(message.payload)
        if message.ordered:
            message.sequence = queue.sequence
            queue.sequence = (queue.sequence + 1) & 0xFFFF

    def _pick(self, now: float) -> Message | None:
        """Return the next message of the stream whose turn it is; drop stale ones."""
        best: _Queue | None = None
        for stream, queue in self._queues.items():
            while queue.messages and (expiry := queue.messages[0].expires_at) is not None and expiry <= now:
                queue.bytes -= len(queue.messages.popleft().payload)
                self.stale += 1
            if queue.messages and stream not in self._paused and (best is None or queue.start < best.start):
                best = queue
        return best.messages[0] if best is not None else None

    def _transmit(self, chunk: _Chunk, now: float) -> None:
        chunk.state = _IN_FLIGHT
        chunk.sends += 1
        chunk.misses = 0
        self._order += 1
        chunk.order = self._order
        chunk.sent_at = now
        self._flight += chunk.size
        if self.timeout_at is None:
            self.timeout_at = now + self.rto_s

    # --- acknowledgements --------------------------------------------------------------------------------------

    def acknowledge(self, sack: Sack, now: float) -> bool:
        """Process a SACK; False if it is older than a previous one. ProtocolError."""
        cumulative = unwrap(sack.cumulative, self.acked)
        if cumulative < self.acked:
            return False
        if cumulative > self.last or not _valid(sack.gaps, self.last - cumulative):
            raise ProtocolError(sctp.CAUSE_PROTOCOL_VIOLATION, "SACK of a TSN that was not sent")
        flight_before = self._flight
        advanced = cumulative > self.acked
        acked_bytes, newest = self._drop_until(cumulative)
        gap_bytes, newest = self._mark(sack.gaps, newest)
        if newest is not None:
            if newest.sends == 1:
                self._measure(now - newest.sent_at, now)
            if sack.gaps:
                self._count_misses(newest, now)
        if advanced or (sack.window == 0 and self.window == 0):
            self.errors = 0  # section 6.1: a confirmed zero window is not a failure
        if advanced:
            self._grow(acked_bytes + gap_bytes, flight_before)
            self.timeout_at = now + self.rto_s if self._outstanding else None
        self.window = max(sack.window - self._flight, 0)
        self._advance(now)
        return True

    def _drop_until(self, cumulative: int) -> tuple[int, _Chunk | None]:
        acked, newest = 0, None
        outstanding = self._outstanding
        while outstanding and outstanding[0].tsn <= cumulative:
            chunk = outstanding.popleft()
            if chunk.state != _ACKED:
                if chunk.state == _IN_FLIGHT:
                    self._flight -= chunk.size
                acked += chunk.size
                if newest is None or chunk.order > newest.order:
                    newest = chunk
            chunk.state = _ACKED
        self.acked = cumulative
        self._skipped = max(self._skipped, cumulative)
        if self._recovery_exit is not None and cumulative >= self._recovery_exit:
            self._recovery_exit = None
        return acked, newest

    def _mark(self, gaps: list[tuple[int, int]], newest: _Chunk | None) -> tuple[int, _Chunk | None]:
        """Mark chunks received after a gap. The blocks ascend, so the work is bounded by the outstanding chunks."""
        acked = 0
        outstanding = self._outstanding
        for first, last in gaps:
            for i in range(first - 1, last):
                chunk = outstanding[i]
                if chunk.state in {_IN_FLIGHT, _LOST}:
                    if chunk.state == _IN_FLIGHT:
                        self._flight -= chunk.size
                    acked += chunk.size
                    chunk.state = _ACKED
                    if newest is None or chunk.order > newest.order:
                        newest = chunk
        return acked, newest

    def _count_misses(self, newest: _Chunk, now: float) -> None:
        """Mark a chunk, also a retransmission, as lost after three reports of later chunks (section 7.2.4)."""
        lost = False
        for chunk in self._outstanding:
            if chunk.state == _IN_FLIGHT and chunk.order < newest.order:
                chunk.misses += 1
                if chunk.misses >= MISSES_OF_LOST:
                    lost |= self._lose(chunk, now)
        if lost and self._recovery_exit is None:
            self._ssthresh = max(self.cwnd // 2, 4 * PACKET_BYTES)
            self.cwnd = int(self._ssthresh)
            self._partial = 0
            self._recovery_exit = self.last
            self._fast_retransmit = True

    def _lose(self, chunk: _Chunk, now: float) -> bool:
        """Send a chunk again, or abandon its message."""
        if chunk.state == _IN_FLIGHT:
            self._flight -= chunk.size
        message = chunk.message
        spent = message.max_retransmits is not None and chunk.sends > message.max_retransmits
        stale = message.expires_at is not None and message.expires_at <= now
        if message.given_up or (self.partial_reliability and (spent or stale)):
            chunk.state = _ABANDONED
            if not message.given_up:
                self._give_up(message)
        else:
            chunk.state = _LOST
            self._lost.append(chunk)
        return True

    def _give_up(self, message: Message) -> None:
        """Abandon a message with all its chunks, sent or not (RFC 3758 section 3.5)."""
        message.given_up = True
        base = self._outstanding[0].tsn
        first = max(message.first_tsn - base, 0)
        for i in range(first, message.first_tsn + message.chunks - base):
            chunk = self._outstanding[i]
            if chunk.state != _ABANDONED:
                if chunk.state == _IN_FLIGHT:
                    self._flight -= chunk.size
                chunk.state = _ABANDONED
        if self._current is message:
            self._current = None
            queue = self._queues[message.stream]
            queue.messages.popleft()
            queue.bytes -= len(message.payload) - message.sent

    # --- abandoned messages ------------------------------------------------------------------------------------

    def _advance(self, now: float) -> None:
        """Advance the TSN up to which the peer need not wait, and schedule a FORWARD-TSN."""
        point = self._skipped
        for chunk in self._outstanding:
            if chunk.state != _ABANDONED:
                break
            point = chunk.tsn
        if point > self._skipped:
            self._skipped = point
            self._forward_due = True
        elif self._skipped > self.acked and now - self._forwarded_at > (self._srtt_s or self.rto_s):
            self._forward_due = True

    def _forward(self, now: float) -> bytes:
        self._forward_due = False
        self._forwarded_at = now
        streams: dict[int, int] = {}
        for chunk in self._outstanding:
            if chunk.tsn > self._skipped:
                break
            if chunk.message.ordered:
                streams[chunk.message.stream] = chunk.message.sequence
        if self.timeout_at is None and self._outstanding:
            self.timeout_at = now + self.rto_s
        return sctp.forward_tsn(self._skipped % _WHOLE, list(streams.items()))

    # --- rates -------------------------------------------------------------------------------------------------

    def _measure(self, rtt_s: float, now: float) -> None:
        """Update the round-trip time and the timeout (section 6.3.1)."""
        if self._srtt_s is None:
            self._srtt_s, self._rttvar_s = rtt_s, rtt_s / 2
        else:
            self._rttvar_s += (abs(self._srtt_s - rtt_s) - self._rttvar_s) / 4
            self._srtt_s += (rtt_s - self._srtt_s) / 8
        self.rto_s = min(max(self._srtt_s + 4 * self._rttvar_s, RTO_MIN_S), RTO_MAX_S)
        if now >= self._min_rtt_until:
            self._min_rtt_until = now + MIN_RTT_WINDOW_S
            self._min_rtt_s, self._next_min_rtt_s = min(self._next_min_rtt_s, rtt_s), float("inf")
        self._min_rtt_s = min(self._min_rtt_s, rtt_s)
        self._next_min_rtt_s = min(self._next_min_rtt_s, rtt_s)
        # Once per round trip, shrink the window by the excess queue on the path.
        excess_s = self._srtt_s - self._min_rtt_s - QUEUE_LIMIT_S
        if excess_s > 0 and now - self._slowed_at > self._srtt_s:
            self._slowed_at = now
            self.cwnd = max(int(self.cwnd * (1 - excess_s / self._srtt_s)), 4 * PACKET_BYTES)
            self._ssthresh = min(self._ssthresh, self.cwnd)

    def _grow(self, acked: int, flight_before: int) -> None:
        """Grow the congestion window if it is used fully (sections 7.2.1 and 7.2.2)."""
        if self._recovery_exit is not None or flight_before + PACKET_BYTES <= self.cwnd:
            return
        if self._srtt_s is not None and self._srtt_s - self._min_rtt_s > QUEUE_LIMIT_S / 2:
            return
        if self.cwnd <= self._ssthresh:
            self.cwnd += min(acked, PACKET_BYTES)
        else:
            self._partial += acked
            if self._partial >= self.cwnd:
                self._partial -= self.cwnd
                self.cwnd += PACKET_BYTES
        self.cwnd = min(self.cwnd, MAX_CWND)

    def timed_out(self, now: float) -> None:
        """T3-rtx expired: all outstanding chunks count as lost (section 6.3.3)."""
        self.errors += 1
        self._ssthresh = max(self.cwnd // 2, 4 * PACKET_BYTES)
        self.cwnd = PACKET_BYTES
        self._partial = 0
        self._recovery_exit = None
        self._lost.clear()
        first = True
        for chunk in list(self._outstanding):
            if chunk.state in {_IN_FLIGHT, _LOST}:
                self._lose(chunk, now)
            elif chunk.state == _ACKED and first:
                # Reported before, but the cumulative TSN has not passed it: the peer dropped it (section 6.2.1).
                chunk.state = _LOST
                self._lost.append(chunk)
            first &= chunk.state == _ABANDONED
        self.rto_s = min(2 * self.rto_s, RTO_MAX_S)
        self.timeout_at = now + self.rto_s if self._outstanding else None
        self._advance(now)


def _valid(gaps: list[tuple[int, int]], sent: int) -> bool:
    """Whether gap blocks ascend and are within the TSNs sent beyond the cumulative TSN."""
    before = 1
    for first, last in gaps:
        if not before < first <= last <= sent:
            return False
        before = last
    return True
