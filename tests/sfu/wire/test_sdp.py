import contextlib
import sys

import pytest
import sdp_samples as samples
from hypothesis import given, settings
from hypothesis import strategies as st

from sfu.values import SdpError
from sfu.wire import sdp
from sfu.wire.sdp import parse_offer, parse_offer_in_steps

JOIN = samples.text("chromium-join")
FIREFOX = samples.text("firefox-publish")

TINY = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n"
    "a=ice-ufrag:ufrg\r\na=ice-pwd:passwordpasswordpassword\r\n"
    f"a=fingerprint:sha-256 {samples.FINGERPRINT}\r\n"
    "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:0\r\na=rtcp-mux\r\na=rtpmap:96 VP8/90000\r\n"
)


def counts(name):
    sections = parse_offer(samples.text(name)).sections
    return [sum(section.kind == kind for section in sections) for kind in ("audio", "video", "application")]


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("chromium-all-extensions", [1, 1, 0]),
        ("chromium-data-only", [0, 0, 1]),
        ("chromium-join", [3, 3, 1]),
        ("chromium-more-sections", [4, 4, 1]),
        ("chromium-publish", [4, 4, 1]),
        ("chromium-sendrecv", [1, 1, 0]),
        ("chromium-simulcast", [1, 1, 0]),
        ("firefox-join", [3, 3, 1]),
        ("firefox-publish", [4, 4, 1]),
        ("firefox-sendrecv", [1, 1, 0]),
        ("firefox-simulcast", [1, 1, 0]),
        ("native-join", [3, 3, 1]),
        ("native-publish", [4, 3, 1]),
        ("node-join", [3, 3, 1]),
    ],
)
def test_real_offers_are_read(name, kinds):
    offer = parse_offer(samples.text(name))
    assert counts(name) == kinds
    assert offer.session_id == "4611686018427387905"
    assert (offer.ice_ufrag, offer.ice_pwd) == ("ufrg", "passwordpasswordpassword")
    assert offer.fingerprints == (("sha-256", ":".join(f"{i:02X}" for i in range(32))),)
    assert offer.setup == "actpass"
    assert offer.trickle
    assert offer.bundle == tuple(section.mid for section in offer.sections)
    assert all(section.answerable for section in offer.sections)
    for section in offer.sections:
        if section.kind != "application":
            assert section.codecs
            assert section.extensions["urn:ietf:params:rtp-hdrext:sdes:mid"] == (
                3 if "firefox" in name else 4
            )


def test_every_sample_is_named_in_the_table_above():
    assert len(samples.NAMES) == 14


def test_chromium_publishing():
    section = parse_offer(samples.text("chromium-publish")).sections[8]
    assert (section.kind, section.direction, section.mid) == ("video", "sendonly", "8")
    assert section.msid == ("80494678-92fe-4c59-b842-020bb930dba2", "4d2e77ec-afd4-40de-b2ee-408c19ac8697")
    assert section.rids == (("q", "send"), ("h", "send"), ("f", "send"))
    assert section.simulcast_send == ("q", "h", "f")
    assert (section.ssrcs, section.fid_groups, section.cname) == ((), (), "")
    vp8 = section.codecs[0]
    assert (vp8.payload_type, vp8.name, vp8.clock_rate, vp8.fmtp) == (
        96,
        "vp8",
        90000,
        "x-google-start-bitrate=1000",
    )
    assert vp8.feedback == ("goog-remb", "transport-cc", "ccm fir", "nack", "nack pli")
    assert section.rtx == {
        96: 97, 102: 103, 104: 107, 108: 109, 114: 115, 116: 117, 39: 40, 45: 46, 98: 99, 100: 101, 118: 119
    }  # fmt: skip
    assert all(codec.name != "rtx" for codec in section.codecs)
    assert section.rtcp_rsize
    opus = parse_offer(samples.text("chromium-publish")).sections[7].codecs[0]
    assert (opus.name, opus.clock_rate, opus.channels) == ("opus", 48000, 2)


