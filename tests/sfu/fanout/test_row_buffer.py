"""What a row buffer hands to its writer, and when; test_table and test_kernel look at the rows themselves."""

import struct

import numpy as np
import pytest

from sfu.fanout.arena import ARENA_ROWS, Arena
from sfu.fanout.row_buffer import COLUMN, PortableWriter, RowBuffer
from sfu.fanout.template import TemplateClass, make_template
from sfu.wire import rtp
from sfu.wire.packet import SourcePacket

NUMBERED = TemplateClass((("vp8", 96),), ((rtp.URI_TRANSPORT_CC, 3),))
PACKET = SourcePacket(memoryview(struct.pack("!BBHII", 0x80, 96, 1, 2, 3) + b"x"), 12, 1, 2, False, "vp8")


class Writer:
    """Notes what is asked of it; fails at `bad_row`."""

    def __init__(self):
        self.written, self.sent, self.bad_row = [], [], None

    def write(self, row, columns, _template, _packet):
        if row == self.bad_row:
            raise ValueError("a bad template")
        self.written.append((row, len(columns)))

    def send(self, count, *, numbered):
        assert numbered
        self.sent.append(count)


@pytest.fixture
def rows():
    made = RowBuffer(Arena())
    made.open(Writer())
    return made


def write(rows, count):
    rows.write(np.zeros(count, COLUMN), make_template(NUMBERED, PACKET), PACKET)


def test_rows_are_sent_when_the_arena_is_full_and_at_the_end_of_the_burst(rows):
    write(rows, 10)
    write(rows, ARENA_ROWS + 20)
    assert rows._writer.written == [(0, 10), (10, ARENA_ROWS - 10), (0, 30)]
    assert rows._writer.sent == [ARENA_ROWS]
    rows.flush()
    rows.flush()
    assert rows._writer.sent == [ARENA_ROWS, 30]


def test_a_packet_that_cannot_be_written_leaves_no_row(rows):
    write(rows, 3)
    rows._writer.bad_row = 3
    with pytest.raises(ValueError, match="bad template"):
        write(rows, 5)
    rows.flush()
    assert rows._writer.sent == [3]


def test_single_packets_take_numbers_in_turn_with_the_rows():
    arena, logged = Arena(), []
    rows = RowBuffer(arena)
    rows.open(PortableWriter(arena, rows.transports, lambda _: 5.0))
    transport = rows.transports.add()
    write(rows, 1)
    plain = make_template(NUMBERED, PACKET).data
    rows.add_packet(plain, transport, numbered=True)
    rows.add_packet(plain, transport)
    at = make_template(NUMBERED, PACKET).transport_sequence_at
    assert arena.number_at[:3].tolist() == [at, at, -1]
    rows.flush()
    assert [int.from_bytes(arena.rows[i, at : at + 2]) for i in range(3)] == [0, 1, 0]
    assert (arena.number_at == -1).all()
    sent = rows.transports.sent.look_up(transport, 0, 3)
    logged = list(zip(sent.known.tolist(), sent.sent_at.tolist(), strict=True))
    assert logged == [(True, 5.0), (True, 5.0), (False, 0.0)]
