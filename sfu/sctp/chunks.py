"""SCTP packets as values: RFC 9260, with RFC 3758 (FORWARD-TSN) and RFC 6525 (RE-CONFIG).

`parse` checks every length against the available bytes and raises SctpError, and nothing else. Lists are cut or refused
at fixed bounds, so that the cost of a packet does not depend on its sender. The meaning for an association is decided
elsewhere.
"""

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct

from google_crc32c import value as crc32c

HEADER_BYTES = 12
DATA_HEADER_BYTES = 16

# Chunk types (RFC 9260 section 3.2).
DATA, INIT, INIT_ACK, SACK, HEARTBEAT, HEARTBEAT_ACK, ABORT, SHUTDOWN = range(8)
SHUTDOWN_ACK, ERROR, COOKIE_ECHO, COOKIE_ACK = range(8, 12)
SHUTDOWN_COMPLETE, RE_CONFIG, FORWARD_TSN = 14, 130, 192

# DATA flags (RFC 9260 section 3.3.1); IMMEDIATE requests an immediate SACK.
END, BEGIN, UNORDERED, IMMEDIATE = 1, 2, 4, 8
# Flag of ABORT and SHUTDOWN COMPLETE: the tag is the receiver's own (RFC 9260 section 3.3.7).
REFLECTED_TAG = 1

# Parameter types.
STATE_COOKIE, UNRECOGNIZED_PARAMETER, SUPPORTED_EXTENSIONS, FORWARD_TSN_SUPPORTED = 7, 8, 0x8008, 0xC000
OUTGOING_RESET, INCOMING_RESET, TSN_RESET, RESET_RESPONSE, ADD_OUTGOING, ADD_INCOMING = 13, 14, 15, 16, 17, 18

# Error causes (RFC 9260 section 3.3.10).
CAUSE_UNRECOGNIZED_CHUNK, CAUSE_NO_USER_DATA, CAUSE_USER_ABORT, CAUSE_PROTOCOL_VIOLATION = 6, 9, 12, 13

# A datagram of 1,500 bytes holds 73 DATA chunks of one byte each; no legitimate packet has more chunks.
MAX_CHUNKS = 96
# An INIT of dcsctp or usrsctp has at most eight parameters.
MAX_PARAMETERS = 24
# dcsctp reports at most 20 gap blocks; usrsctp as many as fit. At worst, data beyond these is repeated needlessly.
MAX_GAP_BLOCKS = 256

_HEADER = Struct("!HHI")
_CHECKSUM = Struct("<I")
_CHUNK = Struct("!BBH")
_DATA = Struct("!BBHIHHI")
_DATA_BODY = Struct("!IHHI")
_INIT = Struct("!IIHHI")
_SACK = Struct("!IIHH")
_PAIR = Struct("!HH")
_U16 = Struct("!H")
_U32 = Struct("!I")
_TWO_U32 = Struct("!II")
_OUTGOING_RESET = Struct("!III")
_NO_CHECKSUM = bytes(4)
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")


class SctpError(Exception):
    """The bytes are not an SCTP packet, or not one that a sender of data channels would create."""


@dataclass(slots=True)
class Data:
    """A DATA chunk."""

    tsn: int
    stream: int
    sequence: int
    "Stream sequence number; meaningless if unordered."
    protocol: int
    "Payload protocol identifier."
    flags: int
    payload: bytes


@dataclass(slots=True)
class Init:
    """An INIT chunk, or INIT ACK if `cookie` is not empty."""

    tag: int
    window: int
    "Receiver window (a_rwnd) in bytes."
    outbound: int
    inbound: int
    tsn: int
    cookie: bytes = b""
    forward_tsn: bool = False
    re_config: bool = False
    unrecognized: tuple[bytes, ...] = ()
    "Whole parameters to be reported to the peer (RFC 9260 section 3.2.1)."


@dataclass(slots=True)
class Sack:
    """A SACK chunk."""

    cumulative: int
    window: int
    gaps: list[tuple[int, int]]
    "(first, last) as offsets from `cumulative`, as received: not checked for consistency."
    duplicates: int = 0
    "Number of reported duplicates."


