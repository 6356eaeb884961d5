import contextlib
from dataclasses import replace

import pytest
import sdp_samples as samples
from aiortc.sdp import SessionDescription
from hypothesis import given, settings

from sfu.session.negotiation import Both, Data, Inactive, Receive, Send, build_answer, negotiate_section
from sfu.values import SdpError
from sfu.wire.description import Codec
from sfu.wire.rtp import (
    URI_ABS_SEND_TIME,
    URI_AUDIO_LEVEL,
    URI_DEPENDENCY_DESCRIPTOR,
    URI_MID,
    URI_PLAYOUT_DELAY,
    URI_REPAIRED_RID,
    URI_RID,
    URI_TRANSPORT_CC,
)
from sfu.wire.sdp import parameters, parse_offer

REVERSED = {"sendonly": "recvonly", "recvonly": "sendonly", "inactive": "inactive", "sendrecv": "sendrecv"}
CHROMIUM = parse_offer(samples.text("chromium-publish"))
FIREFOX = parse_offer(samples.text("firefox-publish"))


def send(index):
    return Send(f"PA_a|TR_{index}", f"TR_{index}", "server", 1000 + index, 2000 + index, "vp8")


def live(section, index):
    """Take all that is offered."""
    if section.kind == "application":
        return Data()
    return send(index) if section.direction == "recvonly" else Receive()


def idle(section, _index):
    return Data() if section.kind == "application" else Inactive()


def answer(offer, decide=live, transport=samples.TRANSPORT):
    decisions = [decide(section, index) for index, section in enumerate(offer.sections)]
    return build_answer(offer, decisions, transport)


@pytest.fixture(params=samples.NAMES)
def offer(request):
    return parse_offer(samples.text(request.param))


@pytest.mark.parametrize("decide", [live, idle])
class TestEveryRealOffer:
    def test_the_answer_keeps_the_sections(self, offer, decide):
        read = samples.read_answer(answer(offer, decide))
        assert [s.mid for s in read.sections] == [s.mid for s in offer.sections]
        assert [s.kind for s in read.sections] == [s.kind for s in offer.sections]
        assert read.bundle == offer.bundle
        assert all(section.answerable for section in read.sections)

    def test_nothing_is_answered_that_was_not_offered(self, offer, decide):
        read = samples.read_answer(answer(offer, decide))
        for offered, answered in zip(offer.sections, read.sections, strict=True):
            known = {codec.payload_type: codec for codec in offered.codecs}
            assert bool(answered.codecs) is (offered.kind != "application")
            for codec in answered.codecs:
                original = known[codec.payload_type]
                assert (codec.name, codec.clock_rate, codec.channels) == (
                    original.name,
                    original.clock_rate,
                    original.channels,
                )
                assert set(codec.feedback) <= set(original.feedback)
                assert answered.rtx.get(codec.payload_type) == offered.rtx.get(codec.payload_type)
            assert answered.extensions.items() <= offered.extensions.items()
            assert (URI_MID in answered.extensions) is (offered.kind != "application")

    def test_directions_are_seen_from_the_other_side(self, offer, decide):
        read = samples.read_answer(answer(offer, decide))
        for offered, answered in zip(offer.sections, read.sections, strict=True):
            if offered.kind == "application":
                continue
            if decide is idle:
                assert answered.direction == "inactive"
            elif offered.direction == "sendrecv":
                assert answered.direction == "recvonly"
            else:
                assert answered.direction == REVERSED[offered.direction]
            for uri, direction in answered.extension_directions.items():
                assert direction == REVERSED[offered.extension_directions[uri]]

    def test_the_engine_is_told_what_the_text_says(self, offer, decide):
        read = samples.read_answer(answer(offer, decide))
        for index, (offered, answered) in enumerate(zip(offer.sections, read.sections, strict=True)):
            agreed = negotiate_section(offered, decide(offered, index))
            assert agreed.accepted
            assert agreed.direction == answered.direction
            assert agreed.extensions == answered.extensions
            assert [(c.name, c.payload_type, c.fmtp, c.feedback) for c in agreed.codecs] == [
                (c.name, c.payload_type, c.fmtp, c.feedback) for c in answered.codecs
            ]
            assert {c.payload_type: c.rtx_payload_type for c in agreed.codecs if c.rtx_payload_type} == dict(
                answered.rtx
            )
            assert agreed.rids == tuple(rid for rid, _ in answered.rids)

    def test_an_independent_parser_agrees(self, offer, decide):
        theirs = SessionDescription.parse(answer(offer, decide))
        ours = samples.read_answer(answer(offer, decide))
        assert [media.rtp.muxId for media in theirs.media] == [section.mid for section in ours.sections]
        assert theirs.group[0].items == list(ours.bundle)
        for media, section in zip(theirs.media, ours.sections, strict=True):
            assert media.ice.usernameFragment == "srvu"
            assert media.ice.iceLite
            assert media.dtls.role == "server"
            assert [f.algorithm for f in media.dtls.fingerprints] == ["sha-256"]
            if section.kind == "application":
                assert (media.sctp_port, media.sctpCapabilities.maxMessageSize) == (5000, 65535)
                continue
            assert media.direction == section.direction
            assert media.rtcp_mux
            named = {c.payloadType: c.name.lower() for c in media.rtp.codecs if c.name.lower() != "rtx"}
            assert named == {codec.payload_type: codec.name for codec in section.codecs}
            if not section.extension_directions:  # it cannot read the suffix
                assert {e.uri: e.id for e in media.rtp.headerExtensions} == section.extensions


