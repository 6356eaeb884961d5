import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.wire.red import RecentPayloads, primary, with_redundancy


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (bytes((111,)) + b"only", b"only"),
        (bytes((0x80 | 111, 0, 0, 2, 111)) + b"xx" + b"last", b"last"),
        (bytes((0x80 | 111, 0, 0, 1, 0x80 | 111, 0, 0, 2, 111)) + b"a" + b"bb" + b"last", b"last"),
        (b"", None),
        (bytes((0x80 | 111, 0)), None),
        (bytes((0x80 | 111, 0, 3, 255, 111)) + b"short", None),
    ],
)
def test_primary(payload, expected):
    block = primary(memoryview(payload))
    assert (None if block is None else bytes(block)) == expected


@given(st.binary(max_size=40))
def test_any_payload_is_read_or_refused(payload):
    block = primary(memoryview(payload))
    assert block is None or payload.endswith(bytes(block))


def test_each_payload_goes_along_with_the_two_after_it():
    recent = RecentPayloads()
    assert recent.add(10, 0xFFFFFF00, memoryview(b"a")) == ()
    assert recent.add(11, 704, memoryview(b"b")) == ((960, b"a"),)
    assert recent.add(12, 1664, memoryview(b"c")) == ((1920, b"a"), (960, b"b"))
    # 13 is lost; 14 takes what is there, and 13 takes its own when it comes late
    assert recent.add(14, 3584, memoryview(b"e")) == ((1920, b"c"),)
    assert recent.add(13, 2624, memoryview(b"d")) == ((960, b"c"),)
    recent.clear()
    assert recent.add(15, 4544, memoryview(b"f")) == ()


@pytest.mark.parametrize(
    ("timestamp", "sizes"),
    [(1 << 14, (1, 1)), (960, (1024, 1)), (960, (600, 500))],
    ids=["silence between", "a large block", "large together"],
)
def test_what_does_not_fit_the_format_or_a_packet_is_left_out(timestamp, sizes):
    recent = RecentPayloads()
    recent.add(1, 0, memoryview(bytes(sizes[0])))
    assert recent.add(2, timestamp, memoryview(bytes(sizes[1]))) == ()


@given(
    st.lists(st.tuples(st.integers(0, (1 << 14) - 1), st.binary(max_size=1023)), max_size=2),
    st.binary(min_size=1),
)
def test_what_is_made_is_read_again(blocks, payload):
    made = with_redundancy(memoryview(payload), tuple(blocks), 111)
    assert bytes(primary(memoryview(made))) == payload
    at = 0
    for offset, block in blocks:
        header = int.from_bytes(made[at : at + 4], "big")
        assert (header >> 24, header >> 10 & 0x3FFF, header & 0x3FF) == (0x80 | 111, offset, len(block))
        at += 4
    assert made[at] == 111
    assert made[at + 1 :] == b"".join(block for _, block in blocks) + payload
