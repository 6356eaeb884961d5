"""What the load generator offers, answers, and reads of the server's descriptions."""

import pytest

from bench.load.descriptions import Local, Section, answer, offer, read_remote, read_trickled, receiving

LOCAL = Local("u", "p", "AA:BB")
REMOTE = (
    "v=0\r\na=ice-lite\r\nm=video 9 UDP/TLS/RTP/SAVPF 96 97\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\n"
    "a=fingerprint:sha-256 AA:BB\r\na=candidate:1 1 udp 1 192.0.2.1 7882 typ host\r\n"
    "a=candidate:2 1 tcp 1 192.0.2.2 9 typ host\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\n"
    "a=extmap:3/recvonly http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
    "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:u\r\na=fingerprint:sha-256 AA:BB\r\na=rtpmap:111 opus/48000/2\r\n"
)


def test_a_description_is_read():
    remote = read_remote(REMOTE)
    assert (remote.ufrag, remote.pwd) == ("u", "p")
    assert remote.fingerprints == (("sha-256", "AA:BB"),)
    assert remote.addresses == (("192.0.2.1", 7882),)
    assert remote.transport_cc_id == 3
    assert remote.clock_rates == {96: 90_000, 111: 48_000}
    assert remote.is_lite
    assert not remote.is_offer
    with pytest.raises(KeyError):
        read_remote("v=0\r\n")


def test_only_host_addresses_over_udp_are_used_of_trickled_candidates():
    assert read_trickled('{"candidate": "candidate:1 1 UDP 1 192.0.2.1 7 typ host"}') == ("192.0.2.1", 7)
    for useless in (
        "candidate:1 1 udp 1 192.0.2.1 7 typ relay",
        "candidate:1 1 tcp 1 192.0.2.1 7 typ host",
        "",
    ):
        assert read_trickled(f'{{"candidate": "{useless}"}}') is None


def test_a_track_is_offered_before_what_is_received():
    text = offer(LOCAL, [Section("video", "camera", 7), Section("audio", "voice"), *receiving("audio", 1)])
    assert "a=group:BUNDLE 0 1 2\r\n" in text
    directions = [line for line in text.split("\r\n") if line in {"a=sendonly", "a=recvonly"}]
    assert directions == ["a=sendonly", "a=sendonly", "a=recvonly"]
    named = [line for line in text.split("\r\n") if line.startswith(("a=msid:", "a=ssrc:"))]
    assert named == ["a=msid:- camera", "a=ssrc:7 cname:load", "a=msid:- voice"]


def test_an_answer_accepts_what_the_server_offers_under_its_numbers():
    offered = (
        "v=0\r\no=- 7 1 IN IP4 0.0.0.0\r\na=group:BUNDLE d v\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
        "c=IN IP4 0.0.0.0\r\na=mid:d\r\na=sctp-port:5000\r\na=setup:actpass\r\na=ice-ufrag:theirs\r\n"
        "m=video 9 UDP/TLS/RTP/SAVPF 120 63\r\na=rtpmap:63 red/48000/2\r\na=fmtp:63 111/111\r\n"
        "c=IN IP4 0.0.0.0\r\na=mid:v\r\na=rtpmap:120 VP8/90000\r\n"
        "a=extmap:9 urn:x\r\na=msid:x y\r\na=ssrc:1 cname:x\r\na=sendonly\r\n"
    )
    session, data, video = answer(LOCAL, offered).split("m=")
    assert "a=group:BUNDLE d v" in session
    assert "a=sctp-port:5000" in data
    assert "a=inactive" not in data
    assert "a=ice-ufrag:u\r\n" in data
    for line in ("a=mid:v", "a=rtpmap:120 VP8/90000", "a=extmap:9 urn:x", "a=recvonly", "a=setup:active"):
        assert f"{line}\r\n" in video
    for absent in ("63", "ssrc", "msid", "theirs", "sendonly"):
        assert absent not in video
