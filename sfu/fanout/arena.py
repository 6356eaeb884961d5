"""The arena: rows of fixed size in which packets are written, protected and sent."""

import numpy as np

from sfu.fanout.transports import PATH_BYTES

ARENA_ROWS = 512
# The largest packet that a row takes; the rest is for libsrtp's trailer (a tag of 16 bytes; with an MKI up to 144).
ARENA_STRIDE = 1600
MAX_PACKET_BYTES = ARENA_STRIDE - 144
_HEADER = np.dtype(
    {
        "names": ["sequence", "timestamp", "ssrc"],
        "formats": [">u2", ">u4", ">u4"],
        "offsets": [2, 4, 8],
        "itemsize": ARENA_STRIDE,
    }
)


class Arena:
    """Rows waiting to be protected and sent; shared by the fan-out, libsrtp and the socket.

    rows: uint8 (ARENA_ROWS, ARENA_STRIDE); lengths, transports: int32 (ARENA_ROWS,); addresses: uint8 (ARENA_ROWS, 72);
    number_at: int32 (ARENA_ROWS,), where in a row its transport-wide sequence number goes, -1 for a row without one.
    """

    def __init__(self) -> None:
        """Allocate the rows once."""
        self.rows = np.zeros((ARENA_ROWS, ARENA_STRIDE), np.uint8)
        self.lengths = np.zeros(ARENA_ROWS, np.int32)
        self.transports = np.zeros(ARENA_ROWS, np.int32)
        self.addresses = np.zeros((ARENA_ROWS, PATH_BYTES), np.uint8)
        self.number_at = np.full(ARENA_ROWS, -1, np.int32)
        self.headers = np.ndarray((ARENA_ROWS,), dtype=_HEADER, buffer=self.rows.data)
