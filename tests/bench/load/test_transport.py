"""What a client's transport reads of an answer."""

import pytest

from bench.load.transport import read_answer


def test_an_answer_is_read():
    answer = read_answer(
        "v=0\r\na=ice-lite\r\nm=video 9 UDP/TLS/RTP/SAVPF 96\r\na=ice-ufrag:u\r\na=ice-pwd:p\r\n"
        "a=fingerprint:sha-256 AA:BB\r\na=candidate:1 1 udp 1 192.0.2.1 7882 typ host\r\n"
        "a=candidate:2 1 tcp 1 192.0.2.2 9 typ host\r\n"
        "a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n"
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=ice-ufrag:u\r\na=fingerprint:sha-256 AA:BB\r\n"
    )
    assert (answer.ufrag, answer.pwd) == ("u", "p")
    assert answer.fingerprints == (("sha-256", "AA:BB"),)
    assert answer.addresses == (("192.0.2.1", 7882),)
    assert answer.has_transport_cc
    with pytest.raises(KeyError):
        read_answer("v=0\r\n")
