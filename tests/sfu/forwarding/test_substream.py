"""Temporal layers: viewers of one stream at different rates, checked by a decoder that knows what a picture needs."""

import itertools
import json
import random
import struct
from dataclasses import replace

import pytest
from engine.test_router import World, header

from sfu.values import Preferences
from sfu.wire import rtcp
from sfu.wire.operating_points import with_temporal
from sfu.wire.rtp import build_extensions, header_length

# Temporal layer, layer sync (Y), and what each picture is predicted from: the last pictures of these layers. The second
# half needs pictures of its own layer, so that nobody can begin there.
PATTERN = (
    (0, False, (0,)),
    (2, True, (0,)),
    (1, True, (0,)),
    (2, False, (0, 1)),
    (0, False, (0,)),
    (2, False, (0, 2)),
    (1, False, (0, 1)),
    (2, False, (0, 1, 2)),
)
ALL_FPS, HALF_FPS, QUARTER_FPS = 0, 10, 5


class LayeredWorld(World):
    """A publisher of VP8 with three temporal layers on each encoding: 20 pictures a second, in two packets each."""

    def __init__(self):
        super().__init__()
        self.phase = itertools.count()
        self.pictures = itertools.count(1)
        self.last = {}
        self.lost = set()
        self.tl0picidx = 0

    def picture(self, rid="q", *, key=False):
        """The next picture of the pattern, or a keyframe, which begins the pattern anew."""
        if key:
            self.phase = itertools.count(1)
            temporal, sync, needs = 0, False, ()
        else:
            temporal, sync, needs = PATTERN[next(self.phase) % len(PATTERN)]
        picture = next(self.pictures)
        needed = [] if key else [self.last[rid, layer] for layer in needs if (rid, layer) in self.last]
        self.tl0picidx += temporal == 0
        if key:
            self.last = {name: value for name, value in self.last.items() if name[0] != rid}
        self.last[rid, temporal] = picture
        ssrc = 1000 + "qhf".index(rid)
        extension = build_extensions([(4, b"0"), (10, rid.encode())])
        packets = []
        for part in range(2):
            number, _ = self.numbers.get(rid, (100 * ssrc, 0))
            self.numbers[rid] = (number + 1, 0)
            descriptor = struct.pack(
                "!BBHBB",
                0x90 if part == 0 else 0x80,
                0xE0,
                0x8000 | picture & 0x7FFF,
                self.tl0picidx & 0xFF,
                temporal << 6 | sync << 5,
            )
            head = struct.pack(
                "!BBHII",
                0x90,
                96 | part << 7,
                number & 0xFFFF,
                int(self.now * 90_000) & 0xFFFFFFFF,
                ssrc,
            )
            body = json.dumps({"picture": picture, "needs": needed, "part": part}).encode()
            packets.append(head + extension + descriptor + (b"\x10" if key else b"\x11") + body)
        return packets

    def play(self, seconds, rid="q", loss=0.0, rng=None):
        """Let time pass with a picture every 50 ms; lost packets come 100 ms late."""
        delayed = []
        for i in range(round(seconds * 20)):
            self.now += 0.05
            for due, packet in list(delayed):
                if i >= due:
                    self.feed(packet)
                    delayed.remove((due, packet))
            for packet in self.picture(rid):
                if rng is not None and rng.random() < loss:
                    delayed.append((i + 2, packet))
                else:
                    self.feed(packet)
            self.core.deadlines.run_due(self.now)
        for _, packet in delayed:
            self.feed(packet)

    def fps(self, subscription, fps):
        subscription.preferences = Preferences(fps=fps, max_spatial=0)
        self.core.delivery.select_layer(subscription, self.now)


class Decoder:
    """Reads what a viewer got, and fails where a real one would show a broken picture or ask for a packet."""

    def __init__(self, packets):
        self.by_sequence = {}
        self.pictures = {}
        self.padding = 0
        for packet in packets:
            _, sequence, timestamp, _ = header(packet)
            start = header_length(packet)
            assert self.by_sequence.get(sequence, packet) == packet, "one number, two packets"
            self.by_sequence[sequence] = packet
            if packet[0] & 0x20:
                assert packet[start:] == b"\1"
                self.padding += 1
                continue
            picture_id, tl0picidx, layer = struct.unpack_from("!HBB", packet, start + 2)
            body = json.loads(packet[start + 7 :])
            found = self.pictures.setdefault(
                body["picture"], (picture_id & 0x7FFF, timestamp, [], body["needs"], tl0picidx, layer >> 6)
            )
            found[2].append(body["part"])

    def check(self):
        """No gap in the numbers; whole pictures with growing ids and times, none before what it needs."""
        numbers = sorted(self.by_sequence)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        before = None
        for picture, (picture_id, timestamp, parts, needs, _, _) in sorted(self.pictures.items()):
            assert sorted(parts) == [0, 1], f"picture {picture} is not whole"
            for needed in needs:
                assert needed in self.pictures, f"picture {picture} needs {needed}"
            if before is not None:
                assert (timestamp - before[1]) % 2**32 < 2**31
                assert picture_id == (before[0] + 1) & 0x7FFF
            before = picture_id, timestamp

    def rate(self, newest):
        """How many of the newest pictures arrived."""
        return sum(picture > newest for picture in self.pictures)


