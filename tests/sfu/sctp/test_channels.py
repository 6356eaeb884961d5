"""Data channels in simulated time: opening and closing, budgets of senders, and readers that are too slow."""

import gc
import struct
import weakref

import pytest
from sctp_link import SECRET

from sfu.sctp import channels as bounds
from sfu.sctp import chunks as sctp
from sfu.sctp.association import Identity
from sfu.sctp.channels import (
    LOSSY_AGE_S,
    LOSSY_PER_S,
    MAX_CHANNELS,
    MAX_LOST_FLOWS,
    MESSAGE_COST,
    RELIABLE_BACKLOG_BYTES,
    RELIABLE_PER_S,
    Backlog,
    Budget,
    DataChannels,
    Owner,
)
from sfu.sctp.receiver import WINDOW_BYTES
from sfu.values import Channel

LIVEKITS = (Channel("_reliable"), Channel("_lossy", ordered=False, max_retransmits=0))


class Side:
    def __init__(self, tag, backlog, max_bytes=65_535):
        self.out, self.heard, self.refused, self.failures, self.busy = [], [], [], [], False
        owner = Owner(
            send=self.out.append,
            message=lambda label, payload: self.heard.append((label, payload)),
            refused=lambda label, flow: self.refused.append((label, flow)),
            failed=self.failures.append,
            busy=lambda: self.busy,
        )
        self.channels = DataChannels(Identity(tag, tag, SECRET), owner, backlog, 5000, max_bytes)


class World:
    """The server and a client, whose channels both are of our own make; nothing is lost unless `cut`."""

    def __init__(self, opens=LIVEKITS, *, dtls_client=False):
        self.backlog = Backlog()
        self.server, self.client = Side(1, self.backlog), Side(2, Backlog())
        self.now, self.cut = 0.0, False
        self.client.channels.start(opens, self.now, dtls_client=dtls_client)
        self.server.channels.start((), self.now)
        self.run(1.0)

    def run(self, seconds):
        until = self.now + seconds
        sides = (self.server, self.client)
        while True:
            while any(side.out for side in sides):
                for side, other in (sides, sides[::-1]):
                    packets, side.out[:] = list(side.out), []
                    for packet in packets:
                        if not self.cut:
                            other.channels.receive(packet, self.now)
            times = [at for side in sides if (at := side.channels.next_at()) is not None]
            if not times or min(times) > until:
                self.now = until
                return
            self.now = max(self.now, min(times))
            for side in sides:
                at = side.channels.next_at()
                if at is not None and at <= self.now:
                    side.channels.handle_timeout(self.now)

    def send(self, payload, label="_reliable", flow="", side=None):
        side = side or self.server
        sent = side.channels.send(label, payload, flow, self.now)
        side.channels.flush(self.now)
        return sent


@pytest.fixture
def world():
    return World()


def test_channels_carry_messages_both_ways(world):
    world.send(b"down")
    world.send(b"up", side=world.client)
    world.send(b"", "_lossy")
    world.run(1.0)
    assert world.client.heard == [("_reliable", b"down"), ("_lossy", b"")]
    assert world.server.heard == [("_reliable", b"up")]


def test_a_channel_is_as_its_opener_says(world):
    lossy = world.server.channels._by_label["_lossy"]
    assert (lossy.ordered, lossy.max_retransmits, lossy.lossy) == (False, 0, True)
    assert not world.server.channels._by_label["_reliable"].lossy


@pytest.mark.parametrize(
    "message",
    [
        b"\3",
        b"\3" + bytes(10),
        struct.pack("!BBHIHH", 3, 0, 0, 0, 9, 0) + b"short",
        struct.pack("!BBHIHH", 3, 0, 0, 0, 1, 0) + b"long",
        struct.pack("!BBHIHH", 3, 0, 0, 0, 300, 0) + bytes(300),
        struct.pack("!BBHIHH", 3, 0, 0, 0, 2, 0) + b"\xff\xff",
        struct.pack("!BBHIHH", 3, 3, 0, 0, 1, 0) + b"x",
    ],
)
def test_an_opening_that_is_malformed_is_refused(world, message):
    world.client.channels._dcep(99, message)
    world.client.channels.flush(world.now)
    world.run(2.0)
    assert world.server.channels.counts["malformed_open"] == 1
    assert set(world.server.channels._by_label) == {"_reliable", "_lossy"}
    assert not world.server.failures


