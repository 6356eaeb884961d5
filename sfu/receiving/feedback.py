"""Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01)."""

import struct

from sfu.wire import rtcp
from sfu.wire.arithmetic import Unwrapper

# draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1
_TICKS_PER_S = 4000  # deltas are multiples of 250 us
_REFERENCE_TICKS = 256  # the reference time is a multiple of 64 ms
_NOT_RECEIVED, _SMALL_DELTA, _LARGE_DELTA = 0, 1, 2
_LONGEST_RUN = 0x1FFF
# An arrival takes at most two bytes of delta and, with the gap before it, two chunks of two bytes; long gaps
# a few more. So this many stay under 1,200 bytes, which fit every path.
_ARRIVALS_PER_PACKET = 190
# More than any jump between two arrivals, and within the 16 bits of the status count
_LONGEST_SPAN = 0x7FFF
# One feedback each 50 ms when there is much to report, else each 100 ms: senders' estimators want it often
# while they ramp up, and a report costs a packet.
_SHORT_INTERVAL_S = 0.05
_LONG_INTERVAL_S = 0.1
_MUCH = 10
# Arrivals remembered after they were reported, so that a late packet can be reported in its place among them
_REMEMBERED = 512


class TransportFeedback:
    """Reports each packet's arrival time to a publisher, by transport-wide sequence number."""

    __slots__ = (
        "_count",
        "_following",
        "_last_built_at",
        "_new",
        "_reported",
        "_unwrapper",
        "due_at",
        "media_ssrc",
        "sender_ssrc",
    )

    def __init__(self, sender_ssrc: int) -> None:
        """`sender_ssrc` is this server's SSRC in RTCP feedback."""
        self.sender_ssrc = sender_ssrc
        self.media_ssrc = 0
        "One of the publisher's streams; the report covers all of its transport."
        self.due_at: float | None = None
        "When to `build`; None while there is nothing new."
        self._unwrapper = Unwrapper()
        self._new: dict[int, int] = {}  # extended number -> ticks, since the last report
        self._reported: dict[int, int] = {}  # the same before it
        self._following: int | None = None  # the number after the last report
        self._count = 0
        self._last_built_at = float("-inf")

    def received(self, transport_seq16: int, now: float) -> bool:
        """Record the arrival of the packet with this transport-wide number; return whether `due_at` has changed.

        A repeated or very old number is ignored.
        """
        ext_seq = self._unwrapper.unwrap(transport_seq16)
        new = self._new
        if ext_seq in new or ext_seq in self._reported or ext_seq <= self._unwrapper.highest - _REMEMBERED:
            return False
        new[ext_seq] = int(now * _TICKS_PER_S)
        if len(new) == 1:
            self.due_at = max(now + _SHORT_INTERVAL_S, self._last_built_at + _LONG_INTERVAL_S)
        elif len(new) == _MUCH:
            self.due_at = max(now, self._last_built_at + _SHORT_INTERVAL_S)
        return len(new) in {1, _MUCH}

    def build(self, now: float) -> list[bytes]:
        """Return RTCP packets, under 1,200 bytes each, with all arrivals since the last call.

        A packet that arrived after later ones were reported is reported with those once more, so that the
        sender sees it in its place.
        """
        if not self._new:
            return []
        arrivals = sorted(self._new.items())
        first = arrivals[0][0]
        base = first if self._following is None else min(first, self._following)
        if base != self._following:
            arrivals = sorted(arrivals + [item for item in self._reported.items() if item[0] > first])
        packets = []
        while arrivals:
            taken = _fitting(base, arrivals)
            data = _encode(base, arrivals[:taken], self._count & 0xFF)
            packets.append(rtcp.transport_feedback(self.sender_ssrc, self.media_ssrc, data))
            self._count += 1
            base = arrivals[taken - 1][0] + 1
            del arrivals[:taken]
        self._following = base
        self.due_at = None
        self._last_built_at = now
        self._reported |= self._new
        self._new = {}
        if len(self._reported) > 2 * _REMEMBERED:
            oldest = base - _REMEMBERED
            self._reported = {number: ticks for number, ticks in self._reported.items() if number >= oldest}
        return packets


def _fitting(base: int, arrivals: list[tuple[int, int]]) -> int:
    """Return how many of the ascending arrivals (number, ticks) fit into one packet that starts at `base`."""
    before = arrivals[0][1]
    for i, (number, ticks) in enumerate(arrivals):
        # section 3.1.5: a delta has 16 bits
        if (
            i == _ARRIVALS_PER_PACKET
            or number - base > _LONGEST_SPAN
            or not -0x8000 <= ticks - before < 0x8000
        ):
            return i
        before = ticks
    return len(arrivals)


def _encode(base: int, arrivals: list[tuple[int, int]], count: int) -> bytes:
    """Return the packet, from the base sequence number on (section 3.1)."""
    reference = arrivals[0][1] // _REFERENCE_TICKS
    before = reference * _REFERENCE_TICKS
    deltas = bytearray()
    runs: list[tuple[int, int]] = []  # (symbol, how often)
    following = base
    for number, ticks in arrivals:
        if number > following:
            runs.append((_NOT_RECEIVED, number - following))
        following = number + 1
        delta = ticks - before
        before = ticks
        symbol = _SMALL_DELTA if 0 <= delta <= 0xFF else _LARGE_DELTA
        deltas += delta.to_bytes(symbol, "big", signed=symbol == _LARGE_DELTA)
        if runs and runs[-1][0] == symbol:
            runs[-1] = (symbol, runs[-1][1] + 1)
        else:
            runs.append((symbol, 1))
    head = struct.pack("!HHI", base & 0xFFFF, following - base, (reference & 0xFFFFFF) << 8 | count)
    data = head + _chunks(runs) + deltas
    return data + bytes(-len(data) % 4)


def _chunks(runs: list[tuple[int, int]]) -> bytes:
    """Return packet chunks (sections 3.1.3, 3.1.4): run lengths for long runs, vectors for short ones."""
    chunks: list[int] = []
    todo = runs[::-1]
    while todo:
        symbols = _next_symbols(todo)
        # 14 symbols of one bit say received with a small delta or not; 7 of two bits say any
        wide = _LARGE_DELTA in symbols
        if wide:
            del symbols[7:]
        symbol, length = todo[-1]
        if length >= len(symbols):
            taken = min(length, _LONGEST_RUN)
            chunks.append(symbol << 13 | taken)
        else:
            taken = len(symbols)
            bits = 0
            for symbol in symbols:
                bits = bits << (2 if wide else 1) | symbol
            missing = (7 if wide else 14) - taken
            chunks.append((0xC000 | bits << 2 * missing) if wide else (0x8000 | bits << missing))
        while taken:
            symbol, length = todo.pop()
            if length > taken:
                todo.append((symbol, length - taken))
            taken -= min(length, taken)
    return struct.pack(f"!{len(chunks)}H", *chunks)


def _next_symbols(todo: list[tuple[int, int]]) -> list[int]:
    """Return the next 14 symbols, or fewer at the end; `todo` has the next run last."""
    symbols: list[int] = []
    for symbol, length in reversed(todo):
        symbols += [symbol] * min(length, 14 - len(symbols))
        if len(symbols) == 14:
            break
    return symbols
