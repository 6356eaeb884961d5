"""Transports as columns: destination addresses and SRTP contexts, by the index that columns and arena rows contain."""

import numpy as np
import numpy.typing as npt

from sfu.fanout.sentlog import SentLog
from sfu.fanout.window import Windows

# The path to a client, as the socket reads it (sfu.shell.udp): the client's raw sockaddr, and from CONTROL_AT on the
# control message that names the local address to send from.
PATH_BYTES, CONTROL_AT = 72, 32
# More than a process can serve. The arrays never move, and only the used part occupies memory.
MAX_TRANSPORTS = 1 << 16


class Transports:
    """The sending side of all transports, as columns."""

    def __init__(self) -> None:
        """Start without transports."""
        self.addresses = np.zeros((MAX_TRANSPORTS, PATH_BYTES), np.uint8)
        "Paths to the clients."
        self.sequence = np.zeros(MAX_TRANSPORTS, np.uint16)
        "The next transport-wide sequence number."
        self.sent = SentLog()
        "The packets sent with these numbers."
        self.windows = Windows(self.sequence)
        "Of what is sent without a native data plane."
        self.sessions = np.zeros(MAX_TRANSPORTS, np.uintp)
        "Memory addresses of libsrtp's outbound SRTP contexts; 0 until DTLS is connected."
        self._count = 0
        self._free: list[int] = []

    def add(self) -> int:
        """Return the index of a new transport."""
        if self._free:
            return self._free.pop()
        if self._count == MAX_TRANSPORTS:
            raise RuntimeError("this process has no room for more connections")
        self._count += 1
        self.sent.reserve(self._count)
        return self._count - 1

    def take_numbers(self, indexes: npt.NDArray[np.int32]) -> npt.NDArray[np.uint16]:
        """Return the next transport-wide sequence number of each of these connections, in their order."""
        owners, inverse, counts = np.unique(indexes, return_inverse=True, return_counts=True)
        # a connection that is there several times gets as many numbers in turn
        turns = np.empty(len(indexes), np.int64)
        turns[np.argsort(inverse, kind="stable")] = np.arange(len(indexes)) - np.repeat(
            counts.cumsum() - counts, counts
        )
        numbers = self.sequence[indexes] + turns.astype(np.uint16)
        self.sequence[owners] += counts.astype(np.uint16)
        return numbers

    def connect(self, index: int, session: int) -> None:
        """Set the memory address of the SRTP context, which must exist until `remove`; DTLS is connected."""
        self.sessions[index] = session

    def move(self, index: int, address: bytes) -> None:
        """Set the path to send by from now on."""
        self.addresses[index] = np.frombuffer(address, np.uint8)

    def remove(self, index: int) -> None:
        """Free the index; no row for the transport is left."""
        self.sessions[index] = 0
        self.addresses[index] = 0
        self.sequence[index] = 0
        self.sent.clear(index)
        self._free.append(index)
