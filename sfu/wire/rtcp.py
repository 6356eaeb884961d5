"""RTCP: parsing of compound packets into values, and building of the packets that the server sends.

RFC 3550 section 6 (reports, SDES, BYE), RFC 4585 and RFC 5104 (feedback), RFC 5506 (reduced size: any packet may be
first), draft-alvestrand-rmcat-remb-03. Wall-clock times are unix seconds, passed by the caller.
"""

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from sfu.wire.rtp import Buffer

SENDER_REPORT = 200
RECEIVER_REPORT = 201
SOURCE_DESCRIPTION = 202
GOODBYE = 203
TRANSPORT_FEEDBACK = 205
PAYLOAD_FEEDBACK = 206
# The format of feedback reports in draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1
_ARRIVALS = 15

# Sequence numbers accepted from the NACKs of one compound packet. No history holds more packets, so further numbers
# would cost work without effect.
MAX_NACKED = 512

# Seconds from 1900 (NTP) to 1970 (unix), RFC 5905 figure 4
_NTP_EPOCH_S = 2_208_988_800

_U32 = struct.Struct("!I")
_TWO_SSRCS = struct.Struct("!II")
_SENDER_INFO = struct.Struct("!IQIII")
_BLOCK = struct.Struct("!IIIIII")
_NACK_ITEM = struct.Struct("!HH")


class RtcpError(Exception):
    """The bytes are not RTCP, or their lengths are inconsistent; the one exception of this module."""


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """Reception statistics of one stream (RFC 3550 section 6.4.1)."""

    ssrc: int
    fraction_lost: int
    "In 256ths of the packets expected since the last report."
    cumulative_lost: int
    "In packets; negative if duplicates outnumber the losses."
    highest_sequence: int
    "Extended sequence number, 32 bits."
    jitter: int
    "In clock ticks."
    last_sr: int
    "Middle 32 bits of the last sender report's NTP time; 0: no sender report yet."
    delay_since_last_sr: int
    "In 65536ths of a second."


@dataclass(frozen=True, slots=True)
class SenderReport:
    """A sender's packet counts, and its NTP and RTP clocks at one moment."""

    ssrc: int
    ntp: int
    "64-bit NTP time."
    rtp_timestamp: int
    packet_count: int
    octet_count: int
    blocks: tuple[ReportBlock, ...]


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    """A receiver's statistics of streams."""

    ssrc: int
    blocks: tuple[ReportBlock, ...]


@dataclass(frozen=True, slots=True)
class SourceDescription:
    """Canonical names; other SDES items are ignored."""

    cnames: tuple[tuple[int, str], ...]
    "(SSRC, CNAME)."


@dataclass(frozen=True, slots=True)
class Goodbye:
    """SSRCs of streams that have ended."""

    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Nack:
    """A request to retransmit packets (RFC 4585 section 6.2.1)."""

    sender_ssrc: int
    media_ssrc: int
    sequences: tuple[int, ...]
    "16-bit sequence numbers."


@dataclass(frozen=True, slots=True)
class PictureLossIndication:
    """A request for a keyframe (RFC 4585 section 6.3.1)."""

    sender_ssrc: int
    media_ssrc: int


@dataclass(frozen=True, slots=True)
class FullIntraRequest:
    """A command to send a keyframe (RFC 5104 section 4.3.1)."""

    sender_ssrc: int
    ssrcs: tuple[int, ...]
    "The media streams that must send a keyframe."


@dataclass(frozen=True, slots=True)
class Remb:
    """A receiver's estimate of the available bandwidth (draft-alvestrand-rmcat-remb-03)."""

    sender_ssrc: int
    bitrate_bps: int
    ssrcs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TransportFeedbackReport:
    """Arrival times of packets by transport-wide sequence number, not decoded."""

    sender_ssrc: int
    media_ssrc: int
    data: bytes
    "The part that starts with the base sequence number."


RtcpPacket = (
    SenderReport
    | ReceiverReport
    | SourceDescription
    | Goodbye
    | Nack
    | PictureLossIndication
    | FullIntraRequest
    | Remb
    | TransportFeedbackReport
)


# --- parsing -------------------------------------------------------------------------------------------


