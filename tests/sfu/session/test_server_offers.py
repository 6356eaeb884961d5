"""The server's own offers, and a client that answers them as browsers do."""

import pytest
from aiortc.sdp import SessionDescription

from sfu.engine.peers.link import Link
from sfu.engine.peers.peer import LocalIdentity, Peer
from sfu.engine.peers.publication import Publication
from sfu.session.ice import IceAgent
from sfu.session.negotiated import Negotiated
from sfu.session.negotiation import LocalTransport, Send
from sfu.session.server_offers import OfferedSection, ServerOffers, build_offer
from sfu.values import PublicationSpec, SdpError
from sfu.wire.rtp import URI_AUDIO_LEVEL, URI_TRANSPORT_CC
from sfu.wire.sdp import parse_offer

IDENTITY = LocalIdentity(":".join(["AB"] * 32), ("candidate:1 1 udp 2130706431 192.0.2.1 7882 typ host",))
TRANSPORT = LocalTransport("ufrag", "pwd" * 8, IDENTITY.fingerprint, IDENTITY.candidates, "123", 1)
FINGERPRINT = ":".join(["CD"] * 32)


def answer_to(offer, *, refuse=(), fingerprint=FINGERPRINT, direction="recvonly", setup="active"):
    """What a browser says that takes everything but the sections of the mids in `refuse`."""
    replaced = {
        "a=setup": setup,
        "a=ice-ufrag": "remote",
        "a=ice-pwd": "remotepassword" * 2,
        "a=fingerprint": f"sha-256 {fingerprint}",
    }
    lines, mid = [], ""
    for line in offer.split("\r\n"):
        name, _, value = line.partition(":")
        if name == "a=mid":
            mid = value
        if line == "a=sendonly":
            lines.append("a=inactive" if mid in refuse else f"a={direction}")
        elif name in replaced:
            lines.append(f"{name}:{replaced[name]}")
        elif not line.startswith(("a=ice-lite", "a=ssrc", "a=msid:", "a=candidate", "a=end-of")):
            lines.append(line)
    return "\r\n".join(lines)


class Viewer:
    def __init__(self):
        self.peer = Peer("viewer", "room", IceAgent("u1", "p1"), Link("viewer", 1), Negotiated("1"))
        self.peer.negotiated.offering = ServerOffers()
        self.owner = Peer("owner", "room", IceAgent("u2", "p2"), Link("owner", 2), Negotiated("2"))
        self.count = 0

    def subscribe(self, kind="video", **spec):
        self.count += 1
        published = Publication(PublicationSpec(f"TR_{self.count}", kind, **spec), self.owner.link)
        seed = (0x1000 * self.count, 0x1000 * self.count + 1, 7)
        return self.peer.subscribe(published, f"PA_o|TR_{self.count}", seed)

    def offer(self, restart=None):
        return self.peer.make_offer(IDENTITY, restart)

    def exchange(self, **how):
        return self.peer.take_answer(parse_offer(answer_to(self.offer(), **how)))


def media(offer):
    return SessionDescription.parse(offer).media


def test_an_offer_without_tracks_has_data_channels_alone():
    (data,) = media(build_offer([], TRANSPORT))
    assert (data.kind, data.sctp_port, data.rtp.muxId) == ("application", 5000, "0")
    assert data.dtls.role == "auto"
    assert data.ice_candidates[0].port == 7882


def test_another_stack_reads_the_offer():
    send = Send("PA_o|TR_1", "TR_1", "owner", 1234, 1235, "h264")
    text = build_offer([OfferedSection("1", "video", send), OfferedSection("2", "audio")], TRANSPORT)
    description = SessionDescription.parse(text)
    assert description.group[0].items == ["0", "1", "2"]
    _, video, audio = description.media
    assert video.direction == "sendonly"
    assert video.msid == "PA_o|TR_1 TR_1"
    assert video.rtp.codecs[0].mimeType == "video/H264"
    assert [group.items for group in video.ssrc_group] == [[1234, 1235]]
    assert audio.direction == "inactive"
    assert {f.type for codec in audio.rtp.codecs for f in codec.rtcpFeedback} == {"transport-cc"}
    assert "transport-cc" in {f.type for f in video.rtp.codecs[0].rtcpFeedback}
    assert {e.id for e in video.rtp.headerExtensions if e.uri == URI_TRANSPORT_CC} == {3}
    assert {extension.uri for extension in audio.rtp.headerExtensions} >= {URI_AUDIO_LEVEL}


@pytest.mark.parametrize("stereo", [True, False])
def test_stereo_is_announced(stereo):
    text = build_offer([OfferedSection("1", "audio", Send("s", "t", "c", 1), stereo)], TRANSPORT)
    assert ("sprop-stereo=1" in text) is stereo


