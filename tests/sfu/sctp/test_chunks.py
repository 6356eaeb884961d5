"""SCTP packets: what is written is read again, and nothing but SctpError comes of anything else."""

import random
import struct
import time

import pytest
from aiortc import rtcsctptransport as reference
from hypothesis import given
from hypothesis import strategies as st

from sfu.sctp import chunks as sctp
from sfu.sctp.chunks import (
    Data,
    ForwardTsn,
    Init,
    OtherRequest,
    ReConfig,
    ResetRequest,
    ResetResponse,
    Sack,
    SctpError,
)
from tests.fuzz.targets import sctp as target

U16, U32 = st.integers(0, 0xFFFF), st.integers(0, 0xFFFF_FFFF)


def read(*chunks):
    return [chunk for _, chunk in sctp.parse(sctp.packet(5000, 5001, 7, list(chunks))).chunks]


def raw(kind, body, length=None, flags=0):
    return struct.pack("!BBH", kind, flags, 4 + len(body) if length is None else length) + body


def test_the_header_is_read():
    parsed = sctp.parse(sctp.packet(5000, 5001, 7, [sctp.chunk(sctp.COOKIE_ACK)]))
    assert (parsed.source, parsed.destination, parsed.tag) == (5000, 5001, 7)


@given(U32, U16, U16, U32, st.integers(0, 15), st.binary(max_size=200))
def test_data_is_read_as_it_was_written(tsn, stream, sequence, protocol, flags, payload):
    written = sctp.data(tsn, stream, sequence, protocol, flags, payload)
    assert read(written, written) == 2 * [Data(tsn, stream, sequence, protocol, flags, payload)]


@given(U32, U32, st.lists(st.tuples(U16, U16), max_size=20), st.lists(U32, max_size=20))
def test_sack_is_read_as_it_was_written(cumulative, window, gaps, duplicates):
    assert read(sctp.sack(cumulative, window, gaps, duplicates)) == [
        Sack(cumulative, window, gaps, len(duplicates))
    ]


@given(U32, st.lists(st.tuples(U16, U16), max_size=20))
def test_forward_tsn_is_read_as_it_was_written(cumulative, streams):
    assert read(sctp.forward_tsn(cumulative, streams)) == [ForwardTsn(cumulative, streams)]


@given(U32, U32, U32, st.lists(U16, max_size=20), U32, U32)
def test_re_config_is_read_as_it_was_written(number, answers, last_tsn, streams, answered, result):
    request = ResetRequest(number, answers, last_tsn, tuple(streams))
    body = sctp.reset_request(request) + sctp.reset_response(answered, result)
    assert read(sctp.chunk(sctp.RE_CONFIG, body)) == [ReConfig([request, ResetResponse(answered, result)])]


@pytest.mark.parametrize("kind", [sctp.INIT, sctp.INIT_ACK])
def test_init_is_read_as_it_was_written(kind):
    cookie = b"cookie" if kind == sctp.INIT_ACK else b""
    init = Init(1, 2, 3, 4, 5, cookie, forward_tsn=True, re_config=True)
    assert read(sctp.init(kind, init)) == [init]


def test_what_aiortc_writes_is_read_and_the_other_way_round():
    chunk = reference.InitChunk()
    chunk.initiate_tag, chunk.advertised_rwnd, chunk.initial_tsn = 1, 2, 5
    chunk.outbound_streams, chunk.inbound_streams = 3, 4
    chunk.params = [(0xC000, b""), (0x8008, b"\x82\xc0")]
    packet = reference.serialize_packet(5000, 5000, 0, chunk)
    [(_, init)] = sctp.parse(packet).chunks
    assert init == Init(1, 2, 3, 4, 5, forward_tsn=True, re_config=True)
    _, _, tag, [data] = reference.parse_packet(
        sctp.packet(5000, 5000, 9, [sctp.data(1, 2, 3, 4, 3, b"hello")])
    )
    assert (tag, data.tsn, data.stream_id, data.user_data) == (9, 1, 2, b"hello")


