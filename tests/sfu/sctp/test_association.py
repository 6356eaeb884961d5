"""Two of our associations on a link that loses, repeats and reorders; ours with aiortc's; and hostile packets."""

import asyncio
import random
import struct
import time

import pytest
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport
from sctp_link import SECRET, Link

from sfu.sctp import chunks as sctp
from sfu.sctp.association import HEARTBEAT_INTERVAL_S, Association, Handlers, Identity, State
from sfu.sctp.chunks import Init
from sfu.sctp.receiver import WINDOW_BYTES
from sfu.sctp.sender import MAX_RETRANSMISSIONS, Message
from tests.fuzz.targets import sctp as target

LINKS = {
    "perfect": {},
    "numbers that wrap": {"tsns": (2**32 - 20, 2**32 - 1)},
    "2 % lost": {"loss": 0.02},
    "10 % lost, repeated, reordered": {"loss": 0.1, "repeat": 0.1, "jitter_s": 0.03},
    "1 Mbit/s": {"rate_bps": 1e6, "queue_s": 0.2},
}


@pytest.mark.parametrize("both", [False, True], ids=["one sends INIT", "both do"])
@pytest.mark.parametrize("options", LINKS.values(), ids=LINKS)
def test_everything_arrives_in_order_on_each_stream(options, both):
    link = Link(**options)
    assert link.connect(both=both)
    source = random.Random(3)
    sent = {
        end: [source.randbytes(source.choice([1, 100, 1160, 5000, 65_535])) for _ in range(25)]
        for end in (0, 1)
    }
    for i in range(25):
        link.near.send(sent[0][i], link.now, stream=i % 3)
        link.far.send(sent[1][i], link.now, stream=i % 3)
    assert link.run(300, lambda: len(link.far.messages) == len(link.near.messages) == 25)
    for end, heard in ((0, link.far), (1, link.near)):
        for stream in range(3):
            assert [m for s, _, m in heard.messages if s == stream] == sent[end][stream::3]
    assert link.near.events == link.far.events == ["opened"]


@pytest.mark.parametrize("seed", range(5))
def test_unordered_and_lossy_messages_arrive_whole_or_not_at_all(seed):
    link = Link(loss=0.1, jitter_s=0.01, repeat=0.05, seed=seed)
    assert link.connect()
    sent = [bytes([i]) * (1 + 700 * (i % 7)) for i in range(200)]
    for i, message in enumerate(sent):
        link.near.send(message, link.now, stream=i % 2, ordered=bool(i % 2), max_retransmits=0)
        link.run(0.02)
    link.near.send(b"the end", link.now, stream=2)
    assert link.run(60, lambda: b"the end" in link.far.payloads)
    heard = [m for m in link.far.payloads if m != b"the end"]
    assert len(heard) == len(set(heard))
    assert set(heard) <= set(sent)
    assert 100 < len(heard) < 200
    ordered = [m for s, _, m in link.far.messages if s == 1]
    assert ordered == [m for m in sent[1::2] if m in set(ordered)]
    assert link.run(10, lambda: link.far.association.receiver.held == 0)


def test_a_lossy_message_does_not_wait_behind_a_file():
    link = Link(rate_bps=1e6, queue_s=5.0)
    assert link.connect()
    for _ in range(60):
        link.near.send(bytes(16_000), link.now, stream=0)
    delays = []
    for i in range(20):
        link.run(0.3)
        began = link.now
        message = b"pointer %d" % i
        link.near.send(message, began, stream=1, ordered=False, max_retransmits=0)
        assert link.run(5, lambda message=message: message in link.far.payloads)
        delays.append(link.now - began)
    assert max(delays) < 1.5


def test_a_reader_that_holds_messages_closes_the_window_and_opens_it_again():
    link = Link()
    assert link.connect()
    far = link.far.association
    far.undelivered = 2 * WINDOW_BYTES
    for _ in range(10):
        link.near.send(bytes(60_000), link.now)
    link.run(3)
    assert len(link.far.messages) < 10
    far.undelivered = 0
    far.delivered(link.now)
    assert link.run(30, lambda: len(link.far.messages) == 10)
    assert link.near.events == ["opened"]


