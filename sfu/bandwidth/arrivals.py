"""Transport-wide feedback as columns: draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1.

A report is decoded by a few vector operations, with Python's own steps per chunk (7 packets to 8,191) and none per
packet.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sfu.wire.rtcp import RtcpError

REFERENCE_S = 0.064
"Unit of the reference time, which has 24 bits."
REFERENCE_RANGE = 1 << 24
_TICK_S = 0.00025
_RESERVED = 3


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Which of a run of packets have arrived, and when."""

    first: int
    "Transport-wide number of the first, 16 bits."
    received: npt.NDArray[np.bool_]
    "For each number from the first on."
    reference: int
    "Receiver's clock in units of REFERENCE_S, 24 bits."
    offsets_s: npt.NDArray[np.float64]
    "Seconds since the reference time, one for each packet received."


@dataclass(frozen=True, slots=True)
class Last:
    """The last packet of a report, and no more than how many of the others are missing."""

    number: int
    "Transport-wide, 16 bits."
    reference: int
    "As in `Arrivals`."
    offset_s: float
    "Seconds since the reference time."
    missing: int
    count: int
    "Of all packets that the report is about."


def reported_packets(data: bytes) -> int:
    """How many packets a report claims to be about. RtcpError."""
    if len(data) < 4:
        raise RtcpError("no status in the report")
    return data[2] << 8 | data[3]


def decode(data: bytes) -> Arrivals:
    """A report from its base sequence number on. RtcpError."""
    symbols, at = _symbols(data)
    first = data[0] << 8 | data[1]
    # a symbol is the size of its delta: 0 not received, 1 a small one without sign, 2 a large one with a sign
    sizes = np.frombuffer(symbols, np.uint8)
    received = sizes > 0
    taken = sizes[received].astype(np.intp)
    ends = taken.cumsum()
    length = int(ends[-1]) if len(ends) else 0
    if at + length > len(data):
        raise RtcpError("deltas are missing")
    octets = np.frombuffer(data, np.uint8, length, at).astype(np.int64)
    ticks = octets[ends - 1] if length else octets
    if length > len(taken):
        large = np.flatnonzero(taken == 2)
        high = octets[ends[large] - 2]
        ticks[large] += (high << 8) - ((high & 0x80) << 9)
    return Arrivals(first, received, int.from_bytes(data[4:7], "big"), ticks.cumsum() * _TICK_S)


def last(data: bytes) -> Last | None:
    """The end of a report, for a third of what `decode` takes; None when nothing has arrived. RtcpError."""
    symbols, at = _symbols(data)
    missing, following = symbols.count(0), len(symbols.rstrip(b"\0"))
    if not following:
        return None
    end = at + sum(symbols)
    if end > len(data):
        raise RtcpError("deltas are missing")
    if 2 in symbols:
        ticks = 0
        for symbol in symbols:
            ticks += int.from_bytes(data[at : at + symbol], "big", signed=symbol == 2)
            at += symbol
    else:
        ticks = sum(data[at:end])
    number = (data[0] << 8 | data[1]) + following - 1 & 0xFFFF
    return Last(number, int.from_bytes(data[4:7], "big"), ticks * _TICK_S, missing, len(symbols))


def _symbols(data: bytes) -> tuple[bytes, int]:
    """The status symbols of a report, a byte each, and the offset of what follows them."""
    if len(data) < 10:
        raise RtcpError("no status in the report")
    count = data[2] << 8 | data[3]
    if not count:
        raise RtcpError("a report of nothing")
    symbols = bytearray()
    at = 8
    while len(symbols) < count:
        if at + 2 > len(data):
            raise RtcpError("status chunks are missing")
        chunk = data[at] << 8 | data[at + 1]
        at += 2
        if chunk < 0x8000:  # section 3.1.3: a run
            symbols += bytes((chunk >> 13,)) * min(chunk & 0x1FFF, count - len(symbols))
            if not chunk & 0x1FFF:
                raise RtcpError("a run of nothing")
        elif chunk < 0xC000:  # section 3.1.4: a vector of 14 symbols of one bit
            symbols += bytes([chunk >> i & 1 for i in range(13, -1, -1)])
        else:  # or of 7 symbols of two bits
            symbols += bytes([chunk >> i & 3 for i in range(12, -1, -2)])
    told = bytes(symbols[:count])
    if _RESERVED in told:
        raise RtcpError("reserved symbol")
    return told, at
