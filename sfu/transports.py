"""Whom rows go to: an entry for each connection, named by its index in columns and in the arena."""

from typing import Any

import numpy as np

from sfu.sentlog import SentLog

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
        self.sessions: list[Any] = []
        "libsrtp's sessions (cffi `srtp_t`) for what is sent; None until DTLS is up."
        self._free: list[int] = []

    def add(self) -> int:
        """The index of a new connection."""
        if self._free:
            return self._free.pop()
        if len(self.sessions) == MAX_TRANSPORTS:
            raise RuntimeError("no more connections fit this process")
        self.sessions.append(None)
        self.sent.reserve(len(self.sessions))
        return len(self.sessions) - 1

    def connect(self, index: int, session: Any) -> None:
        """The connection is up; `session` protects what it is sent."""
        self.sessions[index] = session

    def move(self, index: int, address: bytes) -> None:
        """The address (raw sockaddr bytes) to send to from now on."""
        self.addresses[index] = np.frombuffer(address, np.uint8)

    def remove(self, index: int) -> None:
        """The connection is gone, and so are all rows for it."""
        self.sessions[index] = None
        self.addresses[index] = 0
        self.sequence[index] = 0
        self.sent.clear(index)
        self._free.append(index)
