"""What the receiving half delivers, acknowledges and refuses to hold."""

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.sctp import chunks as sctp
from sfu.sctp.chunks import BEGIN, END, UNORDERED, Data, ForwardTsn
from sfu.sctp.receiver import (
    FRAGMENT_COST,
    HELD_BYTES,
    MAX_RUNS,
    MAX_STREAMS_IN_USE,
    MAX_TSNS_AHEAD,
    WINDOW_BYTES,
    ProtocolError,
    Receiver,
    unwrap,
)


class World:
    def __init__(self, first_tsn=1, max_message_bytes=10_000, streams=1024):
        self.got = []
        self.receiver = Receiver(
            first_tsn,
            max_message_bytes,
            streams,
            lambda stream, _protocol, message, _: self.got.append((stream, message)),
        )

    def take(self, tsn, payload=b"x", *, stream=0, sequence=0, flags=BEGIN | END, undelivered=0):
        return self.receiver.receive(Data(tsn % 2**32, stream, sequence, 53, flags, payload), undelivered)

    def sack(self):
        [(_, sack)] = sctp.parse(sctp.packet(1, 1, 1, [self.receiver.sack(0)])).chunks
        return sack


@pytest.fixture
def world():
    return World()


def fragments(message, sizes, *, tsn, stream=0, sequence=0, flags=0):
    parts, at = [], 0
    for size in itertools.cycle(sizes):
        parts.append(message[at : at + size])
        at += size
        if at >= len(message):
            break
    return [
        Data(
            (tsn + i) % 2**32,
            stream,
            sequence,
            53,
            flags | (BEGIN if i == 0 else 0) | (END if i == len(parts) - 1 else 0),
            part,
        )
        for i, part in enumerate(parts)
    ]