class TestTransport:
    def test_candidates_stand_in_the_tagged_section_alone(self):
        text = answer(CHROMIUM)
        first = samples.lines_of(text, "0")
        assert [line[2:] for line in first if line.startswith("a=candidate")] == list(samples.CANDIDATES)
        assert "a=end-of-candidates" in first
        assert text.count("a=candidate") == 2
        assert text.count("a=end-of-candidates") == 1

    def test_the_tag_moves_on_when_the_first_section_is_retired(self):
        offer = parse_offer(samples.text("chromium-publish").replace("m=audio 9", "m=audio 0", 1))
        text = answer(offer)
        assert "a=group:BUNDLE 1 2 3 4 5 6 7 8\r\n" in text
        assert samples.lines_of(text, "0")[0].startswith("m=audio 0 UDP/TLS/RTP/SAVPF 111 63 9")
        assert "a=end-of-candidates" in samples.lines_of(text, "1")

    def test_the_server_is_passive_and_lite(self):
        text = answer(CHROMIUM)
        assert "a=ice-lite" in text.split("\r\nm=")[0]
        assert text.count("a=setup:passive") == text.count("\r\nm=") == 9
        assert "actpass" not in text
        assert f"a=fingerprint:sha-256 {samples.FINGERPRINT}" in samples.lines_of(text, "8")
        assert text.startswith("v=0\r\no=- 42 7 IN IP4 127.0.0.1\r\n")
        assert text.endswith("\r\n")

    def test_the_server_is_active_where_the_client_waits(self):
        text = answer(CHROMIUM, transport=replace(samples.TRANSPORT, dtls_client=True))
        assert text.count("a=setup:active") == 9
        assert "passive" not in text

    def test_ice_options_hold_trickle_only_and_only_when_offered(self):
        native = samples.text("native-join")
        assert "a=ice-options:trickle goog-sped-v1" in native
        assert "a=sctp-init:" in native
        text = answer(parse_offer(native))
        assert "a=ice-options:trickle\r\n" in text
        assert "goog-sped" not in text
        assert "sctp-init" not in text
        plain = samples.text("chromium-join").replace("a=ice-options:trickle\r\n", "")
        assert "ice-options" not in answer(parse_offer(plain))

    def test_mixed_extension_headers_are_echoed_where_they_were_offered(self):
        assert "a=extmap-allow-mixed" in answer(CHROMIUM).split("\r\nm=")[0]
        text = answer(FIREFOX)
        assert "a=extmap-allow-mixed" not in text.split("\r\nm=")[0]
        assert "a=extmap-allow-mixed" in samples.lines_of(text, "8")
        assert "a=extmap-allow-mixed" not in samples.lines_of(text, "6")

    def test_reduced_size_rtcp_only_when_offered(self):
        assert "a=rtcp-rsize" not in samples.lines_of(answer(FIREFOX), "0")
        assert "a=rtcp-rsize" in samples.lines_of(answer(FIREFOX), "3")

    def test_data(self):
        lines = samples.lines_of(answer(FIREFOX), "6")
        assert lines[0] == "m=application 9 UDP/DTLS/SCTP webrtc-datachannel"
        assert {"a=sctp-port:5000", "a=max-message-size:65535"} <= set(lines)

    def test_one_decision_per_section(self):
        with pytest.raises(ValueError, match="zip"):
            build_answer(CHROMIUM, [Inactive()], samples.TRANSPORT)