def parse(packet: Buffer) -> list[RtcpPacket]:
    """Return the packets of a compound packet; kinds not listed in this module are skipped. RtcpError.

    At most MAX_NACKED sequence numbers per compound packet are returned; the rest is dropped.
    """
    packets: list[RtcpPacket] = []
    size = len(packet)
    if not size:
        raise RtcpError("empty")
    nacks_left = MAX_NACKED
    at = 0
    while at < size:
        if at + 4 > size:
            raise RtcpError("truncated header")
        first, kind = packet[at], packet[at + 1]
        end = at + 4 + 4 * (packet[at + 2] << 8 | packet[at + 3])
        if first >> 6 != 2:
            raise RtcpError("not version 2")
        if end > size:
            raise RtcpError("truncated packet")
        handler = _HANDLERS.get(kind)
        if handler is not None:
            body = bytes(packet[at + 4 : end])
            try:
                parsed = handler(first & 0x1F, _without_padding(body) if first & 0x20 else body)
            except struct.error as error:
                # a handler relies on a length; padding may not be a multiple of 4 bytes
                raise RtcpError(str(error)) from error
            if isinstance(parsed, Nack):
                if len(parsed.sequences) > nacks_left:
                    parsed = Nack(parsed.sender_ssrc, parsed.media_ssrc, parsed.sequences[:nacks_left])
                nacks_left -= len(parsed.sequences)
            if parsed is not None:
                packets.append(parsed)
        at = end
    return packets


def _without_padding(body: bytes) -> bytes:
    # RFC 3550 section 6.4.1: the last octet counts the padding octets, itself included. The count should be a multiple
    # of four, but libwebrtc pads its feedback reports to whole words and counts only those one to three octets.
    if not body or not body[-1] or body[-1] > len(body):
        raise RtcpError("impossible padding")
    return body[: -body[-1]]


def _need(body: bytes, size: int) -> None:
    if len(body) < size:
        raise RtcpError("too short for its packet type")


def _blocks(body: bytes, at: int, count: int) -> tuple[ReportBlock, ...]:
    _need(body, at + _BLOCK.size * count)
    blocks = []
    for i in range(count):
        ssrc, lost, highest, jitter, last_sr, delay = _BLOCK.unpack_from(body, at + _BLOCK.size * i)
        cumulative = ((lost & 0xFFFFFF) ^ 0x800000) - 0x800000  # 24 bits, signed
        blocks.append(ReportBlock(ssrc, lost >> 24, cumulative, highest, jitter, last_sr, delay))
    return tuple(blocks)


def _parse_sender_report(count: int, body: bytes) -> SenderReport:
    _need(body, _SENDER_INFO.size)
    ssrc, ntp, rtp_timestamp, packets, octets = _SENDER_INFO.unpack_from(body)
    return SenderReport(ssrc, ntp, rtp_timestamp, packets, octets, _blocks(body, _SENDER_INFO.size, count))


def _parse_receiver_report(count: int, body: bytes) -> ReceiverReport:
    _need(body, 4)
    return ReceiverReport(_U32.unpack_from(body)[0], _blocks(body, 4, count))


def _parse_source_description(count: int, body: bytes) -> SourceDescription:
    """RFC 3550 section 6.5: chunks of an SSRC and items, each ended by a zero byte and filled to a word."""
    cnames = []
    at = 0
    for _ in range(count):
        _need(body, at + 5)
        ssrc = _U32.unpack_from(body, at)[0]
        at += 4
        while at < len(body) and body[at]:
            _need(body, at + 2)
            text = body[at + 2 : at + 2 + body[at + 1]]
            _need(body, at + 2 + body[at + 1])
            if body[at] == 1:
                cnames.append((ssrc, text.decode(errors="replace")))
            at += 2 + body[at + 1]
        at = (at + 4) & ~3
    return SourceDescription(tuple(cnames))


def _parse_goodbye(count: int, body: bytes) -> Goodbye:
    _need(body, 4 * count)
    return Goodbye(struct.unpack_from(f"!{count}I", body))


def _parse_transport_feedback(form: int, body: bytes) -> RtcpPacket | None:
    handler = _TRANSPORT_FORMS.get(form)
    if handler is None:
        return None
    _need(body, 8)
    sender_ssrc, media_ssrc = _TWO_SSRCS.unpack_from(body)
    return handler(sender_ssrc, media_ssrc, body)


