"""RTP packets (RFC 3550) and their header extensions (RFC 8285), parsed in place.

Called for each packet: plain functions over a buffer that return offsets and create no object per packet.
"""

Buffer = bytes | bytearray | memoryview
Header = tuple[int, dict[int, tuple[int, int]]]
"(offset of the payload, header extension elements as `parse_extensions` returns them)."

URI_MID = "urn:ietf:params:rtp-hdrext:sdes:mid"  # RFC 9143
URI_RID = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"  # RFC 8852
URI_REPAIRED_RID = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id"  # RFC 8852
URI_AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"  # RFC 6464
URI_TOFFSET = "urn:ietf:params:rtp-hdrext:toffset"  # RFC 5450
URI_VIDEO_ORIENTATION = "urn:3gpp:video-orientation"  # 3GPP TS 26.114
URI_TRANSPORT_CC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
URI_ABS_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
URI_ABS_CAPTURE_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-capture-time"
URI_PLAYOUT_DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
URI_DEPENDENCY_DESCRIPTOR = (
    "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension"
)

HEADER_BYTES = 12
# RFC 8285 section 4.1.2: the profile field that announces the one-byte format
_ONE_BYTE_PROFILE = 0xBEDE
# RFC 8285 section 4.3: 0x100 and four application bits announce the two-byte format
_TWO_BYTE_PROFILE = 0x1000


class RtpError(Exception):
    """The packet is not RTP, or its lengths are inconsistent; the one exception of this module."""


def is_rtcp(packet: Buffer) -> bool:
    """Whether a packet is RTCP (RFC 5761 section 4): the second byte, marker included, is 192..223."""
    return len(packet) > 1 and 192 <= packet[1] <= 223


def header_length(packet: Buffer) -> int:
    """Return the payload's offset, after contributing sources and header extension (RFC 3550 section 5.1).

    RtpError if the packet ends within its header or does not have version 2.
    """
    size = len(packet)
    if size < HEADER_BYTES:
        raise RtpError("shorter than the fixed header")
    first = packet[0]
    if first >> 6 != 2:
        raise RtpError("not version 2")
    end = HEADER_BYTES + 4 * (first & 0x0F)
    if first & 0x10:
        if end + 4 > size:
            raise RtpError("truncated before the header extension")
        end += 4 + 4 * (packet[end + 2] << 8 | packet[end + 3])
    if end > size:
        raise RtpError("truncated header")
    return end


def parse_header(packet: Buffer) -> Header:
    """Read the header of a packet once for all who need something of it. RtpError."""
    length = header_length(packet)
    return length, parse_extensions(packet, length)


def payload_end(packet: Buffer, length: int) -> int:
    """Return the offset after the payload, without padding; `length` is the result of `header_length`.

    Equal to `length` for a packet of padding alone, which senders use to probe the bandwidth. RtpError if the padding
    count is 0 or reaches into the header (RFC 3550 section 5.1: the last octet counts itself).
    """
    size = len(packet)
    if not packet[0] & 0x20:
        return size
    padding = packet[size - 1]
    if not padding or size - padding < length:
        raise RtpError("impossible padding")
    return size - padding


def parse_extensions(packet: Buffer, length: int) -> dict[int, tuple[int, int]]:
    """Return the header extension elements: id -> (offset of the data in the packet, its length).

    `length` is the result of `header_length`. Reads both formats of RFC 8285 and skips other profiles, which are never
    negotiated. RtpError if an element exceeds the block.
    """
    if not packet[0] & 0x10:
        return {}
    at = HEADER_BYTES + 4 * (packet[0] & 0x0F)
    profile = packet[at] << 8 | packet[at + 1]
    if profile == _ONE_BYTE_PROFILE:
        return _parse_one_byte(packet, at + 4, length)
    if profile & 0xFFF0 == _TWO_BYTE_PROFILE:
        return _parse_two_byte(packet, at + 4, length)
    return {}


def _parse_one_byte(packet: Buffer, at: int, end: int) -> dict[int, tuple[int, int]]:
    elements = {}
    while at < end:
        head = packet[at]
        at += 1
        if not head:
            continue
        number = head >> 4
        # RFC 8285 section 4.2: id 15, and id 0 with a length, end the parsing of the block
        if number in {0, 15}:
            break
        size = (head & 0x0F) + 1
        if at + size > end:
            raise RtpError("truncated header extension element")
        elements[number] = (at, size)
        at += size
    return elements


def _parse_two_byte(packet: Buffer, at: int, end: int) -> dict[int, tuple[int, int]]:
    elements = {}
    while at < end:
        number = packet[at]
        at += 1
        if not number:  # RFC 8285 section 4.3: a padding byte has no length byte
            continue
        if at == end or at + 1 + packet[at] > end:
            raise RtpError("truncated header extension element")
        size = packet[at]
        elements[number] = (at + 1, size)
        at += 1 + size
    return elements


def build_extensions(values: list[tuple[int, bytes]]) -> bytes:
    """Build a header extension block with its 4-byte header from (id, data); empty for no values.

    One-byte format if all ids are 1..14 and all lengths 1..16, otherwise the two-byte format (RFC 8285 section 4.3) for
    ids 1..255 and lengths 0..255. The elements keep their order; zeros fill the last word.
    """
    if not values:
        return b""
    one_byte = all(number <= 14 and 1 <= len(data) <= 16 for number, data in values)
    parts = [b"\0\0\0\0"]
    for number, data in values:
        parts += (bytes((number << 4 | len(data) - 1,)) if one_byte else bytes((number, len(data))), data)
    block = bytearray(b"".join(parts))
    block += bytes(-len(block) % 4)
    block[0:2] = (_ONE_BYTE_PROFILE if one_byte else _TWO_BYTE_PROFILE).to_bytes(2, "big")
    block[2:4] = (len(block) // 4 - 1).to_bytes(2, "big")
    return bytes(block)
