"""A peer over a few rounds of negotiation: what it publishes, what it subscribes to, and what ends."""

import itertools

import pytest
import sdp_samples
from router_world import VIEWER_KIND

from sfu.engine.peers.link import Link
from sfu.engine.peers.peer import LocalIdentity, Peer
from sfu.engine.peers.publication import Publication
from sfu.session.ice import IceAgent
from sfu.session.negotiated import Negotiated
from sfu.session.sections import OutboundSection
from sfu.values import PublicationBound, PublicationSpec, ReceiverTraits, SdpError
from sfu.wire.sdp import parse_offer

IDENTITY = LocalIdentity(sdp_samples.FINGERPRINT, sdp_samples.CANDIDATES)
SSRCS = itertools.count(100)


def peer(name="ada"):
    return Peer(name, "room", IceAgent("u" + name, "p"), Link(name, 1), Negotiated("1"))


def offer(name):
    return parse_offer(sdp_samples.text(name))


def negotiate(subject, described):
    return subject.negotiate(described, IDENTITY, lambda: ("fresh", "credentials"))


def subscribe(subject, name="TR_1", kind="video"):
    published = Publication(PublicationSpec(name, kind), Link("owner", 2))
    return subject.subscribe(published, "stream", (next(SSRCS), next(SSRCS), 500))


def test_a_publication_announced_before_the_offer_is_bound_by_it():
    ada = peer()
    published = Publication(PublicationSpec("TR_1", "video"), ada.link)
    assert ada.publish(published) is None
    outcome = negotiate(ada, offer("chromium-publish"))
    [mid] = outcome.answer.published
    assert published.section is ada.negotiated.inbound[mid]
    assert outcome.bound == [PublicationBound("ada", "TR_1", mid, "vp8")]
    assert ada.streams == {}


def test_a_publication_announced_after_the_offer_takes_a_section_that_carries_none():
    ada = peer()
    assert negotiate(ada, offer("chromium-publish")).answer.published == {}
    published = Publication(PublicationSpec("TR_1", "video"), ada.link)
    event = ada.publish(published)
    assert event == PublicationBound("ada", "TR_1", event.mid, "vp8")
    assert published.section is ada.negotiated.inbound[event.mid]
    assert ada.publish(Publication(PublicationSpec("TR_2", "video"), ada.link)) is None


def test_a_new_round_gives_the_streams_their_new_section():
    ada = peer()
    published = Publication(PublicationSpec("TR_1", "video"), ada.link)
    ada.publish(published)
    negotiate(ada, offer("chromium-publish"))
    section = published.section
    fan = published.add_stream(section, 7, 0, 10.0)
    ada.streams[7] = type("Known", (), {"stream": fan.stream, "published": published})
    assert negotiate(ada, offer("chromium-publish")).bound == []
    assert published.section is not section
    assert fan.stream.section is published.section


def test_a_section_that_is_no_longer_sent_ends_its_publication():
    ada = peer()
    ada.publish(Publication(PublicationSpec("TR_1", "video"), ada.link))
    [mid] = negotiate(ada, offer("chromium-publish")).answer.published
    text = sdp_samples.text("chromium-publish")
    outcome = negotiate(
        ada, parse_offer(text.replace("a=sendonly", "a=recvonly").replace("a=sendrecv", "a=recvonly"))
    )
    assert (outcome.answer.published, outcome.bound, outcome.ended) == ({}, [], ["TR_1"])
    assert mid not in ada.negotiated.inbound


def test_an_ended_publication_leaves_nothing_behind():
    ada = peer()
    published = Publication(PublicationSpec("TR_1", "video"), ada.link)
    ada.publish(published)
    negotiate(ada, offer("chromium-publish"))
    published.add_stream(published.section, 7, 0, 10.0)
    ada.unpublish(published)
    assert (ada.published, ada.streams, ada.negotiated.published) == ({}, {}, {})
    assert (published.layers, published.fans) == ({}, {})


def test_muting_reaches_a_stream_that_another_ssrc_has_replaced(monkeypatch):
    ada = peer()
    published = Publication(PublicationSpec("TR_1", "video"), ada.link)
    ada.publish(published)
    negotiate(ada, offer("chromium-publish"))
    streams = [published.add_stream(published.section, ssrc, 0, 10.0).stream for ssrc in (7, 8)]
    told = []
    monkeypatch.setattr(type(streams[0]), "set_muted", lambda self, muted: told.append((self, muted)))
    published.set_muted(True)
    assert told == [(stream, True) for stream in streams]


