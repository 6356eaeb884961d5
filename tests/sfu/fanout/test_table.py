import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.fanout.arena import ARENA_ROWS, Arena
from sfu.fanout.pacer import Pacer
from sfu.fanout.row_buffer import PortableWriter, RowBuffer
from sfu.fanout.sentlog import HEADERS_BYTES
from sfu.fanout.table import Column, FanoutTable, single_packet
from sfu.fanout.template import TemplateClass, make_template
from sfu.wire import rtp
from sfu.wire.packet import SourcePacket

CHROMIUM = TemplateClass((("opus", 111), ("red", 63), ("vp8", 96)), ((rtp.URI_AUDIO_LEVEL, 1),))
FIREFOX = TemplateClass((("opus", 109), ("vp8", 120)), ((rtp.URI_AUDIO_LEVEL, 5),))
COUNTED = TemplateClass((("vp8", 96),), ((rtp.URI_TRANSPORT_CC, 3),))
ADDRESS = bytes(range(28))


class Wire:
    """Takes what an outbox sends: (packet, transport)."""

    def __init__(self):
        self.sent = []
        self.flushes = 0
        self.arena = Arena()
        self.outbox = RowBuffer(self.arena)
        self.outbox.open(PortableWriter(self.arena, self.outbox.transports, self._take))

    def _take(self, count):
        self.flushes += 1
        for i in range(count):
            packet = self.arena.rows[i, : self.arena.lengths[i]].tobytes()
            self.sent.append((packet, int(self.arena.transports[i])))
        return float(self.flushes)


def vp8(sequence=1000, picture_id=300, tl0picidx=7, payload=b"frame", **changes):
    """A VP8 packet as a publisher sends it, with 15-bit picture id and TL0PICIDX."""
    descriptor = struct.pack("!BBHB", 0x90, 0xC0, 0x8000 | picture_id, tl0picidx)
    data = struct.pack("!BBHII", 0x80, 0x80 | 96, sequence & 0xFFFF, 90_000, 0x1111) + descriptor + payload
    fields = {"picture_id_at": 14, "picture_id": picture_id, "tl0picidx_at": 16, "tl0picidx": tl0picidx}
    return SourcePacket(memoryview(data), 12, sequence, 90_000, True, "vp8", **(fields | changes))


def column(ssrc=1, sequence_offset=0, timestamp_offset=0, picture=0, tl0=0, first=0, transport=0):
    return Column(ssrc, sequence_offset, timestamp_offset, picture, tl0, first, transport)


COLUMNS = st.builds(
    column,
    ssrc=st.integers(0, 2**32 - 1),
    sequence_offset=st.integers(-(2**20), 2**20),
    timestamp_offset=st.integers(-(2**33), 2**33),
    picture=st.integers(-(2**16), 2**16),
    tl0=st.integers(-(2**9), 2**9),
)


@given(
    st.lists(COLUMNS, min_size=1, max_size=40),
    st.integers(0, 2**17),
    st.integers(0, 2**15 - 1),
    st.integers(0, 255),
)
def test_rows_are_what_one_packet_at_a_time_would_be(columns, sequence, picture_id, tl0picidx):
    packet = vp8(sequence, picture_id, tl0picidx)
    wire, table = Wire(), FanoutTable()
    for i, each in enumerate(columns):
        table.add(CHROMIUM if i % 2 else FIREFOX, i, each)
    assert table.forward(wire.outbox, packet, late=False) == len(columns)
    wire.outbox.flush()
    kinds = [(FIREFOX, c) for c in columns[::2]] + [(CHROMIUM, c) for c in columns[1::2]]
    assert [sent for sent, _ in wire.sent] == [bytes(single_packet(kind, c, packet)) for kind, c in kinds]


def test_fields_are_rewritten():
    wire, table = Wire(), FanoutTable()
    table.add(CHROMIUM, "a", column(0xABCD, 65_000, 5, 32_600, 250, transport=9))
    table.forward(wire.outbox, vp8(sequence=1000), late=False)
    wire.outbox.flush()
    ((packet, transport),) = wire.sent
    assert struct.unpack_from("!BBHII", packet) == (0x80, 0x80 | 96, (1000 + 65_000) & 0xFFFF, 90_005, 0xABCD)
    assert packet[14:17] == struct.pack("!HB", 0x8000 | (300 + 32_600) & 0x7FFF, (7 + 250) & 0xFF)
    assert packet[17:] == b"frame"
    assert transport == 9


def test_a_short_picture_id_stays_short():
    packet = vp8(picture_id_at=14, picture_id=0x12, long_picture_id=False, tl0picidx_at=-1)
    assert single_packet(CHROMIUM, column(picture=0x7F), packet)[14] == 0x11


