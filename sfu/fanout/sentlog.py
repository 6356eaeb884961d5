"""The sent log: recently sent packets of each transport by transport-wide number, written once per flush as columns."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

# Packets stored per transport, a power of two: 2 s of 10 Mbit/s, longer than a feedback report may take.
LOG_SIZE = 2048
_MASK = LOG_SIZE - 1
# A datagram's bytes on the path besides its payload: IPv4 and UDP. For audio on a weak path they are a third.
HEADERS_BYTES = 28

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SentPackets:
    """Sent packets of one transport, in the order of their numbers."""

    numbers: npt.NDArray[np.int64]
    "Transport-wide sequence numbers, 16 bits."
    known: npt.NDArray[np.bool_]
    "Whether the log still has the packet; otherwise the other columns are meaningless."
    sent_at: Floats
    "In seconds."
    sizes: npt.NDArray[np.int64]
    "In bytes on the wire, IP and UDP headers included."


class SentLog:
    """One ring per transport, all in one array: slot = transport * LOG_SIZE + number % LOG_SIZE."""

    def __init__(self) -> None:
        """Start without rings."""
        self._sent_at = np.zeros(0)
        self._sizes = np.zeros(0, np.uint16)
        self._numbers = np.zeros(0, np.uint16)

    def reserve(self, transports: int) -> None:
        """Allocate rings for at least this many transports."""
        if transports * LOG_SIZE <= len(self._sent_at):
            return
        more = max(transports * LOG_SIZE, 2 * len(self._sent_at)) - len(self._sent_at)
        self._sent_at = np.concatenate((self._sent_at, np.zeros(more)))
        self._sizes = np.concatenate((self._sizes, np.zeros(more, np.uint16)))
        self._numbers = np.concatenate((self._numbers, np.zeros(more, np.uint16)))

    @property
    def columns(self) -> tuple[Floats, npt.NDArray[np.uint16], npt.NDArray[np.uint16]]:
        """(time sent, size, number) by slot; `reserve` may replace the arrays."""
        return self._sent_at, self._sizes, self._numbers

    def clear(self, transport: int) -> None:
        """Empty a transport's ring."""
        self._sent_at[transport * LOG_SIZE : (transport + 1) * LOG_SIZE] = 0

    def record(
        self,
        transports: npt.NDArray[np.int32],
        numbers: npt.NDArray[np.int32],
        lengths: npt.NDArray[np.int32],
        sent_at: float,
    ) -> None:
        """Record packets that were sent at one time, one entry of each column per packet."""
        slots = transports.astype(np.intp) * LOG_SIZE + (numbers & _MASK)
        self._sent_at[slots] = sent_at
        self._sizes[slots] = lengths
        self._numbers[slots] = numbers

    def look_up(self, transport: int, first: int, count: int) -> SentPackets:
        """Return `count` packets of a transport, from number `first` on."""
        numbers = np.arange(first, first + count) & 0xFFFF
        slots = transport * LOG_SIZE + (numbers & _MASK)
        sent_at = self._sent_at[slots]
        known = (self._numbers[slots] == numbers) & (sent_at > 0)
        return SentPackets(numbers, known, sent_at, self._sizes[slots].astype(np.int64) + HEADERS_BYTES)

    def sent_at(self, transport: int, number: int) -> float:
        """Return when a packet was sent, if the log still has it; otherwise the time of another packet."""
        return float(self._sent_at[transport * LOG_SIZE + (number & _MASK)])
