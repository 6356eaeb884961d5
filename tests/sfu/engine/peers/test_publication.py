import pytest
from router_world import World, parameters

from sfu.engine.peers.publication import Publication
from sfu.receiving.liveness import LAYER_DEAD_S
from sfu.session.sections import receive_section
from sfu.values import Layer, PublicationSpec
from sfu.wire.operating_points import MAX_TEMPORAL
from tests.sfu.receiving.test_inbound_stream import layer_of


def test_points_of_the_publication_are_points_of_its_streams():
    world = World()
    world.video("h", key=True)
    layer = layer_of(world, 1)
    layer.max_temporal = 2
    layer.seen_at[1] = world.now  # a second size within the stream
    assert layer.point(2, 1) == (1, 1)
    assert layer.point(1, 2) == (0, MAX_TEMPORAL)
    assert layer.within((5, 1)) == (1, 1)
    assert layer.top == (1, MAX_TEMPORAL)
    assert layer.live_spatials(world.now) == [1, 2]
    assert layer.live_spatials(world.now + 2 * LAYER_DEAD_S) == []
    assert world.published.stream(2) is layer


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ((Layer("low", 320, 180), Layer("high", 640, 360)), {"low": 0, "high": 1, "q": 0, "x": None}),
        ((), {"q": 0, "h": 1, "f": 2, "x": None}),
    ],
    ids=["named", "not named"],
)
def test_a_rid_names_a_layer(layers, expected):
    published = Publication(PublicationSpec("TR_1", "video", layers=layers), World().publisher.link)
    assert published.spatial_of("q") is None  # before the offer
    published.section = receive_section(parameters("video"), (), ())
    assert {rid: published.spatial_of(rid) for rid in expected} == expected
