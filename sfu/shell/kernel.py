"""The inner loops of the fan-out: rows are encrypted in place, then sent by one system call.

`sfu.dataplane` does it in C, and writes the rows there too; `Portable` does it with cffi and numpy alone, where no
compiler built the module. The same bytes are sent either way. `choose` takes what there is.
"""

import time
from collections import Counter
from functools import lru_cache, partial
from typing import Any

from pylibsrtp._binding import ffi as srtp_ffi
from pylibsrtp._binding import lib as srtp_lib

from sfu.dataplane import library
from sfu.dataplane.plane import Rows, count_unsent
from sfu.drops import DropReason
from sfu.fanout.arena import ARENA_ROWS, ARENA_STRIDE
from sfu.fanout.row_buffer import PortableWriter, RowBuffer, RowWriter
from sfu.shell.udp import BatchSocket, MediaSocket


class Portable(PortableWriter):
    """The portable kernel: one call of libsrtp for each row, then the socket's batch call."""

    def __init__(self, rows: RowBuffer, media: MediaSocket, drops: Counter[DropReason]) -> None:
        """Send the rows of `rows`, in the arena of `media`; `drops` counts rows that are not sent."""
        super().__init__(rows.arena, rows.transports, self._protect_and_send)
        self._socket = media
        self._drops = drops
        self._session = lru_cache(4096)(partial(srtp_ffi.cast, srtp_ffi.typeof("srtp_t")))
        data = srtp_ffi.cast("char *", srtp_ffi.from_buffer(self._arena.rows))
        lengths = srtp_ffi.cast("int *", srtp_ffi.from_buffer(self._arena.lengths))
        self._rows = [data + ARENA_STRIDE * i for i in range(ARENA_ROWS)]
        self._lengths = [lengths + i for i in range(ARENA_ROWS)]

    def _protect_and_send(self, count: int) -> float:
        arena, transports = self._arena, self._transports
        owners = arena.transports[:count]
        arena.addresses[:count] = transports.addresses[owners]
        addresses = transports.sessions[owners].tolist()
        protect = srtp_lib.srtp_protect if all(addresses) else _protect_if_up
        statuses = list(map(protect, map(self._session, addresses), self._rows, self._lengths))
        failed = [i for i, status in enumerate(statuses) if status] if any(statuses) else []
        arena.lengths[failed] = 0
        at, sent, start = time.monotonic(), 0, 0
        for end in (*failed, count):
            sent += self._socket.send_rows(start, end)
            start = end + 1
        count_unsent(self._drops, len(failed), count - len(failed) - sent)
        return at


def _protect_if_up(session: Any, row: Any, length: Any) -> int:
    status: int = srtp_lib.srtp_protect(session, row, length) if session else 1
    return status


def native_module(media: MediaSocket, *, native: bool) -> Any:
    """Return the compiled module if it exists, is enabled, and can use the socket; else None."""
    return library.load() if native and isinstance(media, BatchSocket) else None


def choose(
    rows: RowBuffer, media: MediaSocket, drops: Counter[DropReason], *, native: bool = True
) -> RowWriter:
    """Return the writer in C if its module exists and is enabled."""
    module = native_module(media, native=native)
    return Portable(rows, media, drops) if module is None else Rows(module, rows, media, drops)
