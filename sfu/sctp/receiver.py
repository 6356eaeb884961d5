"""The receiving half of an SCTP association: received and missing TSNs, reassembly of messages.

TSNs are counted without wrapping here (`unwrap`), so that they compare as plain integers. Stored data is bounded by
the advertised window and by the numbers of fragments and gaps; data beyond that is not acknowledged, so the peer
repeats it.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable

from sfu.sctp import chunks as sctp
from sfu.sctp.chunks import BEGIN, END, UNORDERED, Data, ForwardTsn

# 256 KiB in flight allow 2.5 MB/s with a round trip of 100 ms.
WINDOW_BYTES = 256 * 1024
# Limit on stored data, including a cost per fragment besides its bytes: about 4,000 fragments of one byte.
HELD_BYTES = 2 * WINDOW_BYTES
FRAGMENT_COST = 128
# A TSN further ahead would be outside of every advertised window.
MAX_TSNS_AHEAD = 4096
# Separate runs of TSNs beyond the first gap. A lossy path has some dozens.
MAX_RUNS = 256
# The numbers that dcsctp reports (RFC 9260 leaves them to the receiver).
REPORTED_GAPS, REPORTED_DUPLICATES = 32, 20
# Streams that have state. Clients use three to ten.
MAX_STREAMS_IN_USE = 64

_HALF, _WHOLE = 1 << 31, 1 << 32

Deliver = Callable[[int, int, bytes, bool], None]
"(stream, protocol, message, whether the message is ordered)."


class ProtocolError(Exception):
    """The peer violates the protocol in a way that ends the association; `cause` is the error cause's type."""

    def __init__(self, cause: int, text: str) -> None:
        """`cause` is a type of RFC 9260 section 3.3.10."""
        super().__init__(text)
        self.cause = cause


def unwrap(number: int, near: int) -> int:
    """Return the unwrapped number nearest to `near` that equals `number` modulo 2^32."""
    return near + ((number - near + _HALF) % _WHOLE) - _HALF


class _Run:
    """Fragments of one message with consecutive TSNs."""

    __slots__ = ("began", "bytes", "data", "ended", "first", "last", "oversize", "parts")

    def __init__(self, data: Data, tsn: int) -> None:
        self.first = self.last = tsn
        self.parts: deque[bytes] = deque((data.payload,))
        self.bytes = len(data.payload)
        self.began = bool(data.flags & BEGIN)
        self.ended = bool(data.flags & END)
        self.data = data
        self.oversize = False


class _Stream:
    """One inbound stream."""

    __slots__ = ("expected", "waiting")

    def __init__(self) -> None:
        self.expected = 0
        "The next stream sequence number."
        self.waiting: dict[int, tuple[int, bytes | None, int]] = {}
        "Complete messages before their turn, by sequence number: (protocol, message, cost)."


