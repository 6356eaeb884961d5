"""Several sizes in one stream (SVC): what viewers of each size and rate get, checked by a decoder."""

import json
import random
import struct

import pytest
from descriptors import FULL, FULL_THREE, KEYED, KEYED_THREE, descriptor
from engine.test_router import World, header

from sfu.engine.peers.publication import Publication
from sfu.fanout.template import TemplateClass
from sfu.session.negotiation import NegotiatedCodec, SectionParameters
from sfu.session.sections import OutboundSection, receive_section
from sfu.values import Layer, Preferences, PublicationSpec
from sfu.wire import rtcp
from sfu.wire.descriptor import parse
from sfu.wire.operating_points import EVERY
from sfu.wire.rtp import URI_DEPENDENCY_DESCRIPTOR, URI_MID, build_extensions, header_length, parse_extensions

DESCRIBED = TemplateClass((("av1", 45),), ((URI_DEPENDENCY_DESCRIPTOR, 12),))
PLAIN = TemplateClass((("av1", 45),), ())
HALF_FPS = 10


class SvcWorld(World):
    """A publisher of AV1 with two sizes at two rates, or three at one, in one stream; 20 pictures a second."""

    def __init__(self, templates):
        super().__init__()
        self.templates = templates
        codec = NegotiatedCodec("av1", 45, 90_000, 1, "", (), 46)
        ids = {URI_MID: 4, URI_DEPENDENCY_DESCRIPTOR: 12}
        parameters = SectionParameters("0", "video", True, "recvonly", (codec,), ids, {}, (), ())
        self.sizes = 1 + templates[-1][0][0]
        layers = tuple(Layer("", 320 << i, 180 << i) for i in range(self.sizes))
        self.published = Publication(
            PublicationSpec("TR_1", "video", layers=layers, codec="av1"), self.publisher.link
        )
        self.publisher.negotiated.inbound["0"] = receive_section(parameters, (7,), ())
        self.publisher.published["TR_1"] = self.published
        self.publisher.bind("0", self.published)
        self.sequence = 65_000
        self.frame_number = 65_500
        self.phase = 0
        self.plis = 0

    def viewer(self, name="viewer", *, kind=DESCRIBED, **preferences):
        subscription, _ = self.subscribed(name, OutboundSection("1", kind, {"av1": 46}), **preferences)
        return subscription

    def picture(self):
        """Packets of the next picture: a keyframe at the beginning and where one was asked for."""
        plis = sum(isinstance(part, rtcp.PictureLossIndication) for part in self.feedback)
        key = self.phase == 0 or plis > self.plis
        self.plis = plis
        temporal = 0 if key or self.sizes == 3 else self.phase % 2
        self.phase = 1 if key else self.phase + 1
        packets = []
        for spatial in range(self.sizes):
            template = next(
                i
                for i, (layer, _, diffs) in enumerate(self.templates)
                if layer == (spatial, temporal) and (temporal or key == (diffs in ((), (1,))))
            )
            needs = [self.frame_number - diff for diff in self.templates[template][2]]
            for part in range(2):
                data = descriptor(
                    self.templates,
                    template,
                    self.frame_number,
                    starts=part == 0,
                    ends=part == 1,
                    key=key and spatial == 0 and part == 0,
                )
                extension = build_extensions([(4, b"0"), (12, data)])
                head = struct.pack(
                    "!BBHII",
                    0x90,
                    45 | (spatial == self.sizes - 1 and part == 1) << 7,
                    self.sequence & 0xFFFF,
                    int(self.now * 90_000) & 0xFFFFFFFF,
                    7,
                )
                body = {
                    "frame": self.frame_number,
                    "needs": needs,
                    "layer": (spatial, temporal),
                    "part": part,
                }
                packets.append(head + extension + b"\x10" + json.dumps(body).encode())
                self.sequence += 1
            self.frame_number += 1
        return packets

    def play(self, seconds):
        for _ in range(round(seconds * 20)):
            self.now += 0.05
            for packet in self.picture():
                self.feed(packet)
            self.core.deadlines.run_due(self.now)

    def video_request(self, subscription, spatial, fps=0):
        subscription.preferences = Preferences(max_spatial=spatial, fps=fps)
        self.core.delivery.select_layer(subscription, self.now)


