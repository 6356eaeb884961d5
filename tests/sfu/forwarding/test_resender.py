import struct

import pytest

from sfu.fanout.template import TemplateClass
from sfu.forwarding.resender import MAX_RESENDS, RESEND_INTERVAL_S, RESENDS, Resender
from sfu.wire import rtp

NUMBERED = TemplateClass((("vp8", 96),), ((rtp.URI_TRANSPORT_CC, 3),))
RTT_S = 1.0


def test_a_packet_is_sent_again_a_few_times_and_not_at_once():
    resender, now = Resender(7, 100), 10.0
    assert resender.admit(1, now, RTT_S)
    assert not resender.admit(1, now + RESEND_INTERVAL_S / 2, RTT_S)
    assert resender.admit(2, now, RTT_S)
    for _ in range(MAX_RESENDS - 1):
        now += 1.01 * RESEND_INTERVAL_S
        assert resender.admit(1, now, RTT_S)
    assert not resender.admit(1, now + 10, RTT_S)


def test_on_a_short_path_a_packet_is_sent_again_sooner():
    resender = Resender(7, 100)
    assert resender.admit(1, 10.0, 0.01)
    assert not resender.admit(1, 10.01, 0.01)
    assert resender.admit(1, 10.03, 0.01)


def test_requests_are_answered_within_a_budget():
    resender = Resender(7, 100)
    assert sum(resender.admit(number, 10.0, RTT_S) for number in range(2000)) == RESENDS.burst
    later = sum(resender.admit(number, 10.1, RTT_S) for number in range(2000, 4000))
    assert later == pytest.approx(RESENDS.per_s / 10, abs=1)


def test_what_is_refused_does_not_count_as_sent():
    resender = Resender(7, 100)
    for number in range(int(RESENDS.burst)):
        resender.admit(number, 10.0, RTT_S)
    assert not resender.admit(9999, 10.0, RTT_S)
    assert resender.admit(9999, 10.01, RTT_S)


@pytest.mark.parametrize("extension", [b"", rtp.build_extensions([(3, b"\0\1")])])
def test_a_retransmission_has_its_own_stream_and_names_the_original(extension):
    head = struct.pack("!BBHII", 0x90 if extension else 0x80, 0x80 | 96, 500, 90_000, 1)
    made = Resender(7, 0xFFFF).wrap(bytearray(head + extension + b"payload"), 97)
    assert struct.unpack_from("!BBHII", made) == (head[0], 0x80 | 97, 0, 90_000, 7)
    assert made[12:] == extension + struct.pack("!H", 500) + b"payload"  # RFC 4588 section 4


def test_padding_and_retransmissions_count_on():
    resender = Resender(7, 100)
    first = resender.padding(NUMBERED, 97)
    second = resender.wrap(bytearray(struct.pack("!BBHII", 0x80, 96, 500, 0, 1)), 97)
    third = resender.padding(NUMBERED, 97)
    assert [struct.unpack_from("!H", each, 2)[0] for each in (first, second, third)] == [101, 102, 103]
    assert rtp.payload_end(first, rtp.header_length(first)) == rtp.header_length(first)
