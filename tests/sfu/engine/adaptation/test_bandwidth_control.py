"""Estimates in the engine: rows with numbers over an emulated link, and real reports back."""

import math
import struct
from collections import Counter

import network
import numpy as np
import pytest

from sfu.engine.adaptation.bandwidth_control import BandwidthControl
from sfu.engine.containment import Containment
from sfu.engine.peers.link import Link
from sfu.engine.peers.peer import Peer
from sfu.engine.peers.publication import Publication
from sfu.fanout.arena import Arena
from sfu.fanout.row_buffer import PortableWriter, RowBuffer
from sfu.fanout.sentlog import HEADERS_BYTES
from sfu.fanout.template import TemplateClass
from sfu.receiving.feedback import TransportFeedback
from sfu.session.ice import IceAgent
from sfu.session.negotiated import Negotiated
from sfu.session.sections import OutboundSection
from sfu.values import PublicationSpec
from sfu.wire import rtcp, rtp

KIND = TemplateClass((("vp8", 96),), ((rtp.URI_TRANSPORT_CC, 3),))
TICK_S = 0.02
PACKET = struct.pack("!BBHII", 0x90, 96, 0, 0, 1) + rtp.build_extensions([(3, b"\0\0")]) + bytes(1000)


class World:
    """A viewer behind a link, who gets so much media; `media_bps` follows what is available."""

    def __init__(self, rate_bps, wanted_bps=2e6, *, rtx=True):
        self.now = 100.0
        self.link = network.Link(rate_bps)
        self.arena = Arena()
        self.outbox = RowBuffer(self.arena)
        self.outbox.open(PortableWriter(self.arena, self.outbox.transports, self._take))
        self.told = []
        self.bandwidth = BandwidthControl(self.outbox, Containment(Counter()))
        self.wanted_bps = wanted_bps
        self.peer = Peer("viewer", "room", IceAgent("u", "p"), Link("viewer", 1), Negotiated("1"))
        self.peer.link.transport = self.outbox.transports.add()
        self.peer.link.connected = True
        published = Publication(PublicationSpec("TR", "video"), self.peer.link)
        subscription = self.peer.subscribe(published, "stream", (10, 20, 500))
        subscription.section = OutboundSection("1", KIND, {"vp8": 97} if rtx else {})
        self.feedback = TransportFeedback(2)
        self.on_way = []
        self.padding = []

    def tick(self):
        self.bandwidth.update(self.now)
        self.notice()
        self.bandwidth.send_due(self.now)

    def notice(self):
        self.told += [peer.link.downstream.available_bps for peer in self.bandwidth.take_changed()]

    def report(self, data):
        self.bandwidth.on_transport_feedback(self.peer, data, self.now)
        self.notice()

    def estimate(self, available_bps):
        self.bandwidth.receivers_estimate(self.peer, available_bps, self.now)
        self.notice()

    def _take(self, count):
        for i in range(count):
            packet = self.arena.rows[i, : self.arena.lengths[i]].tobytes()
            if packet[1] == 97:
                self.padding.append(packet)
            at = self.link.send(len(packet) + HEADERS_BYTES, self.now)
            if at is not None:
                self.on_way.append((at, struct.unpack_from("!H", packet, 17)[0]))
        return self.now

    def run(self, seconds):
        for i in range(round(seconds / TICK_S)):
            self.now += TICK_S
            self.peer.link.downstream.requested_bps = self.wanted_bps
            left = min(self.peer.link.downstream.available_bps, self.wanted_bps) * TICK_S / 8
            for _ in range(round(left / len(PACKET))):
                self.outbox.add_packet(PACKET, self.peer.link.transport, numbered=True)
            self.tick()
            self.outbox.flush()
            for at, number in [each for each in self.on_way if each[0] <= self.now]:
                self.feedback.received(number, at)
            self.on_way = [each for each in self.on_way if each[0] > self.now]
            if i % 5 == 0:
                for packet in self.feedback.build(self.now):
                    [part] = rtcp.parse(packet)
                    self.report(part.data)


def test_a_link_that_bears_all_is_told_of_nothing_and_gets_no_padding():
    world = World(50e6)
    world.run(5)
    assert (world.told, world.padding) == ([], [])
    assert world.peer.link.rtt_s == pytest.approx(world.link.delay_s, abs=0.05)


def test_a_link_is_found_out_and_its_growth_by_padding():
    world = World(1e6)
    world.run(10)
    assert 0.75e6 < world.peer.link.downstream.available_bps < 1.15e6
    assert world.told[-1] == world.peer.link.downstream.available_bps
    world.link.rate_bps = 5e6
    world.run(10)
    assert world.peer.link.downstream.available_bps >= 2e6
    steps = [abs(math.log(b / a)) for a, b in zip(world.told, world.told[1:], strict=False)]
    assert min(steps) > math.log(1.05)


def test_padding_has_numbers_of_its_own_without_a_gap():
    world = World(1e6)
    world.run(5)
    world.link.rate_bps = 5e6
    world.run(10)
    assert len(world.padding) > 10
    numbers = [struct.unpack_from("!H", packet, 2)[0] for packet in world.padding]
    assert numbers == list(range(501, 501 + len(numbers)))
    for packet in world.padding:
        assert struct.unpack_from("!I", packet, 8) == (20,)
        header = rtp.header_length(packet)
        assert rtp.payload_end(packet, header) == header
    assert world.bandwidth.padding_packets == len(world.padding)


def test_without_a_stream_for_retransmissions_there_is_no_padding():
    world = World(1e6, rtx=False)
    world.run(5)
    world.link.rate_bps = 5e6
    world.run(10)
    assert world.padding == []