def body_of(packet):
    return json.loads(packet[header_length(packet) + 1 :])


def check(packets):
    """As in a decoder: no gap, frames whole and after what they need, each picture ended by a marker."""
    numbers = [header(packet)[1] for packet in packets]
    assert numbers == [(numbers[0] + i) & 0xFFFF for i in range(len(numbers))]
    frames, pictures = {}, {}
    first = body_of(packets[0])["frame"]
    for packet in packets:
        body = body_of(packet)
        frames.setdefault(body["frame"], []).append(body["part"])
        if body["part"] == 0:
            assert all(frames.get(needed) == [0, 1] for needed in body["needs"] if needed >= first), body
        pictures.setdefault(header(packet)[2], []).append(packet)
    assert all(parts == [0, 1] for parts in frames.values())
    check_numbers(packets)
    for picture in pictures.values():
        assert [packet[1] >> 7 for packet in picture] == [0] * (len(picture) - 1) + [1]
    return frames


def check_numbers(packets):
    """Frame numbers keep their distances, from one keyframe to the next."""
    shift = None
    for packet in packets:
        elements = parse_extensions(packet, header_length(packet))
        if 12 in elements:
            body, at = body_of(packet), elements[12][0]
            found = (struct.unpack_from("!H", packet, at + 1)[0] - body["frame"]) & 0xFFFF
            assert shift in {None, found} or not body["needs"]
            shift = found


def shown(packets):
    return {tuple(body_of(packet)["layer"]) for packet in packets}


@pytest.fixture(params=[FULL, KEYED], ids=["full", "keyed"])
def world(request):
    return SvcWorld(request.param)


def begin(world, name="viewer", **preferences):
    world.play(0.1)
    viewer = world.viewer(name, **preferences)
    world.play(2)
    world.sent.clear()
    return viewer


POINTS = {(1, 0): (1, 1), (1, HALF_FPS): (1, 0), (0, 0): (0, 1), (0, HALF_FPS): (0, 0)}


@pytest.mark.parametrize(("video_request", "point"), POINTS.items())
def test_each_size_and_rate_can_be_had(world, video_request, point):
    viewer = begin(world)
    world.video_request(viewer, *video_request)
    world.play(1)
    world.sent.clear()
    world.play(2)
    assert viewer.point == point
    frames = check(world.received())
    spatial, temporal = point
    every = world.templates is FULL
    expected = {
        (s, t)
        for s in range(2)
        for t in range(2)
        if t <= temporal and (s == spatial or (every and s < spatial))
    }
    assert shown(world.received()) == expected
    assert len(frames) == len(expected) * 20


def test_down_at_once_where_the_lower_size_was_shown_all_along():
    world = SvcWorld(FULL)
    viewer = begin(world)
    before = world.plis
    world.video_request(viewer, 0)
    world.play(1)
    assert shown(world.received()) == {(0, 0), (0, 1)}
    assert world.plis == before


def test_down_by_a_keyframe_where_it_was_not():
    world = SvcWorld(KEYED)
    viewer = begin(world)
    before = world.plis
    world.video_request(viewer, 0)
    world.play(1)
    assert world.plis == before + 1
    assert viewer.point == (0, 1)


@pytest.mark.parametrize("seed", range(15))
def test_any_walk_between_sizes_and_rates_is_decodable(world, seed):
    rng = random.Random(seed)
    walker = begin(world, "walker")
    begin(world, "neighbour", max_spatial=0, fps=HALF_FPS)
    for _ in range(20):
        world.video_request(walker, *rng.choice(list(POINTS)))
        world.play(rng.choice([0.1, 0.3, 0.8]))
        if rng.random() < 0.1:
            walker.pause(world.now)
            world.published.layers[0].keyframe_sequence = -1  # nothing is shown twice
            world.play(0.3)
    for name in ("walker", "neighbour"):
        check(world.received(name))