FIXED_INIT = struct.pack("!IIHHI", 1, 100_000, 1, 1, 1)
SACK_HEAD = struct.pack("!IIHH", 1, 1, 3, 0)
HOSTILE = {
    "a parameter of length 0": raw(sctp.INIT, FIXED_INIT + bytes.fromhex("80000000")),
    "a parameter of length 3": raw(sctp.INIT, FIXED_INIT + bytes.fromhex("80000003")),
    "a parameter beyond its chunk": raw(sctp.INIT, FIXED_INIT + bytes.fromhex("80000009") + b"abcd"),
    "half a parameter": raw(sctp.INIT, FIXED_INIT + b"\x80\0"),
    "too many parameters": raw(sctp.INIT, FIXED_INIT + 25 * sctp.parameter(0x8000)),
    "INIT that is cut": raw(sctp.INIT, FIXED_INIT[:-1]),
    "INIT with tag 0": raw(sctp.INIT, bytes(4) + FIXED_INIT[4:]),
    "INIT without streams": raw(sctp.INIT, FIXED_INIT[:8] + bytes(2) + FIXED_INIT[10:]),
    "INIT ACK without a cookie": raw(sctp.INIT_ACK, FIXED_INIT),
    "DATA that is cut": raw(sctp.DATA, bytes(11)),
    "SACK that is cut": raw(sctp.SACK, bytes(11)),
    "SACK with fewer gaps than it says": raw(sctp.SACK, SACK_HEAD + bytes(8)),
    "SACK with more than it says": raw(sctp.SACK, SACK_HEAD + bytes(16)),
    "FORWARD-TSN that is cut": raw(sctp.FORWARD_TSN, bytes(3)),
    "FORWARD-TSN with half a stream": raw(sctp.FORWARD_TSN, bytes(6)),
    "RE-CONFIG without parameters": raw(sctp.RE_CONFIG, b""),
    "RE-CONFIG with a parameter of length 0": raw(sctp.RE_CONFIG, bytes.fromhex("000d0000")),
    "RE-CONFIG with three": raw(sctp.RE_CONFIG, 3 * sctp.reset_response(1, 1)),
    "RE-CONFIG with an unknown one": raw(sctp.RE_CONFIG, sctp.parameter(99, bytes(8))),
    "a reset request that is cut": raw(sctp.RE_CONFIG, sctp.parameter(13, bytes(11))),
    "a reset request with half a stream": raw(sctp.RE_CONFIG, sctp.parameter(13, bytes(13))),
    "a reset response that is cut": raw(sctp.RE_CONFIG, sctp.parameter(16, bytes(7))),
    "another request that is cut": raw(sctp.RE_CONFIG, sctp.parameter(17, bytes(3))),
    "SHUTDOWN that is cut": raw(sctp.SHUTDOWN, bytes(3)),
    "half a chunk header": sctp.chunk(sctp.COOKIE_ACK) + b"\0\0",
    "too many chunks": 97 * sctp.chunk(sctp.COOKIE_ACK),
}


@pytest.mark.parametrize("chunk", HOSTILE.values(), ids=HOSTILE)
def test_lengths_that_lie_are_refused(chunk):
    with pytest.raises(SctpError):
        read(chunk)


@pytest.mark.parametrize("kind", [*range(16), 130, 192, 0x3F, 0x7F, 0xBF, 0xFF])
@pytest.mark.parametrize("length", [0, 1, 3, 5, 0xFFFF])
def test_a_chunks_length_lies_within_the_packet(kind, length):
    with pytest.raises(SctpError):
        read(raw(kind, b"", length))


@pytest.mark.parametrize("packet", [b"", b"\0", bytes(12), bytes(16), b"\xff" * 200])
def test_garbage_is_refused(packet):
    with pytest.raises(SctpError):
        sctp.parse(packet)


def test_a_changed_bit_is_noticed():
    packet = sctp.packet(5000, 5000, 1, [sctp.data(1, 2, 3, 4, 3, b"hello")])
    for at in (0, 5, 8, 20, len(packet) - 1):
        changed = bytearray(packet)
        changed[at] ^= 1
        with pytest.raises(SctpError):
            sctp.parse(bytes(changed))


@pytest.mark.parametrize(
    ("kind", "goes_on", "reported"),
    [(0x3F, False, False), (0x7F, False, True), (0xBF, True, False), (0xFF, True, True)],
)
def test_the_high_bits_of_an_unknown_chunk_say_what_to_do(kind, goes_on, reported):
    unknown = sctp.chunk(kind, b"12345")
    parsed = sctp.parse(sctp.packet(1, 2, 3, [unknown, sctp.chunk(sctp.COOKIE_ACK)]))
    assert (sctp.COOKIE_ACK in dict(parsed.chunks)) is goes_on
    assert parsed.unrecognized == (unknown[:9] if reported else b"")


@pytest.mark.parametrize(
    ("kind", "goes_on", "reported"),
    [(0x3F, False, False), (0x40FF, False, True), (0x80FF, True, False), (0xC0FF, True, True)],
)
def test_the_high_bits_of_an_unknown_parameter_say_what_to_do(kind, goes_on, reported):
    body = FIXED_INIT + sctp.parameter(kind, b"12345") + sctp.parameter(sctp.FORWARD_TSN_SUPPORTED)
    [init] = read(raw(sctp.INIT, body))
    assert init.forward_tsn is goes_on
    assert init.unrecognized == ((struct.pack("!HH", kind, 9) + b"12345",) if reported else ())


def test_other_requests_keep_their_number():
    [chunk] = read(sctp.chunk(sctp.RE_CONFIG, sctp.parameter(17, struct.pack("!IHH", 5, 1, 0))))
    assert chunk == ReConfig([OtherRequest(5, sctp.ADD_OUTGOING)])


def test_gap_blocks_are_read_up_to_a_bound():
    [sack] = read(sctp.sack(1, 1, 340 * [(0, 65_535)], []))
    assert len(sack.gaps) == sctp.MAX_GAP_BLOCKS


@given(st.binary(max_size=300))
def test_nothing_else_escapes_the_parser(body):
    feed = target.make()
    for _ in range(2):  # as it is, and with a right checksum
        feed(bytes(12) + body)


def test_no_mutated_packet_escapes_the_parser():
    source, feed, seeds = random.Random(1), target.make(), target.seeds()
    worst_s = 0.0
    for _ in range(4000):
        packet = target.mutated(source.choice(seeds), source)
        began = time.process_time()
        feed(packet)
        worst_s = max(worst_s, time.process_time() - began)
    assert worst_s < 0.05
