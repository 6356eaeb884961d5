"""Reading a body, from the requests of a small server of its own."""

import asyncio
import gzip
import tracemalloc
import zlib

import pytest
from aiohttp import StreamReader, web
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request

from signaling.http.body import BodyTooLargeError, BodyTooSlowError, BrokenBodyError, read_body


@pytest.fixture
async def stream():
    loop = asyncio.get_running_loop()
    protocol = BaseProtocol(loop)
    protocol.connection_made(asyncio.Transport())
    return StreamReader(protocol, limit=2**16, loop=loop)


def request(stream):
    return make_mocked_request("POST", "/", payload=stream)


async def test_a_body_in_pieces_is_put_together(stream):
    stream.feed_data(b"one ")
    stream.feed_data(b"two")
    stream.feed_eof()
    assert await read_body(request(stream), 7, 5.0) == b"one two"


async def test_one_byte_too_many_is_refused_before_the_end(stream):
    stream.feed_data(b"12345678")
    with pytest.raises(BodyTooLargeError, match="7 bytes"):
        await read_body(request(stream), 7, 5.0)


async def test_a_body_that_does_not_come_is_given_up(stream):
    stream.feed_data(b"1")
    with pytest.raises(BodyTooSlowError):
        await read_body(request(stream), 7, 0.0)


@pytest.mark.parametrize(
    "error", [web.RequestPayloadError("broken"), ValueError("chunk"), ConnectionResetError("gone")]
)
async def test_broken_framing_is_one_error(stream, error):
    stream.set_exception(error)
    with pytest.raises(BrokenBodyError):
        await read_body(request(stream), 7, 5.0)


async def test_a_connection_that_is_gone_is_no_fault_of_the_program():
    loop = asyncio.get_running_loop()
    stream = StreamReader(BaseProtocol(loop), limit=2**16, loop=loop)
    with pytest.raises(BrokenBodyError):
        await read_body(request(stream), 7, 5.0)


def compressed(stream, coding):
    return make_mocked_request("POST", "/", {"Content-Encoding": coding}, payload=stream)


@pytest.mark.parametrize(("coding", "window"), [("gzip", 31), ("GZIP", 31), ("deflate", 15), ("identity", 0)])
async def test_a_compressed_body_is_inflated(stream, coding, window):
    packer = zlib.compressobj(wbits=window) if window else None
    stream.feed_data(packer.compress(b"hello") + packer.flush() if packer else b"hello")
    stream.feed_eof()
    assert await read_body(compressed(stream, coding), 5, 5.0) == b"hello"


async def test_a_bomb_is_inflated_no_further_than_allowed(stream):
    tracemalloc.start()
    stream.feed_data(gzip.compress(b"0" * (64 << 20)))
    stream.feed_eof()
    with pytest.raises(BodyTooLargeError):
        await read_body(compressed(stream, "gzip"), 1000, 5.0)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 70 << 20  # the bomb itself, made here


@pytest.mark.parametrize(
    ("coding", "content"),
    [
        ("gzip", b"{}"),
        ("gzip", gzip.compress(b"{}")[:-4]),
        ("gzip", gzip.compress(b"{}") + b"more"),
        ("br", b"{}"),
        ("gzip, gzip", gzip.compress(b"{}")),
    ],
)
async def test_broken_or_unknown_compression_is_refused(stream, coding, content):
    stream.feed_data(content)
    stream.feed_eof()
    with pytest.raises(BrokenBodyError):
        await read_body(compressed(stream, coding), 1000, 5.0)


async def test_what_says_that_it_is_too_large_is_not_read(stream):
    large = make_mocked_request("POST", "/", {"Content-Length": "8"}, payload=stream)
    with pytest.raises(BodyTooLargeError):
        await read_body(large, 7, 5.0)