def test_firefox_publishing():
    offer = parse_offer(FIREFOX)
    section = offer.sections[8]
    assert section.port == 0
    assert not section.rejected  # bundle-only
    assert section.extension_directions == {
        "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay": "recvonly",
        "https://aomediacodec.github.io/av1-rtp-spec/#dependency-descriptor-rtp-header-extension": "sendonly",
        "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id": "sendonly",
        "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id": "sendonly",
    }
    assert section.extensions["urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"] == 9
    assert section.fid_groups == (
        (4165895461, 2225140751),
        (3146948685, 1615094836),
        (2673963197, 3014822470),
    )
    assert section.ssrcs[:2] == (4165895461, 2225140751)
    assert section.cname == "cname"
    assert section.msid == (
        "{070e5c6e-abe2-4165-9f1f-46e47532503f}",
        "{810714fe-74c2-4482-bb5d-3d6b9cee28bd}",
    )
    assert section.simulcast_send == ("q", "h", "f")
    assert section.extmap_allow_mixed
    assert not offer.extmap_allow_mixed
    data = offer.sections[6]
    assert (data.sctp_port, data.max_message_size) == (5000, 1073741823)


def test_an_ice_restart_shows_in_the_credentials():
    again = parse_offer(JOIN.replace("a=ice-ufrag:ufrg", "a=ice-ufrag:newu"))
    assert again.ice_ufrag == "newu"


def test_the_tagged_section_speaks_for_the_transport():
    retired = JOIN.replace("m=audio 9", "m=audio 0", 1).replace("a=ice-ufrag:ufrg", "a=ice-ufrag:gone", 1)
    offer = parse_offer(retired)
    assert offer.sections[0].rejected
    assert offer.ice_ufrag == "ufrg"


def test_a_rid_may_be_there_once_for_each_direction():
    section = parse_offer(TINY + "a=rid:q send\r\na=rid:h recv\r\na=rid:q recv\r\n").sections[0]
    assert section.rids == (("q", "send"), ("h", "recv"), ("q", "recv"))


@pytest.mark.parametrize("setup", ["actpass", "active", "passive"])
def test_the_dtls_role(setup):
    assert parse_offer(TINY + f"a=setup:{setup}\r\n").setup == setup


@pytest.mark.parametrize(
    ("attribute", "rids"),
    [
        ("send f;h;q", ("f", "h", "q")),
        ("send q,h;f", ("q", "f")),
        ("send ~q;h;~f", ("q", "h", "f")),
        ("recv q send h;f", ("h", "f")),
        ("send q;q;nowhere", ("q",)),
        ("recv q;h", ()),
        ("send q;h\r\na=simulcast:recv f;q", ("q", "h")),  # as pion writes it
        ("recv f;q\r\na=simulcast:send q;h", ("q", "h")),
    ],
)
def test_simulcast_streams(attribute, rids):
    text = samples.text("chromium-simulcast")
    start = text.index("a=simulcast:")
    end = text.index("\r\n", start)
    offer = parse_offer(text[:start] + f"a=simulcast:{attribute}" + text[end:])
    assert offer.sections[1].simulcast_send == rids


@pytest.mark.parametrize(
    ("line", "answerable"),
    [
        ("", True),
        ("a=bundle-only", True),
        ("a=unknown:whatever\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96", True),
        ("a=rtcp-fb:* nack\r\na=rtcp-fb:96 nack", True),
        ("b=AS:500\r\nk=clear:x", True),
    ],
)
def test_what_is_unknown_or_not_listed_does_no_harm(line, answerable):
    section = parse_offer(TINY + (line + "\r\n" if line else "")).sections[0]
    assert section.answerable is answerable
    assert [codec.payload_type for codec in section.codecs] == [96]
    assert section.rtx == {}


def test_feedback_for_every_payload_type():
    assert parse_offer(TINY + "a=rtcp-fb:* nack\r\na=rtcp-fb:* ccm fir\r\n").sections[0].codecs[
        0
    ].feedback == (
        "nack",
        "ccm fir",
    )


