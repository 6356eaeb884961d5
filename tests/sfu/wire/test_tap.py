import typing

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.wire import tap

EXAMPLES = {
    int: 7,
    str: "seven",
    bool: True,
    bytes: b"\x00\xff",
    tuple[int, ...]: (1, 2),
    tuple[tuple[int, bytes], ...]: ((1, b"key"), (2, b"")),
}


def example(kind):
    types = (field.type for field in msgspec.structs.fields(kind))
    # of an id, the type that it is at run time
    return kind(*(EXAMPLES[getattr(each, "__supertype__", each)] for each in types))


@pytest.mark.parametrize(
    ("kinds", "read"), [(tap.ToRecorder, tap.read_to_recorder), (tap.FromRecorder, tap.read_from_recorder)]
)
def test_every_message_comes_back(kinds, read):
    messages = [example(kind) for kind in typing.get_args(kinds)]
    (body,) = tap.FrameBuffer().feed(tap.frame(messages))
    assert read(body) == messages


def test_frames_are_cut_wherever_they_are_split():
    data = tap.frame([tap.Ping(1)]) + tap.frame([tap.Ping(1), tap.CloseStream(5, 6)]) + tap.frame([])
    whole = tap.FrameBuffer().feed(data)
    frames = tap.FrameBuffer()
    assert [body for octet in data for body in frames.feed(bytes((octet,)))] == whole
    assert [tap.read_to_recorder(body) for body in whole] == [
        [tap.Ping(1)],
        [tap.Ping(1), tap.CloseStream(5, 6)],
        [],
    ]


def test_a_frame_that_is_too_long_is_refused():
    with pytest.raises(tap.TapError):
        tap.FrameBuffer().feed((tap.MAX_FRAME_OCTETS + 1).to_bytes(4, "big"))


@given(st.binary(max_size=60))
def test_any_body_is_read_or_refused(body):
    for read in (tap.read_to_recorder, tap.read_from_recorder):
        try:
            read(body)
        except tap.TapError:
            continue


def test_a_string_that_is_not_utf_8_is_refused():
    body = msgspec.msgpack.encode([["CloseTrack", "r", "t", 1]]).replace(b"\xa1t", b"\xa1\xff")
    with pytest.raises(tap.TapError):
        tap.read_to_recorder(body)