@dataclass(slots=True)
class ForwardTsn:
    """A FORWARD-TSN chunk."""

    cumulative: int
    streams: list[tuple[int, int]]
    "(stream, its last skipped sequence number)."


@dataclass(slots=True)
class ResetRequest:
    """Outgoing SSN Reset Request of RE-CONFIG (RFC 6525 section 4.1)."""

    number: int
    answers: int
    last_tsn: int
    streams: tuple[int, ...]
    "Empty: all streams."


@dataclass(slots=True)
class ResetResponse:
    """Re-configuration Response (RFC 6525 section 4.4)."""

    number: int
    result: int


@dataclass(slots=True)
class OtherRequest:
    """A re-configuration request that data channels do not use; `type` is that of its parameter."""

    number: int
    type: int


@dataclass(slots=True)
class ReConfig:
    """A RE-CONFIG chunk, with one or two parameters."""

    parts: list[ResetRequest | ResetResponse | OtherRequest]


@dataclass(slots=True)
class Plain:
    """A chunk whose value is opaque or empty: HEARTBEAT, COOKIE ECHO, ABORT, SHUTDOWN, ERROR and others."""

    type: int
    flags: int
    value: bytes


Chunk = Data | Init | Sack | ForwardTsn | ReConfig | Plain


@dataclass(slots=True)
class Packet:
    """An SCTP packet."""

    source: int
    destination: int
    tag: int
    chunks: list[tuple[int, Chunk]]
    "(chunk type, chunk)."
    unrecognized: bytes = b""
    "The first chunk of an unknown type that must be reported to the peer (RFC 9260 section 3.2)."


# --- reading -------------------------------------------------------------------------------------------------------


def parse(packet: bytes) -> Packet:
    """Parse a packet. SctpError."""
    size = len(packet)
    if size < HEADER_BYTES + _CHUNK.size:
        raise SctpError("shorter than a header and a chunk")
    source, destination, tag = _HEADER.unpack_from(packet)
    if _CHECKSUM.unpack_from(packet, 8)[0] != crc32c(packet[:8] + _NO_CHECKSUM + packet[12:]):
        raise SctpError("wrong checksum")
    chunks: list[tuple[int, Chunk]] = []
    parsed = Packet(source, destination, tag, chunks)
    at = HEADER_BYTES
    while at < size:
        if len(chunks) >= MAX_CHUNKS:
            raise SctpError("too many chunks")
        if size - at < _CHUNK.size:
            raise SctpError("truncated chunk header")
        kind, flags, length = _CHUNK.unpack_from(packet, at)
        end = at + length
        if length < _CHUNK.size or end > size:
            raise SctpError("chunk longer than the packet")
        if kind == DATA:
            if length < DATA_HEADER_BYTES:
                raise SctpError("truncated DATA")
            tsn, stream, sequence, protocol = _DATA_BODY.unpack_from(packet, at + 4)
            payload = packet[at + DATA_HEADER_BYTES : end]
            chunks.append((DATA, Data(tsn, stream, sequence, protocol, flags, payload)))
        elif kind in _READERS:
            chunks.append((kind, _READERS[kind](kind, flags, packet[at + 4 : end])))
        else:
            # RFC 9260 section 3.2: the highest bit means skip the chunk (0: stop), the next bit means report it.
            if kind & 0x40 and not parsed.unrecognized:
                parsed.unrecognized = packet[at:end]
            chunks.append((kind, Plain(kind, flags, b"")))
            if not kind & 0x80:
                break
        at = end + (-length & 3)
    return parsed


def _parameters(body: bytes, at: int) -> list[tuple[int, bytes]]:
    """Return (type, value) of each parameter, starting at offset `at`. SctpError."""
    found: list[tuple[int, bytes]] = []
    size = len(body)
    while at < size:
        if size - at < _PAIR.size:
            raise SctpError("truncated parameter header")
        kind, length = _PAIR.unpack_from(body, at)
        if length < _PAIR.size or at + length > size:
            raise SctpError("parameter longer than its chunk")
        if len(found) >= MAX_PARAMETERS:
            raise SctpError("too many parameters")
        found.append((kind, body[at + 4 : at + length]))
        at += length + (-length & 3)
    return found


