import pytest
from router_world import VIEWER_KIND, World

from sfu.fanout.table import Column, single_packet
from sfu.receiving.inbound_stream import MAX_REPLAY_OCTETS, MAX_REPLAY_PACKETS
from sfu.wire import rtp
from sfu.wire.operating_points import MAX_TEMPORAL


def layer_of(world, spatial=0):
    return world.published.layers[spatial]


@pytest.fixture
def world():
    """A publisher whose lowest layer has shown a keyframe and a second of pictures."""
    made = World()
    made.video("q", key=True)
    made.tick(1, "q")
    return made


def test_a_picture_can_be_replayed_from_its_keyframe_on(world):
    layer = layer_of(world)
    assert layer.replayable(world.now, float("inf"))
    assert layer.replayable(world.now, 8 * layer.retained_octets)
    assert not layer.replayable(
        world.now, 8 * layer.retained_octets - 8
    )  # it would take longer than a second


def test_nothing_is_replayed_before_a_keyframe():
    world = World()
    world.tick(1, "q")
    assert not layer_of(world).replayable(world.now, float("inf"))


def test_a_stream_that_has_stopped_is_not_replayed(world):
    assert not layer_of(world).replayable(world.now + 60, float("inf"))


def test_a_picture_with_a_hole_is_not_replayed(world):
    missing = layer_of(world).highest + 1
    world.numbers["q"] = (world.numbers["q"][0] + 1, world.numbers["q"][1])
    packet = world.video("q")
    layer = layer_of(world)
    assert layer.highest == missing + 1
    assert not layer.replayable(world.now, float("inf"))
    late = packet[:2] + ((int.from_bytes(packet[2:4], "big") - 1) & 0xFFFF).to_bytes(2, "big") + packet[4:]
    world.feed(late)
    assert layer.replayable(world.now, float("inf"))


@pytest.mark.parametrize(
    ("packets", "payload"),
    [(MAX_REPLAY_PACKETS, b"x"), (MAX_REPLAY_OCTETS // 1000, bytes(1000))],
    ids=["packets", "octets"],
)
def test_a_long_picture_is_not_replayed(packets, payload):
    world = World()
    world.video("q", key=True)
    for _ in range(packets // 2):
        world.video("q", payload=payload)
    assert layer_of(world).replayable(world.now, float("inf"))
    for _ in range(packets // 2):
        world.video("q", payload=payload)
    assert not layer_of(world).replayable(world.now, float("inf"))


def test_what_is_kept_is_read_as_it_was(world):
    sequence = layer_of(world).highest + 1
    packet = world.video("q")
    layer = layer_of(world)
    column = Column(1, 0, 0, 0, 0, 0, 0, 0)
    fresh = layer.parse(packet, rtp.parse_header(packet), "vp8", sequence, None)
    assert single_packet(VIEWER_KIND, column, layer.stored(sequence)) == single_packet(
        VIEWER_KIND, column, fresh
    )
    assert layer.stored(sequence).frame == fresh.frame
    assert layer.stored(sequence + 1) is None


def test_the_lowest_temporal_layer_with_enough_pictures_will_do(world):
    layer = layer_of(world)
    layer.max_temporal = 1
    rates = {0: 10.0, 1: 20.0}
    layer.rates = type("Rates", (), {"frame_rate": staticmethod(rates.get)})
    assert [layer.temporal_for(rate) for rate in (0, 5, 11, 12, 30)] == [
        MAX_TEMPORAL,
        0,
        0,
        MAX_TEMPORAL,
        MAX_TEMPORAL,
    ]


def test_a_simulcast_layers_bitrate_is_told_by_its_place_in_the_publication(world):
    world.video("f", key=True, payload=bytes(10_000))
    world.tick(3, "q", "f")
    bitrates = world.published.bitrates_bps(world.now)
    assert {spatial for spatial, _ in bitrates} == {0, 2}
    assert bitrates[2, 0] > bitrates[0, 0] > 0