def test_a_subscription_gets_a_section_and_settles_where_early_media_is_lost():
    ada = peer()
    subscription = subscribe(ada)
    assert ada.missing_sections() == (0, 1)
    answer = negotiate(ada, offer("chromium-join")).answer
    [mid] = answer.subscribed
    assert answer.subscribed == {mid: "TR_1"}
    assert subscription.section.mid == mid
    assert ada.by_ssrc == {subscription.ssrc: subscription}
    assert not subscription.settling
    ada.link.connected = True
    ada.traits = ReceiverTraits(loses_early_media=True)
    later = subscribe(ada, "TR_2")
    negotiate(ada, offer("chromium-join"))
    assert later.settling
    assert not subscription.settling


def test_an_ended_subscription_leaves_nothing_behind():
    ada = peer()
    subscription = subscribe(ada)
    negotiate(ada, offer("chromium-join"))
    ada.unsubscribe("TR_1", 10.0)
    ada.unsubscribe("TR_1", 10.0)
    assert (ada.subscriptions, ada.by_ssrc, ada.negotiated.outbound) == ({}, {}, {})
    assert subscription.published.subscriptions == {}


def test_other_ice_credentials_of_the_client_restart_ice():
    ada = peer()
    negotiate(ada, offer("chromium-join"))
    assert ada.ice.local_ufrag == "uada"
    text = sdp_samples.text("chromium-join")
    old = offer("chromium-join").ice_ufrag
    negotiate(ada, parse_offer(text.replace(f"a=ice-ufrag:{old}", "a=ice-ufrag:other")))
    assert (ada.ice.local_ufrag, ada.ice.remote_ufrag) == ("fresh", "other")


def test_the_version_grows_with_each_description():
    ada = peer()
    answers = [negotiate(ada, offer("chromium-join")).answer.sdp for _ in range(3)]
    versions = [answer.split("\r\n")[1].split()[2] for answer in answers]
    assert versions == ["1", "2", "3"]


def test_a_refused_offer_changes_nothing():
    ada = peer()
    negotiate(ada, offer("chromium-publish"))
    remote = ada.negotiated.remote
    with pytest.raises(SdpError):
        negotiate(ada, offer("chromium-data-only"))
    assert ada.negotiated.remote is remote


def test_its_publications_are_received_in_its_room_and_where_they_are_forwarded():
    ada = peer()
    ada.forwarded_to.add("group")
    assert ada.rooms == ("room", "group")


def test_a_subscription_that_the_client_cannot_take_sends_nothing():
    ada = peer()
    subscription = subscribe(ada)
    subscription.section = OutboundSection("1", VIEWER_KIND)
    ada.link.connected = True
    assert subscription.wants_media
    assert ada.missing_sections() is None
    subscription.published.muted = True
    assert not subscription.wants_media


def subscribed(kind):
    """A peer that receives a track on its first section of the kind; gives the mid of that section too."""
    viewer = peer("viewer")
    subscription = subscribe(viewer, kind=kind)
    [mid] = negotiate(viewer, offer("chromium-join")).answer.subscribed
    viewer.publish(Publication(PublicationSpec("TR_2", kind), viewer.link))
    return viewer, subscription, mid


def sending_on(mid, extra=""):
    """The next offer, with a track of the client's own on a section, as pion's `AddTrack` puts it there."""
    before, after = sdp_samples.text("chromium-join").split(f"a=mid:{mid}\r\n")
    after = after.replace("a=recvonly\r\n", f"a=sendrecv\r\na=msid:- TR_2\r\n{extra}", 1)
    return parse_offer(f"{before}a=mid:{mid}\r\n{after}")


def test_a_track_goes_on_beside_one_that_the_client_sends_on_its_section():
    viewer, subscription, mid = subscribed("audio")
    answer = negotiate(viewer, sending_on(mid)).answer
    assert (answer.published, answer.subscribed) == ({mid: "TR_2"}, {mid: "TR_1"})
    assert "a=sendrecv" in sdp_samples.lines_of(answer.sdp, mid)
    assert subscription.section.mid == mid
    assert viewer.missing_sections() is None
    # and when the client has stopped sending
    again = negotiate(viewer, offer("chromium-join")).answer
    assert again.subscribed == {mid: "TR_1"}
    assert "a=sendonly" in sdp_samples.lines_of(again.sdp, mid)


def test_a_track_moves_to_another_section_where_the_client_sends_simulcast():
    viewer, subscription, mid = subscribed("video")
    rids = "a=rid:q send\r\na=rid:f send\r\na=simulcast:send q;f\r\n"
    answer = negotiate(viewer, sending_on(mid, rids)).answer
    assert (answer.published, answer.subscribed) == ({mid: "TR_2"}, {})
    assert "a=recvonly" in sdp_samples.lines_of(answer.sdp, mid)
    assert subscription.section is None
    assert viewer.by_ssrc == {}
    assert viewer.missing_sections() == (0, 0)  # there are free ones: the client has to offer again
    [new] = negotiate(viewer, sending_on(mid, rids)).answer.subscribed
    assert new != mid
    assert viewer.by_ssrc == {subscription.ssrc: subscription}