# Known INIT parameters without effect here: addresses, cookie preservative, host name, supported address types
# (RFC 9260), zero checksum acceptable (RFC 9653), ECN, adaptation layer, authentication (RFC 4895).
_IGNORED = frozenset({5, 6, 9, 11, 12, 0x8000, 0x8001, 0x8002, 0x8003, 0x8004, 0x8005, 0xC006})


def _read_init(kind: int, _flags: int, body: bytes) -> Init:
    if len(body) < _INIT.size:
        raise SctpError("truncated INIT")
    init = Init(*_INIT.unpack_from(body))
    if not init.tag or not init.outbound or not init.inbound:
        raise SctpError("INIT with a tag or a number of streams of 0")
    unrecognized = []
    for type_, value in _parameters(body, _INIT.size):
        if type_ == STATE_COOKIE:
            init.cookie = value
        elif type_ == FORWARD_TSN_SUPPORTED:
            init.forward_tsn = True
        elif type_ == SUPPORTED_EXTENSIONS:
            init.re_config |= RE_CONFIG in value
            init.forward_tsn |= FORWARD_TSN in value
        elif type_ not in _IGNORED and type_ != UNRECOGNIZED_PARAMETER:
            if type_ & 0x4000:
                unrecognized.append(_PAIR.pack(type_, 4 + len(value)) + value)
            if not type_ & 0x8000:
                break
    init.unrecognized = tuple(unrecognized)
    if kind == INIT_ACK and not init.cookie:
        raise SctpError("INIT ACK without a cookie")
    if kind == INIT:
        init.cookie = b""
    return init


def _read_sack(_kind: int, _flags: int, body: bytes) -> Sack:
    if len(body) < _SACK.size:
        raise SctpError("truncated SACK")
    cumulative, window, gaps, duplicates = _SACK.unpack_from(body)
    if len(body) != _SACK.size + 4 * (gaps + duplicates):
        raise SctpError("the length of SACK does not match its counts")
    used = min(gaps, MAX_GAP_BLOCKS)
    blocks = list(_PAIR.iter_unpack(body[_SACK.size : _SACK.size + 4 * used]))
    return Sack(cumulative, window, blocks, duplicates)


def _read_forward_tsn(_kind: int, _flags: int, body: bytes) -> ForwardTsn:
    if len(body) < 4 or len(body) % 4:
        raise SctpError("truncated FORWARD-TSN")
    return ForwardTsn(_U32.unpack_from(body)[0], list(_PAIR.iter_unpack(body[4:])))


def _read_re_config(_kind: int, _flags: int, body: bytes) -> ReConfig:
    parts: list[ResetRequest | ResetResponse | OtherRequest] = []
    parameters = _parameters(body, 0)
    if not 1 <= len(parameters) <= 2:  # RFC 6525 section 3.1
        raise SctpError("RE-CONFIG must have one or two parameters")
    for kind, value in parameters:
        if kind == OUTGOING_RESET:
            if len(value) < _OUTGOING_RESET.size or len(value) % 2:
                raise SctpError("truncated reset request")
            streams = tuple(one for (one,) in _U16.iter_unpack(value[_OUTGOING_RESET.size :]))
            number, answers, last_tsn = _OUTGOING_RESET.unpack_from(value)
            parts.append(ResetRequest(number, answers, last_tsn, streams))
        elif kind == RESET_RESPONSE:
            if len(value) < _TWO_U32.size:
                raise SctpError("truncated reset response")
            parts.append(ResetResponse(*_TWO_U32.unpack_from(value)))
        elif INCOMING_RESET <= kind <= ADD_INCOMING:
            if len(value) < 4:
                raise SctpError("truncated re-configuration request")
            parts.append(OtherRequest(_U32.unpack_from(value)[0], kind))
        else:
            raise SctpError("unknown re-configuration parameter")
    return ReConfig(parts)


def _read_plain(kind: int, flags: int, body: bytes) -> Plain:
    if kind == SHUTDOWN and len(body) != 4:
        raise SctpError("SHUTDOWN must have four bytes")
    return Plain(kind, flags, body)


