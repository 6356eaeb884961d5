import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording.containers.index import (
    GAP_OCTETS,
    SEGMENT_OCTETS,
    SegmentRecord,
    pack_gap,
    pack_segment,
    unpack_gap,
    unpack_segment,
)
from recording.values import Gap, GapReason

RECORD = SegmentRecord(3, 1 << 40, 1 << 33, -5, 1 << 50, True, 17, 0xFFFFFFFF)
GAP = Gap(5, 1 << 50, GapReason.MUTED, 9)


def test_records_have_their_size_and_come_back():
    assert (SEGMENT_OCTETS, GAP_OCTETS) == (64, 32)
    assert len(pack_segment(RECORD)) == SEGMENT_OCTETS
    assert len(pack_gap(GAP)) == GAP_OCTETS
    assert unpack_segment(pack_segment(RECORD)) == RECORD
    assert unpack_gap(pack_gap(GAP)) == GAP


@pytest.mark.parametrize(
    ("data", "unpack"), [(pack_segment(RECORD), unpack_segment), (pack_gap(GAP), unpack_gap)]
)
def test_a_record_with_any_octet_changed_or_missing_is_none(data, unpack):
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 0x40
        assert unpack(bytes(changed)) is None
        assert unpack(data[:at]) is None
    assert unpack(data + b"x") is None


@given(st.binary(max_size=70))
def test_any_octets_are_read_or_none(data):
    assert unpack_segment(data) is None
    assert unpack_gap(data) is None
