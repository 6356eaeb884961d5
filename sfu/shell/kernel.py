"""The inner loops of the fan-out: rows are encrypted in place, then sent by one system call.

`Native` does it in C (kernel.c), and writes the rows there too; `Portable` does it with cffi and numpy alone, where no
compiler built the module. The same bytes are sent either way. `choose` takes what there is.
"""

import hashlib
import importlib
import logging
import time
from collections import Counter
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pylibsrtp._binding import ffi as srtp_ffi
from pylibsrtp._binding import lib as srtp_lib

from sfu.drops import DropReason
from sfu.fanout.arena import ARENA_ROWS, ARENA_STRIDE
from sfu.fanout.row_buffer import COLUMN, PortableWriter, RowBuffer, RowWriter
from sfu.fanout.sentlog import LOG_SIZE
from sfu.fanout.template import Template
from sfu.fanout.transports import MAX_TRANSPORTS
from sfu.shell.udp import BatchSocket, MediaSocket
from sfu.wire.packet import SourcePacket

logger = logging.getLogger(__name__)

SOURCES = tuple(Path(__file__).with_suffix(suffix) for suffix in (".c", ".h"))


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
        _count(self._drops, len(failed), count - len(failed) - sent)
        return at


def _count(drops: Counter[DropReason], not_protected: int, not_sent: int) -> None:
    """Count rows that libsrtp refused, that had no connected transport, or that the operating system refused."""
    if not_protected:
        drops[DropReason.NOT_PROTECTED] += not_protected
    if not_sent:
        drops[DropReason.NOT_SENT] += not_sent


def _protect_if_up(session: Any, row: Any, length: Any) -> int:
    status: int = srtp_lib.srtp_protect(session, row, length) if session else 1
    return status


class Native:
    """The C module's kernel: rows of one transport and one size are sent as one run (UDP GSO)."""

    def __init__(self, module: Any, rows: RowBuffer, media: MediaSocket, drops: Counter[DropReason]) -> None:
        """See `Portable`; `module` is the compiled module."""
        self._ffi = ffi = module.ffi
        self._call = module.lib
        self._sent = rows.transports.sent
        self._drops = drops
        arena, transports = rows.arena, rows.transports
        self._columns = ffi.typeof("struct column[]")
        self._template = ffi.new("struct template *")
        self._state = state = ffi.new("struct outbox *")
        self._kept: dict[str, Any] = {}
        self._point("rows", arena.rows)
        self._point("lengths", arena.lengths)
        self._point("transports", arena.transports)
        self._point("numbers", arena.numbers)
        self._point("paths", transports.addresses)
        self._point("sequences", transports.sequence)
        self._point("sessions", transports.sessions)
        self._point("last_rows", np.zeros(MAX_TRANSPORTS, np.int32))
        self._log: npt.NDArray[np.float64] | None = None
        state.protect = int(srtp_ffi.cast("uintptr_t", srtp_ffi.addressof(srtp_lib, "srtp_protect")))
        state.fd = media.fileno()
        state.address_bytes, state.control_bytes = media.sockaddr_bytes, media.control_bytes
        state.segments = media.cuts_runs

    def _point(self, name: str, array: npt.NDArray[Any]) -> None:
        """Set a pointer of the C module to an array, which `_kept` keeps alive."""
        buffer = self._kept[name] = self._ffi.from_buffer(array)
        setattr(self._state, name, self._ffi.cast(self._ffi.typeof(getattr(self._state, name)), buffer))

    def _point_to_log(self) -> None:
        """Update the pointers: the log of sent packets has new arrays after it has grown."""
        sent_at, sizes, numbers = self._sent.columns
        if sent_at is not self._log:
            self._log = sent_at
            self._point("sent_at", sent_at)
            self._point("sent_sizes", sizes)
            self._point("sent_numbers", numbers)
            self._state.logged_transports = len(sent_at) // LOG_SIZE

    def write(
        self, row: int, columns: npt.NDArray[np.void], template: Template, packet: SourcePacket
    ) -> None:
        """See `RowWriter`."""
        values = self._template
        values.length = template.length
        values.sequence = packet.sequence & 0xFFFF
        values.timestamp = packet.timestamp
        values.picture_id_at = template.picture_id_at
        values.picture_id = packet.picture_id
        values.long_picture_id = packet.long_picture_id
        values.tl0picidx_at = template.tl0picidx_at
        values.tl0picidx = packet.tl0picidx
        values.frame_number_at = template.frame_number_at
        values.frame_number = packet.frame_number
        values.transport_sequence_at = template.transport_sequence_at
        pointer = self._ffi.from_buffer(self._columns, columns)
        if self._call.write_rows(self._state, row, pointer, len(columns), template.data, values):
            raise ValueError("a template or a column points outside of its bounds")

    def send(self, count: int, *, numbered: bool) -> None:
        """See `RowWriter`."""
        if numbered:
            self._point_to_log()
        sent = self._call.protect_and_send(self._state, count, time.monotonic())
        not_protected = self._state.not_protected
        _count(self._drops, not_protected, count - not_protected - sent)


def digest() -> str:
    """Return the digest of the C sources."""
    return hashlib.sha256(b"".join(file.read_bytes() for file in SOURCES)).hexdigest()


def load() -> Any:
    """Return the C module; None if it was not built from the present sources."""
    try:
        module = importlib.import_module("sfu.shell._kernel")
    except ImportError:
        return None
    if module.ffi.string(module.lib.SOURCE_DIGEST).decode() != digest():
        logger.warning("the native kernel is out of date and not used; `make setup` builds it anew")
        return None
    assert module.ffi.sizeof("struct column") == COLUMN.itemsize
    return module


def choose(
    rows: RowBuffer, media: MediaSocket, drops: Counter[DropReason], *, native: bool = True
) -> RowWriter:
    """Return the native kernel if it exists and is enabled."""
    module = load() if native and isinstance(media, BatchSocket) else None
    return Portable(rows, media, drops) if module is None else Native(module, rows, media, drops)
