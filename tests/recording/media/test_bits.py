import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording.media.bits import BitReader, leb128, to_leb128
from recording.values import PayloadError


def test_numbers_of_several_widths():
    bits = BitReader(bytes((0b1010_0110, 0b0100_0010)))
    assert (bits.read(3), bits.flag(), bits.read(2)) == (0b101, False, 0b01)
    # 1 | 0 -> then 010 -> 1, 00010.. is truncated
    assert bits.ue() == 0
    assert bits.read(2) == 0
    assert bits.ue() == 0
    with pytest.raises(PayloadError):
        bits.ue()


@pytest.mark.parametrize(
    ("code", "unsigned", "signed"), [(0b1 << 7, 0, 0), (0b010 << 5, 1, 1), (0b011 << 5, 2, -1)]
)
def test_exp_golomb(code, unsigned, signed):
    # ITU-T H.264, tables 9-1 and 9-3
    assert BitReader(bytes((code,))).ue() == unsigned
    assert BitReader(bytes((code,))).se() == signed


def test_an_endless_prefix_is_refused():
    with pytest.raises(PayloadError):
        BitReader(bytes(8)).ue()


@given(st.integers(0, (1 << 56) - 1))
def test_leb128_round_trip(value):
    coded = to_leb128(value)
    assert leb128(b"x" + coded + b"y", 1) == (value, 1 + len(coded))


@pytest.mark.parametrize("data", [b"", b"\x80", b"\x80" * 9])
def test_a_broken_leb128_is_refused(data):
    with pytest.raises(PayloadError):
        leb128(data, 0)
