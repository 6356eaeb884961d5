"""The native data plane as the control plane uses it: its thread, its tables, and the rows that Python sends."""

import contextlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from pylibsrtp._binding import ffi as srtp_ffi
from pylibsrtp._binding import lib as srtp_lib

from sfu import limits
from sfu.bandwidth.estimator import Sampling
from sfu.dataplane import punts
from sfu.drops import DropReason
from sfu.fanout.row_buffer import COLUMN, RowBuffer
from sfu.fanout.sentlog import LOG_SIZE
from sfu.fanout.table import Column, Position, pack_column
from sfu.fanout.template import Template, TemplateClass
from sfu.fanout.transports import MAX_TRANSPORTS, PATH_BYTES
from sfu.receiving.speakers import Levels
from sfu.session.ice import ConsentChecks
from sfu.session.sections import InboundSection
from sfu.settings import MediaSettings
from sfu.values import PublicationSpec
from sfu.wire import rtp
from sfu.wire.packet import SourcePacket

# enum in plane.h: codecs that the plane looks into
_CODECS = {"opus": 1, "red": 2, "vp8": 3, "vp9": 4, "h264": 5, "h265": 6, "av1": 7}
_OTHER_CODECS = range(8, 32)
_EXTENSIONS = {
    rtp.URI_TRANSPORT_CC: 1,
    rtp.URI_AUDIO_LEVEL: 2,
    rtp.URI_VIDEO_ORIENTATION: 3,
    rtp.URI_PLAYOUT_DELAY: 4,
    rtp.URI_ABS_CAPTURE_TIME: 5,
    rtp.URI_DEPENDENCY_DESCRIPTOR: 6,
}
_DROPS = (
    DropReason.MALFORMED,
    DropReason.OVERSIZE,
    DropReason.UNKNOWN_PAYLOAD_TYPE,
    DropReason.PADDING,
    DropReason.DUPLICATE,
    DropReason.MUTED,
    DropReason.UNAUTHENTIC,
    DropReason.UNKNOWN_SOURCE,
    DropReason.NOT_PROTECTED,
    DropReason.NOT_SENT,
    DropReason.RTP_RATE,
    DropReason.RTCP_RATE,
    DropReason.PUNTS_FULL,
    DropReason.STUN,
)
Clock = Callable[[], float]
_STORED_BYTES = 4096
_NO_RETRANSMISSIONS, _NO_REDUNDANCY = 0xFF, 0xFFFF


def _address(function: str) -> int:
    return int(srtp_ffi.cast("uintptr_t", srtp_ffi.addressof(srtp_lib, function)))


class Stored(NamedTuple):
    """A packet that the plane keeps."""

    packet: bytes
    redundancy: bytes | None
    "What was made for it; None: nothing was."
    structure: int
    "The number of the structure by which its dependency descriptor is read; 0: none."
    active: int
    "Bit mask of that structure's active decode targets."


class Owner(Protocol):
    """A stream of the plane, as the plane knows it."""

    number: int
    transport: int
    ssrc: int
    clock_rate: int
    spec: PublicationSpec
    state: Any
    "`struct stream_state`; a copy of it once the stream is removed."

    def see(self, seen: punts.Seen | None) -> None:
        """Show what had been seen before a packet that was received some time ago; None: what has been seen now."""


def count_unsent(drops: Counter[DropReason], not_protected: int, not_sent: int) -> None:
    """Count rows that libsrtp refused, that had no connected transport, or that the operating system refused."""
    if not_protected:
        drops[DropReason.NOT_PROTECTED] += not_protected
    if not_sent:
        drops[DropReason.NOT_SENT] += not_sent