def test_what_is_wanted_is_offered_and_flows_once_answered():
    viewer = Viewer()
    camera, voice = viewer.subscribe(), viewer.subscribe("audio")
    assert viewer.peer.missing_sections() == (0, 0)
    offer = viewer.offer()
    assert camera.section is None  # nothing flows before the client has said what it can take
    assert viewer.peer.take_answer(parse_offer(answer_to(offer))) == {"1": "TR_1", "2": "TR_2"}
    assert dict(camera.section.kind.payload_types)["vp8"] == 96
    assert camera.section.rtx_payload_types["vp8"] == 97
    assert dict(voice.section.kind.payload_types) == {
        "opus": 111, "red": 63, "g722": 9, "pcmu": 0, "pcma": 8
    }  # fmt: skip
    assert viewer.peer.by_ssrc[camera.ssrc] is camera
    assert viewer.peer.missing_sections() is None
    assert viewer.peer.negotiated.sctp == (5000, 65_535)


def test_a_section_is_offered_idle_once_before_it_serves_another_track():
    viewer = Viewer()
    viewer.subscribe()
    viewer.exchange()
    viewer.peer.unsubscribe("TR_1", 0.0)
    viewer.subscribe()
    assert viewer.peer.missing_sections() == (0, 0)
    offer = viewer.offer()
    assert [section.direction for section in media(offer)[1:]] == ["inactive", "sendonly"]
    assert viewer.peer.take_answer(parse_offer(answer_to(offer))) == {"2": "TR_2"}
    viewer.subscribe()
    assert viewer.exchange() == {"2": "TR_2", "1": "TR_3"}


def test_a_track_that_ends_between_offer_and_answer_is_taken_back():
    viewer = Viewer()
    viewer.subscribe()
    offer = viewer.offer()
    viewer.peer.unsubscribe("TR_1", 0.0)
    assert viewer.peer.take_answer(parse_offer(answer_to(offer))) == {}
    assert viewer.peer.missing_sections() == (0, 0)
    assert media(viewer.offer())[1].direction == "inactive"


def test_a_refused_section_is_taken_back_and_not_offered_for_ever():
    viewer = Viewer()
    viewer.subscribe()
    assert viewer.exchange(refuse={"1"}) == {}
    assert viewer.exchange() == {}
    assert viewer.peer.missing_sections() is None


def test_an_ice_restart_offers_other_credentials():
    viewer = Viewer()
    viewer.exchange()
    ice = media(viewer.offer(restart=("u9", "p9")))[0].ice
    assert (ice.usernameFragment, ice.password) == ("u9", "p9")
    assert viewer.peer.ice.ufrags == ("u9", "u1")


@pytest.mark.parametrize(
    "bad",
    [
        lambda offer: answer_to(offer, direction="sendonly"),
        lambda offer: answer_to(offer, direction="sendrecv"),
        lambda offer: answer_to(offer).replace("a=mid:1", "a=mid:7").replace("BUNDLE 0 1", "BUNDLE 0 7"),
        lambda offer: answer_to(offer, setup="holdconn"),
        lambda offer: "v=0",
    ],
)
def test_a_bad_answer_is_refused_and_changes_nothing(bad):
    viewer = Viewer()
    subscription = viewer.subscribe()
    offer = viewer.offer()
    with pytest.raises(SdpError):
        viewer.peer.take_answer(parse_offer(bad(offer)))
    negotiated = viewer.peer.negotiated
    assert (negotiated.remote, negotiated.outbound, negotiated.inbound) == (None, {}, {})
    assert viewer.peer.take_answer(parse_offer(answer_to(offer))) == {"1": "TR_1"}
    assert subscription.section is not None


def test_nothing_can_be_sent_on_a_section_that_carries_a_track_either():
    viewer = Viewer()
    viewer.subscribe()
    viewer.exchange()
    offer = viewer.offer()
    with pytest.raises(SdpError, match="nothing can be sent"):
        viewer.peer.take_answer(parse_offer(answer_to(offer, direction="sendrecv")))
    assert viewer.peer.take_answer(parse_offer(answer_to(offer))) == {"1": "TR_1"}


def test_answers_want_an_offer_and_the_same_certificate():
    viewer = Viewer()
    offer = viewer.offer()
    viewer.peer.take_answer(parse_offer(answer_to(offer)))
    with pytest.raises(SdpError, match="without an offer"):
        viewer.peer.take_answer(parse_offer(answer_to(offer)))
    with pytest.raises(SdpError, match="certificate"):
        viewer.peer.take_answer(parse_offer(answer_to(viewer.offer(), fingerprint=":".join(["EF"] * 32))))


@pytest.mark.parametrize(("setup", "other"), [("active", "passive"), ("passive", "active")])
def test_the_dtls_role_is_decided_once(setup, other):
    viewer = Viewer()
    viewer.exchange(setup=setup)
    assert viewer.peer.negotiated.dtls_client is (setup == "passive")
    offer = viewer.offer()
    with pytest.raises(SdpError, match="DTLS roles changed"):
        viewer.peer.take_answer(parse_offer(answer_to(offer, setup=other)))
    assert viewer.peer.take_answer(parse_offer(answer_to(offer, setup=setup))) == {}


def test_each_connection_has_one_who_offers():
    viewer = Viewer()
    with pytest.raises(SdpError, match="the server makes the offers"):
        viewer.peer.negotiate("v=0", IDENTITY, lambda: ("u", "p"))
    with pytest.raises(SdpError, match="without an offer"):
        viewer.owner.take_answer(parse_offer(answer_to(viewer.offer())))
