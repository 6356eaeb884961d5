"""Decoding of transport-wide feedback into columns: draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1.

A report is decoded by a few vector operations; Python loops over its chunks (of 7 to 8,191 packets), not over its
packets.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sfu.wire.rtcp import RtcpError

REFERENCE_S = 0.064
"Unit of the reference time in seconds; the reference time has 24 bits."
REFERENCE_RANGE = 1 << 24
_TICK_S = 0.00025
_RESERVED = 3


@dataclass(frozen=True, slots=True)
class Arrivals:
    """The packets of a report: which were received, and when."""

    first: int
    "Transport-wide number of the first packet, 16 bits."
    received: npt.NDArray[np.bool_]
    "One entry per number, starting with `first`."
    reference: int
    "Reference time on the receiver's clock, in units of REFERENCE_S, 24 bits."
    offsets_s: npt.NDArray[np.float64]
    "Seconds since the reference time, one entry per received packet."


@dataclass(frozen=True, slots=True)
class ReportTail:
    """The last packet of a report, and the number of lost packets."""

    number: int
    "Transport-wide number, 16 bits."
    reference: int
    "See `Arrivals`."
    offset_s: float
    "Seconds since the reference time."
    missing: int
    count: int
    "Number of packets that the report covers."


def reported_packets(data: bytes) -> int:
    """Return how many packets a report claims to cover. RtcpError."""
    if len(data) < 4:
        raise RtcpError("the report has no status")
    return data[2] << 8 | data[3]


def decode(data: bytes) -> Arrivals:
    """Decode a report, given from its base sequence number on. RtcpError."""
    symbols, at = _symbols(data)
    first = data[0] << 8 | data[1]
    # a symbol is the size of its delta: 0 not received, 1 small and unsigned, 2 large and signed
    sizes = np.frombuffer(symbols, np.uint8)
    received = sizes > 0
    taken = sizes[received].astype(np.intp)
    ends = taken.cumsum()
    length = int(ends[-1]) if len(ends) else 0
    if at + length > len(data):
        raise RtcpError("the report lacks deltas")
    octets = np.frombuffer(data, np.uint8, length, at).astype(np.int64)
    ticks = octets[ends - 1] if length else octets
    if length > len(taken):
        large = np.flatnonzero(taken == 2)
        high = octets[ends[large] - 2]
        ticks[large] += (high << 8) - ((high & 0x80) << 9)
    return Arrivals(first, received, int.from_bytes(data[4:7], "big"), ticks.cumsum() * _TICK_S)


def last(data: bytes) -> ReportTail | None:
    """Decode the end of a report, for a third of the cost of `decode`; None if no packet was received. RtcpError."""
    symbols, at = _symbols(data)
    missing, following = symbols.count(0), len(symbols.rstrip(b"\0"))
    if not following:
        return None
    end = at + sum(symbols)
    if end > len(data):
        raise RtcpError("the report lacks deltas")
    if 2 in symbols:
        ticks = 0
        for symbol in symbols:
            ticks += int.from_bytes(data[at : at + symbol], "big", signed=symbol == 2)
            at += symbol
    else:
        ticks = sum(data[at:end])
    number = (data[0] << 8 | data[1]) + following - 1 & 0xFFFF
    return ReportTail(number, int.from_bytes(data[4:7], "big"), ticks * _TICK_S, missing, len(symbols))


def _symbols(data: bytes) -> tuple[bytes, int]:
    """Return the status symbols of a report, one byte each, and the offset after them."""
    if len(data) < 10:
        raise RtcpError("the report has no status")
    count = data[2] << 8 | data[3]
    if not count:
        raise RtcpError("the report covers no packets")
    symbols = bytearray()
    at = 8
    while len(symbols) < count:
        if at + 2 > len(data):
            raise RtcpError("the report lacks status chunks")
        chunk = data[at] << 8 | data[at + 1]
        at += 2
        if chunk < 0x8000:  # section 3.1.3: a run
            symbols += bytes((chunk >> 13,)) * min(chunk & 0x1FFF, count - len(symbols))
            if not chunk & 0x1FFF:
                raise RtcpError("empty run")
        elif chunk < 0xC000:  # section 3.1.4: a vector of 14 symbols of one bit
            symbols += bytes([chunk >> i & 1 for i in range(13, -1, -1)])
        else:  # or of 7 symbols of two bits
            symbols += bytes([chunk >> i & 3 for i in range(12, -1, -2)])
    told = bytes(symbols[:count])
    if _RESERVED in told:
        raise RtcpError("reserved symbol")
    return told, at