class Rows:
    """Writes and sends the rows of Python in C, and under the plane's lock if there is a plane (`RowWriter`)."""

    def __init__(
        self,
        module: Any,
        rows: RowBuffer,
        media: Any,
        drops: Counter[DropReason],
        clock: Clock = time.monotonic,
    ) -> None:
        """`media` is the bound `BatchSocket`; `drops` counts rows that are not sent."""
        self._clock = clock
        self._ffi = ffi = module.ffi
        self._call = module.lib
        self._sent = rows.transports.sent
        self._drops = drops
        self.plane: Any = ffi.NULL
        arena, transports = rows.arena, rows.transports
        self._columns = ffi.typeof("struct column[]")
        self._template = ffi.new("struct template *")
        self.state = state = ffi.new("struct outbox *")
        self._kept: dict[str, Any] = {}
        self._point("rows", arena.rows)
        self._point("lengths", arena.lengths)
        self._point("transports", arena.transports)
        self._point("number_at", arena.number_at)
        self._point("paths", transports.addresses)
        self._point("sequences", transports.sequence)
        self._point("sessions", transports.sessions)
        self._point("last_rows", np.zeros(MAX_TRANSPORTS, np.int32))
        self._log: npt.NDArray[np.float64] | None = None
        state.protect = _address("srtp_protect")
        state.fd = media.fileno()
        state.address_bytes, state.control_bytes = media.sockaddr_bytes, media.control_bytes
        state.interface_at = media.interface_at
        state.segments = media.cuts_runs

    def _point(self, name: str, array: npt.NDArray[Any]) -> None:
        """Set a pointer of the C module to an array, which `_kept` keeps alive."""
        buffer = self._kept[name] = self._ffi.from_buffer(array)
        setattr(self.state, name, self._ffi.cast(self._ffi.typeof(getattr(self.state, name)), buffer))

    def point_to_log(self) -> None:
        """Update the pointers: the log of sent packets has new arrays after it has grown."""
        columns = sent_at, sizes, numbers = self._sent.columns
        if sent_at is self._log:
            return
        buffers = [self._ffi.from_buffer(column) for column in columns]
        count = len(sent_at) // LOG_SIZE
        types = ("double *", "uint16_t *", "uint16_t *")
        pointers = [self._ffi.cast(kind, buffer) for kind, buffer in zip(types, buffers, strict=True)]
        if self.plane:
            self._call.plane_set_log(self.plane, self.state, *pointers, count)
        else:
            self.state.sent_at, self.state.sent_sizes, self.state.sent_numbers = pointers
            self.state.logged_transports = count
        self._log, self._kept["log"] = sent_at, (buffers, sizes, numbers)

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
        if self._call.write_rows(self.state, row, pointer, len(columns), template.data, values):
            raise ValueError("a template or a column points outside of its bounds")

    def send(self, count: int, *, numbered: bool) -> None:
        """See `RowWriter`."""
        if numbered:
            self.point_to_log()
        now = self._clock()
        if self.plane:
            sent = self._call.plane_send_rows(self.plane, self.state, count, now)
        else:
            sent = self._call.protect_and_send(self.state, count, now)
        not_protected = self.state.not_protected
        count_unsent(self._drops, not_protected, count - not_protected - sent)


