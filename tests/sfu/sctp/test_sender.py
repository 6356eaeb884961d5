"""What the sending half sends when, what it repeats, gives up and drops."""

import random
import time

import pytest

from sfu.sctp import chunks as sctp
from sfu.sctp.chunks import Sack
from sfu.sctp.receiver import ProtocolError
from sfu.sctp.sender import (
    INITIAL_CWND,
    MAX_OUTSTANDING,
    PACKET_BYTES,
    PAYLOAD_BYTES,
    RTO_INITIAL_S,
    RTO_MAX_S,
    RTO_MIN_S,
    Message,
    Sender,
)


class World:
    def __init__(self, first_tsn=1, window=1_000_000):
        self.sender = Sender(first_tsn)
        self.sender.window = window
        self.now = 0.0

    def queue(self, payload, stream=0, **options):
        message = Message(stream, 53, payload, **options)
        self.sender.queue(message)
        return message

    def send(self, packets=1000):
        """Chunks of so many packets at most."""
        sent = []
        for _ in range(packets):
            made = self.sender.chunks(PACKET_BYTES - 12, self.now)
            if not made:
                break
            assert sum(map(len, made)) <= PACKET_BYTES - 12
            sent += [chunk for _, chunk in sctp.parse(sctp.packet(1, 1, 1, made)).chunks]
        return sent

    def tsns(self, packets=1000):
        return [chunk.tsn for chunk in self.send(packets)]

    def sack(self, cumulative, *gaps, window=1_000_000):
        return self.sender.acknowledge(Sack(cumulative, window, list(gaps)), self.now)


@pytest.fixture
def world():
    return World()


def test_small_messages_share_a_packet_and_large_ones_are_cut(world):
    for _ in range(3):
        world.queue(b"small")
    assert len(world.sender.chunks(PACKET_BYTES - 12, 0.0)) == 3
    world.queue(bytes(PAYLOAD_BYTES + 1), stream=1)
    chunks = world.send()
    assert [(len(c.payload), c.flags) for c in chunks] == [(PAYLOAD_BYTES, sctp.BEGIN), (1, sctp.END)]
    assert [c.sequence for c in chunks] == [0, 0]


def test_the_congestion_window_limits_what_is_in_flight(world):
    world.queue(bytes(100_000))
    sent = sum(len(chunk.payload) for chunk in world.send())
    assert INITIAL_CWND - PAYLOAD_BYTES <= sent <= INITIAL_CWND
    assert world.send() == []


def test_the_window_grows_while_it_is_used(world):
    world.queue(bytes(60_000))
    tsn = 0
    for _ in range(4):
        tsn += len(world.send())
        world.now += 0.05
        world.sack(tsn)
    assert world.sender.cwnd >= INITIAL_CWND + 3 * PACKET_BYTES
    used = world.sender.cwnd
    world.queue(b"little")
    world.sack(tsn + len(world.send()))
    assert world.sender.cwnd == used


def test_a_closed_window_is_probed_by_one_chunk():
    world = World(window=0)
    world.queue(bytes(5000))
    assert world.tsns() == [1]
    assert world.tsns() == []
    world.now = world.sender.timeout_at
    world.sender.timed_out(world.now)
    assert world.tsns() == [1]
    world.sack(0, window=0)
    assert world.sender.errors == 0  # a peer that answers lives
    world.sack(1, window=3000)
    assert world.tsns() == [2, 3]


