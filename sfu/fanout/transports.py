"""Whom rows go to: an entry for each connection, named by its index in columns and in the arena."""

import numpy as np

from sfu.fanout.sentlog import SentLog

SOCKADDR_BYTES = 28
# More than a process can serve. The arrays never move, and take memory only as far as they are used.
MAX_TRANSPORTS = 1 << 16


class Transports:
    """The sending side of all connections as columns."""

    def __init__(self) -> None:
        """No connection yet."""
        self.addresses = np.zeros((MAX_TRANSPORTS, SOCKADDR_BYTES), np.uint8)
        "Raw sockaddr bytes."
        self.sequence = np.zeros(MAX_TRANSPORTS, np.uint16)
        "The next transport-wide sequence number."
        self.sent = SentLog()
        "What went out under these numbers."
        self.sessions = np.zeros(MAX_TRANSPORTS, np.uintp)
        "Addresses of libsrtp's sessions for what is sent; 0 until DTLS is up."
        self._count = 0
        self._free: list[int] = []

    def add(self) -> int:
        """The index of a new connection."""
        if self._free:
            return self._free.pop()
        if self._count == MAX_TRANSPORTS:
            raise RuntimeError("no more connections fit this process")
        self._count += 1
        self.sent.reserve(self._count)
        return self._count - 1

    def connect(self, index: int, session: int) -> None:
        """The connection is up; the session at this address, which stays until `remove`, protects what it is sent."""
        self.sessions[index] = session

    def move(self, index: int, address: bytes) -> None:
        """The address (raw sockaddr bytes) to send to from now on."""
        self.addresses[index] = np.frombuffer(address, np.uint8)

    def remove(self, index: int) -> None:
        """The connection is gone, and so are all rows for it."""
        self.sessions[index] = 0
        self.addresses[index] = 0
        self.sequence[index] = 0
        self.sent.clear(index)
        self._free.append(index)
