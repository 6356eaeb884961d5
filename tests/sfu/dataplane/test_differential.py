"""The native data plane beside the portable path: the same packets in, the same packets, reports and events out.

Both worlds have the same publisher and viewers, get the same packets at the same times, and run their deadlines at the
same times; the traces are random, by seed: losses, reordering, repetitions, retransmissions, padding, garbage, mutes,
viewers that come, go, and change what they want. Viewers of screens report what arrived at once, late or not at all.
"""

import os
import random
import struct
from dataclasses import replace

import pytest
from descriptors import FULL, FULL_THREE, KEYED, RATES, descriptor
from plane_world import PlaneWorld
from router_world import World

from sfu.bandwidth.estimator import Estimator
from sfu.engine.peers.publication import Publication
from sfu.fanout.pacer import Pacer
from sfu.fanout.template import TemplateClass
from sfu.receiving.feedback import TransportFeedback
from sfu.session.negotiation import NegotiatedCodec, SectionParameters
from sfu.session.sections import OutboundSection, receive_section
from sfu.values import Layer, Preferences, PublicationSpec
from sfu.wire import rtcp, rtp
from sfu.wire.rtp import build_extensions

# Traces of each kind.
TRACES = int(os.environ.get("LECTERN_TRACES", "4"))

IDS = {
    rtp.URI_AUDIO_LEVEL: 1,
    rtp.URI_TRANSPORT_CC: 3,
    rtp.URI_MID: 4,
    rtp.URI_RID: 10,
    rtp.URI_REPAIRED_RID: 11,
    rtp.URI_VIDEO_ORIENTATION: 5,
}
DESCRIBED = IDS | {rtp.URI_DEPENDENCY_DESCRIPTOR: 12}
KINDS = (
    TemplateClass((("av1", 104), ("opus", 111), ("vp8", 96)), ()),
    TemplateClass(
        (("av1", 104), ("h264", 102), ("opus", 109), ("red", 63), ("vp8", 100), ("vp9", 98)),
        (
            (rtp.URI_AUDIO_LEVEL, 20),
            (rtp.URI_DEPENDENCY_DESCRIPTOR, 9),
            (rtp.URI_TRANSPORT_CC, 2),
            (rtp.URI_VIDEO_ORIENTATION, 7),
        ),
    ),
    TemplateClass(
        (("av1", 104), ("opus", 111), ("red", 63), ("vp8", 96)),
        ((rtp.URI_DEPENDENCY_DESCRIPTOR, 12), (rtp.URI_TRANSPORT_CC, 3)),
    ),
)
LAYERS = (Layer("q", 320, 180), Layer("h", 640, 360), Layer("f", 1280, 720))
CODECS = {
    "vp8": NegotiatedCodec("vp8", 96, 90_000, 1, "", (), 97),
    "h264": NegotiatedCodec("h264", 102, 90_000, 1, "", (), 103),
    "vp9": NegotiatedCodec("vp9", 98, 90_000, 1, "", (), 99),
    "av1": NegotiatedCodec("av1", 104, 90_000, 1, "", (), 105),
    "opus": NegotiatedCodec("opus", 111, 48_000, 2, "", (), None),
    "red": NegotiatedCodec("red", 63, 48_000, 2, "", (), None),
}


def section(mid, kind, codecs, *, described):
    rids = ("q", "h", "f") if kind == "video" and "av1" not in codecs else ()
    agreed = tuple(CODECS[name] for name in codecs)
    ids = DESCRIBED if described and kind == "video" else IDS
    return SectionParameters(mid, kind, True, "recvonly", agreed, ids, {}, rids, rids)


