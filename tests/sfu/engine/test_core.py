"""What an idle engine does, and what is left of peers and publications that are gone."""

import pytest
from router_world import World

from sfu.engine.router import IDLE_AFTER_S


@pytest.fixture
def world():
    made = World()
    made.video("q", key=True)
    made.viewer()
    made.video("q", key=True)
    return made


def wakes(world, seconds):
    """How often the engine wakes in that time."""
    until, count = world.now + seconds, 0
    while (at := world.core.deadlines.next_at) is not None and at <= until:
        world.core.deadlines.run_due(at)
        count += 1
    world.now = until
    return count


def test_idle_publishers_cost_nothing(world):
    world.published.muted = True
    assert wakes(world, IDLE_AFTER_S + 2) > 20
    assert world.core.deadlines.next_at is None
    assert wakes(world, 3600) == 0


def test_a_publisher_that_comes_back_is_served_as_before(world):
    wakes(world, IDLE_AFTER_S + 2)
    assert not world.core.router.publishers
    world.video("q")
    assert list(world.core.router.publishers) == ["publisher"]
    assert wakes(world, 2) >= 4
    world.tick(2, "q")
    assert len(world.received()) >= 40


def test_an_engine_without_peers_never_wakes(world):
    for peer in list(world.core.peers.values()):
        world.core.remove_peer(peer, world.now)
    wakes(world, 1)  # a check of layers was due
    assert world.core.deadlines.next_at is None
    assert world.core.peers == {}


def test_a_removed_peer_takes_its_subscriptions_with_it(world):
    viewer = world.core.peers["viewer"]
    world.core.remove_peer(viewer, world.now)
    assert world.published.subscriptions == {}
    assert world.published.fans[0].substreams == {}
    before = len(world.received())
    world.video("q", key=True)
    assert len(world.received()) == before