def _parse_payload_feedback(form: int, body: bytes) -> RtcpPacket | None:
    handler = _PAYLOAD_FORMS.get(form)
    if handler is None:
        return None
    _need(body, 8)
    sender_ssrc, media_ssrc = _TWO_SSRCS.unpack_from(body)
    return handler(sender_ssrc, media_ssrc, body)


def _parse_nack(sender_ssrc: int, media_ssrc: int, body: bytes) -> Nack:
    if len(body) % 4:
        raise RtcpError("incomplete feedback item")
    sequences: list[int] = []
    for pid, mask in _NACK_ITEM.iter_unpack(body[8:]):
        sequences.append(pid)
        following = pid
        bits = mask
        while bits:
            following += 1
            if bits & 1:
                sequences.append(following & 0xFFFF)
            bits >>= 1
        if len(sequences) >= MAX_NACKED:
            break
    return Nack(sender_ssrc, media_ssrc, tuple(sequences))


def _parse_transport_cc(sender_ssrc: int, media_ssrc: int, body: bytes) -> TransportFeedbackReport:
    return TransportFeedbackReport(sender_ssrc, media_ssrc, body[8:])


def _parse_pli(sender_ssrc: int, media_ssrc: int, _body: bytes) -> PictureLossIndication:
    return PictureLossIndication(sender_ssrc, media_ssrc)


def _parse_fir(sender_ssrc: int, _media_ssrc: int, body: bytes) -> FullIntraRequest:
    # RFC 5104 section 4.3.1.1: items of SSRC, command number and reserved bits
    if len(body) % 8:
        raise RtcpError("incomplete feedback item")
    return FullIntraRequest(sender_ssrc, tuple(ssrc for ssrc, _ in _TWO_SSRCS.iter_unpack(body[8:])))


def _parse_application_feedback(sender_ssrc: int, _media_ssrc: int, body: bytes) -> Remb | None:
    if body[8:12] != b"REMB":
        return None
    _need(body, 16)
    count = body[12]
    _need(body, 16 + 4 * count)
    # 6 bits of exponent, 18 of mantissa; 2**81 fits a Python integer
    mantissa = (body[13] & 0x03) << 16 | body[14] << 8 | body[15]
    return Remb(sender_ssrc, mantissa << (body[13] >> 2), struct.unpack_from(f"!{count}I", body, 16))


_HANDLERS: dict[int, Callable[[int, bytes], RtcpPacket | None]] = {
    SENDER_REPORT: _parse_sender_report,
    RECEIVER_REPORT: _parse_receiver_report,
    SOURCE_DESCRIPTION: _parse_source_description,
    GOODBYE: _parse_goodbye,
    TRANSPORT_FEEDBACK: _parse_transport_feedback,
    PAYLOAD_FEEDBACK: _parse_payload_feedback,
}
_TRANSPORT_FORMS: dict[int, Callable[[int, int, bytes], RtcpPacket | None]] = {
    1: _parse_nack,
    _ARRIVALS: _parse_transport_cc,
}
_PAYLOAD_FORMS: dict[int, Callable[[int, int, bytes], RtcpPacket | None]] = {
    1: _parse_pli,
    4: _parse_fir,
    15: _parse_application_feedback,
}


# --- building ------------------------------------------------------------------------------------------