def test_streams_are_reset_by_both_sides_and_used_anew():
    link = Link(loss=0.1, seed=4)
    assert link.connect()
    for i in range(3):
        link.near.send(b"before %d" % i, link.now, stream=5)
    assert link.run(20, lambda: len(link.far.messages) == 3)
    link.near.association.reset([5, 7], link.now)
    link.near.send(b"after", link.now, stream=5)  # waits for the reset
    assert link.run(20, lambda: ("reset done", (5, 7)) in link.near.events and len(link.far.messages) == 4)
    assert link.far.events.count(("reset", (5, 7))) == 1
    assert link.far.payloads[-1] == b"after"
    link.far.association.reset([5], link.now)
    assert link.run(20, lambda: ("reset done", (5,)) in link.far.events)


def test_a_dead_path_ends_the_association():
    link = Link()
    assert link.connect()
    link.passes = lambda _packet, _to: False
    link.near.send(b"into the void", link.now)
    assert link.run(200, lambda: ("closed", "timeout") in link.near.events)
    assert link.near.association.next_at() is None
    assert link.near.association.sender.errors <= MAX_RETRANSMISSIONS


def test_an_idle_path_is_tried():
    link = Link()
    assert link.connect()
    link.run(2)
    packets = link.packets
    link.run(HEARTBEAT_INTERVAL_S + 1)
    assert link.packets == packets + 4  # a heartbeat each way, and what answers
    link.passes = lambda _packet, _to: False
    assert link.run(300, lambda: ("closed", "timeout") in link.near.events)


def test_a_peer_that_never_answers_is_given_up():
    link = Link()
    link.passes = lambda _packet, _to: False
    assert not link.connect()
    assert link.run(100, lambda: ("closed", "timeout") in link.near.events)


def test_an_abort_is_heard():
    link = Link()
    assert link.connect()
    link.near.association.abort()
    assert link.run(1, lambda: ("closed", "closed") in link.far.events)
    assert link.near.events == ["opened"]
    assert link.far.association.next_at() is None


# --- hostile packets -------------------------------------------------------------------------------------------


class Victim:
    """An established association with data in flight, and its peer's pen."""

    def __init__(self):
        self.sent, self.events, self.messages = [], [], []
        self.association = target.established(
            Handlers(
                send=self.sent.append,
                message=lambda stream, _protocol, message, _ordered: self.messages.append((stream, message)),
                opened=lambda: None,
                closed=self.events.append,
                reset=lambda numbers: self.events.append(("reset", numbers)),
                reset_done=lambda numbers: self.events.append(("reset done", numbers)),
            )
        )
        self.sent.clear()
        self.now = 0.2

    def get(self, *chunks, tag=0x1111):
        """The chunks of what is sent in answer to a packet."""
        self.sent.clear()
        self.association.receive(sctp.packet(5000, 5000, tag, list(chunks)), self.now)
        return [chunk for packet in self.sent for chunk in sctp.parse(packet).chunks]

    def kinds(self, *chunks, tag=0x1111):
        return [kind for kind, _ in self.get(*chunks, tag=tag)]

    @property
    def alive(self):
        return self.association.state is State.ESTABLISHED


@pytest.fixture
def victim():
    return Victim()


def data(tsn, payload=b"x", stream=0, sequence=0, flags=3):
    return sctp.data(5000 + tsn, stream, sequence, 53, flags, payload)


def test_a_parameter_of_length_0_is_dropped():
    fresh = []
    handlers = Handlers(fresh.append, *[lambda *_: None] * 5)
    association = Association(Identity(1, 1, SECRET), handlers, 65_535)
    body = struct.pack("!IIHHI", 1, 100_000, 1, 1, 1) + bytes.fromhex("80000000")
    association.receive(sctp.packet(5000, 5000, 0, [sctp.chunk(sctp.INIT, body)]), 0.0)
    assert (association.refused_packets, fresh) == (1, [])


def test_a_bomb_of_gaps_ends_its_sender_at_once(victim):
    began = time.process_time()
    assert victim.kinds(sctp.sack(999, 100_000, 340 * [(0, 65_535)], [])) == [sctp.ABORT]
    assert time.process_time() - began < 0.05
    assert victim.events == ["violation"]
    assert victim.association.next_at() is None


@pytest.mark.parametrize(
    "chunk",
    [
        sctp.sack(5_000, 100_000, [], []),
        sctp.forward_tsn(5000 + 10_000, []),
        sctp.forward_tsn(5003, [(1024, 0)]),
        sctp.forward_tsn(5003, [(i, 0) for i in range(300)]),
        data(0, b""),
        data(0, stream=1024),
    ],
    ids=[
        "SACK of the future",
        "skip too far",
        "no such stream",
        "300 streams",
        "no data",
        "DATA on no stream",
    ],
)
def test_a_violation_ends_its_sender(victim, chunk):
    assert victim.kinds(chunk) == [sctp.ABORT]
    assert victim.events == ["violation"]