def test_more_viewers_than_the_arena_has_rows():
    wire, table = Wire(), FanoutTable()
    for i in range(ARENA_ROWS + 100):
        table.add(CHROMIUM, i, column(ssrc=i, transport=i))
    table.forward(wire.outbox, vp8(), late=False)
    wire.outbox.flush()
    assert [struct.unpack_from("!I", packet, 8)[0] for packet, _ in wire.sent] == list(
        range(ARENA_ROWS + 100)
    )
    assert [transport for _, transport in wire.sent] == list(range(ARENA_ROWS + 100))
    assert wire.flushes == 2


def test_a_viewer_that_left_gets_nothing_more():
    wire, table = Wire(), FanoutTable()
    for i in range(5):
        table.add(CHROMIUM, i, column(ssrc=i, transport=i))
    table.remove(CHROMIUM, 1)
    table.remove(CHROMIUM, 1)
    table.remove(FIREFOX, 2)
    table.forward(wire.outbox, vp8(), late=False)
    wire.outbox.flush()
    assert sorted(transport for _, transport in wire.sent) == [0, 2, 3, 4]
    for packet, transport in wire.sent:
        assert struct.unpack_from("!I", packet, 8)[0] == transport
    for i in (0, 2, 3, 4):
        table.remove(CHROMIUM, i)
    assert len(table) == 0
    assert not table.classes


def test_a_late_packet_goes_to_those_who_were_there():
    wire, table = Wire(), FanoutTable()
    table.add(CHROMIUM, "old", column(ssrc=1, first=900))
    table.add(CHROMIUM, "new", column(ssrc=2, first=1001))
    assert table.forward(wire.outbox, vp8(sequence=1000), late=True) == 1
    wire.outbox.flush()
    assert struct.unpack_from("!I", wire.sent[0][0], 8) == (1,)


def test_redundant_audio_is_unwrapped_for_those_who_cannot_take_it():
    red = bytes((0x80 | 111, 0, 0, 3, 111)) + b"old" + b"primary"
    data = struct.pack("!BBHII", 0x80, 63, 1, 2, 3) + red
    packet = SourcePacket(memoryview(data), 12, 1, 2, False, "red")
    assert make_template(CHROMIUM, packet).data[12:] == red
    taken = make_template(FIREFOX, packet).data
    assert taken[1] == 109
    assert taken[12:] == b"primary"
    assert make_template(COUNTED, packet) is None


def test_plain_audio_gets_redundancy_for_those_who_take_it():
    data = struct.pack("!BBHII", 0x80, 111, 1, 2, 3) + b"now"
    packet = SourcePacket(memoryview(data), 12, 1, 2, True, "opus", redundancy=((960, b"old"),))
    made = make_template(CHROMIUM, packet).data
    assert made[1] == 0x80 | 63
    assert made[12:] == bytes((0x80 | 111, 960 >> 6, (960 & 0x3F) << 2, 3, 111)) + b"old" + b"now"
    plain = make_template(FIREFOX, packet).data
    assert (plain[1], plain[12:]) == (0x80 | 109, b"now")
    packet.redundancy = None  # the publication is to have none
    assert make_template(CHROMIUM, packet).data[12:] == b"now"


def test_extensions_get_the_viewers_ids():
    packet = vp8()
    packet.extensions = [(rtp.URI_AUDIO_LEVEL, b"\x85"), (rtp.URI_VIDEO_ORIENTATION, b"\1")]
    data = make_template(FIREFOX, packet).data
    assert data[0] == 0x90
    header = rtp.header_length(data)
    assert rtp.parse_extensions(data, header) == {5: (17, 1)}
    assert data[17] == 0x85
    assert data[header:] == bytes(packet.data[12:])


def test_transport_wide_numbers_count_per_transport():
    wire, table = Wire(), FanoutTable()
    first, second = wire.outbox.transports.add(), wire.outbox.transports.add()
    for transport in (first, second):
        table.add(COUNTED, transport, column(ssrc=transport, transport=transport))
    wire.outbox.transports.sequence[second] = 0xFFFF
    for _ in range(2):
        table.forward(wire.outbox, vp8(), late=False)
    wire.outbox.flush()
    numbers = {}
    for packet, _ in wire.sent:
        at, _size = rtp.parse_extensions(packet, rtp.header_length(packet))[3]
        numbers.setdefault(struct.unpack_from("!I", packet, 8)[0], []).append(
            struct.unpack_from("!H", packet, at)[0]
        )
    assert numbers == {first: [0, 1], second: [0xFFFF, 0]}
    for transport, begin in ((first, 0), (second, 0xFFFF)):
        sent = wire.outbox.transports.sent.look_up(transport, begin, 3)
        assert sent.known.tolist() == [True, True, False]
        assert sent.sent_at[:2].tolist() == [1, 1]
        assert sent.sizes[:2].tolist() == [len(wire.sent[0][0]) + HEADERS_BYTES] * 2