class Receiver:
    """Processes DATA and FORWARD-TSN, delivers messages, and creates SACKs."""

    def __init__(self, first_tsn: int, max_message_bytes: int, streams: int, deliver: Deliver) -> None:
        """`first_tsn`: from the peer's INIT; `streams`: how many it may use. Longer messages are not delivered."""
        self.cumulative = first_tsn - 1 + _WHOLE
        "Unwrapped TSN up to which everything was received or skipped."
        self.duplicates: list[int] = []
        self.oversize = 0
        "Number of messages dropped because they were too long."
        self._deliver = deliver
        self._max_message_bytes = max_message_bytes
        self._allowed_streams = streams
        self._ranges: list[list[int]] = []
        "Runs of TSNs beyond the first gap, [first, last], ascending."
        self._begins: dict[int, _Run] = {}
        "Incomplete messages by the first TSN of their run,"
        self._ends: dict[int, _Run] = {}
        "and by its last TSN."
        self._streams: dict[int, _Stream] = {}
        self.held = 0
        "Bytes of incomplete messages and of messages before their turn, including the cost of each."

    # --- acknowledgement ---------------------------------------------------------------------------------------

    @property
    def gaps(self) -> bool:
        """Whether TSNs are missing."""
        return bool(self._ranges)

    def sack(self, undelivered: int) -> bytes:
        """Build a SACK chunk; `undelivered` bytes wait in the application."""
        base = self.cumulative
        gaps = [(first - base, last - base) for first, last in self._ranges[:REPORTED_GAPS]]
        duplicates, self.duplicates = self.duplicates, []
        window = max(WINDOW_BYTES - self.held - undelivered, 0)
        return sctp.sack(base % _WHOLE, window, gaps, duplicates)

    def _is_new(self, tsn: int) -> bool:
        if tsn <= self.cumulative:
            return False
        if not self._ranges:
            return True
        at = bisect_right(self._ranges, [tsn, _WHOLE << 32]) - 1
        return at < 0 or self._ranges[at][1] < tsn

    def _note(self, tsn: int) -> None:
        """Record a new TSN."""
        ranges = self._ranges
        if tsn == self.cumulative + 1:
            self.cumulative = tsn
            if ranges and ranges[0][0] == tsn + 1:
                self.cumulative = ranges.pop(0)[1]
            return
        at = bisect_right(ranges, [tsn, _WHOLE << 32])
        joins_before = at > 0 and ranges[at - 1][1] == tsn - 1
        joins_after = at < len(ranges) and ranges[at][0] == tsn + 1
        if joins_before and joins_after:
            ranges[at - 1][1] = ranges.pop(at)[1]
        elif joins_before:
            ranges[at - 1][1] = tsn
        elif joins_after:
            ranges[at][0] = tsn
        else:
            ranges.insert(at, [tsn, tsn])

    # --- data --------------------------------------------------------------------------------------------------

    def receive(self, data: Data, undelivered: int) -> bool:
        """Process a DATA chunk; False if it is a duplicate or there is no room for it. ProtocolError."""
        if not data.payload:
            raise ProtocolError(sctp.CAUSE_NO_USER_DATA, "DATA without data")
        tsn = unwrap(data.tsn, self.cumulative)
        if not self._is_new(tsn):
            if len(self.duplicates) < REPORTED_DUPLICATES:
                self.duplicates.append(data.tsn)
            return False
        if data.stream >= self._allowed_streams:
            raise ProtocolError(sctp.CAUSE_PROTOCOL_VIOLATION, "a stream beyond the negotiated number")
        if not self._has_room(tsn, len(data.payload), undelivered):
            return False
        stream = self._stream(data.stream)
        self._note(tsn)
        if data.flags & (BEGIN | END) == BEGIN | END:
            self._complete(stream, data, data.payload)
        else:
            self._fragment(stream, data, tsn)
        return True

    def _has_room(self, tsn: int, size: int, undelivered: int) -> bool:
        if tsn - self.cumulative > MAX_TSNS_AHEAD or len(self._ranges) >= MAX_RUNS:
            return tsn == self.cumulative + 1 and len(self._ranges) <= MAX_RUNS
        total = self.held + undelivered + size + FRAGMENT_COST
        # data that fills the first gap releases the data after it, so it may exceed the bound by one message
        return total <= HELD_BYTES + (self._max_message_bytes if tsn == self.cumulative + 1 else 0)

    def _stream(self, number: int) -> _Stream:
        stream = self._streams.get(number)
        if stream is None:
            if len(self._streams) >= MAX_STREAMS_IN_USE:
                raise ProtocolError(sctp.CAUSE_PROTOCOL_VIOLATION, "too many streams in use")
            stream = self._streams[number] = _Stream()
        return stream

    def _fragment(self, stream: _Stream, data: Data, tsn: int) -> None:
        run = _Run(data, tsn)
        self.held += run.bytes + FRAGMENT_COST
        before = None if run.began else self._ends.get(tsn - 1)
        if before is not None and not before.ended and _same_message(before.data, data):
            del self._ends[before.last]
            run = self._joined(before, run)
        else:
            self._begins[run.first] = run
        after = None if run.ended else self._begins.get(tsn + 1)
        if after is not None and not after.began and _same_message(run.data, after.data):
            del self._begins[after.first]
            run = self._joined(run, after)
        self._ends[run.last] = run
        if run.began and run.ended:
            self._drop(run)
            self._complete(stream, run.data, None if run.oversize else b"".join(run.parts))

    def _joined(self, left: _Run, right: _Run) -> _Run:
        """Join two runs; the result is entered at the left run's beginning, and the caller enters it at its end."""
        if len(left.parts) >= len(right.parts):
            left.parts.extend(right.parts)
        else:
            right.parts.extendleft(reversed(left.parts))
            left.parts = right.parts
        left.bytes += right.bytes
        left.last, left.ended = right.last, right.ended
        left.oversize |= right.oversize
        # a message that is too long will not be delivered, so its parts are not stored
        if not left.oversize and left.bytes > self._max_message_bytes:
            left.oversize = True
        if left.oversize:
            self.held -= self._cost(left)
            left.parts.clear()
            left.bytes = 0
        return left

    @staticmethod
    def _cost(run: _Run) -> int:
        return run.bytes + FRAGMENT_COST * len(run.parts)

    def _drop(self, run: _Run) -> None:
        del self._begins[run.first]
        del self._ends[run.last]
        self.held -= self._cost(run)

    def _complete(self, stream: _Stream, data: Data, message: bytes | None) -> None:
        """Deliver a message, or store it until its turn; None stands for a message that was too long."""
        if message is None or len(message) > self._max_message_bytes:
            self.oversize += 1
            message = None
        if data.flags & UNORDERED:
            if message is not None:
                self._deliver(data.stream, data.protocol, message, False)
            return
        if data.sequence != stream.expected:
            # a repeated or passed sequence number can only be a violation; the message is dropped
            if data.sequence not in stream.waiting and (data.sequence - stream.expected) & 0xFFFF < 0x8000:
                cost = FRAGMENT_COST + (0 if message is None else len(message))
                stream.waiting[data.sequence] = (data.protocol, message, cost)
                self.held += cost
            return
        stream.expected = (stream.expected + 1) & 0xFFFF
        if message is not None:
            self._deliver(data.stream, data.protocol, message, True)
        if stream.waiting:
            self._deliver_waiting(data.stream, stream)

    def _deliver_waiting(self, number: int, stream: _Stream) -> None:
        while (found := stream.waiting.pop(stream.expected, None)) is not None:
            protocol, message, cost = found
            self.held -= cost
            stream.expected = (stream.expected + 1) & 0xFFFF
            if message is not None:
                self._deliver(number, protocol, message, True)

    # --- skipped and reset streams -----------------------------------------------------------------------------

    def forward(self, chunk: ForwardTsn) -> bool:
        """Skip messages that the peer abandoned (RFC 3758 section 3.6); False if it already did. ProtocolError."""
        cumulative = unwrap(chunk.cumulative, self.cumulative)
        if cumulative <= self.cumulative:
            return False
        if cumulative - self.cumulative > MAX_TSNS_AHEAD:
            raise ProtocolError(
                sctp.CAUSE_PROTOCOL_VIOLATION, "FORWARD-TSN beyond everything that can have been sent"
            )
        if any(number >= self._allowed_streams for number, _ in chunk.streams):
            raise ProtocolError(sctp.CAUSE_PROTOCOL_VIOLATION, "a stream beyond the negotiated number")
        self.cumulative = cumulative
        ranges = self._ranges
        while ranges and ranges[0][0] <= self.cumulative + 1:
            self.cumulative = max(self.cumulative, ranges.pop(0)[1])
        for run in [run for run in self._begins.values() if run.first <= cumulative]:
            # A message received up to here that continues later is not abandoned.
            if not (run.began and run.last >= cumulative and not run.ended):
                self._drop(run)
        for number, sequence in chunk.streams:
            self._skip(number, self._stream(number), sequence)
        return True

    def _skip(self, number: int, stream: _Stream, sequence: int) -> None:
        """Continue after `sequence` on an ordered stream."""
        after = (sequence + 1) & 0xFFFF
        ahead = (after - stream.expected) & 0xFFFF
        if not 0 < ahead < 0x8000:
            return
        passed = [one for one in stream.waiting if (one - stream.expected) & 0xFFFF < ahead]
        for one in sorted(passed, key=lambda one: (one - stream.expected) & 0xFFFF):
            protocol, message, cost = stream.waiting.pop(one)
            self.held -= cost
            if message is not None:
                self._deliver(number, protocol, message, True)
        stream.expected = after
        self._deliver_waiting(number, stream)

    def reset(self, numbers: tuple[int, ...]) -> tuple[int, ...]:
        """Reset these streams, or all if none is named; return those that were in use."""
        known = tuple(n for n in dict.fromkeys(numbers or self._streams) if n in self._streams)
        for number in known:
            for _, _, cost in self._streams.pop(number).waiting.values():
                self.held -= cost
        return known


def _same_message(one: Data, other: Data) -> bool:
    return (
        one.stream == other.stream
        and one.sequence == other.sequence
        and (one.flags ^ other.flags) & UNORDERED == 0
        and one.protocol == other.protocol
    )
