"""The generator's own arithmetic: payloads that tell what became of them, and what a viewer makes of packets."""

import math

import pytest

from bench.connection import read_answer
from bench.media import Report, payload, read_payload


@pytest.mark.parametrize("keyframe", [True, False])
@pytest.mark.parametrize("index", [0, 1, 77, 2**40])
def test_a_payload_is_read_again(index, keyframe):
    assert read_payload(payload(index, 12.5, 1100, keyframe=keyframe)) == (index, 12.5)


def test_a_rewritten_picture_id_is_no_fault_and_all_else_is():
    sent = payload(7, 1.0, 300, keyframe=False)
    assert read_payload(sent[:2] + b"\xff\xee" + sent[4:]) == (7, 1.0)
    # the time is not part of what is compared: 8 bytes behind magic and index
    for at in [*range(4, 23), *range(31, 300)]:
        broken = bytearray(sent)
        broken[at] ^= 1
        assert read_payload(bytes(broken)) is None, at
    assert read_payload(sent[:20]) is None
    assert read_payload(b"") is None


def test_reports_add_up():
    report = Report()
    assert math.isnan(report.latency_s(0.5))
    report.add(Report(received=10, lost=1, wrong=1, sampled=3, latencies_s=[0.3, 0.1, 0.2]))
    report.add(Report(received=5, duplicates=2))
    assert (report.received, report.lost, report.duplicates, report.wrong) == (15, 1, 2, 1)
    assert (report.latency_s(0.0), report.latency_s(0.5), report.latency_s(1.0)) == (0.1, 0.2, 0.3)


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