def test_a_channel_with_a_lifetime_is_lossy(world):
    world.client.channels._dcep(99, struct.pack("!BBHIHH", 3, 2, 0, 200, 1, 0) + b"t")
    world.client.channels.flush(world.now)
    world.run(1.0)
    assert world.server.channels._by_label["t"].lifetime_s == 0.2


def test_a_second_channel_of_a_label_takes_over_until_it_is_closed(world):
    opening = struct.pack("!BBHIHH", 3, 0, 0, 0, 9, 0) + b"_reliable"
    world.client.channels._dcep(99, opening)
    world.client.channels.flush(world.now)
    world.run(1.0)
    assert world.server.channels._by_label["_reliable"].stream == 99
    world.client.channels.association.reset([99], world.now)
    world.run(1.0)
    assert world.server.channels._by_label["_reliable"].stream == 1
    world.send(b"down")
    world.run(1.0)
    assert world.client.heard == [("_reliable", b"down")]


def test_channels_without_end_end_their_peer():
    world = World([Channel(str(i)) for i in range(MAX_CHANNELS + 1)])
    assert world.server.failures == ["data_overflow"]


def test_messages_of_unknown_channels_and_kinds_are_dropped(world):
    sender = world.client.channels.association
    for stream, protocol in ((77, 53), (1, 99)):
        sender.send(bounds.Message(stream, protocol, b"x"), world.now)
    world.run(1.0)
    assert (world.server.heard, world.server.channels.counts["unknown"]) == ([], 2)


def test_a_bucket_holds_a_second():
    budget = Budget(1000)
    assert budget.take_tokens(1000, 10.0)
    assert not budget.take_tokens(1, 10.0)
    assert budget.at(100) == pytest.approx(10.101)
    assert budget.take_tokens(100, budget.at(100))
    assert budget.take_tokens(10_000, 12.0)  # dearer than a full bucket: it waits for a full one
    assert not budget.take_tokens(1, 13.0)


def test_lossy_messages_over_the_budget_are_dropped_and_counted(world):
    for _ in range(1000):
        world.send(b"x" * 50, "_lossy", side=world.client)
    world.run(0.1)
    expected = LOSSY_PER_S // (MESSAGE_COST + 50)
    assert expected <= len(world.server.heard) <= expected * 1.1 + 1
    assert len(world.server.heard) + world.server.channels.counts["over_budget"] == 1000


def test_reliable_messages_over_the_budget_are_held_back(world):
    for _ in range(100):
        world.send(bytes(60_000), side=world.client)
    world.run(0.5)
    association = world.server.channels.association
    assert RELIABLE_PER_S <= 62_000 * (len(world.server.heard) + 1) <= 1.6 * RELIABLE_PER_S
    assert association.undelivered <= 600_000
    world.run(3.0)
    assert len(world.server.heard) == 100
    assert association.undelivered == 0


def test_messages_wait_for_a_busy_owner_and_lossy_ones_do_not(world):
    world.server.busy = True
    for i in range(20):
        world.send(b"%d" % i, side=world.client)
        world.send(b"x", "_lossy", side=world.client)
    world.run(1.0)
    assert world.server.heard == []
    world.server.busy = False
    world.run(0.1)
    assert world.server.heard == [("_reliable", b"%d" % i) for i in range(20)]


def test_a_window_that_was_closed_is_opened_as_soon_as_there_is_room(world):
    world.server.busy = True
    for _ in range(20):
        world.send(bytes(60_000), side=world.client)
    world.run(1.0)
    world.server.busy = False
    world.server.out.clear()
    world.server.channels.handle_timeout(world.server.channels._inbox_at)
    chunks = [chunk for packet in world.server.out for chunk in sctp.parse(packet).chunks]
    [window] = [chunk.window for kind, chunk in chunks if kind == sctp.SACK]
    assert window >= WINDOW_BYTES // 2


