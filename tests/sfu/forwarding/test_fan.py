import pytest
from router_world import VIEWER_KIND, World

from sfu.fanout.table import Column
from sfu.wire.operating_points import MAX_TEMPORAL

COLUMN = Column(1, 0, 0, 0, 0, 0, 0)


@pytest.fixture
def fan():
    world = World()
    world.video("q", key=True)
    return world.published.fans[0]


def test_all_who_see_the_whole_stream_share_a_substream(fan):
    whole = (0, MAX_TEMPORAL)
    assert fan.key(whole) is None
    assert fan.key((0, 0)) == (0, 0)
    fan.stream.seen_at[1] = 0.0
    assert fan.key(whole) == whole  # the smaller of two sizes is not the whole
    assert fan.substream(whole) is fan.substream(whole)
    assert fan.substream(None) is not fan.substream(whole)
    assert fan.substream(whole, whole_pictures=True) is not fan.substream(whole)


def test_a_substream_ends_with_its_last_subscriber(fan):
    substream = fan.substream((0, 0))
    for name in ("ada", "eve"):
        substream.table.add(VIEWER_KIND, name, COLUMN)
    fan.switching.add("ada")
    fan.leave(substream, VIEWER_KIND, "ada")
    assert not fan.switching
    assert fan.substreams == {((0, 0), False): substream}
    fan.leave(substream, VIEWER_KIND, "eve")
    assert fan.substreams == {}


def test_a_substream_that_was_replaced_does_not_end_its_successor(fan):
    old = fan.substream(None)
    old.table.add(VIEWER_KIND, "ada", COLUMN)
    del fan.substreams[None, False]
    new = fan.substream(None)
    fan.leave(old, VIEWER_KIND, "ada")
    assert fan.substreams == {(None, False): new}


def test_a_tap_has_a_substream_of_its_own_until_it_is_removed():
    world = World()
    world.video("q", key=True)
    fan, taken = world.published.fans[0], []
    shared = fan.substream(None)
    substream = fan.tap(7, None, lambda packet, late: taken.append((packet.sequence, late)))
    assert substream is not shared
    assert fan.substreams == {(None, False): shared, 7: substream}
    world.video("q")
    assert taken == [(substream.highest, False)]
    assert shared.highest == substream.highest
    fan.untap(7)
    fan.untap(7)
    world.video("q")
    assert len(taken) == 1
    assert fan.substreams == {(None, False): shared}