def test_three_reports_make_a_chunk_lost(world):
    world.queue(bytes(10 * PAYLOAD_BYTES))
    world.send()
    cwnd = world.sender.cwnd
    for last in (2, 3):
        world.sack(0, (2, last))
        assert 1 not in world.tsns()
    world.sack(0, (2, 4))
    assert world.tsns(1) == [1]
    assert world.sender.cwnd == max(cwnd // 2, 4 * PACKET_BYTES)
    for last in (5, 6):
        world.sack(0, (2, last))
    assert 1 not in world.tsns()  # these were sent before it was repeated


def test_a_repeated_chunk_that_is_lost_again_is_repeated_again(world):
    world.queue(bytes(40 * PAYLOAD_BYTES))
    sent = world.tsns()
    for last in (2, 3, 4):
        world.sack(0, (2, last))
    assert world.tsns(1) == [1]
    repeats = 0
    for _ in range(30):
        world.sack(0, (2, sent[-1]))
        fresh = world.tsns()
        repeats += 1 in fresh
        sent += [tsn for tsn in fresh if tsn != 1]
    assert repeats >= 1


def test_a_timeout_repeats_everything_from_a_window_of_one_packet(world):
    world.queue(bytes(3 * PAYLOAD_BYTES))
    assert world.tsns() == [1, 2, 3]
    assert world.sender.timeout_at == RTO_INITIAL_S
    world.now = RTO_INITIAL_S
    world.sender.timed_out(world.now)
    assert (world.sender.cwnd, world.sender.rto_s, world.sender.errors) == (
        PACKET_BYTES,
        2 * RTO_INITIAL_S,
        1,
    )
    assert world.tsns() == [1]
    world.sack(1)
    assert world.tsns() == [2, 3][: len(world.tsns())] or world.sender.cwnd > PACKET_BYTES
    for _ in range(20):
        world.sender.timed_out(world.now)
    assert world.sender.rto_s == RTO_MAX_S


def test_the_timeout_follows_the_round_trip(world):
    for i in range(50):
        world.queue(b"x")
        world.send()
        world.now += 1.0
        world.sack(i + 1)
    assert 1.0 <= world.sender.rto_s < 1.5
    assert world.sender.timeout_at is None
    assert World().sender.rto_s >= RTO_MIN_S


@pytest.mark.parametrize(
    ("cumulative", "gaps"),
    [
        (11, []),
        (2**31 - 1, []),
        (0, [(2, 11)]),
        (0, [(1, 2)]),
        (0, [(0, 65_535)]),
        (0, [(5, 4)]),
        (0, [(4, 5), (5, 6)]),
        (0, [(6, 7), (2, 3)]),
        (5, [(2, 6)]),
    ],
)
def test_a_report_of_what_was_not_sent_is_a_violation(world, cumulative, gaps):
    world.queue(bytes(10 * PAYLOAD_BYTES))
    assert world.tsns() == list(range(1, 11))
    with pytest.raises(ProtocolError):
        world.sack(cumulative, *gaps)


def test_an_old_report_is_passed_over(world):
    world.queue(bytes(5 * PAYLOAD_BYTES))
    world.send()
    assert world.sack(3)
    assert not world.sack(2, (2, 60_000))
    assert world.sender.acked == 3 + 2**32


def test_a_lossy_message_is_given_up_and_skipped(world):
    world.queue(bytes(2 * PAYLOAD_BYTES), stream=3, max_retransmits=0)
    for _ in range(4):
        world.queue(bytes(PAYLOAD_BYTES))
    world.send()
    for last in (3, 4, 5):
        world.sack(0, (2, last))
    [forward] = world.send()
    assert (forward.cumulative, forward.streams) == (2, [(3, 0)])
    world.sender.timed_out(1.0)
    assert world.send(1)[0] == forward  # it may have been lost
    world.sack(6)
    assert world.send() == []


def test_a_lossy_message_is_given_up_before_its_rest_is_sent(world):
    world.queue(bytes(60_000), max_retransmits=0)
    sent = world.tsns()
    world.queue(b"after")
    world.sender.timed_out(1.0)
    forward, after = world.send()
    assert (forward.cumulative, after.payload) == (sent[-1], b"after")
    assert world.sender.backlog(0) == 0


def test_everything_is_repeated_for_a_peer_that_cannot_skip(world):
    world.sender.partial_reliability = False
    world.queue(b"lossy", max_retransmits=0, expires_at=0.5)
    world.send()
    world.sender.timed_out(1.0)
    assert world.tsns() == [1]


def test_a_stale_message_is_not_sent_at_all(world):
    world.queue(b"old", expires_at=1.0)
    world.queue(b"new", expires_at=9.0)
    world.now = 1.0
    assert [chunk.payload for chunk in world.send()] == [b"new"]
    assert world.sender.stale == 1
    assert world.sender.backlog(0) == 0


def test_a_message_of_another_stream_waits_for_one_message_at_most(world):
    for _ in range(20):
        world.queue(bytes(60_000), stream=1)
    world.send(2)
    world.queue(b"quick", stream=2)
    before = 0
    tsn = 2
    for _ in range(100):
        chunks = world.send(2)
        tsn += len(chunks)
        world.now += 0.02
        world.sack(tsn)
        if any(chunk.stream == 2 for chunk in chunks):
            break
        before += sum(len(chunk.payload) for chunk in chunks)
    assert 0 < before <= 60_000


def test_streams_share_by_bytes(world):
    for _ in range(100):
        world.queue(bytes(1000), stream=1)
        world.queue(bytes(100), stream=2)
    tsn, sent = 0, {1: 0, 2: 0}
    while sum(sent.values()) < 20_000:
        chunks = world.send(2)
        tsn += len(chunks)
        world.now += 0.02
        world.sack(tsn)
        for chunk in chunks:
            sent[chunk.stream] += len(chunk.payload)
    assert sent[2] == 10_000 or abs(sent[1] - sent[2]) <= 2000


def test_a_flow_can_be_dropped_but_for_the_message_that_is_being_sent(world):
    first = world.queue(bytes(50_000), flow="file")
    world.send(1)
    world.queue(bytes(10_000), flow="file")
    world.queue(b"chat")
    assert dict(world.sender.flows(0)) == {"file": 10_000, "": 4}
    assert world.sender.discard(0, "file") == 10_000
    assert world.sender.backlog(0) == 50_000 - first.sent + 4
    assert world.sender.discard(9) == 0


def test_a_paused_stream_waits_and_begins_anew(world):
    world.queue(b"a")
    world.send()
    world.sender.pause(0)
    world.queue(b"b")
    assert world.send() == []
    world.sender.restart(0)
    [chunk] = world.send()
    assert (chunk.payload, chunk.sequence) == (b"b", 0)


def test_what_a_peer_drops_again_is_repeated(world):
    world.queue(bytes(2 * PAYLOAD_BYTES))
    world.send()
    world.sack(0, (2, 2))
    world.sender.timed_out(1.0)
    assert world.tsns() == [1]
    world.sack(1)
    world.sender.timed_out(2.0)
    assert world.tsns() == [2]


def test_a_queue_in_the_network_is_not_filled(world):
    world.queue(bytes(60_000))
    tsn = 0
    for rtt_s in [0.05] * 5 + [1.0] * 10:
        tsn += len(world.send())
        world.now += rtt_s
        world.sack(tsn)
        world.queue(bytes(60_000))
    assert world.sender.cwnd <= 6 * PACKET_BYTES


@pytest.mark.parametrize("seed", range(30))
def test_everything_arrives_once_whatever_is_reported(seed):
    """A receiver that loses a third of the chunks and half of the reports."""
    source = random.Random(seed)
    sizes = [source.randint(1, 3000) for _ in range(source.randint(1, 20))]
    world = World()
    for size in sizes:
        world.queue(bytes(size))
    got = set()
    for _ in range(4000):
        for chunk in world.send(4):
            if source.random() > 0.33:
                got.add(chunk.tsn)
        cumulative = 0
        while cumulative + 1 in got:
            cumulative += 1
        if world.sender.idle and not world.sender.backlog(0):
            break
        world.now += 0.02
        if source.random() > 0.5:
            gaps = [(tsn - cumulative, tsn - cumulative) for tsn in sorted(got) if tsn > cumulative]
            world.sack(cumulative, *gaps)
        if world.sender.timeout_at is not None and world.sender.timeout_at <= world.now:
            world.sender.timed_out(world.now)
    assert world.sender.idle
    assert world.sender._flight == 0
    assert sum(-(-size // PAYLOAD_BYTES) for size in sizes) == len(got) == world.sender.last - 2**32


def test_a_report_costs_what_is_outstanding_and_no_more():
    world = World()
    world.sender.cwnd = 10**6
    for _ in range(MAX_OUTSTANDING + 50):
        world.queue(b"x", max_retransmits=0)
    assert len(world.send()) == MAX_OUTSTANDING
    gaps = [(first, first) for first in range(2, 2 * sctp.MAX_GAP_BLOCKS - 1, 2)]
    began = time.process_time()
    for _ in range(3):
        world.sack(0, *gaps)
    world.sender.timed_out(1.0)
    assert time.process_time() - began < 0.05