def test_data_before_the_association_is_established_sets_no_timer():
    association = Association(
        Identity(0x1111, 1000, SECRET), Handlers(lambda _packet: None, *[lambda *_: None] * 5), 65_535
    )
    target.greet(association)
    before = association.next_at()
    association.receive(sctp.packet(5000, 5000, 0x1111, [data(0), data(5)]), 0.2)
    assert association.next_at() == before > 0.2
    assert association.receiver.cumulative == 4999 + 2**32


def test_init_floods_leave_nothing_behind():
    out = []
    association = Association(
        Identity(0x1111, 1000, SECRET), Handlers(out.append, *[lambda *_: None] * 5), 65_535
    )
    for i in range(1, 2000):
        init = sctp.init(sctp.INIT, Init(i, 1000, 1, 1, i))
        association.receive(sctp.packet(5000, 5000, 0, [init]), 0.0)
    assert len(out) == 1999
    assert association.receiver is None
    assert association.next_at() is None


def test_an_init_to_an_established_association_changes_nothing(victim):
    init = sctp.init(sctp.INIT, Init(77, 1000, 1, 1, 9))
    assert victim.kinds(init, tag=0) == []
    assert victim.alive


def cookie(association, tag):
    out = []
    init = Init(tag, 100_000, 10, 10, 5000, forward_tsn=True)
    return association._cookie(init), out


def test_a_cookie_of_another_association_or_a_changed_one_is_passed_over(victim):
    good, _ = cookie(victim.association, 0x2222)
    assert victim.kinds(sctp.chunk(sctp.COOKIE_ECHO, good)) == [sctp.COOKIE_ACK]  # the first answer was lost
    other, _ = cookie(victim.association, 0x3333)
    for bad in (other, good[:-1] + bytes([good[-1] ^ 1]), good[:20], b"", bytes(200)):
        assert victim.kinds(sctp.chunk(sctp.COOKIE_ECHO, bad)) == []
    assert victim.alive
    assert victim.association._peer_tag == 0x2222


@pytest.mark.parametrize("chunk", target.chunks())
def test_a_packet_with_a_wrong_tag_changes_nothing(victim, chunk):
    if chunk[0] == sctp.INIT:
        return
    assert victim.kinds(chunk, tag=0x1112) == []
    assert victim.alive
    assert victim.messages == []


def test_an_abort_may_carry_the_tag_of_its_receiver_or_its_sender(victim):
    reflected = sctp.chunk(sctp.ABORT, flags=sctp.REFLECTED_TAG)
    victim.get(reflected, tag=0x1111)
    assert victim.alive
    victim.get(reflected, tag=0x2222)
    assert victim.events == ["closed"]


def test_data_beyond_the_window_is_not_acknowledged(victim):
    for tsn in range(1, 600):
        victim.get(data(tsn, bytes(1100), sequence=tsn))
    assert victim.association.receiver.held <= 2 * WINDOW_BYTES
    assert victim.alive


def test_tsns_far_ahead_are_not_taken(victim):
    [(_, sack)] = [each for each in victim.get(data(10_000)) if each[0] == sctp.SACK]
    assert (sack.cumulative, sack.gaps) == (4999, [])


def test_resets_of_unknown_streams_are_performed_and_leave_nothing(victim):
    request = sctp.ResetRequest(5000, 999, 4999, tuple(range(500)))
    [(_, answer)] = victim.get(sctp.chunk(sctp.RE_CONFIG, sctp.reset_request(request)))
    assert answer.parts == [sctp.ResetResponse(5000, 1)]
    assert victim.association.receiver._streams == {}
    assert victim.association.next_at() is not None


def test_a_packet_of_many_sacks_heartbeats_and_resets_costs_as_much_as_one(victim):
    beat = sctp.chunk(sctp.HEARTBEAT, sctp.parameter(1, b"12345678"))
    assert victim.kinds(*[beat] * 60) == [sctp.HEARTBEAT_ACK]
    request = sctp.chunk(sctp.RE_CONFIG, sctp.parameter(17, bytes(8)))
    assert victim.kinds(*[request] * 60) == [sctp.RE_CONFIG]


