"""What a router does for one peer: within that peer's limits, and apart from the others."""

import struct

import pytest
from router_world import NTP, World, remb

from sfu.drops import DropReason
from sfu.engine import delivery
from sfu.engine.peers.identification import KnownSsrcs
from sfu.engine.peers.publication import Subscription
from sfu.limits import ESTIMATES, KEYFRAME_REQUESTS, LOOK_UPS, SENDER_REPORTS, UNKNOWN_PACKETS
from sfu.receiving.speakers import UPDATE_INTERVAL_S, Speakers
from sfu.wire import rtcp


@pytest.fixture
def world():
    return World()


def nack(subscription, first, count):
    return rtcp.nack(1, subscription.ssrc, range(first, first + count))


def test_look_ups_for_nacks_are_bounded_before_they_are_made(world, monkeypatch):
    subscription, _ = world.viewer()
    world.video("q", key=True)
    world.tick(1.0, "q")
    looked_up = []
    monkeypatch.setattr(Subscription, "retransmission", lambda _self, number, *_: looked_up.append(number))
    for i in range(20):
        world.core.reports.on_rtcp(
            world.peer_of(subscription), nack(subscription, 1000 * i, 512), world.now, NTP
        )
    assert len(looked_up) == LOOK_UPS.burst
    assert world.core.drops[DropReason.RETRANSMISSION_RATE] == 20 * 512 - LOOK_UPS.burst
    world.now += 0.1
    world.core.reports.on_rtcp(world.peer_of(subscription), nack(subscription, 0, 512), world.now, NTP)
    assert len(looked_up) == pytest.approx(LOOK_UPS.burst + LOOK_UPS.per_s / 10, abs=1)


def test_each_kind_of_feedback_has_its_budget(world, monkeypatch):
    subscription, _ = world.viewer()
    world.video("q", key=True)
    peer, done = world.peer_of(subscription), []
    monkeypatch.setattr(world.core.delivery, "request_keyframe", lambda *_: done.append("keyframe"))
    monkeypatch.setattr(world.core.bandwidth, "receivers_estimate", lambda *_: done.append("estimate"))
    monkeypatch.setattr(world.core.bandwidth, "on_transport_feedback", lambda *_: done.append("report"))
    claim = rtcp.transport_feedback(1, 2, struct.pack("!HHIHH", 0, 60_000, 0, 0x1FFF, 0))
    report = rtcp.transport_feedback(1, 2, struct.pack("!HHIHH", 0, 10, 0, 10, 0))
    fir = b"".join(rtcp.fir(1, subscription.ssrc, i) for i in range(10))
    for _ in range(100):
        for packet in (rtcp.pli(1, subscription.ssrc), fir, remb(1_000_000), claim, report):
            world.core.reports.on_rtcp(peer, packet, world.now, NTP)
    assert done.count("keyframe") == KEYFRAME_REQUESTS.burst
    assert done.count("estimate") == ESTIMATES.burst
    assert done.count("report") == 100  # of the honest ones; no claim of 60,000 was ever affordable
    drops = world.core.drops
    assert drops[DropReason.KEYFRAME_RATE] == 1100 - KEYFRAME_REQUESTS.burst
    assert drops[DropReason.FEEDBACK_RATE] == 100 + 100 - ESTIMATES.burst


def test_sender_reports_go_to_the_viewers_a_few_times_a_second(world):
    _, heard = world.viewer()
    world.video("q", key=True)
    ssrc = world.publisher.streams and next(iter(world.publisher.streams))
    before = len(heard)
    for i in range(100):
        world.core.reports.on_rtcp(world.publisher, rtcp.sender_report(ssrc, NTP, i, 1, 1), world.now, NTP)
    sent = [part for part in heard[before:] if isinstance(part, rtcp.SenderReport)]
    assert len(sent) == SENDER_REPORTS.burst
    assert world.core.drops[DropReason.SENDER_REPORT_RATE] == 100 - SENDER_REPORTS.burst


def test_packets_of_unknown_streams_are_searched_for_so_many_times(world, monkeypatch):
    searched = []
    monkeypatch.setattr(
        KnownSsrcs, "learn", lambda _self, _packet, _elements, ssrc, _now: searched.append(ssrc)
    )
    for ssrc in range(1000):
        world.feed(struct.pack("!BBHII", 0x80, 50, 0, 0, ssrc) + bytes(20))
    assert len(searched) == UNKNOWN_PACKETS.burst
    assert world.core.drops[DropReason.UNKNOWN_STREAM] == 1000