@given(st.randoms(use_true_random=False), st.sampled_from([1, 100, 2**32 - 3, 2**31]))
def test_messages_arrive_whole_and_in_order_whatever_the_order_of_their_fragments(source, first_tsn):
    world = World(first_tsn)
    sent, chunks, sequences = {0: [], 1: []}, [], {0: 0, 1: 0}
    for _ in range(source.randrange(1, 12)):
        stream = source.randrange(2)
        message = source.randbytes(source.randrange(1, 60))
        chunks += fragments(
            message,
            [source.randrange(1, 20)],
            tsn=first_tsn + len(chunks),
            stream=stream,
            sequence=sequences[stream],
        )
        sequences[stream] += 1
        sent[stream].append(message)
    shuffled = chunks + source.sample(chunks, len(chunks) // 2)
    source.shuffle(shuffled)
    for chunk in shuffled:
        world.receiver.receive(chunk, 0)
    for stream, messages in sent.items():
        assert [message for number, message in world.got if number == stream] == messages
    assert world.receiver.held == 0
    sack = world.sack()
    assert (sack.cumulative, sack.window, sack.gaps) == (
        (first_tsn + len(chunks) - 1) % 2**32,
        WINDOW_BYTES,
        [],
    )


def test_gaps_and_duplicates_are_reported(world):
    for tsn in (1, 3, 4, 8, 6, 3):
        world.take(tsn, flags=UNORDERED | BEGIN | END)
    sack = world.sack()
    assert (sack.cumulative, sack.gaps, sack.duplicates) == (1, [(2, 3), (5, 5), (7, 7)], 1)
    world.take(2, flags=UNORDERED | BEGIN | END)
    assert (world.receiver.cumulative - 2**32, world.receiver.gaps) == (4, True)


def test_unordered_messages_do_not_wait(world):
    world.take(5, b"late", sequence=9, flags=UNORDERED | BEGIN | END)
    world.take(2, b"ordered", sequence=1)
    assert world.got == [(0, b"late")]
    world.take(1, b"first")
    assert world.got == [(0, b"late"), (0, b"first"), (0, b"ordered")]


def test_sequence_numbers_wrap(world):
    world.receiver._stream(0).expected = 0xFFFF
    world.take(2, b"second", sequence=0)
    world.take(1, b"first", sequence=0xFFFF)
    assert world.got == [(0, b"first"), (0, b"second")]


def test_data_without_data_is_a_violation(world):
    with pytest.raises(ProtocolError) as raised:
        world.take(1, b"")
    assert raised.value.cause == sctp.CAUSE_NO_USER_DATA


def test_a_stream_that_was_not_agreed_is_a_violation():
    world = World(streams=4)
    world.take(1, stream=3)
    with pytest.raises(ProtocolError):
        world.take(2, stream=4)
    with pytest.raises(ProtocolError):
        world.receiver.forward(ForwardTsn(5, [(4, 0)]))


def test_the_number_of_streams_in_use_is_bounded(world):
    for number in range(MAX_STREAMS_IN_USE):
        world.take(1 + number, stream=number)
    with pytest.raises(ProtocolError):
        world.take(100, stream=MAX_STREAMS_IN_USE)
    assert len(world.receiver._streams) == MAX_STREAMS_IN_USE
    with pytest.raises(ProtocolError):
        world.receiver.forward(ForwardTsn(100, [(number, 0) for number in range(1000)]))
    assert len(world.receiver._streams) == MAX_STREAMS_IN_USE
    world.receiver.reset(())
    assert world.take(200, stream=500)


def test_data_far_ahead_is_not_taken(world):
    assert not world.take(1 + MAX_TSNS_AHEAD + 1)
    assert not world.take(2**31)
    assert world.take(1 + MAX_TSNS_AHEAD - 1)
    assert world.sack().cumulative == 0


def test_the_number_of_gaps_is_bounded(world):
    for i in range(MAX_RUNS + 50):
        world.take(3 + 2 * i, flags=UNORDERED | BEGIN | END)
    assert len(world.receiver._ranges) == MAX_RUNS
    assert world.take(1, flags=UNORDERED | BEGIN | END)  # which fills the first one


@pytest.mark.parametrize("size", [1, 1100])
def test_what_is_held_is_bounded(world, size):
    taken = sum(world.take(2 + i, bytes(size), sequence=1, flags=BEGIN) for i in range(MAX_TSNS_AHEAD))
    assert world.receiver.held <= HELD_BYTES
    assert taken == min(HELD_BYTES // (size + FRAGMENT_COST), MAX_TSNS_AHEAD)
    assert world.sack().window == 0
    assert world.take(1, bytes(size), flags=BEGIN)  # the first gap may be filled all the same
    for i in range(100):
        world.take(2 + taken + i, bytes(1100), sequence=1, flags=BEGIN)
    assert world.receiver.held <= HELD_BYTES + 10_000


def test_what_the_application_holds_counts(world):
    assert world.take(1, bytes(1000), undelivered=HELD_BYTES)  # up to one message more
    assert not world.take(2, bytes(1000), undelivered=HELD_BYTES + 10_000)
    assert world.take(2, bytes(1000), undelivered=0)


def test_a_message_beyond_the_bound_is_dropped_and_the_next_one_comes(world):
    for chunk in fragments(bytes(10_001), [1000], tsn=1):
        world.receiver.receive(chunk, 0)
    assert (world.got, world.receiver.oversize, world.receiver.held) == ([], 1, 0)
    world.take(12, b"next", sequence=1)
    assert world.got == [(0, b"next")]
    assert World(max_message_bytes=3).take(1, b"four")


def test_a_huge_message_in_any_order_is_never_held(world):
    chunks = fragments(bytes(400_000), [1000], tsn=1)
    random.Random(1).shuffle(chunks)
    for _ in range(6):
        for chunk in chunks:
            world.receiver.receive(chunk, 0)
            assert world.receiver.held <= HELD_BYTES + 10_000
    assert (world.got, world.receiver.held, world.receiver.oversize) == ([], 0, 1)


def test_what_is_skipped_is_forgotten_and_what_waited_is_delivered(world):
    world.take(2, b"half", sequence=1, flags=BEGIN)
    world.take(4, b"later", sequence=2)
    world.take(6, b"more", sequence=3)
    assert world.receiver.forward(ForwardTsn(3, [(0, 1)]))
    assert world.got == [(0, b"later"), (0, b"more")]
    assert world.sack().cumulative == 4
    assert not world.receiver.forward(ForwardTsn(3, [(0, 1)]))
    assert world.receiver.forward(ForwardTsn(5, []))
    assert world.got == [(0, b"later"), (0, b"more")]
    assert world.receiver.held == 0


def test_a_message_that_goes_on_behind_what_is_skipped_is_kept(world):
    first, second, third = fragments(b"abcdef", [2], tsn=2)
    for chunk in (first, second):
        world.receiver.receive(chunk, 0)
    world.receiver.forward(ForwardTsn(3, []))
    world.receiver.receive(third, 0)
    assert world.got == [(0, b"abcdef")]


def test_skipping_beyond_all_that_can_be_sent_is_a_violation(world):
    with pytest.raises(ProtocolError):
        world.receiver.forward(ForwardTsn(MAX_TSNS_AHEAD + 1, []))


def test_a_reset_stream_begins_anew(world):
    world.take(1, b"a", stream=3)
    world.take(3, b"waits", stream=3, sequence=2)
    assert world.receiver.reset((3, 9)) == (3,)
    assert world.receiver.held == 0
    world.take(2, b"b", stream=3, sequence=0)
    assert world.got == [(3, b"a"), (3, b"b")]


@given(st.integers(0, 2**40), st.integers(-(2**31), 2**31 - 1))
def test_numbers_are_unwrapped_to_the_nearest(near, away):
    assert unwrap((near + away) % 2**32, near) == near + away