def test_an_unknown_chunk_is_reported_where_its_bits_say_so(victim):
    assert victim.kinds(sctp.chunk(0x7F, bytes(900))) == [sctp.ERROR]
    assert victim.kinds(sctp.chunk(0x3F)) == []
    assert victim.alive


def test_a_shutdown_is_answered(victim):
    assert victim.kinds(sctp.chunk(sctp.SHUTDOWN, struct.pack("!I", 999))) == [sctp.SHUTDOWN_ACK]
    assert victim.association.next_at() is not None
    assert victim.kinds(data(0)) == []
    victim.get(sctp.chunk(sctp.SHUTDOWN_COMPLETE))
    assert victim.events == ["closed"]


def test_no_mutated_packet_escapes_an_established_association():
    source, feed, seeds = random.Random(2), target.make_established(), target.seeds()
    worst_s = 0.0
    for _ in range(4000):
        packet = target.mutated(source.choice(seeds), source)
        began = time.process_time()
        feed(packet)
        worst_s = max(worst_s, time.process_time() - began)
    assert worst_s < 0.05


def test_messages_are_sent_reliably_to_a_peer_without_partial_reliability():
    out = []
    association = Association(Identity(1, 1, SECRET), Handlers(out.append, *[lambda *_: None] * 5), 65_535)
    association.connect(0.0)
    for chunk in (sctp.init(sctp.INIT_ACK, Init(2, 10_000, 9, 9, 1, b"c")), sctp.chunk(sctp.COOKIE_ACK)):
        association.receive(sctp.packet(5000, 5000, 1, [chunk]), 0.0)
    association.send(Message(0, 53, b"lossy", max_retransmits=0), 0.0)
    association.reset([1], 0.0)
    out.clear()
    association.handle_timeout(5.0)
    assert [kind for kind, _ in sctp.parse(out[0]).chunks] == [sctp.DATA]


# --- with aiortc's ---------------------------------------------------------------------------------------------


class Wire:
    """aiortc's association wants a DTLS transport."""

    state = "connected"

    def __init__(self, role, deliver):
        self._role = role
        self.deliver = deliver

    def _register_data_receiver(self, receiver):
        pass

    _unregister_data_receiver = _register_data_receiver

    async def _send_data(self, data):
        self.deliver(data)


@pytest.mark.parametrize("lost", [0.0, 0.02], ids=["perfect", "2 % lost"])
@pytest.mark.parametrize("both", [True, False], ids=["both send INIT", "aiortc does"])
async def test_aiortc_and_ours_understand_each_other(lost, both):
    source, loop, heard, opened = random.Random(5), asyncio.get_running_loop(), [], asyncio.Event()

    def towards(receive):
        return lambda packet: source.random() >= lost and loop.call_soon(receive, packet)

    def to_ours(packet):
        ours.receive(packet, loop.time())

    peer = RTCSctpTransport(Wire("client", towards(to_ours)))
    tasks = set()

    def to_peer(packet):
        task = loop.create_task(peer._handle_data(packet))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    ours = Association(
        Identity(0x1111, 2**32 - 3, SECRET),
        Handlers(
            send=towards(to_peer),
            message=lambda stream, protocol, message, _ordered: heard.append((stream, protocol, message)),
            opened=opened.set,
            closed=heard.append,
            reset=lambda _numbers: None,
            reset_done=lambda _numbers: None,
        ),
        65_535,
    )
    theirs = []

    async def took(stream, protocol, message):
        theirs.append((stream, protocol, message))

    peer._receive = took
    if both:
        ours.connect(loop.time())
    await peer.start(RTCSctpCapabilities(65_535), 5000)

    async def until(condition):
        async with asyncio.timeout(30):
            while not condition():
                await asyncio.sleep(0.01)
                at = ours.next_at()
                if at is not None and at <= loop.time():
                    ours.handle_timeout(loop.time())

    await until(opened.is_set)
    sent = [source.randbytes(source.choice([10, 1160, 30_000])) for _ in range(30)]
    for message in sent:
        ours.send(Message(1, 53, message), loop.time())
        await peer._send(2, 53, message)
    await until(lambda: len(heard) == len(theirs) == 30)
    assert heard == [(2, 53, message) for message in sent]
    assert theirs == [(1, 53, message) for message in sent]
    await peer.stop()
    ours.abort()