class Plane:
    """The data plane of one engine, on a socket of its own."""

    def __init__(
        self,
        module: Any,
        rows: RowBuffer,
        media: Any,
        drops: Counter[DropReason],
        clock: Clock = time.monotonic,
    ) -> None:
        """See `Rows`; `clock` is the time of what the control plane sends. MemoryError if there is none left."""
        self._clock = clock
        self._ffi = module.ffi
        self._call = call = module.lib
        self._drops = drops
        self._wake_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.punt_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        "Readable while punts wait."
        self.rows = Rows(module, rows, media, drops, clock)
        functions = map(_address, ("srtp_unprotect", "srtp_unprotect_rtcp", "srtp_protect_rtcp"))
        self._plane = call.plane_new(self._wake_fd, self.punt_fd, self.rows.state, *functions)
        if not self._plane:
            raise MemoryError
        self.rows.plane = self._plane
        self.rows.point_to_log()
        self._streams: dict[int, Owner] = {}
        self._codecs = dict(_CODECS)
        self._position = self._ffi.new("struct position *")
        self._buffer = self._ffi.new("uint8_t[]", _STORED_BYTES)
        self._stored = self._ffi.new("struct stored *")
        self._levels = self._ffi.new("double[4]")
        self._taken = self._ffi.new("uint8_t **")
        self._serial = self._ffi.new("uint64_t *")
        self._counters = self._ffi.new("struct plane_counters *")
        self._counted: Counter[object] = Counter()
        self._classes: dict[TemplateClass, Any] = {}

    # --- life ----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Serve the socket on a thread. OSError if the system has no room for one."""
        error = self._call.plane_start(self._plane)
        if error:
            raise OSError(error, os.strerror(error))

    def close(self) -> None:
        """End the thread, and free the tables; the plane cannot be used any more."""
        self._call.plane_stop(self._plane)
        for stream in list(self._streams.values()):
            self._freeze(stream)
        self.rows.plane = self._ffi.NULL
        self._call.plane_free(self._plane)
        os.close(self._wake_fd)
        os.close(self.punt_fd)

    def poll(self, now: float) -> int:
        """Receive and process what waits, without a thread; for tests."""
        return int(self._call.plane_poll(self._plane, now))

    def process(self, datagram: bytes, path: bytes, now: float) -> None:
        """Process a datagram as if it had been received; for tests."""
        self._call.plane_datagram(self._plane, datagram, len(datagram), path, now)

    def run_duties(self, now: float) -> float:
        """Send the reports and requests that are due, without a thread; return when the next one is. For tests."""
        return float(self._call.plane_duties(self._plane, now))

    def counters(self) -> tuple[int, int, dict[str, float]]:
        """Add what was dropped since the last call to the drops.

        Returns (packets received, packets forwarded, metrics by name), in total.
        """
        counters = self._counters
        self._call.plane_read_counters(self._plane, counters)
        for i, reason in enumerate(_DROPS):
            self._drops[reason] += counters.drops[i] - self._counted[reason]
            self._counted[reason] = counters.drops[i]
        names = {f"punts_{reason.name.lower()}": float(counters.punts[reason]) for reason in punts.Punt}
        return (
            counters.received_packets,
            counters.forwarded_packets,
            names | {"bursts": float(counters.bursts), "consent_checks": float(counters.checks)},
        )

    # --- punts ---------------------------------------------------------------------------------------------------

    def take(self) -> tuple[Iterator[punts.Record], int]:
        """Return the punts since the last call, and the number with which to `resume` after they were processed."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self.punt_fd)
        size = self._call.plane_take(self._plane, self._taken, self._serial)
        buffer = memoryview(self._ffi.buffer(self._taken[0], size)) if size else memoryview(b"")
        return punts.read(buffer), self._serial[0]

    def resume(self, serial: int) -> None:
        """Process the packets that waited for punts up to `serial`: those of SSRCs that were unknown."""
        self._call.plane_resume(self._plane, serial, self._clock())

    def inject(self, transport: int, packet: bytes, at: float) -> None:
        """Process a punted packet, now that its SSRC is known."""
        self._call.plane_inject(self._plane, transport, packet, len(packet), at, self._clock())

    def stream(self, number: int) -> Owner | None:
        """Return a stream by its number."""
        return self._streams.get(number)

    # --- transports ----------------------------------------------------------------------------------------------

    def connect(
        self, transport: int, inbound: int, outbound: int, ssrc: int, settings: MediaSettings
    ) -> None:
        """Serve a transport; `inbound` and `outbound` are libsrtp's sessions, which exist until `disconnect`."""
        packets, octets = settings.max_packets_per_s, settings.max_bitrate_bps / 8
        burst_s, rtcp = limits.MEDIA_BURST_S, limits.RTCP_OCTETS
        values = self._ffi.new(
            "struct peer_limits *",
            (
                packets,
                packets * burst_s,
                octets,
                octets * burst_s,
                rtcp.per_s,
                rtcp.burst,
                limits.RTCP_DATAGRAM_OCTETS,
                limits.TOLERATED_EXCESS,
                limits.FLOOD_PRICE,
            ),
        )
        self.rows.point_to_log()
        if self._call.plane_connect(self._plane, transport, inbound, outbound, ssrc, values):
            raise MemoryError

    def disconnect(self, transport: int) -> None:
        """End a transport, with its streams."""
        for stream in [each for each in self._streams.values() if each.transport == transport]:
            self._freeze(stream)
        self._call.plane_disconnect(self._plane, transport)

    def move(self, transport: int, path: bytes) -> None:
        """Set the path to send by from now on."""
        self._call.plane_move(self._plane, transport, path.ljust(PATH_BYTES, b"\0"))

    def set_path(self, path: bytes, transport: int) -> None:
        """Take datagrams from a path for a transport; -1: no longer."""
        self._call.plane_set_path(self._plane, path, transport)

    def answer_checks(self, transport: int, checks: ConsentChecks | None) -> None:
        """Answer the consent checks of a transport; None: no longer."""
        path, ufrag, password = checks or (bytes(PATH_BYTES), b"", b"")
        self._call.plane_answer_checks(
            self._plane, transport, path, ufrag, len(ufrag), password, len(password)
        )

    def consent_at(self, transport: int) -> float:
        """Return when the last consent check was answered here; below 0 if none was."""
        return float(self._call.plane_consent_at(self._plane, transport))

    def sample_reports(self, transport: int, sampling: Sampling) -> None:
        """Keep those of a viewer's reports of arrivals here that need not be read."""
        self._call.plane_sample_reports(self._plane, transport, self._ffi.new("struct sampling *", sampling))

    def set_feedback(self, transport: int, extension_id: int, media_ssrc: int) -> None:
        """Report the transport-wide numbers in extensions with this id, in the name of one of the peer's SSRCs."""
        self._call.plane_set_feedback(self._plane, transport, extension_id, media_ssrc)

    def set_dormant(self, transport: int) -> None:
        """Punt RESUMED when the transport sends media again."""
        self._call.plane_dormant(self._plane, transport)

    def send_rtcp(self, transport: int, packet: bytes) -> None:
        """Protect and send an RTCP packet."""
        self._call.plane_send_rtcp(self._plane, transport, packet, len(packet))

    def close_second(self, transport: int) -> Any:
        """Return what the transport's peer sent beyond its limits since the last call (`struct excess`)."""
        excess = self._ffi.new("struct excess *")
        self._call.plane_close_second(self._plane, transport, excess)
        return excess

    def set_flooded(self, transport: int, flooded: bool) -> None:
        """Charge a peer more, since it sends more than it may."""
        self._call.plane_set_flooded(self._plane, transport, flooded)

    # --- streams -------------------------------------------------------------------------------------------------

    def add_stream(self, stream: Owner, section: InboundSection, now: float) -> tuple[int, Any]:
        """Add a stream; return its number and its state. MemoryError if there is no room."""
        number: int = self._call.plane_add_stream(
            self._plane,
            stream.transport,
            stream.ssrc,
            stream.spec.kind == "video",
            stream.spec.red,
            stream.clock_rate,
            self._section(section),
            now,
        )
        if not number:
            raise MemoryError("the data plane has no room for a stream")
        self._streams[number] = stream
        return number, self._call.plane_state(self._plane, number)

    def remove_stream(self, stream: Owner) -> None:
        """Remove a stream with its SSRCs; its state stays readable."""
        self._freeze(stream)
        self._call.plane_remove_stream(self._plane, stream.number)

    def _freeze(self, stream: Owner) -> None:
        if self._streams.pop(stream.number, None) is not None:
            last = self._ffi.new("struct stream_state *")
            last[0] = stream.state[0]
            stream.state = last

    def add_retransmissions(self, transport: int, ssrc: int, number: int) -> None:
        """Take an SSRC for the retransmissions of a stream."""
        self._call.plane_add_ssrc(self._plane, transport, ssrc, number)

    def set_section(self, number: int, section: InboundSection) -> None:
        """Read the packets of a stream by another section from now on."""
        self._call.plane_set_section(self._plane, number, self._section(section))

    def set_muted(self, number: int, muted: bool) -> None:
        """Forward nothing of a stream, or everything again."""
        self._call.plane_set_muted(self._plane, number, muted)

    def set_copies(self, number: int, needed: bool) -> Position:
        """Punt a copy of each packet from now on, or no longer; return the position of the last one before."""
        self._call.plane_set_copies(self._plane, number, needed, self._position)
        return self._read_position()

    def notify_next(self, number: int) -> None:
        """Punt NEXT at the next packet."""
        self._call.plane_notify_next(self._plane, number)

    def position(self, number: int) -> Position:
        """Return the position of the newest packet."""
        self._call.plane_position(self._plane, number, self._position)
        return self._read_position()

    def _read_position(self) -> Position:
        at = self._position
        return Position(at.sequence, at.timestamp, at.picture_id, at.tl0picidx, at.frame_number)

    def take_levels(self, number: int) -> Levels | None:
        """Return the audio levels since the last call."""
        if not self._call.plane_take_level(self._plane, number, self._levels):
            return None
        observed_at, observed_s, active_s, loudest = self._levels
        return Levels(observed_at, observed_s, active_s, int(loudest))

    def stored(self, number: int, sequence: int) -> Stored | None:
        """Return a kept packet; None if it is not kept."""
        buffer, stored = self._buffer, self._stored
        length = self._call.plane_stored(self._plane, number, sequence, buffer, _STORED_BYTES, stored)
        if not length:
            return None
        size = stored.redundancy
        packet = bytes(self._ffi.buffer(buffer, length))
        redundancy = None if size == _NO_REDUNDANCY else bytes(self._ffi.buffer(buffer + length, size))
        return Stored(packet, redundancy, stored.in_force.structure, stored.in_force.active)

    def structure(self, number: int, structure: int) -> bytes:
        """Return the dependency descriptor that brought a structure of a stream; empty if it is not kept."""
        length = self._call.plane_structure(self._plane, number, structure, self._buffer)
        return bytes(self._ffi.buffer(self._buffer, length))

    def keeps(self, number: int, first: int) -> bool:
        """Return whether all packets of a stream from this number on are kept."""
        return bool(self._call.plane_keeps(self._plane, number, first))

    # --- rows ----------------------------------------------------------------------------------------------------

    def join(self, stream: int, kind: TemplateClass, column: Column, after: int) -> None:
        """Add a viewer, and send it what is kept after the packet numbered `after`."""
        packed = pack_column(column)
        pointer = self._ffi.from_buffer("struct column[]", packed)
        now = self._clock()
        if self._call.plane_join(self._plane, stream, self._class(kind), pointer, after, now):
            raise MemoryError("the data plane has no room for a row")

    def join_bounded(
        self, stream: int, kind: TemplateClass, column: Column, after: Position, patience_s: float
    ) -> None:
        """Add a viewer who is sent no more than its reports confirm step by step (`sfu.fanout.window`).

        `after` is what it was sent; what is kept after that is sent as well.
        """
        pointer = self._ffi.from_buffer("struct column[]", pack_column(column))
        values, position = self._class(kind), self._position
        position.sequence, position.timestamp = after.sequence, after.timestamp
        position.picture_id = after.picture_id & 0xFFFF
        position.frame_number, position.tl0picidx = after.frame_number, after.tl0picidx
        now = self._clock()
        if self._call.plane_join_bounded(self._plane, stream, values, pointer, position, patience_s, now):
            raise MemoryError("the data plane has no room for a row")

    def leave(self, stream: int, transport: int) -> Position:
        """Remove a viewer; return the position of the last packet that was sent to it."""
        self._call.plane_leave(self._plane, stream, transport, self._position)
        return self._read_position()

    def release(self, stream: int, transport: int) -> Position:
        """Send a viewer with a bounded row all that waits, and remove it; return the position of the last packet."""
        self._call.plane_release(self._plane, stream, transport, self._position, self._clock())
        return self._read_position()

    def bounded_position(self, stream: int, transport: int) -> Position:
        """Return the position of the last packet that was sent to a viewer with a bounded row."""
        self._call.plane_bounded_position(self._plane, stream, transport, self._position)
        return self._read_position()

    def read_bounded_rows(self, stream: int) -> list[Any]:
        """Return the bounded rows of a stream (`struct bounded_row`), up to 500 of them, for people."""
        rows = self._ffi.new("struct bounded_row[]", 500)
        return list(rows[0 : self._call.plane_read_bounded_rows(self._plane, stream, rows, 500)])

    def read_rows(self, stream: int) -> npt.NDArray[np.void]:
        """Return the rows of a stream (`COLUMN`), up to 500 of them, for people."""
        columns = np.zeros(500, COLUMN)
        pointer = self._ffi.from_buffer("struct column[]", columns)
        return columns[: self._call.plane_read_rows(self._plane, stream, pointer, len(columns))]

    # --- what the tables contain -----------------------------------------------------------------------------------

    def _codec(self, name: str) -> int:
        number = self._codecs.get(name)
        if number is None:
            used = len(self._codecs) - len(_CODECS)
            # more names than there are numbers share the last: such streams are forwarded to nobody
            number = self._codecs[name] = _OTHER_CODECS[min(used, len(_OTHER_CODECS) - 1)]
        return number

    def _section(self, section: InboundSection) -> Any:
        values = self._ffi.new("struct section *")
        self._ffi.memmove(values.media_by_rtx, bytes([_NO_RETRANSMISSIONS]) * 128, 128)
        for payload_type, name in section.codec_by_payload_type.items():
            values.codecs[payload_type & 0x7F] = self._codec(name)
        for rtx, media in section.media_by_rtx.items():
            values.media_by_rtx[rtx & 0x7F] = media
        extensions: Mapping[int, str] = section.forwarded
        for number, uri in extensions.items():
            values.extensions[number] = _EXTENSIONS.get(uri, 0)
        if section.transport_sequence_id:
            values.extensions[section.transport_sequence_id] = _EXTENSIONS[rtp.URI_TRANSPORT_CC]
        return values

    def _class(self, kind: TemplateClass) -> Any:
        values = self._classes.get(kind)
        if values is None:
            values = self._ffi.new("struct template_class *")
            for codec in range(32):
                values.payload_types[codec] = -1
            for name, payload_type in kind.payload_types:
                values.payload_types[self._codec(name)] = payload_type
            for uri, number in kind.extensions:
                if uri in _EXTENSIONS:
                    values.extension_ids[_EXTENSIONS[uri]] = number
            values.redundancy = int(kind.redundancy)
            if len(self._classes) > 1000:  # of clients that make answers up
                self._classes.clear()
            self._classes[kind] = values
        return values
