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
    assert fan.view(whole) is fan.view(whole)
    assert fan.view(None) is not fan.view(whole)
    assert fan.view(whole, whole_pictures=True) is not fan.view(whole)


def test_a_substream_ends_with_its_last_subscriber(fan):
    view = fan.view((0, 0))
    for name in ("ada", "eve"):
        view.table.add(VIEWER_KIND, name, COLUMN)
    fan.switching.add("ada")
    fan.leave(view, VIEWER_KIND, "ada")
    assert not fan.switching
    assert fan.views == {((0, 0), False): view}
    fan.leave(view, VIEWER_KIND, "eve")
    assert fan.views == {}


def test_a_substream_that_was_replaced_does_not_end_its_successor(fan):
    old = fan.view(None)
    old.table.add(VIEWER_KIND, "ada", COLUMN)
    del fan.views[None, False]
    new = fan.view(None)
    fan.leave(old, VIEWER_KIND, "ada")
    assert fan.views == {(None, False): new}