def test_static_payload_types_need_no_rtpmap():
    text = TINY.replace("m=video 9 UDP/TLS/RTP/SAVPF 96", "m=audio 9 UDP/TLS/RTP/SAVPF 0 8 9 77")
    names = [codec.name for codec in parse_offer(text).sections[0].codecs]
    assert names == ["pcmu", "pcma", "g722"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("m=video 9 ", "m=video 0 "),
        ("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
        ("m=video", "m=text"),
        ("a=rtcp-mux\r\n", ""),
    ],
)
def test_sections_that_one_transport_cannot_carry(old, new):
    # A second, sound section keeps the offer itself answerable.
    bundled = JOIN.replace("a=group:BUNDLE 0", "a=group:BUNDLE 0 late")
    extra = TINY[TINY.index("m=video") :].replace("a=mid:0", "a=mid:late")
    assert parse_offer(bundled + extra).sections[-1].answerable
    assert not parse_offer(bundled + extra.replace(old, new)).sections[-1].answerable


def test_a_section_outside_the_group_is_not_carried():
    extra = TINY[TINY.index("m=video") :].replace("a=mid:0", "a=mid:late")
    section = parse_offer(JOIN + extra).sections[-1]
    assert not section.bundled
    assert not section.answerable


BROKEN = {
    "empty": lambda _: "",
    "only line ends": lambda _: "\r\n" * 10,
    "not SDP": lambda _: "GET / HTTP/1.1\r\n",
    "no version": lambda text: text.removeprefix("v=0\r\n"),
    "no origin": lambda text: text.replace("o=- 1 1 IN IP4 127.0.0.1\r\n", ""),
    "two origins": lambda text: text.replace("o=-", "o=- 2 2 IN IP4 127.0.0.1\r\no=-", 1),
    "short origin": lambda text: text.replace("o=- 1 1 IN", "o=- 1"),
    "session id of letters": lambda text: text.replace("o=- 1 ", "o=- one "),
    "session id of a thousand digits": lambda text: text.replace("o=- 1 ", f"o=- {'1' * 1000} "),
    "a line without =": lambda text: text + "hello\r\n",
    "an empty line": lambda text: text.replace("s=-", ""),
    "NUL": lambda text: text + "a=x:\0\r\n",
    "lone CR": lambda text: text.replace("a=mid:0", "a=mid:0\ra=ice-lite"),
    "surrogate": lambda text: text + "a=x:\ud800\r\n",
    "no m-line": lambda text: text[: text.index("m=")],
    "no BUNDLE": lambda text: text.replace("a=group:BUNDLE 0\r\n", ""),
    "empty group": lambda text: text.replace("a=group:BUNDLE 0", "a=group:"),
    "empty BUNDLE": lambda text: text.replace("BUNDLE 0", "BUNDLE"),
    "two BUNDLE groups": lambda text: text.replace(
        "a=group:BUNDLE 0", "a=group:BUNDLE 0\r\na=group:BUNDLE 0"
    ),
    "BUNDLE of an unknown mid": lambda text: text.replace("BUNDLE 0", "BUNDLE 0 1"),
    "BUNDLE naming a mid twice": lambda text: text.replace("BUNDLE 0", "BUNDLE 0 0"),
    "all sections retired": lambda text: text.replace("m=video 9", "m=video 0"),
    "no ufrag": lambda text: text.replace("a=ice-ufrag:ufrg\r\n", ""),
    "empty ufrag": lambda text: text.replace("ufrg", ""),
    "short ufrag": lambda text: text.replace("ufrg", "uf"),
    "long ufrag": lambda text: text.replace("ufrg", "u" * 257),
    "ufrag with a space": lambda text: text.replace("ufrg", "uf rg"),
    "ufrag with a colon": lambda text: text.replace("ufrg", "uf:rg"),
    "two ufrags": lambda text: text.replace("a=ice-ufrag:ufrg", "a=ice-ufrag:ufrg\r\na=ice-ufrag:ufrh"),
    "no pwd": lambda text: text.replace("a=ice-pwd:passwordpasswordpassword\r\n", ""),
    "short pwd": lambda text: text.replace("passwordpasswordpassword", "password"),
    "no fingerprint": lambda text: text.replace(f"a=fingerprint:sha-256 {samples.FINGERPRINT}\r\n", ""),
    "empty fingerprint": lambda text: text.replace(f"sha-256 {samples.FINGERPRINT}", ""),
    "fingerprint without digest": lambda text: text.replace(samples.FINGERPRINT, ""),
    "short fingerprint": lambda text: text.replace(samples.FINGERPRINT, samples.FINGERPRINT[3:]),
    "fingerprint of other letters": lambda text: text.replace("AB:AB", "XY:AB", 1),
    "weak fingerprint alone": lambda text: text.replace("sha-256", "sha-1"),
    "unknown setup": lambda text: text + "a=setup:holdconn\r\n",
    "ICE-lite offerer": lambda text: text.replace("s=-", "s=-\r\na=ice-lite"),
    "repeated mid": lambda text: text + text[text.index("m=") :],
    "two mids": lambda text: text + "a=mid:1\r\n",
    "empty mid": lambda text: text + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:\r\n",
    "mid with a space": lambda text: text + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:a b\r\n",
    "long mid": lambda text: text.replace("BUNDLE 0", "BUNDLE " + "m" * 65).replace(
        "mid:0", "mid:" + "m" * 65
    ),
    "two directions": lambda text: text + "a=sendonly\r\na=recvonly\r\n",
    "m-line without formats": lambda text: text.replace("SAVPF 96", "SAVPF"),
    "m-line without port": lambda text: text.replace("m=video 9", "m=video"),
    "port range": lambda text: text.replace("m=video 9", "m=video 9/2"),
    "port too high": lambda text: text.replace("m=video 9", "m=video 65536"),
    "negative port": lambda text: text.replace("m=video 9", "m=video -9"),
    "payload type too high": lambda text: text.replace("SAVPF 96", "SAVPF 128"),
    "payload type of letters": lambda text: text.replace("SAVPF 96", "SAVPF vp8"),
    "payload type of other digits": lambda text: text.replace("SAVPF 96", "SAVPF ٩٦"),
    "repeated payload type": lambda text: text.replace("SAVPF 96", "SAVPF 96 96"),
    "129 payload types": lambda text: text.replace("SAVPF 96", "SAVPF " + " ".join(map(str, range(129)))),
    "repeated rtpmap": lambda text: text + "a=rtpmap:96 H264/90000\r\n",
    "rtpmap without rate": lambda text: text.replace("VP8/90000", "VP8"),
    "rtpmap without name": lambda text: text.replace("VP8/90000", "/90000"),
    "rtpmap with rate 0": lambda text: text.replace("VP8/90000", "VP8/0"),
    "rtpmap with four parts": lambda text: text.replace("VP8/90000", "VP8/90000/1/1"),
    "extension id 0": lambda text: text + "a=extmap:0 urn:x\r\n",
    "extension id 256": lambda text: text + "a=extmap:256 urn:x\r\n",
    "extension id twice": lambda text: text + "a=extmap:1 urn:x\r\na=extmap:1 urn:y\r\n",
    "33 feedback types": lambda text: text + "".join(f"a=rtcp-fb:96 x{i}\r\n" for i in range(33)),
    "33 feedback types for all": lambda text: text + "".join(f"a=rtcp-fb:* x{i}\r\n" for i in range(33)),
    "extension without URI": lambda text: text + "a=extmap:1\r\n",
    "extension with unknown direction": lambda text: text + "a=extmap:1/up urn:x\r\n",
    "bad rid": lambda text: text + "a=rid:! send\r\n",
    "rid without direction": lambda text: text + "a=rid:q\r\n",
    "repeated rid": lambda text: text + "a=rid:q send\r\na=rid:q send\r\n",
    "17 rids": lambda text: text + "".join(f"a=rid:{i} send\r\n" for i in range(17)),
    "empty simulcast": lambda text: text + "a=simulcast:\r\n",
    "simulcast of unknown direction": lambda text: text + "a=simulcast:both q\r\n",
    "two lines of sent simulcast": lambda text: text + "a=simulcast:send q\r\na=simulcast:send h\r\n",
    "simulcast twice sent": lambda text: text + "a=simulcast:send q send h\r\n",
    "ssrc too high": lambda text: text + "a=ssrc:4294967296 cname:x\r\n",
    "65 ssrcs": lambda text: text + "".join(f"a=ssrc:{i} cname:x\r\n" for i in range(65)),
    "FID of one": lambda text: text + "a=ssrc-group:FID 1\r\n",
    "FID of three": lambda text: text + "a=ssrc-group:FID 1 2 3\r\n",
    "65 FID groups": lambda text: text + "".join(f"a=ssrc-group:FID 1 {i}\r\n" for i in range(65)),
    "msid without stream": lambda text: text + "a=msid: track\r\n",
    "sctp-port 0": lambda text: text + "a=sctp-port:0\r\n",
    "negative message size": lambda text: text + "a=max-message-size:-1\r\n",
    "257 KiB": lambda text: text + "a=x:y\r\n" * (sdp.MAX_SDP_BYTES // 7),
    "257 KiB in few characters": lambda text: text + f"a=x:{'é' * 8000}\r\n" * 20,
    "20,001 lines": lambda text: text + "a=x\r\n" * 20_001,
    "a long line": lambda text: text + f"a=x:{'y' * 8192}\r\n",
    "10,000 m-lines": lambda text: text + "m=audio 0 X 0\r\n" * 10_000,
}


@pytest.mark.parametrize("twin", BROKEN)
def test_broken_twins_are_refused(twin):
    parse_offer(TINY)
    with pytest.raises(SdpError):
        parse_offer(BROKEN[twin](TINY))


def test_an_extension_id_means_one_thing_in_the_bundle():
    second = TINY[TINY.index("m=") :].replace("a=mid:0", "a=mid:1")
    text = TINY.replace("BUNDLE 0", "BUNDLE 0 1") + "a=extmap:3 urn:x\r\n" + second
    assert len(parse_offer(text + "a=extmap:3 urn:x\r\n").sections) == 2
    with pytest.raises(SdpError):
        parse_offer(text + "a=extmap:3 urn:y\r\n")


def work(text):
    """Calls made while reading: a measure of work that no clock disturbs."""
    calls = 0

    def count(_frame, event, _argument):
        nonlocal calls
        calls += event in ("call", "c_call")

    sys.setprofile(count)
    try:
        parse_offer(text)
    finally:
        sys.setprofile(None)
    return calls


@pytest.mark.parametrize(
    "line",
    [
        "a=fmtp:96 x=1;x=1;x=1",
        "a=rtcp-fb:96 nack",
        "a=rtcp-fb:* nack pli",
        "a=candidate:1 1 udp 1 192.0.2.{} 9 typ host",
        "a=msid:a b",
        "a=ssrc:1 cname:x",
        "a=rid-unknown:((((((((((a+)+)+)+)+)+)+)+)+)+$",
        "a=ssrc-group:FID 1 2",
        "a=fingerprint:sha-256 " + samples.FINGERPRINT,
    ],
)
def test_the_work_grows_with_the_size_only(line):
    few, many = (TINY + "".join(line.format(i) + "\r\n" for i in range(n)) for n in (250, 1000))
    assert work(many) < 4.2 * work(few)


def test_the_work_grows_with_the_sections_only():
    def offer(n):
        mids = " ".join(str(i) for i in range(n))
        section = TINY[TINY.index("m=") :]
        return TINY[: TINY.index("m=")].replace("BUNDLE 0", f"BUNDLE {mids}") + "".join(
            section.replace("a=mid:0", f"a=mid:{i}") for i in range(n)
        )

    assert work(offer(400)) < 4.2 * work(offer(100))


@settings(max_examples=300)
@given(samples.mutated_offers())
def test_mutated_offers_raise_one_exception_type(offer):
    with contextlib.suppress(SdpError):
        parse_offer(offer)


@settings(max_examples=300)
@given(st.text(max_size=300))
def test_arbitrary_tails_raise_one_exception_type(tail):
    with contextlib.suppress(SdpError):
        parse_offer(TINY + tail)


def test_a_long_offer_is_read_in_steps_no_longer_than_a_section():
    offer = parse_offer(JOIN)
    results = []

    def read():
        results.append((yield from parse_offer_in_steps(JOIN)))

    assert len(list(read())) == 2 * len(offer.sections)
    assert results == [offer]
