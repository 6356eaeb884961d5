"""Keyframe requests over time; test_router, test_router_bandwidth and test_svc watch what each subscriber gets."""

import pytest
from router_world import World, remb

from sfu.engine.deadlines import Reason
from sfu.engine.delivery import KEYFRAME_GRACE_S
from sfu.values import SubscriptionPaused
from sfu.wire import rtcp


@pytest.fixture
def world():
    made = World()
    made.video("q", key=True)
    return made


def requests(world):
    return sum(isinstance(part, rtcp.PictureLossIndication) for part in world.feedback)


def run(world, seconds):
    until = world.now + seconds
    while (at := world.core.deadlines.next_at) is not None and at <= until:
        world.now = at
        world.core.deadlines.run_due(at)
    world.now = until


def test_a_keyframe_is_requested_again_until_it_comes(world):
    world.viewer()
    assert requests(world) == 1
    run(world, 2.1)
    assert requests(world) == 5  # each 0.5 s on the lowest layer
    world.video("q", key=True)
    run(world, 2.1)
    assert requests(world) == 5
    assert not world.core.deadlines.is_set(world.published.layers[0], Reason.KEYFRAME)


def test_a_keyframe_that_is_on_its_way_is_not_requested(world):
    subscription, _ = world.viewer()
    world.video("q", key=True)
    run(world, 0.6)
    world.published.layers[0].keyframe_sequence = -1  # nothing is retained
    subscription.pause(world.now)
    world.feedback.clear()
    world.core.delivery.wait(subscription, world.now)
    run(world, KEYFRAME_GRACE_S / 2)
    assert requests(world) == 0
    run(world, KEYFRAME_GRACE_S)
    assert requests(world) == 1


def test_requests_end_with_the_stream(world):
    world.viewer()
    stream = world.published.layers[0]
    world.core.remove_publication(world.published, world.now)
    assert not world.core.deadlines.is_set(stream, Reason.KEYFRAME)
    world.feedback.clear()
    run(world, 5)
    assert requests(world) == 0


def test_an_estimate_leads_to_a_pause_at_once(world):
    subscription, _ = world.viewer()
    world.video("q", key=True, payload=bytes(1000))
    world.tick(1, "q")
    peer = world.peer_of(subscription)
    world.core.reports.on_rtcp(peer, remb(1000), world.now, 0)
    assert world.events[-1] == SubscriptionPaused("viewer", "TR_1", paused=True)
    assert subscription.current is None
    world.core.reports.on_rtcp(peer, remb(5_000_000), world.now, 0)
    assert world.events[-1] == SubscriptionPaused("viewer", "TR_1", paused=False)


def test_a_replay_goes_on_by_itself_and_ends(world):
    for _ in range(30):
        world.video("q")
    late, _ = world.viewer("late", replay=True)
    assert late.replaying
    run(world, 0.2)
    assert not late.replaying
    assert not world.core.deadlines.is_set(world.core.delivery, Reason.REPLAY)
