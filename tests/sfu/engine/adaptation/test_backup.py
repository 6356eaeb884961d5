"""Backup codecs through a router: who gets which of a track's two publications."""

import struct

import pytest
from router_world import World, header

from sfu.engine.adaptation import backup
from sfu.engine.peers.publication import Publication
from sfu.fanout.template import TemplateClass
from sfu.session.negotiation import NegotiatedCodec, SectionParameters
from sfu.session.sections import OutboundSection, receive_section
from sfu.values import CodecMissing, PublicationSpec

H264_ONLY = TemplateClass((("h264", 102),), ())
H264_SSRC = 5000
# A sequence parameter set, which a keyframe begins with (RFC 6184 section 5.6, single NAL unit packet)
KEYFRAME = b"\x67\x42"


class TwoCodecs(World):
    """A world whose publisher may send its track in H264 as well."""

    def lacking(self, name="lacks"):
        subscription, _ = self.viewer(name)
        subscription.section = OutboundSection("1", H264_ONLY, {})
        self.core.delivery.reallocate(self.peer_of(subscription), self.now)
        return subscription

    def add_backup(self):
        second = Publication(PublicationSpec("TR_1~h264", "video", backup_of="TR_1"), self.publisher.link)
        backup.link(second, self.published)
        codec = NegotiatedCodec("h264", 102, 90_000, 1, "", (), None)
        section = receive_section(
            SectionParameters("1", "video", True, "recvonly", (codec,)), (H264_SSRC,), ()
        )
        self.publisher.negotiated.inbound["1"] = section
        self.publisher.published["TR_1~h264"] = second
        self.publisher.bind("1", second)
        return second

    def h264(self, number):
        self.now += 0.05
        self.feed(struct.pack("!BBHII", 0x80, 0x80 | 102, number, number * 4500, H264_SSRC) + KEYFRAME)


@pytest.fixture
def world():
    world = TwoCodecs()
    world.video("q", key=True)
    return world


def missing(world):
    return [event for event in world.events if isinstance(event, CodecMissing)]


def test_who_cannot_take_the_codec_is_told_of_once_and_gets_the_backup_when_it_comes(world):
    subscription = world.lacking()
    world.viewer("takes")
    world.video("q", key=True)
    world.core.delivery.reallocate(world.peer_of(subscription), world.now)
    assert missing(world) == [CodecMissing("lacks", "TR_1")]
    assert world.received("lacks") == []
    second = world.add_backup()
    world.h264(1)
    world.h264(2)
    assert subscription.published is second
    assert subscription.publication_id == "TR_1"
    assert [header(packet)[0] for packet in world.received("lacks")] == [102, 102]
    assert {header(packet)[0] for packet in world.received("takes")} == {96}
    assert missing(world) == [CodecMissing("lacks", "TR_1")]


def test_a_viewer_who_comes_later_gets_it_at_once(world):
    world.add_backup()
    world.h264(1)
    subscription = world.lacking()
    world.tick(0.1)
    world.h264(2)
    assert [header(packet)[0] for packet in world.received("lacks")] == [102, 102]
    assert missing(world) == []
    assert subscription.primary is world.published


def test_the_end_of_the_backup_leaves_the_subscription(world):
    second = world.add_backup()
    world.h264(1)
    subscription = world.lacking()
    world.core.remove_publication(second, world.now)
    assert subscription.published is world.published
    assert world.published.subscriptions["lacks"] is subscription
    assert world.peer_of(subscription).subscriptions == {"TR_1": subscription}
    assert world.published.backup is None
    world.core.delivery.reallocate(world.peer_of(subscription), world.now)
    assert missing(world) == [CodecMissing("lacks", "TR_1")]


def test_the_end_of_the_track_ends_it_for_all(world):
    second = world.add_backup()
    world.h264(1)
    subscription = world.lacking()
    world.core.remove_publication(world.published, world.now)
    assert world.peer_of(subscription).subscriptions == {}
    assert not second.subscriptions
    world.h264(2)
    world.core.remove_publication(second, world.now)
    assert world.publisher.published == {}


def test_a_section_that_takes_nothing_lacks_nothing(world):
    subscription, _ = world.viewer("refuses")
    subscription.section = OutboundSection("1", TemplateClass((), ()), {})
    world.core.delivery.reallocate(world.peer_of(subscription), world.now)
    assert missing(world) == []