class TestReceiving:
    def test_simulcast_in_the_offers_order(self):
        lines = samples.lines_of(answer(CHROMIUM), "8")
        at = lines.index("a=rid:q recv")
        assert lines[at : at + 4] == [
            "a=rid:q recv",
            "a=rid:h recv",
            "a=rid:f recv",
            "a=simulcast:recv q;h;f",
        ]

    def test_native_clients_order_layers_the_other_way(self):
        text = samples.text("chromium-publish").replace("send q;h;f", "send f;h;q")
        assert "a=simulcast:recv f;h;q" in samples.lines_of(answer(parse_offer(text)), "8")

    def test_a_single_encoding_says_nothing_of_simulcast(self):
        text = samples.text("chromium-publish")
        assert "simulcast" not in answer(parse_offer(text[: text.index("a=rid:q")]))

    def test_the_wanted_codec_comes_first(self):
        section = CHROMIUM.sections[8]
        names = [codec.name for codec in negotiate_section(section, Receive("vp9")).codecs]
        assert names[0] == "vp9"
        assert set(names) == {"vp8", "vp9", "h264", "av1"}

    def test_the_wanted_codec_alone(self):
        codecs = negotiate_section(CHROMIUM.sections[8], Receive("av1", codec_only=True)).codecs
        assert [(c.name, c.payload_type, c.rtx_payload_type) for c in codecs] == [("av1", 45, 46)]
        lines = samples.lines_of(answer(CHROMIUM, lambda *_: Receive("av1", codec_only=True)), "8")
        assert lines[0].endswith("SAVPF 45 46")

    def test_a_codec_that_was_not_offered_is_not_insisted_on(self):
        codecs = negotiate_section(FIREFOX.sections[8], Receive("h264", codec_only=True)).codecs
        assert [codec.name for codec in codecs] == ["vp8", "vp9", "av1"]

    def test_what_everybody_decodes_comes_before_rare_profiles(self):
        section = CHROMIUM.sections[8]
        h264 = [codec.fmtp for codec in negotiate_section(section, Receive("h264", codec_only=True)).codecs]
        assert [parameters(fmtp)["profile-level-id"] for fmtp in h264[:2]] == ["42001f", "42e01f"]
        assert [parameters(fmtp)["packetization-mode"] for fmtp in h264] == ["1", "1", "0", "0", "1", "0"]
        backwards = replace(section, codecs=section.codecs[::-1])
        assert parameters(negotiate_section(backwards, Receive("vp9")).codecs[0].fmtp) == {"profile-id": "0"}

    def test_congestion_feedback_is_transport_wide_and_never_remb(self):
        for codec in negotiate_section(CHROMIUM.sections[8], Receive()).codecs:
            assert codec.feedback == ("transport-cc", "ccm fir", "nack", "nack pli")
        assert "remb" not in answer(CHROMIUM) + answer(FIREFOX)

    def test_extensions(self):
        agreed = negotiate_section(CHROMIUM.sections[8], Receive())
        assert agreed.extensions == {
            URI_TRANSPORT_CC: 3,
            URI_MID: 4,
            URI_RID: 10,
            URI_REPAIRED_RID: 11,
        }
        assert URI_ABS_SEND_TIME in CHROMIUM.sections[8].extensions

    def test_firefox_directions_are_reversed(self):
        agreed = negotiate_section(FIREFOX.sections[8], Receive())
        assert agreed.extension_directions[URI_RID] == "recvonly"
        assert f"a=extmap:9/recvonly {URI_RID}" in samples.lines_of(answer(FIREFOX), "8")
        # Firefox only receives it, and in this section it only sends.
        assert FIREFOX.sections[8].extension_directions[URI_PLAYOUT_DELAY] == "recvonly"
        assert URI_PLAYOUT_DELAY not in agreed.extensions

    def test_limits_of_the_offerer_as_a_receiver_are_not_echoed_to_it_as_a_sender(self):
        assert FIREFOX.sections[8].codecs[0].fmtp == "max-fs=12288;max-fr=60"
        assert negotiate_section(FIREFOX.sections[8], Receive()).codecs[0].fmtp == ""
        assert negotiate_section(FIREFOX.sections[3], send(3)).codecs[0].fmtp == "max-fs=12288;max-fr=60"

    @pytest.mark.parametrize(
        ("decision", "fmtp"),
        [
            (Receive(), "minptime=10;useinbandfec=1;usedtx=1"),
            (Receive(dtx=False), "minptime=10;useinbandfec=1"),
            (
                Receive(stereo=True),
                "minptime=10;useinbandfec=1;usedtx=1;stereo=1;maxaveragebitrate=510000",
            ),
        ],
    )
    def test_opus(self, decision, fmtp):
        opus = negotiate_section(CHROMIUM.sections[7], decision).codec("opus")
        assert opus is not None
        assert (opus.payload_type, opus.fmtp, opus.feedback) == (111, fmtp, ("transport-cc",))

    def test_red_is_preferred_unless_unwanted_or_unknown(self):
        def names(section, decision):
            return [codec.name for codec in negotiate_section(section, decision).codecs]

        plain = ["g722", "pcmu", "pcma"]
        assert names(CHROMIUM.sections[7], Receive()) == ["red", "opus", *plain]
        assert names(CHROMIUM.sections[7], Receive(red=False)) == ["opus", *plain]
        assert names(FIREFOX.sections[7], Receive()) == ["opus", *plain]

    @pytest.mark.parametrize("first", ["pcmu", "pcma"])
    def test_what_a_publisher_offers_first_comes_first(self, first):
        section = CHROMIUM.sections[7]
        codecs = tuple(sorted(section.codecs, key=lambda codec: codec.name != first))
        agreed = negotiate_section(replace(section, codecs=codecs), Receive())
        assert agreed.codecs[0].name == first
        assert agreed.codec("opus") is not None

    @pytest.mark.parametrize("decision", [Inactive(), Receive(), Receive("h265"), send(8)])
    def test_h265_is_among_what_is_answered(self, decision):
        codec = Codec(49, "h265", 90_000, 1, "profile-id=1", ("nack",))
        section = CHROMIUM.sections[8]
        direction = "recvonly" if isinstance(decision, Send) else section.direction
        offered = replace(section, codecs=(*section.codecs, codec), direction=direction)
        agreed = negotiate_section(offered, decision)
        assert agreed.codec("h265").payload_type == 49
        assert (agreed.codecs[0].name == "h265") is (decision == Receive("h265"))

    def test_redundancy_of_another_codec_is_left_out(self):
        section = CHROMIUM.sections[7]
        codecs = tuple(c for c in section.codecs if c.name != "opus")
        assert negotiate_section(replace(section, codecs=codecs), Receive()).codec("red") is None

    def test_a_peer_without_opus_still_has_a_voice(self):
        section = CHROMIUM.sections[7]
        deaf = replace(section, codecs=tuple(c for c in section.codecs if c.name not in ("opus", "red")))
        assert [c.name for c in negotiate_section(deaf, Receive()).codecs] == ["g722", "pcmu", "pcma"]