@pytest.fixture
def world():
    world = LayeredWorld()
    for packet in world.picture("q", key=True):
        world.feed(packet)
    return world


def begin(world, name="viewer", **preferences):
    viewer, _ = world.viewer(name, max_spatial=0, **preferences)
    for packet in world.picture("q", key=True):
        world.feed(packet)
    return viewer


@pytest.mark.parametrize(("fps", "pictures"), [(ALL_FPS, 80), (HALF_FPS, 40), (QUARTER_FPS, 20)])
def test_a_wish_for_fewer_frames_is_met_by_temporal_layers(world, fps, pictures):
    viewer = begin(world)
    world.play(2)
    world.fps(viewer, fps)
    world.play(0.4)
    newest = max(world.last.values())
    world.play(4)
    decoder = Decoder(world.received())
    decoder.check()
    assert decoder.rate(newest) == pytest.approx(pictures, abs=2)


def test_down_at_the_next_picture_up_at_switch_points(world):
    viewer = begin(world)
    world.play(2)
    while next(world.phase) % len(PATTERN) != len(PATTERN) - 1:
        pass
    assert viewer.point == (0, 2)
    world.fps(viewer, QUARTER_FPS)
    world.now += 0.05
    for packet in world.picture():
        world.feed(packet)
    assert viewer.point == (0, 0)
    steps = []
    world.fps(viewer, ALL_FPS)
    for _ in range(12):
        world.now += 0.05
        for packet in world.picture():
            world.feed(packet)
        steps.append(viewer.point[1])
    # in the first half of the pattern there is a place for the middle layer, and only in the next for the upper one
    assert steps == [0, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2]


def test_viewers_at_different_rates_stand_in_views_of_their_own(world):
    viewers = {}
    for fps in (ALL_FPS, HALF_FPS, QUARTER_FPS, QUARTER_FPS):
        name = f"viewer{len(viewers)}"
        viewers[name] = begin(world, name, fps=fps), fps
    world.play(3)
    assert len(world.published.fans[0].substreams) == 3
    for name, (viewer, fps) in viewers.items():
        decoder = Decoder(world.received(name))
        decoder.check()
        expected = {ALL_FPS: 2, HALF_FPS: 1, QUARTER_FPS: 0}[fps]
        assert viewer.point == (0, expected)
    for viewer, _ in viewers.values():
        viewer.pause(world.now)
    assert world.published.fans[0].substreams == {}


def test_a_viewer_of_everything_costs_one_substream(world):
    begin(world)
    world.play(2)
    (substream,) = world.published.fans[0].substreams.values()
    assert substream.point is None


@pytest.mark.parametrize("seed", range(20))
def test_any_walk_between_rates_is_decodable(seed):
    rng = random.Random(seed)
    world = LayeredWorld()
    begin(world)
    viewer = begin(world)
    world.sent.clear()
    viewer = begin(world, "walker")
    begin(world, "neighbour", fps=HALF_FPS)
    for _ in range(25):
        world.play(rng.choice([0.1, 0.3, 0.7]))
        world.fps(viewer, rng.choice([ALL_FPS, HALF_FPS, QUARTER_FPS]))
        if rng.random() < 0.1:
            viewer.pause(world.now)
            viewer.published.layers[0].keyframe_sequence = -1  # nothing is shown twice
            world.play(0.2)
            for packet in world.picture("q", key=True):
                world.feed(packet)
    for name in ("walker", "neighbour"):
        Decoder(world.received(name)).check()


def test_a_late_packet_of_a_layer_left_out_fills_its_number(world):
    viewer = begin(world)
    world.play(2)
    world.fps(viewer, QUARTER_FPS)
    world.play(3, loss=0.1, rng=random.Random(1))
    decoder = Decoder(world.received())
    assert decoder.padding > 0
    numbers = sorted(decoder.by_sequence)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.parametrize("fps", [ALL_FPS, HALF_FPS, QUARTER_FPS])