def setup(world, codec, spec_red, *, described, screen):
    """Publish a camera or a screen in three sizes, for AV1 in one stream, and a microphone."""
    peer = world.publisher
    del peer.published["TR_1"], peer.negotiated.inbound["0"]
    world.publications = {}
    for mid, kind, codecs in (("0", "video", (codec,)), ("1", "audio", ("opus", "red"))):
        layers = (
            ()
            if kind == "audio"
            else tuple(replace(layer, rid="") for layer in LAYERS)
            if codec == "av1"
            else LAYERS
        )
        spec = PublicationSpec(
            f"TR_{kind}",
            kind,
            layers=layers,
            red=spec_red,
            screen_share=screen and kind == "video",
            codec="av1" if codec == "av1" and kind == "video" else "",
        )
        published = world.publications[kind] = Publication(spec, peer.link)
        peer.negotiated.inbound[mid] = receive_section(
            section(mid, kind, codecs, described=described),
            (1003,) if codec == "av1" and kind == "video" else (),
            (),
        )
        peer.published[spec.id] = published
        peer.bind(mid, published)
    return world


class Trace:
    """What happens, by seed, as calls that are made to each world."""

    def __init__(self, seed, codec, *, described, screen):
        self.chance = random.Random(seed)
        self.codec = codec
        self.screen = screen
        self.templates = None
        if described:
            self.templates = self.chance.choice([FULL, KEYED, FULL_THREE]) if codec == "av1" else RATES
        self.rids = ["svc"] if codec == "av1" else ["q", "h", "f"]
        self.streams = {}
        for i, rid in enumerate((*self.rids, "audio")):
            # close to the wrap of sequence numbers
            self.streams[rid] = {
                "ssrc": {"svc": 1003, "audio": 1004}.get(rid, 1000 + i),
                "sequence": self.chance.choice([100, 65_500, 65_530]),
                "timestamp": self.chance.getrandbits(32),
                "picture": self.chance.getrandbits(15),
                "tl0": 0,
                "frame": 0,
            }
        self.transport = self.chance.choice([5, 65_520])
        self.kept = []
        self.viewers = 0

    def steps(self, count):
        for _ in range(count):
            yield from self.step()

    def step(self):
        chance = self.chance
        if self.screen and self.viewers and chance.random() < 0.15:
            yield "report", chance.randint(1, self.viewers), chance.random() < 0.2
        if self.screen and self.viewers and chance.random() < 0.01:
            yield "pace", chance.randint(1, self.viewers)
        roll = chance.random()
        if roll < 0.02 and self.viewers < 8:
            self.viewers += 1
            yield "join", self.viewers, chance.randrange(len(KINDS)), self.temporal()
        elif roll < 0.03 and self.viewers:
            yield "prefer", chance.randint(1, self.viewers), chance.randrange(3), self.temporal()
        elif roll < 0.035 and self.viewers:
            yield "enable", chance.randint(1, self.viewers), chance.random() < 0.5
        elif roll < 0.04:
            yield "mute", chance.choice(["video", "audio"]), chance.random() < 0.3
        elif roll < 0.06 and self.viewers:
            yield "nack", chance.randint(1, self.viewers), [chance.randrange(1, 40) for _ in range(3)]
        elif roll < 0.08:
            yield "garbage", chance.randbytes(chance.choice([12, 20, 60]))
        elif roll < 0.2:
            yield "time", chance.choice([0.001, 0.021, 0.05])
        else:
            rid = chance.choice([*self.rids, "audio", "audio"])
            for packet in self.audio() if rid == "audio" else self.picture(rid):
                yield from self.on_way(rid, packet)

    def temporal(self):
        """The highest temporal layer that a viewer wants; of a screen, most want the whole stream."""
        return self.chance.choice([1, 3, 3, 3] if self.screen else [0, 1, 2, 3])

    def on_way(self, rid, packet):
        """Lose, hold back, or send again as a retransmission."""
        chance = self.chance
        roll = chance.random()
        if roll < 0.06:
            self.kept.append((rid, packet))
            return
        yield "packet", packet  # once: SRTP drops what a network repeats
        if self.kept and chance.random() < 0.3:
            late_rid, late = self.kept.pop(chance.randrange(len(self.kept)))
            yield (
                "packet",
                self.again(late_rid, late) if late_rid != "audio" and chance.random() < 0.5 else late,
            )

    def extensions(self, rid, *, repaired=False, described=b""):
        self.transport = self.transport + 1 & 0xFFFF
        values = [(3, struct.pack("!H", self.transport))]
        if rid == "audio":
            values += [(4, b"1"), (1, bytes([self.chance.randrange(256)]))]
        else:
            values.append((4, b"0"))
            if rid != "svc":
                values.append((11 if repaired else 10, rid.encode()))
            if self.chance.random() < 0.3:
                values.append((5, bytes([self.chance.randrange(4)])))
        if described:
            values.append((12, described))
        if self.chance.random() < 0.1:
            values.append((200, b"unknown"))  # the two-byte format
        return build_extensions(values)

    def packet(self, rid, payload_type, payload, *, marker=False, padding=0, described=b""):
        stream = self.streams[rid]
        first = 0x90 | (0x20 if padding else 0)
        head = struct.pack(
            "!BBHII",
            first,
            (0x80 if marker else 0) | payload_type,
            stream["sequence"],
            stream["timestamp"],
            stream["ssrc"],
        )
        stream["sequence"] = stream["sequence"] + 1 & 0xFFFF
        tail = bytes(padding - 1) + bytes([padding]) if padding else b""
        return head + self.extensions(rid, described=described) + payload + tail

    def again(self, rid, packet):
        """As a retransmission (RFC 4588), on an SSRC of its own."""
        length = rtp.header_length(packet)
        stream = self.streams[rid]
        stream["again"] = stream.get("again", 7) + 1
        rtx = {96: 97, 102: 103, 98: 99, 104: 105}[packet[1] & 0x7F]
        head = struct.pack(
            "!BBHII",
            0x90,
            packet[1] & 0x80 | rtx,
            stream["again"],
            *struct.unpack_from("!I", packet, 4),
            stream["ssrc"] + 500,
        )
        end = rtp.payload_end(packet, length)
        at, size = rtp.parse_header(packet)[1].get(12, (0, 0)) if self.templates else (0, 0)
        extensions = self.extensions(rid, repaired=True, described=packet[at : at + size])
        return head + extensions + packet[2:4] + packet[length:end]

    def audio(self):
        stream, chance = self.streams["audio"], self.chance
        stream["timestamp"] = stream["timestamp"] + 960 & 0xFFFFFFFF
        payload = chance.randbytes(chance.choice([3, 80, 120]))
        if chance.random() < 0.3:
            payload = struct.pack("!BHB", 0x80 | 111, 960 << 2, 20) + bytes([111]) + bytes(20) + payload
            return [self.packet("audio", 63, payload)]
        return [self.packet("audio", 111, payload, padding=chance.choice([0, 0, 0, 4]))]

    def picture(self, rid):
        stream, chance = self.streams[rid], self.chance
        stream["timestamp"] = stream["timestamp"] + 3000 & 0xFFFFFFFF
        stream["picture"] = stream["picture"] + 1 & 0x7FFF
        key = stream["frame"] == 0 or chance.random() < 0.08
        temporal = 0 if key else (0, 2, 1, 2)[stream["frame"] % 4]
        stream["frame"] += 1
        if temporal == 0:
            stream["tl0"] = stream["tl0"] + 1 & 0xFF
        if chance.random() < 0.03:
            return [self.packet(rid, self.payload_type, b"", padding=200)]
        if self.templates:
            return self.described_picture(rid, stream, key)
        count = chance.choice([1, 1, 2, 5, 25] if self.screen else [1, 1, 2, 5])
        return [
            self.packet(
                rid,
                self.payload_type,
                self.payload(stream, temporal, key, i == 0, i == count - 1),
                marker=i == count - 1,
            )
            for i in range(count)
        ]

    def described_picture(self, rid, stream, key):
        """All sizes of a picture, with dependency descriptors, of which some differ from their templates."""
        chance, templates = self.chance, self.templates
        targets = len(templates[0][1])
        temporals = {layer[1] for layer, _, _ in templates}
        temporal = 0 if key else stream["frame"] % len(temporals)
        packets = []
        for spatial in range(1 + templates[-1][0][0]):
            fitting = [i for i, (layer, _, _) in enumerate(templates) if layer == (spatial, temporal)]
            number = fitting[0] if key else fitting[-1]
            parts = chance.choice([1, 2, 3])
            stream["described"] = stream.get("described", 65_500) + 1
            varied = {
                "active": chance.getrandbits(targets) if chance.random() < 0.1 else None,
                "indications": [chance.choice("-DSR") for _ in range(targets)]
                if chance.random() < 0.1
                else None,
                "diffs": [chance.randint(1, 16)] if chance.random() < 0.1 else None,
            }
            for part in range(parts):
                starts, ends = part == 0, part == parts - 1
                data = descriptor(
                    templates,
                    number,
                    stream["described"],
                    starts=starts,
                    ends=ends,
                    key=key and starts and not spatial,
                    **varied,
                )
                if chance.random() < 0.05:  # garbage, cut off, or none
                    data = bytearray(data[: chance.randrange(len(data) + 1)])
                    if data and chance.random() < 0.7:
                        data[chance.randrange(len(data))] = chance.randrange(256)
                last = ends and spatial == templates[-1][0][0]
                body = self.payload(stream, temporal, key, starts, last)
                packets.append(self.packet(rid, self.payload_type, body, marker=last, described=bytes(data)))
        return packets

    @property
    def payload_type(self):
        return CODECS[self.codec].payload_type

    def payload(self, stream, temporal, key, first, last):
        body = self.chance.randbytes(self.chance.choice([10, 300]))
        if self.codec == "vp8":
            sync = 0x20 if temporal else 0
            descriptor = struct.pack(
                "!BBHBB",
                0x90 if first else 0x80,
                0xE0,
                0x8000 | stream["picture"],
                stream["tl0"],
                temporal << 6 | sync,
            )
            return descriptor + (b"\x10" if key else b"\x11") + body
        if self.codec == "vp9":
            flags = 0x80 | (0 if key else 0x40) | 0x20 | (8 if first else 0) | (4 if last else 0)
            return (
                struct.pack("!BHBB", flags, 0x8000 | stream["picture"], temporal << 5 | 0x10, stream["tl0"])
                + body
            )
        return (b"\x67" if key and first else b"\x41") + body