class TestSending:
    def test_the_track_is_named(self):
        lines = samples.lines_of(answer(CHROMIUM), "3")
        assert {
            "a=msid:PA_a|TR_3 TR_3",
            "a=ssrc-group:FID 1003 2003",
            "a=ssrc:1003 cname:server",
            "a=ssrc:1003 msid:PA_a|TR_3 TR_3",
            "a=ssrc:2003 cname:server",
        } <= set(lines)
        section = samples.read_answer(answer(CHROMIUM)).sections[3]
        assert section.msid == ("PA_a|TR_3", "TR_3")
        assert section.ssrcs == (1003, 2003)

    def test_no_retransmission_stream_without_rtx(self):
        lines = samples.lines_of(answer(CHROMIUM), "0")
        assert "a=ssrc:1000 cname:server" in lines
        assert not any("2000" in line for line in lines)

    def test_every_forwardable_codec_is_answered_preferred_first(self):
        for offer, first, count in ((CHROMIUM, 96, 15), (FIREFOX, 120, 3)):
            codecs = negotiate_section(offer.sections[3], send(3)).codecs
            assert codecs[0].payload_type == first
            assert len(codecs) == count
        av1 = replace(send(3), codec="av1")
        assert negotiate_section(FIREFOX.sections[3], av1).codecs[0].payload_type == 99

    def test_receivers_are_asked_to_report_arrivals(self):
        agreed = negotiate_section(parse_offer(samples.text("chromium-join")).sections[3], send(3))
        assert agreed.codecs[0].feedback == ("transport-cc", "ccm fir", "nack", "nack pli")
        assert agreed.extensions[URI_TRANSPORT_CC] == 3
        assert {URI_MID, URI_PLAYOUT_DELAY, URI_RID} <= agreed.extensions.keys()
        assert "a=rtcp-fb:96 transport-cc" in samples.lines_of(answer(CHROMIUM), "3")
        audio = negotiate_section(parse_offer(samples.text("chromium-join")).sections[0], send(0))
        assert audio.extensions == {URI_AUDIO_LEVEL: 1, URI_TRANSPORT_CC: 3, URI_MID: 4}
        assert {item for codec in audio.codecs for item in codec.feedback} == {"transport-cc"}

    def test_receivers_that_report_no_arrivals_are_asked_for_their_estimate(self):
        section = CHROMIUM.sections[3]
        extensions = {uri: number for uri, number in section.extensions.items() if uri != URI_TRANSPORT_CC}
        agreed = negotiate_section(replace(section, extensions=extensions), send(3))
        assert "goog-remb" in agreed.codecs[0].feedback
        assert URI_TRANSPORT_CC not in agreed.extensions

    @pytest.mark.parametrize(
        ("decision", "described"),
        [
            (Receive("vp8"), False),
            (Receive("vp8", encrypted=True), True),
            (Receive("vp9"), True),
            (Receive("av1"), True),
            (Receive("h264"), True),
        ],
    )
    def test_publishers_describe_their_frames_where_the_payload_does_not(self, decision, described):
        agreed = negotiate_section(CHROMIUM.sections[8], decision)
        assert (URI_DEPENDENCY_DESCRIPTOR in agreed.extensions) is described

    def test_viewers_get_descriptors_who_take_them(self):
        assert negotiate_section(CHROMIUM.sections[3], send(3)).extensions[URI_DEPENDENCY_DESCRIPTOR] == 12
        assert URI_DEPENDENCY_DESCRIPTOR not in negotiate_section(FIREFOX.sections[3], send(3)).extensions
        # Chromium offers no second time what an idle section was answered without
        assert negotiate_section(CHROMIUM.sections[3], Inactive()).extensions[URI_DEPENDENCY_DESCRIPTOR] == 12

    def test_firefox_receives_what_only_it_receives(self):
        agreed = negotiate_section(FIREFOX.sections[3], send(3))
        assert agreed.extension_directions == {URI_PLAYOUT_DELAY: "sendonly"}
        assert agreed.extensions[URI_PLAYOUT_DELAY] == 6