def _packet(count_or_form: int, kind: int, body: bytes) -> bytes:
    return struct.pack("!BBH", 0x80 | count_or_form, kind, len(body) // 4) + body


def _pack_blocks(blocks: Sequence[ReportBlock]) -> bytes:
    if len(blocks) > 31:
        raise ValueError("a report has at most 31 blocks")
    return b"".join(
        _BLOCK.pack(
            block.ssrc,
            block.fraction_lost << 24 | block.cumulative_lost & 0xFFFFFF,
            block.highest_sequence,
            block.jitter,
            block.last_sr,
            block.delay_since_last_sr,
        )
        for block in blocks
    )


def sender_report(  # noqa: PLR0913, PLR0917 - the fields of the packet
    ssrc: int,
    ntp: int,
    rtp_timestamp: int,
    packet_count: int,
    octet_count: int,
    blocks: Sequence[ReportBlock] = (),
) -> bytes:
    """Build a sender report; `ntp` comes from `ntp_time`, the counts wrap at 32 bits."""
    info = _SENDER_INFO.pack(
        ssrc, ntp, rtp_timestamp & 0xFFFFFFFF, packet_count & 0xFFFFFFFF, octet_count & 0xFFFFFFFF
    )
    return _packet(len(blocks), SENDER_REPORT, info + _pack_blocks(blocks))


def receiver_report(ssrc: int, blocks: Sequence[ReportBlock]) -> bytes:
    """Build a receiver report of at most 31 blocks."""
    return _packet(len(blocks), RECEIVER_REPORT, _U32.pack(ssrc) + _pack_blocks(blocks))


def sdes_cname(ssrc: int, cname: str) -> bytes:
    """Build a source description with its one mandatory item; `cname` has at most 255 bytes."""
    text = cname.encode()
    chunk = _U32.pack(ssrc) + bytes((1, len(text))) + text
    # RFC 3550 section 6.5: at least one zero byte ends the items
    return _packet(1, SOURCE_DESCRIPTION, chunk + bytes(4 - len(chunk) % 4))


def bye(ssrcs: Sequence[int]) -> bytes:
    """Build a goodbye for at most 31 streams."""
    return _packet(len(ssrcs), GOODBYE, struct.pack(f"!{len(ssrcs)}I", *ssrcs))


def nack(sender_ssrc: int, media_ssrc: int, sequences: Iterable[int]) -> bytes:
    """Build a retransmission request for ascending sequence numbers, of which the low 16 bits are used."""
    items: list[tuple[int, int]] = []
    for sequence in sequences:
        ahead = (sequence - items[-1][0]) & 0xFFFF if items else 0xFFFF
        if 1 <= ahead <= 16:
            items[-1] = (items[-1][0], items[-1][1] | 1 << (ahead - 1))
        elif ahead:
            items.append((sequence & 0xFFFF, 0))
    body = b"".join(_NACK_ITEM.pack(*item) for item in items)
    return _packet(1, TRANSPORT_FEEDBACK, _TWO_SSRCS.pack(sender_ssrc, media_ssrc) + body)


def pli(sender_ssrc: int, media_ssrc: int) -> bytes:
    """Build a request for a keyframe."""
    return _packet(1, PAYLOAD_FEEDBACK, _TWO_SSRCS.pack(sender_ssrc, media_ssrc))


def fir(sender_ssrc: int, media_ssrc: int, command: int) -> bytes:
    """Build a keyframe command; `command` increases (mod 256) with each new one (RFC 5104 section 4.3.1.2)."""
    # the media source of the header is unused and zero; the item names the stream
    body = struct.pack("!IIIB3x", sender_ssrc, 0, media_ssrc, command & 0xFF)
    return _packet(4, PAYLOAD_FEEDBACK, body)


def transport_feedback(sender_ssrc: int, media_ssrc: int, data: bytes) -> bytes:
    """Build a feedback report from its encoded part, whose length is a multiple of four bytes."""
    return _packet(15, TRANSPORT_FEEDBACK, _TWO_SSRCS.pack(sender_ssrc, media_ssrc) + data)


# --- NTP time ------------------------------------------------------------------------------------------


def ntp_time(unix_s: float) -> int:
    """Convert unix seconds to 64-bit NTP time (32.32 fixed point since 1900)."""
    return (int((unix_s + _NTP_EPOCH_S) * 65536) << 16) & 0xFFFFFFFFFFFFFFFF


def ntp_middle(ntp: int) -> int:
    """Return the middle 32 bits, which reports contain as LSR, in 65536ths of a second."""
    return ntp >> 16 & 0xFFFFFFFF


def round_trip_s(block: ReportBlock, ntp: int) -> float | None:
    """Return the round-trip time in seconds from a report block received at 64-bit NTP time `ntp`.

    RFC 3550 section 6.4.1: A - LSR - DLSR. None if there was no sender report or the clocks contradict each other.
    """
    if not block.last_sr:
        return None
    ticks = (ntp_middle(ntp) - block.last_sr - block.delay_since_last_sr) & 0xFFFFFFFF
    return ticks / 65536 if ticks < 0x80000000 else None
