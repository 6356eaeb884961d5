from dataclasses import replace

from router_world import parameters

from sfu.session.negotiation import NegotiatedCodec
from sfu.session.sections import receive_section, refused_section, send_section
from sfu.wire.rtp import URI_AUDIO_LEVEL, URI_TRANSPORT_CC


def test_what_was_agreed_on_can_be_looked_up_by_packet():
    codecs = (
        NegotiatedCodec("vp8", 96, 90_000, 1, "", (), 97),
        NegotiatedCodec("h264", 98, 90_000, 1, "", (), None),
    )
    section = receive_section(replace(parameters("video"), codecs=codecs), (1, 2, 3), ((1, 3),))
    assert section.codec_by_payload_type == {96: "vp8", 98: "h264"}
    assert section.media_by_rtx == {97: 96}
    assert section.forwarded == {1: URI_AUDIO_LEVEL}  # neither mid nor rid is a subscriber's business
    assert section.ssrcs == (1, 2)
    assert section.rtx_ssrcs == {3: 1}
    assert section.codec() == "vp8"
    assert section.transport_sequence_id == 0
    numbered = replace(parameters("video"), extensions={URI_TRANSPORT_CC: 7})
    assert receive_section(numbered, (), ()).transport_sequence_id == 7
    assert receive_section(replace(parameters("video"), codecs=()), (), ()).codec() == ""


def test_the_first_payload_type_of_each_codec_is_sent():
    codecs = (
        NegotiatedCodec("vp8", 96, 90_000, 1, "", (), 97),
        NegotiatedCodec("h264", 98, 90_000, 1, "", (), None),
        NegotiatedCodec("h264", 100, 90_000, 1, "", (), 101),
    )
    section = send_section(replace(parameters("video"), codecs=codecs, extensions={URI_AUDIO_LEVEL: 2}))
    assert section.kind.payload_types == (("h264", 98), ("vp8", 96))
    assert section.kind.extensions == ((URI_AUDIO_LEVEL, 2),)
    assert section.rtx_payload_types == {"vp8": 97}
    assert refused_section("3").kind.payload_types == ()
