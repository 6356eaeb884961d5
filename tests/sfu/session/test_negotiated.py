"""What offers of real clients make of a peer's sections, with publications and subscriptions as plain values."""

import re

import pytest
import sdp_samples
from sdp_samples import TRANSPORT, read_answer

from sfu.session.negotiated import Negotiated, Track
from sfu.session.negotiation import Send
from sfu.session.server_offers import ServerOffers
from sfu.values import PublicationSpec, SdpError
from sfu.wire.sdp import parse_offer


def offer(name):
    return parse_offer(sdp_samples.text(name))


def track(publication_id, kind="video", *, waiting=True):
    return Track(publication_id, kind, Send("stream", publication_id, "owner", 10, 11), False, waiting)


def tracks(*made):
    return {each.publication_id: each for each in made}


CAMERA, MICROPHONE = PublicationSpec("TR_camera", "video"), PublicationSpec("TR_microphone", "audio")
PUBLISHED = {each.id: each for each in (CAMERA, MICROPHONE)}


def test_deciding_changes_nothing():
    negotiated = Negotiated("1")
    agreed = negotiated.agree(offer("chromium-publish"), PUBLISHED, {})
    assert set(agreed.bindings.values()) == set(PUBLISHED)
    assert (negotiated.remote, negotiated.inbound, negotiated.outbound) == (None, {}, {})
    applied = negotiated.apply(agreed)
    assert negotiated.published == agreed.bindings
    assert (applied.sections, applied.replaced) == ({}, [])
    assert negotiated.remote is agreed.description


def test_an_announced_track_id_goes_before_the_order():
    described = offer("chromium-publish")
    [video] = [s for s in described.sections if s.kind == "video" and s.direction == "sendonly"]
    later = PublicationSpec("TR_named", "video", track_ids=(video.msid[1],))
    bindings = Negotiated("1").bindings(described, {"TR_camera": CAMERA, "TR_named": later})
    assert bindings[video.mid] == "TR_named"
    assert Negotiated("1").bindings(described, {"TR_camera": CAMERA})[video.mid] == "TR_camera"


def test_a_section_goes_on_with_the_publication_that_it_has():
    negotiated, described = Negotiated("1"), offer("chromium-publish")
    negotiated.apply(negotiated.agree(described, PUBLISHED, {}))
    before = dict(negotiated.published)
    renamed = {"TR_other": PublicationSpec("TR_other", "video"), **PUBLISHED}
    agreed = negotiated.agree(described, renamed, {})
    applied = negotiated.apply(agreed)
    assert negotiated.published == before
    assert [old.publication_id for old, _ in applied.replaced] == list(before.values())
    assert all(new is not old for old, new in applied.replaced)


def test_what_waits_gets_the_receiving_sections_in_order():
    negotiated, described = Negotiated("1"), offer("chromium-join")
    receiving = [s.mid for s in described.sections if s.direction == "recvonly" and s.kind == "video"]
    waiting = tracks(*(track(f"TR_{i}") for i in range(len(receiving) + 1)))
    agreed = negotiated.agree(described, {}, waiting)
    applied = negotiated.apply(agreed)
    assert negotiated.outbound == {mid: f"TR_{i}" for i, mid in enumerate(receiving)}
    assert set(applied.sections) == set(negotiated.outbound.values())
    assert all(dict(section.kind.payload_types) for section in applied.sections.values())
    assert negotiated.missing_sections(["video"]) == (0, 1)
    answer = read_answer(negotiated.text(agreed, TRANSPORT))
    directions = {section.mid: section.direction for section in answer.sections}
    assert {directions[mid] for mid in receiving} == {"sendonly"}


def test_a_section_is_idle_once_before_it_serves_another_track():
    negotiated, described = Negotiated("1"), offer("chromium-join")
    negotiated.apply(negotiated.agree(described, {}, tracks(track("TR_1"))))
    [mid] = negotiated.outbound
    negotiated.unsubscribe("TR_1")
    before = negotiated.free["video"]
    assert mid not in before
    # no idle section is left for it, until the next answer has shown the old one idle
    negotiated.free = {"audio": [], "video": []}
    agreed = negotiated.agree(described, {}, tracks(track("TR_2")))
    assert agreed.chosen == {}
    negotiated.apply(agreed)
    assert mid in negotiated.free["video"]
    assert negotiated.missing_sections(["video"]) == (0, 0)
    assert negotiated.agree(described, {}, tracks(track("TR_2"))).chosen


def test_a_track_without_a_codec_in_common_is_refused():
    negotiated, described = Negotiated("1"), offer("chromium-join")
    text = sdp_samples.text("chromium-join")
    for name in ("VP8", "VP9", "H264", "AV1"):
        text = text.replace(f" {name}/90000", " NONE/90000")
    described = parse_offer(text)
    applied = negotiated.apply(negotiated.agree(described, {}, tracks(track("TR_1"))))
    assert applied.sections["TR_1"].kind.payload_types == ()
    assert negotiated.outbound == {}


def test_what_the_peer_stops_sending_has_ended():
    negotiated, described = Negotiated("1"), offer("chromium-publish")
    negotiated.apply(negotiated.agree(described, PUBLISHED, {}))
    assert negotiated.ended() == []
    text = sdp_samples.text("chromium-publish").replace("a=sendonly", "a=inactive")
    negotiated.apply(negotiated.agree(parse_offer(text), PUBLISHED, {}))
    assert set(negotiated.ended()) == set(PUBLISHED)
    assert negotiated.inbound == {}


def test_an_unpublished_track_frees_its_section():
    negotiated, described = Negotiated("1"), offer("chromium-publish")
    negotiated.apply(negotiated.agree(described, PUBLISHED, {}))
    negotiated.unpublish("TR_camera")
    assert "TR_camera" not in negotiated.published.values()
    another = PublicationSpec("TR_another", "video")
    assert "TR_another" in negotiated.bindings(described, {"TR_another": another}).values()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda text: re.sub("(a=fingerprint:sha-256) .*", r"\1 " + ":".join(["0F"] * 32), text),
            "certificate",
        ),
        (
            lambda text: re.sub(r"(BUNDLE .*) \d+\r\n", r"\1\r\n", text[: text.rindex("m=")]),
            "sections are missing",
        ),
    ],
    ids=["certificate", "sections"],
)
def test_what_must_not_change_is_refused(change, message):
    negotiated = Negotiated("1")
    text = sdp_samples.text("chromium-publish")
    negotiated.apply(negotiated.agree(parse_offer(text), {}, {}))
    with pytest.raises(SdpError, match=message):
        negotiated.agree(parse_offer(change(text)), {}, {})


def test_where_the_server_offers_a_round_is_due_when_something_waits_or_ended():
    negotiated = Negotiated("1")
    negotiated.offering = ServerOffers()
    assert negotiated.missing_sections([]) is None
    assert negotiated.missing_sections(["audio"]) == (0, 0)
    negotiated.offer(tracks(track("TR_1")), TRANSPORT)
    assert negotiated.assigned == {"1": "TR_1"}
    negotiated.offer(tracks(track("TR_1"), track("TR_2")), TRANSPORT)  # again, with what was added
    assert negotiated.assigned == {"1": "TR_1", "2": "TR_2"}
    negotiated.unsubscribe("TR_1")
    assert negotiated.assigned == {"2": "TR_2"}