class Run:
    """One world that a trace is played to."""

    def __init__(self, world):
        self.world = world
        self.subscriptions = {}
        self.times = []
        "When each packet of `world.sent` was sent."
        self.reports = {}
        "By viewer: of what was sent to it, how much it has been told of, and its feedback."

    def play(self, step):
        world, (what, *arguments) = self.world, step
        if what == "packet":
            world.feed(arguments[0])
        elif what == "garbage":
            packet = bytearray(arguments[0])
            packet[0] = packet[0] & 0x3F | 0x80
            packet[1] = packet[1] & 0x3F  # no RTCP
            world.feed(bytes(packet))
        elif what == "time":
            world.now += arguments[0]
            world.run_due()
        elif what == "mute":
            kind, muted = arguments
            world.publications[kind].set_muted(muted)
            self.choose(subscription for key, subscription in self.subscriptions.items() if key[1] == kind)
        elif what == "join":
            self.join(*arguments)
        elif what == "prefer":
            number, spatial, temporal = arguments
            subscription = self.subscriptions[number, "video"]
            subscription.preferences = Preferences(max_spatial=spatial)
            subscription.allowed_point = spatial, temporal
            self.choose([subscription])
        elif what == "enable":
            number, enabled = arguments
            subscription = self.subscriptions[number, "audio"]
            subscription.preferences = Preferences(enabled=enabled)
            self.choose([subscription])
        elif what == "nack":
            self.nack(*arguments)
        elif what == "report":
            self.report(*arguments)
        elif what == "pace":
            self.pace(*arguments)
        world.outbox.flush()
        world.drain()
        self.times += [world.now] * (len(world.sent) - len(self.times))

    def pace(self, number):
        """Let the video of a viewer wait in a pacer, or no longer."""
        world = self.world
        peer = world.core.peers[f"viewer {number}"]
        before = peer.link.downstream.pacer
        peer.link.downstream.pacer = Pacer(world.now) if before is None else None
        for packet in before.empty() if before is not None else ():
            world.outbox.add_packet(packet, peer.link.transport, numbered=True)
        for subscription in peer.subscriptions.values():
            subscription.enter_again()

    def report(self, number, lossy):
        """Viewers 1, 4, 7 report what arrives at once; 2, 5, 8 late, as over a queue; the others nothing."""
        world, name = self.world, f"viewer {number}"
        if not number % 3:
            return
        delay_s = 0.005 if number % 3 == 1 else 0.005 + 0.1 * (len(world.sent) // 100 % 2)
        at, feedback = self.reports.setdefault(name, [0, TransportFeedback(1)])
        for i in range(at, len(self.times)):
            arrived_at, packet = self.times[i] + delay_s, world.sent[i][1]
            if world.sent[i][0] == name and arrived_at <= world.now + 0.02:
                place = transport_number(packet)
                if place is not None and not (lossy and packet[3] % 4 == 0):
                    feedback.received(place, arrived_at)
            elif world.sent[i][0] == name:
                break
            self.reports[name][0] = i + 1
        for packet in feedback.build(world.now):
            world.feed_rtcp(name, packet)

    def choose(self, subscriptions):
        for subscription in subscriptions:
            self.world.core.delivery.select_layer(subscription, self.world.now)

    def join(self, number, kind, temporal):
        world = self.world
        peer, _ = world.peer(f"viewer {number}")
        for i, (media, rtx) in enumerate(
            (("video", {"vp8": 97, "h264": 103, "vp9": 99, "av1": 105}), ("audio", {}))
        ):
            seed = (10_000 * number + i, 10_000 * number + 100 + i, 500 + number)
            subscription = peer.subscribe(world.publications[media], "stream", seed)
            subscription.section = OutboundSection(str(i), KINDS[kind], rtx)
            if media == "video":
                subscription.preferences = Preferences(max_spatial=number % 3)
                subscription.allowed_point = 2, temporal
            peer.by_ssrc[subscription.ssrc] = subscription
            self.subscriptions[number, media] = subscription
            self.choose([subscription])

    def nack(self, number, behind):
        """Ask for packets that were sent lately."""
        world = self.world
        name = f"viewer {number}"
        sent = [
            packet for packet in world.received(name) if packet[1] & 0x7F in {104, 96, 98, 100, 102, 111, 109}
        ]
        wanted = sorted({int.from_bytes(sent[-i][2:4]) for i in behind if i <= len(sent)})
        if wanted:
            ssrc = int.from_bytes(sent[-behind[0] if behind[0] <= len(sent) else -1][8:12])
            packet = rtcp.nack(1, ssrc, wanted)
            world.core.reports.on_rtcp(world.core.peers[name], packet, world.now, 0)

    def received(self, name):
        """What a peer was sent, with the times."""
        return [
            (at, packet) for at, (to, packet) in zip(self.times, self.world.sent, strict=True) if to == name
        ]


def transport_number(packet):
    """The transport-wide number; those of the classes in KINDS have the ids 2 and 3."""
    if not packet[0] & 0x10:
        return None
    elements = rtp.parse_header(packet)[1]
    at, size = elements.get(3) or elements.get(2) or (0, 0)
    return int.from_bytes(packet[at : at + 2]) if size == 2 else None


def figures(world):
    """What the engine knows of the streams."""
    found = {}
    for kind, published in world.publications.items():
        for spatial, stream in sorted(published.layers.items()):
            block = stream.statistics.report_block(world.now)
            found[kind, spatial] = (
                stream.highest,
                stream.highest_timestamp,
                stream.picture_id,
                stream.tl0picidx,
                stream.max_temporal,
                stream.keyframe_sequence,
                stream.retained_octets,
                stream.keyframe_octets,
                stream.last_packet_at,
                dict(stream.seen_at),
                set(stream.point_sets),
                block,
            )
    return found


@pytest.mark.parametrize(
    ("codec", "described", "screen"),
    [
        pytest.param("vp8", False, False, id="vp8"),
        pytest.param("h264", False, False, id="h264"),
        pytest.param("vp9", False, False, id="vp9"),
        pytest.param("av1", True, False, id="svc"),
        pytest.param("vp8", True, False, id="encrypted"),
        pytest.param("vp8", False, True, id="screen-vp8"),
        pytest.param("h264", False, True, id="screen-h264"),
        pytest.param("av1", True, True, id="screen-svc"),
    ],
)
@pytest.mark.parametrize("seed", range(TRACES))
def test_both_planes_do_the_same(module, monkeypatch, seed, codec, described, screen):
    # No limit is estimated: what follows from one depends on bitrates, and those of the plane are sampled.
    monkeypatch.setattr(Estimator, "_decide", lambda *_: None)
    portable, native = World(), PlaneWorld(module)
    try:
        runs = [
            Run(setup(world, codec, seed % 2 == 0, described=described, screen=screen))
            for world in (portable, native)
        ]
        trace = Trace(seed, codec, described=described, screen=screen)
        waiting = []
        windows, told = portable.outbox.transports.windows, portable.outbox.transports.windows.on_waiting
        windows.on_waiting = lambda window: (waiting.append(window), told(window))
        for number, step in enumerate(trace.steps(1500)):
            for run in runs:
                run.play(step)
            if number % 50 == 0:
                assert_equal(runs, number, step)
        assert_equal(runs, "end", None)
        assert figures(portable) == figures(native)
        assert len(portable.sent) > 500
        assert bool(waiting) <= screen
        if screen and codec != "av1":  # viewers of a part of a stream are not bounded
            assert waiting
        assert portable.core.reports.retransmitted_packets == native.core.reports.retransmitted_packets > 0
        for kind in (
            rtcp.Nack,
            rtcp.TransportFeedbackReport,
            rtcp.ReceiverReport,
            rtcp.PictureLossIndication,
        ):
            # the order of those about different streams at one time is not given
            pair = [
                sorted(
                    (each for each in world.feedback if isinstance(each, kind)),
                    key=lambda each: getattr(each, "media_ssrc", 0),
                )
                for world in (portable, native)
            ]
            assert pair[0] == pair[1]
            assert pair[0] or screen, kind
        assert sorted(map(repr, portable.events)) == sorted(map(repr, native.events))
    finally:
        native.close()


def assert_equal(runs, number, step):
    for name in ("publisher", *(f"viewer {i}" for i in range(1, 9))):
        ours, theirs = (run.received(name) for run in runs)
        first = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
        if first is not None or len(ours) != len(theirs):
            at = first if first is not None else min(len(ours), len(theirs))
            raise AssertionError(
                f"{name}, packet {at} of {len(ours)} and {len(theirs)}, step {number} {step}:\n"
                + "\n".join(
                    f"{sent_at:.3f} {each[:32].hex()} {len(each)}"
                    for sent_at, each in (*ours[at : at + 3], (0.0, b""), *theirs[at : at + 3])
                )
            )
