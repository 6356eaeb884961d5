import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.red import primary


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