def test_frames_say_which_targets_are_active(world):
    viewer = begin(world)
    structure = world.published.layers[0].structure
    active = {}
    for video_request, point in POINTS.items():
        world.video_request(viewer, *video_request)
        world.play(1)
        world.sent.clear()
        world.play(0.5)
        for packet in world.received():
            at, size = parse_extensions(packet, header_length(packet))[12]
            found = parse(packet[at : at + size], structure)
            assert found.frame_number == body_of(packet)["frame"] & 0xFFFF
            if found.starts_frame:
                active.setdefault(point, set()).add(found.structure.active)
    assert active == {(1, 1): {0b1111}, (1, 0): {0b0101}, (0, 1): {0b0011}, (0, 0): {0b0001}}


def test_what_is_asked_for_again_is_the_same(world):
    viewer = begin(world)
    world.video_request(viewer, 0)
    world.play(2)
    for packet in world.received()[-30:]:
        again = viewer.retransmission(header(packet)[1], world.now)
        at = header_length(again)
        assert again[12:at] == packet[12:at]
        assert again[at + 2 :] == packet[at:]


@pytest.mark.parametrize("templates", [FULL_THREE, KEYED_THREE], ids=["full", "keyed"])
def test_who_takes_no_descriptors_gets_every_size_of_av1_up_to_the_one_it_wants(templates):
    world = SvcWorld(templates)
    viewer = begin(world, kind=PLAIN)
    described = begin(world, "described", max_spatial=1)
    for spatial in (2, 1, 0, 1, 2):
        world.video_request(viewer, spatial)
        world.play(1)
        world.sent.clear()
        world.play(1)
        assert shown(world.received()) == {(size, 0) for size in range(spatial + 1)}
        assert viewer.point[0] == spatial
        check(world.received())
    # who takes descriptors is not sent what they say is of no use
    world.sent.clear()
    world.play(0.5)
    assert shown(world.received("described")) == {(1, 0)} | ({(0, 0)} if templates is FULL_THREE else set())
    assert described.point[0] == 1


def test_who_takes_no_descriptors_can_have_a_lower_rate_too(world):
    viewer = begin(world, kind=PLAIN)
    world.video_request(viewer, 1, HALF_FPS)
    world.play(1)
    world.sent.clear()
    world.play(1)
    assert shown(world.received()) == {(0, 0), (1, 0)}
    check(world.received())


def test_who_has_no_bandwidth_for_all_gets_the_smallest_size(world):
    viewer = begin(world, kind=PLAIN)
    viewer.subscriber.downstream.available_bps = 0.9 * world.published.bitrates_bps(world.now)[1, 0]
    world.play(1)
    world.sent.clear()
    world.play(1)
    assert shown(world.received()) <= {(0, 0), (0, 1)}


def test_each_point_is_measured(world):
    begin(world)
    world.play(2)
    bitrates = world.published.bitrates_bps(world.now)
    assert set(bitrates) == {(0, 0), (0, 1), (1, 0), (1, 1)}
    assert bitrates[0, 0] < bitrates[0, 1]
    assert bitrates[1, 0] < bitrates[1, 1]
    if world.templates is FULL:
        assert bitrates[0, 1] < bitrates[1, 1]


def test_a_lost_keyframe_stops_nobody(world):
    viewer = begin(world)
    world.phase = 0
    world.now += 0.05
    lost, *others = world.picture()
    world.published.layers[0].structure = None  # as if the stream had begun here
    for packet in others:
        world.feed(packet)
    assert world.published.layers[0].point_sets & {EVERY}
    world.feed(lost)
    world.play(1)
    assert viewer.point == (1, 1)