class FaultError(Exception):
    """A bug that shows with one viewer only."""


def _fail_for(monkeypatch, owner, name, unlucky):
    """Let a method fail when it is called for that viewer."""
    real = getattr(owner, name)

    def call(self, *args, **named):
        if self is unlucky or unlucky in args:
            raise FaultError
        return real(self, *args, **named)

    monkeypatch.setattr(owner, name, call)


@pytest.mark.parametrize("name", ["update_target", "begin", "move", "serve"])
def test_a_fault_with_one_subscription_leaves_the_others_theirs(world, monkeypatch, name):
    unlucky, _ = world.viewer("unlucky")
    world.viewer("other")
    _fail_for(monkeypatch, Subscription, name, unlucky)
    world.video("q", key=True)
    world.tick(1.0, "q")
    assert len(world.received("other")) >= 20
    if name != "move":  # nothing moves here
        assert world.core.drops[DropReason.ERROR] > 0


@pytest.mark.parametrize("module", ["sfu.engine.delivery.reallocate", "sfu.engine.delivery.fitting"])
def test_a_fault_while_bandwidth_is_shared_costs_that_viewer_alone(world, monkeypatch, module):
    world.viewer("unlucky")
    other, _ = world.viewer("other")
    name = module.rpartition(".")[2]
    real = getattr(delivery, name)
    shared = []

    def faulty(subject, *args):
        viewer = subject.subscriber.connection_id if isinstance(subject, Subscription) else subject.id
        if viewer == "unlucky":
            raise FaultError
        shared.append(viewer)
        return real(subject, *args)

    monkeypatch.setattr(module, faulty)
    world.video("q", key=True)
    world.tick(2.0, "q")
    assert shared.count("other") >= 3
    assert world.core.drops[DropReason.ERROR] >= 3
    assert len(world.received("other")) >= 20
    assert other.substream is not None


def test_a_fault_in_one_peers_feedback_leaves_the_others_theirs(world, monkeypatch):
    world.video("q", key=True)
    other, heard = world.peer("other")
    other.link.feedback.received(1, world.now)
    monkeypatch.setattr(world.publisher.link, "send_rtcp", lambda _packet: 1 / 0)
    world.publisher.link.feedback.received(1, world.now)
    for peer in (world.publisher, other):
        world.core.reports.feed_back_later(peer)
    world.now += 1
    world.core.deadlines.run_due(world.now)
    assert any(isinstance(part, rtcp.TransportFeedbackReport) for part in heard)
    assert world.core.drops[DropReason.ERROR] == 2  # of its feedback, and of its receiver report


def test_a_fault_in_one_part_of_a_compound_leaves_the_rest(world, monkeypatch):
    subscription, _ = world.viewer()
    world.video("q", key=True)
    asked = []
    monkeypatch.setattr(world.core.bandwidth, "receivers_estimate", lambda *_: 1 / 0)
    monkeypatch.setattr(world.core.delivery, "request_keyframe", lambda *_: asked.append(1))
    compound = remb(1_000_000) + rtcp.pli(1, subscription.ssrc)
    world.core.reports.on_rtcp(world.peer_of(subscription), compound, world.now, NTP)
    assert asked == [1]


def test_a_replay_that_fails_is_given_up(world, monkeypatch):
    world.video("q", key=True)
    world.tick(0.2, "q")
    world.viewer("late", replay=True)
    world.core.delivery._replays = dict.fromkeys(world.published.subscriptions.values())
    monkeypatch.setattr(Subscription, "replay", lambda *_: 1 / 0)
    world.tick(1.0)
    assert not world.core.delivery._replays
    assert world.core.drops[DropReason.ERROR] == 1


def test_a_fault_with_one_rooms_speakers_leaves_the_other_rooms(monkeypatch):
    world = World("audio")
    world.publisher.room_id = "bad"
    world.publisher.forwarded_to.add("good")
    world.core.speaking.observe(world.publisher, "TR_1", 10, world.now)
    updated = []

    def update(self, now):
        if self is world.core.speaking.rooms["bad"]:
            raise FaultError
        updated.append(now)
        return ()

    monkeypatch.setattr(Speakers, "update", update)
    world.now += UPDATE_INTERVAL_S
    world.core.deadlines.run_due(world.now)
    assert updated == [world.now]