_READERS: dict[int, Callable[[int, int, bytes], Chunk]] = {
    INIT: _read_init,
    INIT_ACK: _read_init,
    SACK: _read_sack,
    FORWARD_TSN: _read_forward_tsn,
    RE_CONFIG: _read_re_config,
    **dict.fromkeys(
        (
            HEARTBEAT,
            HEARTBEAT_ACK,
            ABORT,
            SHUTDOWN,
            SHUTDOWN_ACK,
            ERROR,
            COOKIE_ECHO,
            COOKIE_ACK,
            SHUTDOWN_COMPLETE,
        ),
        _read_plain,
    ),
}


# --- writing -------------------------------------------------------------------------------------------------------


def packet(source: int, destination: int, tag: int, chunks: list[bytes]) -> bytes:
    """Build a packet of serialised chunks."""
    header = _HEADER.pack(source, destination, tag)
    body = b"".join(chunks)
    return header + _CHECKSUM.pack(crc32c(header + _NO_CHECKSUM + body)) + body


def chunk(kind: int, value: bytes = b"", flags: int = 0) -> bytes:
    """Build a chunk, padded."""
    return _CHUNK.pack(kind, flags, 4 + len(value)) + value + _PADDING[len(value) & 3]


def parameter(kind: int, value: bytes = b"") -> bytes:
    """Build a parameter or an error cause, padded."""
    return _PAIR.pack(kind, 4 + len(value)) + value + _PADDING[len(value) & 3]


def data(tsn: int, stream: int, sequence: int, protocol: int, flags: int, payload: bytes) -> bytes:  # noqa: PLR0913, PLR0917 - DATA's fields
    """Build a DATA chunk, padded."""
    size = len(payload)
    header = _DATA.pack(DATA, flags, DATA_HEADER_BYTES + size, tsn, stream, sequence, protocol)
    return header + payload + _PADDING[size & 3]


def init(kind: int, value: Init) -> bytes:
    """Build an INIT or INIT ACK chunk."""
    fixed = _INIT.pack(value.tag, value.window, value.outbound, value.inbound, value.tsn)
    extensions = bytes([RE_CONFIG] * value.re_config + [FORWARD_TSN] * value.forward_tsn)
    parts = [fixed]
    if value.cookie:
        parts.append(parameter(STATE_COOKIE, value.cookie))
    if value.forward_tsn:
        parts.append(parameter(FORWARD_TSN_SUPPORTED))
    if extensions:
        parts.append(parameter(SUPPORTED_EXTENSIONS, extensions))
    parts.extend(parameter(UNRECOGNIZED_PARAMETER, one) for one in value.unrecognized)
    return chunk(kind, b"".join(parts))


def sack(cumulative: int, window: int, gaps: list[tuple[int, int]], duplicates: list[int]) -> bytes:
    """Build a SACK chunk; `gaps` as in `Sack`, `duplicates` as TSNs."""
    parts = [_SACK.pack(cumulative, window, len(gaps), len(duplicates))]
    parts.extend(_PAIR.pack(*gap) for gap in gaps)
    parts.extend(_U32.pack(tsn) for tsn in duplicates)
    return chunk(SACK, b"".join(parts))


def forward_tsn(cumulative: int, streams: list[tuple[int, int]]) -> bytes:
    """Build a FORWARD-TSN chunk; see `ForwardTsn`."""
    return chunk(FORWARD_TSN, _U32.pack(cumulative) + b"".join(_PAIR.pack(*one) for one in streams))


def reset_request(request: ResetRequest) -> bytes:
    """Build a reset request, a parameter of RE-CONFIG."""
    fixed = _OUTGOING_RESET.pack(request.number, request.answers, request.last_tsn)
    return parameter(OUTGOING_RESET, fixed + b"".join(_U16.pack(one) for one in request.streams))


def reset_response(number: int, result: int) -> bytes:
    """Build a reset response, a parameter of RE-CONFIG."""
    return parameter(RESET_RESPONSE, _TWO_U32.pack(number, result))


def cause(kind: int, value: bytes = b"") -> bytes:
    """Build an error cause, for ABORT and ERROR."""
    return parameter(kind, value)
