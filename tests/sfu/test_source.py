from dataclasses import replace

import pytest
from router_world import VIEWER_KIND, World, parameters

from sfu.events import Layer, Publication
from sfu.fanout import Column, single_packet
from sfu.layers import LAYER_DEAD_S
from sfu.negotiation import NegotiatedCodec
from sfu.points import MAX_TEMPORAL
from sfu.rtp import URI_AUDIO_LEVEL
from sfu.source import MAX_REPLAY_OCTETS, MAX_REPLAY_PACKETS, Published, receive_section


def layer_of(world, spatial=0):
    return world.published.layers[spatial]


@pytest.fixture
def world():
    """A publisher whose lowest layer has shown a keyframe and a second of pictures."""
    made = World()
    made.video("q", key=True)
    made.tick(1, "q")
    return made


def test_what_was_agreed_on_can_be_looked_up_by_packet():
    codecs = (
        NegotiatedCodec("vp8", 96, 90_000, 1, "", (), 97),
        NegotiatedCodec("h264", 98, 90_000, 1, "", (), None),
    )
    section = receive_section(replace(parameters("video"), codecs=codecs), (1, 2, 3), ((1, 3),))
    assert section.codec_by_payload_type == {96: "vp8", 98: "h264"}
    assert section.media_by_rtx == {97: 96}
    assert section.forwarded == {1: URI_AUDIO_LEVEL}  # neither mid nor rid is a subscriber's business
    assert section.ssrcs == (1, 2)
    assert section.rtx_ssrcs == {3: 1}
    assert section.codec() == "vp8"
    assert receive_section(replace(parameters("video"), codecs=()), (), ()).codec() == ""


def test_a_picture_can_be_replayed_from_its_keyframe_on(world):
    layer = layer_of(world)
    assert layer.replayable(world.now, float("inf"))
    assert layer.replayable(world.now, 8 * layer.picture_octets)
    assert not layer.replayable(world.now, 8 * layer.picture_octets - 8)  # it would take longer than a second


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
    fresh = layer.parse(packet, "vp8", sequence, None)
    assert single_packet(VIEWER_KIND, column, layer.kept(sequence)) == single_packet(
        VIEWER_KIND, column, fresh
    )
    assert layer.kept(sequence).frame == fresh.frame
    assert layer.kept(sequence + 1) is None


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


def test_all_who_see_the_whole_stream_share_a_view(world):
    layer = layer_of(world)
    whole = (0, MAX_TEMPORAL)
    assert layer.key(whole) is None
    assert layer.key((0, 0)) == (0, 0)
    layer.seen_at[1] = world.now
    assert layer.key(whole) == whole  # the smaller of two sizes is not the whole
    assert layer.view(whole) is layer.view(whole)


def test_a_simulcast_layers_bitrate_is_told_by_its_place_in_the_publication(world):
    world.video("f", key=True, payload=bytes(10_000))
    world.tick(3, "q", "f")
    bitrates = world.published.bitrates_bps(world.now)
    assert {spatial for spatial, _ in bitrates} == {0, 2}
    assert bitrates[2, 0] > bitrates[0, 0] > 0


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ((Layer("low", 320, 180), Layer("high", 640, 360)), {"low": 0, "high": 1, "q": 0, "x": None}),
        ((), {"q": 0, "h": 1, "f": 2, "x": None}),
    ],
    ids=["named", "not named"],
)
def test_a_rid_names_a_layer(layers, expected):
    published = Published(Publication("TR_1", "video", layers=layers), World().publisher)
    assert published.spatial_of("q") is None  # before the offer
    published.section = receive_section(parameters("video"), (), ())
    assert {rid: published.spatial_of(rid) for rid in expected} == expected
