"""The router in simulated time: decrypted RTP and RTCP of a publisher and a viewer, and ticks between them.

An input is a row of records, each one octet of kind, two of length, and the content. The content of a tick is its
length alone: so many times 20 ms.
"""

import struct

from sfu.wire import rtcp
from sfu.wire.rtp import build_extensions
from tests.fuzz.targets import rtcp as rtcp_target
from tests.sfu.router_world import NTP, World, remb
from tests.sfu.rtp_samples import SAMPLES

PUBLISHER_RTP, PUBLISHER_RTCP, VIEWER_RTCP, TICK = range(4)
# A world grows with what it is shown, as a lesson does; a new one now and then tells leaks from that.
INPUTS_OF_A_WORLD = 300
MAX_TICK_S = 20.0


def record(kind, content):
    return struct.pack("!BH", kind, len(content)) + content


def video(rid, number, keyframe=False):
    extensions = build_extensions([(4, b"0"), (10, rid.encode())])
    head = struct.pack("!BBHII", 0x90, 0x80 | 96, number, number * 3000, 1000 + "qhf".index(rid))
    descriptor = struct.pack("!BBHB", 0x90, 0xC0, 0x8000 | number, number & 0xFF)
    return record(
        PUBLISHER_RTP, head + extensions + descriptor + (b"\x10" if keyframe else b"\x11") + b"content"
    )


def seeds():
    tick = struct.pack("!BH", TICK, 2)
    long = struct.pack("!BH", TICK, 400)
    pictures = [b"".join(video(rid, n, n == 0) + tick for n in range(6)) for rid in "qhf"]
    asked = record(VIEWER_RTCP, rtcp.nack(1, 0xAAAA, range(500, 520)))
    asked += record(VIEWER_RTCP, rtcp.pli(1, 0xAAAA)) + record(VIEWER_RTCP, remb(300_000)) + tick
    reports = [record(kind, seed) for seed in rtcp_target.seeds() for kind in (PUBLISHER_RTCP, VIEWER_RTCP)]
    packets = [record(PUBLISHER_RTP, sample.packet) for sample in SAMPLES[:20]]
    return [
        *pictures,
        pictures[0] + asked + long + asked + pictures[2],
        b"".join(pictures) + asked,
        *(pictures[1] + report + tick for report in reports),
        *packets,
    ]


def make():
    state = {"left": 0}

    def feed(data):
        if not state["left"]:
            state.update(left=INPUTS_OF_A_WORLD, world=World())
            state["viewer"], _ = state["world"].viewer()
        state["left"] -= 1
        play(state["world"], state["world"].peer_of(state["viewer"]), data)

    return feed


def play(world, viewer, data):
    at, ticked = 0, 0.0
    while at + 3 <= len(data):
        kind, size = struct.unpack_from("!BH", data, at)
        content = data[at + 3 : at + 3 + size]
        if kind % 4 == TICK:
            passed = min(size * 0.02, MAX_TICK_S - ticked)
            ticked += passed
            world.now += passed
            world.core.deadlines.run_due(world.now)
            at += 3
            continue
        at += 3 + size
        if kind % 4 == PUBLISHER_RTP:
            world.core.router.on_rtp(world.publisher, content, world.now)
        else:
            peer = world.publisher if kind % 4 == PUBLISHER_RTCP else viewer
            world.core.reports.on_rtcp(peer, content, world.now, NTP)
    world.outbox.flush()
    world.sent.clear()
    world.events.clear()