def test_a_slow_reader_loses_the_largest_flow_and_nothing_else(world):
    world.cut = True
    assert world.send(b"first")
    count = 0
    while world.send(bytes(60_000), flow="film"):
        count += 1
        world.send(bytes(1000), flow="note")
    assert count == pytest.approx(RELIABLE_BACKLOG_BYTES / 61_000, rel=0.05)
    assert world.server.refused == [("_reliable", "film")]
    waiting = list(world.server.channels.association.sender.flows(1))
    assert sum(bytes_ for flow, bytes_ in waiting if flow == "film") <= 60_000  # the one that is being sent
    assert not world.send(bytes(10), flow="film")
    assert world.server.refused == [("_reliable", "film")]  # told once
    assert world.send(b"chat")
    assert world.backlog.bytes < 500_000
    assert not world.server.failures
    world.cut = False
    world.run(60)
    heard = [payload for _, payload in world.client.heard]
    assert (heard[0], heard[-1]) == (b"first", b"chat")
    assert heard.count(bytes(1000)) == count
    assert heard.count(bytes(60_000)) < 4  # what was on its way
    assert world.backlog.bytes == 0


def test_a_small_message_pushes_out_a_flow_that_fills_the_channel(world):
    world.cut = True
    while world.server.channels.association.sender.backlog(1) < RELIABLE_BACKLOG_BYTES - 60_000:
        world.send(bytes(60_000), flow="film")
    assert world.send(bytes(60_000))
    assert world.server.refused == [("_reliable", "film")]


def test_without_flows_the_message_itself_is_refused(world):
    world.cut = True
    while world.send(bytes(60_000)):
        pass
    assert world.server.refused == [("_reliable", "")]
    assert world.backlog.bytes <= RELIABLE_BACKLOG_BYTES
    assert not world.server.failures


def test_readers_together_have_a_bound(world, monkeypatch):
    monkeypatch.setattr(bounds, "TOTAL_BACKLOG_BYTES", 1_000_000)
    world.cut = True
    while world.send(bytes(60_000), flow="film"):
        pass
    assert world.server.refused == [("_reliable", "film")]
    world.backlog.bytes += 2_000_000  # of others
    count = sum(world.send(bytes(60_000)) for _ in range(100))
    assert count <= bounds.LEAST_BACKLOG_BYTES // 60_000


def test_the_flows_that_were_given_up_are_few(world):
    channel = world.server.channels._by_label["_reliable"]
    for i in range(MAX_LOST_FLOWS + 9):
        world.server.channels._lose(channel, str(i))
    assert len(channel.lost_flows) == MAX_LOST_FLOWS


def test_lossy_messages_are_dropped_when_there_are_too_many_and_when_they_are_old(world):
    world.cut = True
    assert 0 < sum(world.send(bytes(10_000), "_lossy") for _ in range(100)) < 40
    world.run(LOSSY_AGE_S + 1)
    world.cut = False
    world.send(b"now", "_lossy")
    world.run(20)
    assert world.client.heard[-1] == ("_lossy", b"now")
    assert len(world.client.heard) <= 3
    assert world.server.channels.association.sender.stale > 10
    assert world.server.refused == []


def test_what_was_stopped_is_freed_without_a_collection():
    world = World()
    world.cut = True
    world.send(bytes(60_000))
    kept = weakref.ref(world.server.channels), weakref.ref(world.server)
    gc.disable()
    try:
        world.server.channels.stop()
        assert world.backlog.bytes == 0
        del world.server
        assert [one() for one in kept] == [None, None]
    finally:
        gc.enable()


def test_a_broken_association_fails_once(world):
    world.cut = True
    world.send(b"x")
    world.run(300)
    assert world.server.failures == ["error"]
    assert world.server.channels.next_at() is None
    assert world.backlog.bytes == 0


@pytest.mark.parametrize(("dtls_client", "streams"), [(True, {0, 2}), (False, {1, 3})])
def test_the_dtls_client_takes_the_even_streams(dtls_client, streams):
    world = World(dtls_client=dtls_client)
    assert set(world.server.channels._by_stream) == streams
