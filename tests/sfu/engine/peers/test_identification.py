"""What the first packet of an SSRC tells, by extension, by announcement and by payload type."""

import struct
from dataclasses import replace

import pytest
from router_world import parameters

from sfu.engine.peers.identification import MAX_STREAMS, KnownSsrcs
from sfu.engine.peers.link import Link
from sfu.engine.peers.publication import Publication
from sfu.session.sections import receive_section
from sfu.values import Layer, PublicationSpec
from sfu.wire import rtp

IDS = {rtp.URI_MID: 4, rtp.URI_RID: 10, rtp.URI_REPAIRED_RID: 11}
LAYERS = (Layer("q", 320, 180), Layer("h", 640, 360), Layer("f", 1280, 720))


class World:
    """A peer with one video, whose SSRCs are learned."""

    def __init__(self, ssrcs=(), groups=(), rids=("q", "h", "f")):
        self.published = Publication(
            PublicationSpec("TR_1", "video", layers=LAYERS if rids else ()), Link("peer", 1)
        )
        self.section = receive_section(
            replace(parameters("video"), extensions=IDS, rids=rids, simulcast=rids), ssrcs, groups
        )
        self.section.publication_id = "TR_1"
        self.published.section = self.section
        self.sections, self.publications = {"0": self.section}, {"TR_1": self.published}
        self.known = KnownSsrcs(self.sections, self.publications)

    def learn(self, ssrc, payload_type=96, **extensions):
        values = [(IDS[getattr(rtp, "URI_" + name)], value.encode()) for name, value in extensions.items()]
        packet = struct.pack("!BBHII", 0x90 if values else 0x80, payload_type, 1, 2, ssrc)
        packet += rtp.build_extensions(values) + b"payload"
        elements = rtp.parse_extensions(packet, rtp.header_length(packet))
        return self.known.learn(packet, elements, ssrc, 10.0)


def test_mid_and_rid_name_the_encoding():
    world = World()
    known = world.learn(7, MID="0", RID="h")
    assert (known.published, known.stream.spatial, known.rtx) == (world.published, 1, False)
    assert known.stream is world.published.layers[1]
    assert known.fan is world.published.fans[1]
    assert world.known[7] is known


def test_a_repaired_rid_names_the_stream_whose_retransmissions_they_are():
    world = World()
    media = world.learn(7, MID="0", RID="h")
    repair = world.learn(8, 97, MID="0", REPAIRED_RID="h")
    assert repair.rtx
    assert repair.stream is media.stream
    assert world.learn(9, 97, MID="0", REPAIRED_RID="q") is None  # its media is not known yet


def test_announced_ssrcs_need_no_extension():
    world = World(ssrcs=(7, 8), groups=((7, 8),), rids=())
    assert world.learn(8, 97) is None  # before the media
    media = world.learn(7)
    assert media.stream.spatial == 0
    assert world.learn(8, 97).stream is media.stream


def test_a_payload_type_of_one_section_names_the_section():
    world = World(rids=())
    media = world.learn(7)
    assert media is not None
    assert world.learn(8, 97).stream is media.stream
    other = World(rids=())
    other.sections["1"] = replace(world.section)
    assert other.learn(7) is None  # two sections use it


@pytest.mark.parametrize(
    ("payload_type", "extensions"),
    [
        (96, {}),  # simulcast without a rid
        (96, {"MID": "0", "RID": "x"}),
        (96, {"MID": "9", "RID": "q"}),
        (50, {"MID": "0", "RID": "q"}),
        (97, {"MID": "0"}),
    ],
)
def test_what_cannot_be_told_stays_unknown(payload_type, extensions):
    world = World()
    world.learn(1, MID="0", RID="f")
    assert world.learn(7, payload_type, **extensions) is None
    assert list(world.known) == [1]


def test_a_section_without_a_publication_tells_nothing_yet():
    world = World()
    world.section.publication_id = None
    assert world.learn(7, MID="0", RID="q") is None


def test_the_number_of_ssrcs_is_bounded():
    world = World()
    for ssrc in range(2 * MAX_STREAMS):
        world.learn(ssrc, MID="0", RID="q")
    assert len(world.known) == MAX_STREAMS


def test_the_ssrcs_end_with_their_publication():
    world = World()
    world.learn(7, MID="0", RID="q")
    world.learn(8, 97, MID="0", REPAIRED_RID="q")
    world.known.remove(world.published)
    assert world.known == {}