def test_a_single_packet_gets_the_next_number_of_its_transport():
    wire, table = Wire(), FanoutTable()
    transport, other = wire.outbox.transports.add(), wire.outbox.transports.add()
    table.add(COUNTED, "a", column(transport=transport))
    table.add(CHROMIUM, "b", column(transport=other))
    plain = bytes(single_packet(COUNTED, column(ssrc=7), vp8(payload=b"long")))
    for _ in range(2):
        table.forward(wire.outbox, vp8(), late=False)
        wire.outbox.add_packet(plain, transport, numbered=True)
    wire.outbox.add_packet(plain, transport)
    wire.outbox.flush()
    again = [packet for packet, _ in wire.sent if packet.endswith(b"long")]
    assert [struct.unpack_from("!H", packet, 17)[0] for packet in again] == [1, 3, 0]
    sent = wire.outbox.transports.sent.look_up(transport, 0, 5)
    assert sent.known.tolist() == [True] * 4 + [False]
    assert sent.sizes[:4].tolist() == [len(plain) + 1 + HEADERS_BYTES, len(plain) + HEADERS_BYTES] * 2
    assert not wire.outbox.transports.sent.look_up(other, 0, 5).known.any()


def test_a_single_packet_is_sent_as_it_is():
    wire = Wire()
    wire.outbox.add_packet(b"whole packet", 5)
    wire.outbox.flush()
    assert wire.sent == [(b"whole packet", 5)]
    assert np.count_nonzero(wire.arena.lengths) == 1


@pytest.mark.parametrize("numbered", [False, True])
@pytest.mark.parametrize("long", [False, True])
def test_frame_numbers_are_rewritten_where_the_descriptor_lies(numbered, long):
    ids = ((rtp.URI_DEPENDENCY_DESCRIPTOR, 12),) + (((rtp.URI_TRANSPORT_CC, 3),) if numbered else ())
    kind = TemplateClass((("vp8", 96),), ids)
    data = bytes.fromhex("80fffe") + bytes(40 if long else 0)  # more than 16 bytes need long element headers
    packet = vp8(descriptor=data, frame_number=0xFFFE)
    wire, table = Wire(), FanoutTable()
    subscriber = Column(1, 0, 0, 0, 0, 0, wire.outbox.transports.add(), 5)
    table.add(kind, "a", subscriber)
    table.forward(wire.outbox, packet, late=False)
    wire.outbox.flush()
    sent = wire.sent[0][0]
    for each in (sent, single_packet(kind, subscriber, packet)):
        at, size = rtp.parse_extensions(each, rtp.header_length(each))[12]
        assert bytes(each[at : at + size]) == bytes.fromhex("800003") + data[3:]


def test_who_did_not_negotiate_the_descriptor_does_not_get_it():
    packet = vp8(descriptor=bytes.fromhex("80fffe"), frame_number=0xFFFE)
    plain = single_packet(CHROMIUM, column(), packet)
    assert plain == single_packet(CHROMIUM, column(), vp8())


def test_a_packet_without_payload_is_padding():
    packet = vp8()
    emptied = SourcePacket(packet.data[:12], 12, packet.sequence, packet.timestamp, False, "vp8")
    out = single_packet(CHROMIUM, column(), emptied)
    assert out[0] & 0x20
    assert rtp.payload_end(out, rtp.header_length(out)) == rtp.header_length(out)


def test_a_paced_viewer_gets_the_bytes_of_a_row_from_its_pacer():
    wire, table, pacer = Wire(), FanoutTable(), Pacer(0.0)
    for key, first in (("early", 900), ("new", 1001)):
        table.add(CHROMIUM, key, column(ssrc=first, first=first), pacer.line(key))
    table.add(CHROMIUM, "row", column(ssrc=900))
    assert len(table) == 3
    assert table.forward(wire.outbox, vp8(sequence=1000), late=True) == 2
    wire.outbox.flush()
    assert pacer.empty() == [packet for packet, _ in wire.sent]
    table.remove(CHROMIUM, "early")
    table.remove(CHROMIUM, "new")
    assert table.forward(wire.outbox, vp8(sequence=1001), late=False) == 1
    assert pacer.empty() == []