class TestIdleSections:
    @pytest.mark.parametrize("name", ["chromium-join", "native-join", "node-join"])
    def test_placeholders_keep_the_extensions_that_simulcast_will_need(self, name):
        for section in parse_offer(samples.text(name)).sections[3:6]:
            agreed = negotiate_section(section, Inactive())
            assert agreed.direction == "inactive"
            assert {URI_RID, URI_REPAIRED_RID, URI_TRANSPORT_CC} <= agreed.extensions.keys()

    def test_they_name_no_track_and_no_layers(self):
        lines = samples.lines_of(answer(CHROMIUM, idle), "8")
        assert not any(line.startswith(("a=msid", "a=ssrc", "a=rid", "a=simulcast")) for line in lines)

    @pytest.mark.parametrize(
        ("index", "decision"),
        [(8, send(8)), (3, Receive()), (3, Data())],
        ids=["send where the peer sends", "receive where it receives", "data in a video section"],
    )
    def test_a_decision_that_the_offer_does_not_allow(self, index, decision):
        agreed = negotiate_section(CHROMIUM.sections[index], decision)
        assert (agreed.accepted, agreed.direction) == (True, "inactive")
        assert agreed == negotiate_section(CHROMIUM.sections[index], Inactive())
        decisions = [decision if i == index else idle(s, i) for i, s in enumerate(CHROMIUM.sections)]
        assert (
            samples.read_answer(build_answer(CHROMIUM, decisions, samples.TRANSPORT)).sections[index].msid
            is None
        )

    def test_an_inactive_offer_stays_inactive(self):
        section = replace(CHROMIUM.sections[8], direction="inactive")
        for decision in (Receive(), send(8)):
            assert negotiate_section(section, decision).direction == "inactive"

    def test_sendrecv_can_go_either_way(self):
        section = replace(CHROMIUM.sections[8], direction="sendrecv")
        assert negotiate_section(section, Receive()).direction == "recvonly"
        assert negotiate_section(section, send(8)).direction == "sendonly"