def test_a_receivers_estimate_counts_only_for_those_who_report_no_arrivals():
    world = World(1e6)
    world.estimate(700_000)
    world.estimate(710_000)
    assert world.told == [700_000]
    world.run(5)
    before = list(world.told)
    world.estimate(100_000)
    assert world.told == before


def test_who_has_left_is_forgotten():
    world = World(1e6)
    world.run(5)
    assert world.bandwidth._limited
    world.peer.link.connected = False
    world.tick()
    assert not world.bandwidth._limited


def test_bytes_that_are_no_report_are_refused():
    world = World(1e6)
    with pytest.raises(rtcp.RtcpError):
        world.bandwidth.on_transport_feedback(world.peer, b"\0" * 4, world.now)
    assert np.isinf(world.peer.link.downstream.available_bps)


def test_a_burst_of_video_waits_on_a_weak_link_and_nothing_is_lost_of_it():
    world = World(0.5e6)
    world.run(5)
    assert world.peer.link.downstream.pacer is not None
    world.wanted_bps = 0.0
    world.run(1)
    subscription = world.peer.subscriptions["TR"]
    before, dropped = int(world.outbox.transports.sequence[world.peer.link.transport]), world.link.dropped
    for _ in range(40):
        world.bandwidth.send(subscription, PACKET)
    world.run(0.1)
    assert 0 < int(world.outbox.transports.sequence[world.peer.link.transport]) - before < 12
    longest = 0.0
    for _ in range(20):
        world.run(0.1)
        longest = max(longest, world.link.waiting_s(world.now))
    assert longest < 0.3
    assert int(world.outbox.transports.sequence[world.peer.link.transport]) - before == 40
    assert world.link.dropped == dropped


def test_retransmissions_pass_a_burst_as_far_as_they_come_soon():
    world = World(0.5e6)
    world.run(5)
    subscription = world.peer.subscriptions["TR"]
    for _ in range(200):
        world.bandwidth.send(subscription, PACKET)
    world.outbox.flush()
    sequence = int(world.outbox.transports.sequence[world.peer.link.transport])
    taken = 0
    while world.bandwidth.has_room_again(subscription, taken):
        world.bandwidth.send_again(subscription, taken, PACKET)
        taken += 1
    assert 30 < taken < 150
    assert not world.bandwidth.has_room_again(subscription, 0)
    world.wanted_bps = 0.0
    world.run(0.25)  # what was sent beside the pacer leaves a debt of 0.2 s at most
    assert 0 < int(world.outbox.transports.sequence[world.peer.link.transport]) - sequence < taken


def test_a_link_that_becomes_wide_gets_all_that_waits():
    world = World(0.5e6, wanted_bps=5e6)
    world.run(5)
    assert world.peer.link.downstream.pacer is not None
    world.link.rate_bps = 20e6
    world.run(15)
    assert world.peer.link.downstream.available_bps > 4e6
    assert world.peer.link.downstream.pacer is None
    world.outbox.flush()
    before = int(world.outbox.transports.sequence[world.peer.link.transport])
    world.bandwidth.send(world.peer.subscriptions["TR"], PACKET)
    world.outbox.flush()
    assert int(world.outbox.transports.sequence[world.peer.link.transport]) == before + 1


@pytest.mark.parametrize(("rate_bps", "paced"), [(2e6, False), (0.7e6, True)])
def test_who_has_got_all_that_is_wanted_for_a_while_is_not_paced_unless_that_is_little(rate_bps, paced):
    world = World(rate_bps, wanted_bps=3e6)
    world.run(5)
    assert world.peer.link.downstream.pacer is not None
    world.wanted_bps = 0.5 * rate_bps
    world.run(8)
    assert world.peer.link.downstream.pacer is not None
    world.run(6)
    assert (world.peer.link.downstream.pacer is not None) == paced
    world.wanted_bps = 3e6
    world.run(2)
    assert world.peer.link.downstream.pacer is not None


def screen_and_camera(world):
    """Both subscriptions of a viewer, paced."""
    found = []
    for i, name in enumerate(("screen", "camera")):
        published = Publication(
            PublicationSpec(name, "video", screen_share=name == "screen"), world.peer.link
        )
        subscription = world.peer.subscribe(published, "stream", (100 + i, 200 + i, 500))
        subscription.section = OutboundSection(name, KIND, {"vp8": 97})
        subscription.rank = i
        found.append(subscription)
    return found


def test_a_camera_waits_while_a_slide_is_on_its_way():
    world = World(0.5e6)
    world.run(5)
    world.wanted_bps = 0.0
    screen, camera = screen_and_camera(world)
    for _ in range(60):
        world.bandwidth.send(screen, PACKET)
    world.run(0.1)
    assert (screen.held, camera.held) == (False, True)
    assert any("camera waits" in words for _, words in world.peer.link.downstream.decisions)
    world.run(4)
    assert not camera.held


def test_a_few_packets_of_the_screen_hold_nothing_up():
    world = World(0.5e6)
    world.run(5)
    world.wanted_bps = 0.0
    screen, camera = screen_and_camera(world)
    for _ in range(5):
        world.bandwidth.send(screen, PACKET)
    world.run(0.06)
    assert not camera.held


def test_who_lacks_what_still_waits_is_behind():
    world = World(0.5e6)
    world.run(5)
    screen, _ = screen_and_camera(world)
    assert not world.bandwidth.is_behind(screen)
    for _ in range(60):
        world.bandwidth.send(screen, PACKET)
    assert world.bandwidth.is_behind(screen)
