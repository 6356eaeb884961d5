"""Streams that are opened before their media comes."""

import itertools

import pytest
from router_world import VIEWER_KIND, World, header

from sfu.engine.opening import PACKETS, SILENCE
from sfu.session.sections import OutboundSection
from sfu.values import ReceiverTraits

PION = ReceiverTraits(announces_by_media=True)


def viewed(kind, traits=PION, section=None, *, muted=False):
    """A world with a viewer whose client has these traits."""
    world = World(kind)
    world.published.muted = muted
    subscription, _ = world.subscribed("viewer", section or OutboundSection("1", VIEWER_KIND, {}))
    peer = world.peer_of(subscription)
    peer.traits = traits
    peer.negotiated.outbound["1"] = "TR_1"
    world.core.delivery.reallocate(peer, world.now)
    return world, subscription


def passed(world, seconds):
    world.tick(seconds)
    world.outbox.flush()
    return world.received()


def test_a_muted_microphone_is_opened_with_silence():
    world, _ = viewed("audio", muted=True)
    assert passed(world, 0.05) == []
    packets = passed(world, 1.0)
    assert [p[12:] for p in packets] == [SILENCE] * 10
    assert [header(p)[1] for p in packets] == list(range(500, 510))
    assert {header(p)[0] for p in packets} == {111}
    times = [header(p)[2] for p in packets]
    assert all(4000 < later - earlier < 6000 for earlier, later in itertools.pairwise(times))


def test_a_camera_that_sends_nothing_is_opened_with_padding():
    world, _ = viewed("video")
    (packet,) = passed(world, 0.15)
    assert header(packet) == (96, 500, header(packet)[2], 0xAAAA)
    assert packet[0] & 0x20
    assert packet[-1] == len(packet) - 12


def test_it_lasts_a_few_seconds_and_is_not_repeated():
    world, subscription = viewed("audio", muted=True)
    assert len(passed(world, 10.0)) == PACKETS
    assert subscription.opened
    world.core.delivery.reallocate(world.peer_of(subscription), world.now)
    assert len(passed(world, 1.0)) == PACKETS


@pytest.mark.parametrize("early", [True, False])
def test_media_ends_it_and_follows_without_a_gap(early):
    world, subscription = viewed("video")
    count = 0 if early else len(passed(world, 0.35))
    world.video("f", key=True)
    world.tick(0.3, "f")
    packets = world.received()
    assert not any(packet[0] & 0x20 for packet in packets[count:])
    assert [header(p)[1] for p in packets] == list(range(500, 500 + len(packets)))
    times = [header(p)[2] for p in packets]
    assert times == sorted(times)
    assert subscription.opened


def test_others_are_sent_nothing_before_media():
    world, _ = viewed("audio", ReceiverTraits(), muted=True)
    assert passed(world, 1.0) == []


def test_a_client_that_leaves_or_takes_no_codec_is_sent_nothing():
    world, subscription = viewed("audio", muted=True)
    world.peer_of(subscription).unsubscribe("TR_1", world.now)
    assert passed(world, 1.0) == []
    refused = OutboundSection("1", type(VIEWER_KIND)((), ()))
    world, _ = viewed("audio", section=refused, muted=True)
    assert passed(world, 1.0) == []