class TestRejected:
    @pytest.mark.parametrize("decision", [Inactive(), Receive(), Send("s", "t", "c", 1), Data()])
    @pytest.mark.parametrize(
        "section",
        [
            replace(CHROMIUM.sections[8], rejected=True),
            replace(CHROMIUM.sections[8], bundled=False),
            replace(CHROMIUM.sections[8], protocol="RTP/AVP"),
            replace(CHROMIUM.sections[8], kind="text"),
            replace(CHROMIUM.sections[8], rtcp_mux=False),
            replace(CHROMIUM.sections[8], codecs=()),
            replace(CHROMIUM.sections[6], protocol="DTLS/SCTP", formats=("5000",)),
        ],
        ids=["port 0", "not in the bundle", "plain RTP", "text", "no mux", "no codec in common", "old SCTP"],
    )
    def test_sections_that_cannot_be_carried(self, section, decision):
        agreed = negotiate_section(section, decision)
        assert (agreed.accepted, agreed.direction) == (False, "inactive")
        offer = replace(
            CHROMIUM,
            bundle=("0", "1", "2", "3", "4", "5", "6", "7", "late"),
            sections=(*CHROMIUM.sections[:8], replace(section, mid="late")),
        )
        decisions = [*(idle(s, i) for i, s in enumerate(CHROMIUM.sections[:8])), decision]
        text = build_answer(offer, decisions, samples.TRANSPORT)
        last = text.split("\r\nm=")[-1].strip().split("\r\n")
        assert last[0] == f"{section.kind} 0 {section.protocol} {' '.join(section.formats)}"
        assert last[1:] == ["c=IN IP4 0.0.0.0", "a=mid:late", "a=inactive"]
        assert "a=group:BUNDLE 0 1 2 3 4 5 6 7\r\n" in text

    def test_data_that_is_not_wanted(self):
        assert not negotiate_section(CHROMIUM.sections[6], Inactive()).accepted
        text = answer(CHROMIUM, lambda *_: Inactive())
        assert samples.lines_of(text, "6")[0] == "m=application 0 UDP/DTLS/SCTP webrtc-datachannel"
        assert "a=group:BUNDLE 0 1 2 3 4 5 7 8\r\n" in text

    def test_when_nothing_is_left_there_is_no_group(self):
        offer = parse_offer(samples.text("chromium-data-only"))
        assert "BUNDLE" not in answer(offer, lambda *_: Inactive())


@settings(max_examples=200)
@given(samples.mutated_offers())
def test_whatever_is_read_can_be_answered(text):
    with contextlib.suppress(SdpError):
        offer = parse_offer(text)
        for decide in (
            live,
            idle,
            lambda _section, index: send(index),
            lambda *_: Receive("vp9", codec_only=True),
        ):
            reply = answer(offer, decide)
            if "a=group:BUNDLE" in reply:
                try:
                    read = samples.read_answer(reply)
                except SdpError as error:  # would hide in the outer suppression
                    raise AssertionError(reply) from error
                assert [s.mid for s in read.sections] == [s.mid for s in offer.sections]


class TestBothDirections:
    def agree(self, mid, index):
        text = samples.text("chromium-publish")
        section = next(s for s in parse_offer(text).sections if s.mid == mid)
        offered = replace(section, direction="sendrecv", rids=(), simulcast_send=())
        return negotiate_section(offered, Both(Receive(), send(index)))

    def test_a_section_can_carry_a_track_each_way(self):
        agreed = self.agree("8", 8)
        assert agreed.direction == "sendrecv"
        assert agreed.codecs[0].rtx_payload_type is not None
        assert {URI_RID, URI_TRANSPORT_CC} <= agreed.extensions.keys()
        assert self.agree("7", 7).codecs[0].name == "red"

    def test_the_answer_names_the_servers_track(self):
        offer = parse_offer(samples.text("chromium-publish"))
        sections = tuple(
            replace(s, direction="sendrecv", rids=(), simulcast_send=()) if s.mid == "8" else s
            for s in offer.sections
        )
        both = Both(Receive(), send(8))
        text = answer(replace(offer, sections=sections), lambda s, i: both if s.mid == "8" else live(s, i))
        lines = samples.lines_of(text, "8")
        assert "a=sendrecv" in lines
        assert "a=msid:PA_a|TR_8 TR_8" in lines
        assert not any(line.startswith("a=rid") for line in lines)
