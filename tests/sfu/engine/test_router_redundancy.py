"""Redundant audio through a router: what viewers who take it get of a publisher of plain opus."""

import struct
from dataclasses import replace

import pytest
from router_world import World, header

from sfu.fanout.template import TemplateClass, make_template
from sfu.session.sections import OutboundSection
from sfu.wire import rtcp, rtp
from sfu.wire.packet import SourcePacket
from sfu.wire.red import RedundancyLevel, with_redundancy
from sfu.wire.rtp import build_extensions

TAKES_RED = TemplateClass((("opus", 111), ("red", 63)), ())


@pytest.fixture
def world():
    world = World("audio")
    hear(world, 0)  # the layer is known from its first packet on
    for name, kind in (("takes", TAKES_RED), ("plain", TemplateClass((("opus", 109),), ()))):
        subscription, _ = world.viewer(name)
        subscription.section = OutboundSection("1", kind, {})
        world.core.delivery.select_layer(subscription, world.now)
    return world


def hear(world, *numbers):
    for number in numbers:
        world.now += 0.02
        head = struct.pack("!BBHII", 0x90, 111, number, number * 960, 7)
        world.feed(head + build_extensions([(4, b"0")]) + b"opus%d" % number)


def payloads(world, name):
    return [packet[12:] for packet in world.received(name)]


def test_who_takes_redundancy_gets_the_two_packets_before(world):
    hear(world, 1, 2, 3)
    assert payloads(world, "takes")[-1] == (
        bytes((0x80 | 111, 1920 >> 6, (1920 & 0x3F) << 2, 5, 0x80 | 111, 960 >> 6, (960 & 0x3F) << 2, 5, 111))
        + b"opus1opus2opus3"
    )
    assert payloads(world, "plain")[-1] == b"opus3"
    for name, payload_type in (("takes", 63), ("plain", 109)):
        heads = [header(packet) for packet in world.received(name)]
        assert {head[0] for head in heads} == {payload_type}
        assert [head[1] for head in heads] == list(range(heads[0][1], heads[0][1] + len(heads)))
        assert [head[2] for head in heads][1:] == [head[2] + 960 for head in heads][:-1]


def test_a_packet_sent_again_is_the_same_to_the_last_bit(world):
    hear(world, 1, 3)
    sent = world.received("takes")[-1]
    hear(world, 2)  # late: made anew, the redundancy of 3 would hold it
    nack = rtcp.nack(1, 0xAAAA, [header(sent)[1]])
    viewer = world.peer_of(world.published.subscriptions["takes"])
    world.core.reports.on_rtcp(viewer, nack, world.now, 0)
    world.outbox.flush()
    assert world.received("takes")[-1] == sent
    assert len(world.received("takes")) == 4


def test_what_was_muted_does_not_go_along_with_what_follows(world):
    hear(world, 1)
    world.published.muted = True
    hear(world, 2, 3)
    world.published.muted = False
    for subscription in world.published.subscriptions.values():
        world.core.delivery.select_layer(subscription, world.now)
    hear(world, 4)
    assert payloads(world, "takes")[-1] == b"\x6fopus4"


def test_a_publication_without_redundancy_stays_as_it_is():
    world = World("audio")
    world.published.spec = type(world.published.spec)("TR_1", "audio", red=False)
    hear(world, 0)
    subscription, _ = world.viewer("takes")
    subscription.section = OutboundSection("1", TAKES_RED, {})
    world.core.delivery.select_layer(subscription, world.now)
    hear(world, 1, 2)
    assert payloads(world, "takes")[-1] == b"opus2"
    assert header(world.received("takes")[-1])[0] == 111


NUMBERED = ((rtp.URI_TRANSPORT_CC, 3),)


@pytest.mark.parametrize(
    ("sent", "level", "payload_type", "payload"),
    [
        ("opus", RedundancyLevel.NONE, 111, b"opus3"),
        ("opus", RedundancyLevel.AS_SENT, 63, b"opus1opus2opus3"),
        ("opus", RedundancyLevel.DEEP, 63, b"opus1opus2opus3"),
        ("red", RedundancyLevel.NONE, 111, b"opus3"),
        ("red", RedundancyLevel.AS_SENT, 63, b"opus2opus3"),
        ("red", RedundancyLevel.DEEP, 63, b"opus1opus2opus3"),
    ],
)
def test_how_much_redundancy_goes_along(sent, level, payload_type, payload):
    kind = replace(TAKES_RED, redundancy=level)
    body = b"opus3"
    if sent == "red":
        body = with_redundancy(memoryview(b"opus3"), ((960, b"opus2"),), 111)
    head = struct.pack("!BBHII", 0x80, 63 if sent == "red" else 111, 3, 2880, 7)
    packet = SourcePacket(memoryview(head + body), 12, 3, 2880, False, sent)
    packet.redundancy = ((1920, b"opus1"), (960, b"opus2"))
    template = make_template(kind, packet)
    assert template.data[1] & 0x7F == payload_type
    assert template.data.endswith(payload)
    assert len(template.data) - 12 - len(payload) == (
        0 if payload_type == 111 else 4 * (len(payload) // 5 - 1) + 1
    )


@pytest.mark.parametrize(("extensions", "changes"), [(NUMBERED, True), ((), False)])
def test_only_viewers_whose_packets_are_never_repeated_change_their_redundancy(extensions, changes):
    world = World("audio")
    hear(world, 0)
    subscription, _ = world.viewer("viewer")
    subscription.section = OutboundSection("1", replace(TAKES_RED, extensions=extensions), {})
    world.core.delivery.select_layer(subscription, world.now)
    hear(world, 1, 2)
    subscription.carry_redundancy(RedundancyLevel.NONE)
    hear(world, 3)
    types = [header(packet)[0] for packet in world.received("viewer")]
    assert types == [63, 63, 111 if changes else 63]
    numbers = [header(packet)[1] for packet in world.received("viewer")]
    assert numbers == list(range(numbers[0], numbers[0] + 3))
