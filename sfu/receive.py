"""Receiving one publisher's packets: what is missing, what is reported back.

Three independent parts: `NackGenerator` and `ReceiverStatistics` per SSRC, `TransportFeedback` per transport.
Times are seconds of one monotonic clock.
"""

import struct

from sfu import rtcp
from sfu.rtcp import ReportBlock
from sfu.sequence import Unwrapper, ts_diff

# LiveKit's rules for requests to publishers
_MAX_OUTSTANDING = 100
_MAX_TRIES = 5
_MIN_INTERVAL_S = 0.02
_MAX_INTERVAL_S = 0.4
_BACKOFF = 1.25
_DEFAULT_RTT_S = 0.07
# Galene's rule: packets overtake each other a little, so a gap is asked for after two later packets or 20 ms
_GRACE_PACKETS = 2
_GRACE_S = 0.02
# A publisher that jumps this far has begun anew or was away: nothing of the gap is of use to anybody
_RESET_JUMP = 1000


class _Missing:
    """One packet asked for or about to be."""

    __slots__ = ("at", "early_from", "tries")

    def __init__(self, at: float, early_from: int) -> None:
        self.at = at
        self.early_from = early_from
        self.tries = 0


class NackGenerator:
    """Decides which missing packets of a stream are asked for, and when."""

    __slots__ = ("_early_from", "_highest", "_missing", "_next_at", "rtt_s")

    def __init__(self) -> None:
        """Nothing received yet."""
        self.rtt_s = _DEFAULT_RTT_S
        "Round-trip time to the publisher; set it when it is measured."
        self._highest: int | None = None
        self._missing: dict[int, _Missing] = {}
        self._next_at: float | None = None
        # the highest number from which a missing packet need not wait out its grace; None: nobody is in grace
        self._early_from: int | None = None

    def received(self, ext_seq: int, now: float) -> None:
        """A packet arrived, for the first time or retransmitted."""
        highest = self._highest
        if highest is not None and ext_seq == highest + 1:
            self._highest = ext_seq
        elif highest is None or ext_seq - highest > _RESET_JUMP:
            self._highest = ext_seq
            self._missing.clear()
            self._next_at = self._early_from = None
        elif ext_seq > highest:
            self._highest = ext_seq
            self._add_gap(highest + 1, ext_seq, now)
        else:
            self._missing.pop(ext_seq, None)
            return
        if self._early_from is not None and ext_seq >= self._early_from:
            self._end_grace(ext_seq, now)

    def due(self, now: float) -> list[int]:
        """Extended numbers to ask for now, ascending; they count as asked."""
        if self._next_at is None or now < self._next_at:
            return []
        asked = []
        for ext_seq, missing in list(self._missing.items()):
            if missing.at > now:
                continue
            asked.append(ext_seq)
            missing.tries += 1
            if missing.tries == _MAX_TRIES:
                del self._missing[ext_seq]
                continue
            interval_s = self.rtt_s * _BACKOFF ** (missing.tries - 1)
            missing.at = now + min(max(interval_s, _MIN_INTERVAL_S), _MAX_INTERVAL_S)
        self._next_at = min((missing.at for missing in self._missing.values()), default=None)
        return asked

    def next_at(self) -> float | None:
        """When `due` has something to look at; None when nothing is missing."""
        return self._next_at if self._missing else None

    def _add_gap(self, first: int, end: int, now: float) -> None:
        """`first` up to `end` are missing; the oldest give way when too many are."""
        early_from = end + _GRACE_PACKETS - 1
        for ext_seq in range(max(first, end - _MAX_OUTSTANDING), end):
            self._missing[ext_seq] = _Missing(now + _GRACE_S, early_from)
        for ext_seq in list(self._missing)[:-_MAX_OUTSTANDING]:
            del self._missing[ext_seq]
        if self._next_at is None or now + _GRACE_S < self._next_at:
            self._next_at = now + _GRACE_S
        if self._early_from is None:
            self._early_from = early_from

    def _end_grace(self, highest: int, now: float) -> None:
        """Enough later packets came for some: they are due at once."""
        self._early_from = None
        for missing in self._missing.values():
            if missing.tries:
                continue
            if missing.early_from <= highest:
                missing.at = min(missing.at, now)
                self._next_at = now
            elif self._early_from is None:
                self._early_from = missing.early_from