def test_what_is_asked_for_again_is_what_went_out(world, fps):
    viewer = begin(world, fps=fps)
    world.play(2)
    world.sent.clear()
    world.play(2)
    out = world.received()
    for packet in out[-40:]:
        _, sequence, _, _ = header(packet)
        again = viewer.retransmission(sequence, world.now)
        at = header_length(again)
        assert again[at : at + 2] == packet[2:4]
        assert again[at + 2 :] == packet[header_length(packet) :]


def test_a_number_filled_is_filled_again(world):
    viewer = begin(world)
    world.play(2)
    world.fps(viewer, QUARTER_FPS)
    world.play(2, loss=0.2, rng=random.Random(2))
    filled = [packet for packet in world.received() if packet[0] & 0x20]
    again = viewer.retransmission(header(filled[-1])[1], world.now)
    assert again[0] & 0x20
    assert header(again)[0] == 97


def test_sender_reports_count_what_went_out(world):
    viewer, heard = world.viewer(max_spatial=0, fps=QUARTER_FPS)
    for packet in world.picture("q", key=True):
        world.feed(packet)
    world.play(4)
    report = rtcp.sender_report(1000, 1 << 32, 0, 0, 0)
    world.core.reports.on_rtcp(world.publisher, report, world.now, 1 << 32)
    sent = [part for part in heard if isinstance(part, rtcp.SenderReport)][-1]
    assert sent.packet_count == len(world.received()) == viewer.counts[0]


@pytest.mark.parametrize("temporal", [0, 1, 2])
def test_bandwidth_for_fewer_frames_leaves_temporal_layers_out(world, temporal):
    viewer = begin(world)
    world.play(6)
    viewer.subscriber.downstream.available_bps = 1.05 * world.published.bitrates_bps(world.now)[0, temporal]
    world.play(2)
    assert viewer.point == (0, temporal)
    Decoder(world.received()).check()


def test_a_shared_screen_gives_up_frames_before_size():
    world = LayeredWorld()
    world.published.spec = replace(world.published.spec, screen_share=True)
    for rid in "qh":
        for packet in world.picture(rid, key=True):
            world.feed(packet)
    viewer, _ = world.viewer()

    def play(seconds):
        for _ in range(round(seconds * 20)):
            world.now += 0.05
            plis = [part for part in world.feedback if isinstance(part, rtcp.PictureLossIndication)]
            world.feedback.clear()
            phase = next(world.phase)
            for rid in "qh":
                world.phase = itertools.count(phase)
                key = any(part.media_ssrc == 1000 + "qhf".index(rid) for part in plis)
                for packet in world.picture(rid, key=key):
                    world.feed(packet)
            world.core.deadlines.run_due(world.now)

    play(6)
    bitrates = world.published.bitrates_bps(world.now)
    shown = []
    for point in sorted(bitrates, reverse=True):
        bitrates = world.published.bitrates_bps(world.now)
        viewer.subscriber.downstream.available_bps = 1.1 * bitrates[point] if point[0] else 0.0
        play(2)
        if not shown or shown[-1] != viewer.point:
            shown.append(viewer.point)
    # both sizes cost the same here, so that there is nothing between the larger one's base rate and a pause
    assert shown == [(1, 2), (1, 1), (1, 0), None]


def test_a_packet_older_than_the_known_numbers_is_not_forwarded(world):
    viewer = begin(world)
    world.play(2)
    oldest = world.picture()[0]
    world.fps(viewer, QUARTER_FPS)
    world.play(60)
    world.sent.clear()
    world.feed(oldest)
    assert world.received() == []


def test_a_number_that_a_late_packet_had_is_not_used_again():
    """The number after the newest packet's was given to one that came late: nothing else may be encrypted under it."""
    world = LayeredWorld()
    for packet in world.picture(key=True):
        world.feed(packet)
    fan = world.published.fans[0]
    substream = fan.substream((0, 0))
    stream = fan.stream
    sent = []
    substream.table.forward = lambda _rows, packet, *, late: sent.append(packet.sequence) or 1
    newest = stream.stored(stream.highest)

    def placed(ahead, temporal):
        frame = newest.frame._replace(layer=(0, temporal), points=with_temporal(temporal), keyframe=False)
        return replace(newest, sequence=newest.sequence + ahead, frame=frame)

    substream.forward(
        world.outbox, placed(2, 1), late=False
    )  # left out, as the one before it would have been
    substream.forward(world.outbox, placed(1, 1), late=True)
    assert sent == [newest.sequence + 1]
    assert substream.newest.sequence == sent[0]
