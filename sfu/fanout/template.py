"""Templates: a packet rewritten once for each class of subscribers with equal payload types and extension ids."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sfu.fanout.arena import MAX_PACKET_BYTES
from sfu.wire import rtp
from sfu.wire.packet import SourcePacket
from sfu.wire.red import RedundancyLevel, primary, with_redundancy

# The size that libwebrtc uses for padding packets.
PADDING_BYTES = 224
# The first element of an extension block follows the RTP header and the block's own (RFC 8285 sections 4.2 and 4.3:
# that begins with 0xBE where headers of elements have one byte, else they have two).
_FIRST_ELEMENT_AT = rtp.HEADER_BYTES + 4
_ONE_BYTE = b"\xbe"


class Block(NamedTuple):
    """A header extension block, and where its leading elements are in the packet; -1 for none."""

    data: bytes
    "With its own header; empty without extensions."
    transport_sequence_at: int
    "Offset of the transport-wide number, the first element."
    frame_number_at: int
    "Offset of the frame number in the dependency descriptor, the next element."


@dataclass(frozen=True, slots=True)
class TemplateClass:
    """The common properties of subscribers with equal answers. Hashable: equal classes share their templates."""

    payload_types: tuple[tuple[str, int], ...]
    "(codec, payload type), sorted by codec."
    extensions: tuple[tuple[str, int], ...]
    "(URI, id) of the negotiated extensions."
    redundancy: RedundancyLevel = RedundancyLevel.AS_SENT
    "Redundancy of audio (RFC 2198), if RED was negotiated."
    payload_type_by_codec: dict[str, int] = field(init=False, repr=False, compare=False)
    id_by_uri: dict[str, int] = field(init=False, repr=False, compare=False)
    bare: Block = field(init=False, repr=False, compare=False)
    "The extension block of a packet without forwarded extensions, which most packets are."

    def __post_init__(self) -> None:
        """Index the pairs once, for a look-up for each packet."""
        object.__setattr__(self, "payload_type_by_codec", dict(self.payload_types))
        object.__setattr__(self, "id_by_uri", dict(self.extensions))
        object.__setattr__(self, "bare", _block(self, (), b""))

    @property
    def described(self) -> bool:
        """Whether its packets contain dependency descriptors."""
        return rtp.URI_DEPENDENCY_DESCRIPTOR in self.id_by_uri

    @property
    def numbered(self) -> bool:
        """Whether its packets contain transport-wide sequence numbers."""
        return rtp.URI_TRANSPORT_CC in self.id_by_uri


class Template:
    """A packet rewritten for one class: its bytes, and the offsets of the per-subscriber fields."""

    __slots__ = (
        "data",
        "frame_number_at",
        "length",
        "picture_id_at",
        "tl0picidx_at",
        "transport_sequence_at",
    )

    def __init__(self, packet: SourcePacket, payload_type: int, payload: memoryview, block: Block) -> None:
        """Assemble the packet that is rewritten, with the class's payload type, from its payload and extensions."""
        extensions = block.data
        first = 0x90 if extensions else 0x80
        # RFC 3550 section 5.1: the last octet of padding counts itself
        if len(packet.data) == packet.payload_at:
            first, payload = first | 0x20, memoryview(b"\1")
        head = bytes((first, (0x80 if packet.marker else 0) | payload_type))
        data = b"".join((head, bytes(10), extensions, payload))
        shift = 12 + len(extensions) - packet.payload_at
        self.data = data
        self.length = len(data)
        self.picture_id_at = packet.picture_id_at + shift if packet.picture_id_at >= 0 else -1
        self.tl0picidx_at = packet.tl0picidx_at + shift if packet.tl0picidx_at >= 0 else -1
        self.transport_sequence_at, self.frame_number_at = block.transport_sequence_at, block.frame_number_at


def make_template(kind: TemplateClass, packet: SourcePacket) -> Template | None:
    """Rewrite a packet for a class; None if the class cannot receive its codec.

    A packet without payload becomes a padding packet, which uses up its sequence number.
    """
    payload_types = kind.payload_type_by_codec
    payload = packet.data[packet.payload_at :]
    payload_type = payload_types.get(packet.codec)
    if payload_type is None or (packet.codec == "red" and kind.redundancy is not RedundancyLevel.AS_SENT):
        # RFC 2198: subscribers that cannot decode RED, or have no bandwidth for it, get the primary encoding alone
        if packet.codec != "red" or "opus" not in payload_types:
            return None
        encoding = primary(payload)
        if encoding is None:
            return None
        payload, payload_type = encoding, payload_types["opus"]
        if (
            kind.redundancy is RedundancyLevel.DEEP
            and packet.redundancy is not None
            and "red" in payload_types
        ):
            payload = memoryview(with_redundancy(payload, packet.redundancy, payload_type))
            payload_type = payload_types["red"]
    elif (
        packet.redundancy is not None
        and packet.codec == "opus"
        and "red" in payload_types
        and kind.redundancy is not RedundancyLevel.NONE
    ):
        payload = memoryview(with_redundancy(payload, packet.redundancy, payload_type))
        payload_type = payload_types["red"]
    is_bare = not packet.extensions and not packet.descriptor
    block = kind.bare if is_bare else _block(kind, packet.extensions, packet.descriptor)
    template = Template(packet, payload_type, payload, block)
    return None if template.length > MAX_PACKET_BYTES else template


def _block(kind: TemplateClass, extensions: Sequence[tuple[str, bytes]], descriptor: bytes) -> Block:
    """Return the extension block of a packet with these extensions, by URI, and this dependency descriptor."""
    ids = kind.id_by_uri
    values = [(ids[uri], value) for uri, value in extensions if uri in ids]
    transport_id = ids.get(rtp.URI_TRANSPORT_CC)
    descriptor_id = ids.get(rtp.URI_DEPENDENCY_DESCRIPTOR) if descriptor else None
    # first in the block, so that their offsets are known
    if descriptor_id is not None:
        values.insert(0, (descriptor_id, descriptor))
    if transport_id is not None:
        values.insert(0, (transport_id, b"\0\0"))
    data = rtp.build_extensions(values) if values else b""
    element_header = 1 if data[:1] == _ONE_BYTE else 2
    first = _FIRST_ELEMENT_AT + element_header
    # a number takes two bytes; a descriptor's frame number follows its first byte
    descriptor_at = first if transport_id is None else first + 2 + element_header
    return Block(
        data,
        -1 if transport_id is None else first,
        -1 if descriptor_id is None else descriptor_at + 1,
    )


def padding_packet(kind: TemplateClass, payload_type: int, ssrc: int, sequence: int) -> bytes:
    """Build a packet of padding for a class with transport-wide numbers; RFC 3550 section 5.1: at most 255 octets."""
    extensions = rtp.build_extensions([(kind.id_by_uri[rtp.URI_TRANSPORT_CC], b"\0\0")])
    head = struct.pack("!BBHII", 0xB0, payload_type, sequence, 0, ssrc)
    return head + extensions + bytes(PADDING_BYTES - 1) + bytes((PADDING_BYTES,))


def transport_sequence_at(packet: bytes) -> int:
    """Return the offset of the transport-wide number in a numbered packet."""
    return _FIRST_ELEMENT_AT + (1 if packet[12:13] == _ONE_BYTE else 2)