class ReceiverStatistics:
    """What receiver reports say of one stream (RFC 3550 appendices A.3 and A.8)."""

    __slots__ = (
        "_base",
        "_expected_prior",
        "_jitter",
        "_last_at",
        "_last_timestamp",
        "_received_prior",
        "_sr_at",
        "_sr_middle",
        "clock_rate_hz",
        "highest",
        "received_packets",
        "ssrc",
    )

    def __init__(self, ssrc: int, clock_rate_hz: int) -> None:
        """`clock_rate_hz` is that of the RTP timestamps."""
        self.ssrc = ssrc
        self.clock_rate_hz = clock_rate_hz
        self.received_packets = 0
        self.highest = 0
        "Highest extended sequence number."
        self._base = 0
        self._jitter = 0.0
        self._last_at = 0.0
        self._last_timestamp = 0
        self._expected_prior = 0
        self._received_prior = 0
        self._sr_at: float | None = None
        self._sr_middle = 0

    def received(self, ext_seq: int, rtp_timestamp: int, now: float) -> None:
        """A packet arrived."""
        self.received_packets += 1
        if self.received_packets == 1:
            self._base = self.highest = ext_seq
        elif ext_seq > self.highest:
            self.highest = ext_seq
            # A.8, in order alone: a retransmission's transit time says nothing of the network's jitter
            ticks = (now - self._last_at) * self.clock_rate_hz - ts_diff(rtp_timestamp, self._last_timestamp)
            self._jitter += (abs(ticks) - self._jitter) / 16
        else:
            self._base = min(self._base, ext_seq)
            return
        self._last_at = now
        self._last_timestamp = rtp_timestamp

    def sender_report(self, ntp: int, now: float) -> None:
        """The publisher's sender report with that 64-bit NTP time arrived."""
        self._sr_middle = rtcp.ntp_middle(ntp)
        self._sr_at = now

    def report(self, now: float) -> ReportBlock:
        """The block for a receiver report; its fraction lost is that since the last call."""
        expected = self.highest - self._base + 1 if self.received_packets else 0
        lost = expected - self.received_packets
        expected_interval = expected - self._expected_prior
        lost_interval = expected_interval - (self.received_packets - self._received_prior)
        self._expected_prior = expected
        self._received_prior = self.received_packets
        fraction = (lost_interval << 8) // expected_interval if expected_interval > 0 else 0
        delay = 0 if self._sr_at is None else int((now - self._sr_at) * 65536)
        return ReportBlock(
            ssrc=self.ssrc,
            fraction_lost=min(max(fraction, 0), 255),
            cumulative_lost=min(max(lost, -0x800000), 0x7FFFFF),
            highest_sequence=self.highest & 0xFFFFFFFF,
            jitter=min(int(self._jitter), 0xFFFFFFFF),
            last_sr=self._sr_middle,
            delay_since_last_sr=min(delay, 0xFFFFFFFF),
        )


# --- transport-wide congestion control -----------------------------------------------------------------

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
        """`sender_ssrc` is this side's, as in all its feedback."""
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

    def received(self, transport_seq16: int, now: float) -> None:
        """A packet with that transport-wide number arrived; a repeated or very old number is ignored."""
        ext_seq = self._unwrapper.unwrap(transport_seq16)
        new = self._new
        if ext_seq in new or ext_seq in self._reported or ext_seq <= self._unwrapper.highest - _REMEMBERED:
            return
        new[ext_seq] = int(now * _TICKS_PER_S)
        if len(new) == 1:
            self.due_at = max(now + _SHORT_INTERVAL_S, self._last_built_at + _LONG_INTERVAL_S)
        elif len(new) == _MUCH:
            self.due_at = max(now, self._last_built_at + _SHORT_INTERVAL_S)

    def build(self, now: float) -> list[bytes]:
        """RTCP packets, under 1,200 bytes each, with everything new since the last call.

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
    """How many of the arrivals (number, ticks), ascending, one packet that starts at `base` can report."""
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
    """The packet from the base sequence number on (section 3.1)."""
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
    """Packet chunks (sections 3.1.3, 3.1.4): long runs by their length, short ones as a vector."""
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
    """The next 14 symbols, or as many as there are; `todo` ends with the run that comes first."""
    symbols: list[int] = []
    for symbol, length in reversed(todo):
        symbols += [symbol] * min(length, 14 - len(symbols))
        if len(symbols) == 14:
            break
    return symbols
