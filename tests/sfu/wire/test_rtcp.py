import struct

import pytest
from aiortc import rtp as theirs
from hypothesis import given, settings
from hypothesis import strategies as st
from rtp_samples import CHROMIUM_REPORTS, mutated

from sfu.wire import rtcp
from sfu.wire.rtcp import (
    MAX_NACKED,
    FullIntraRequest,
    Goodbye,
    Nack,
    PictureLossIndication,
    ReceiverReport,
    Remb,
    ReportBlock,
    RtcpError,
    SenderReport,
    SourceDescription,
    TransportFeedbackReport,
    parse,
)

BLOCK = ReportBlock(
    ssrc=7,
    fraction_lost=25,
    cumulative_lost=-3,
    highest_sequence=70000,
    jitter=90,
    last_sr=0xFFFFFFFF,
    delay_since_last_sr=65536,
)
THEIR_BLOCK = theirs.RtcpReceiverInfo(
    ssrc=7, fraction_lost=25, packets_lost=-3, highest_sequence=70000, jitter=90, lsr=0xFFFFFFFF, dlsr=65536
)
REMB = bytes(theirs.RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=theirs.pack_remb_fci(4_160_000, [5, 6])))
EVERY_KIND = [
    rtcp.sender_report(1, 2**63 + 5, 3, 4, 5, [BLOCK]),
    rtcp.receiver_report(1, [BLOCK, BLOCK]),
    rtcp.sdes_cname(1, "lectern"),
    rtcp.bye([1, 2]),
    rtcp.nack(1, 2, [3, 4, 5, 30]),
    rtcp.pli(1, 2),
    rtcp.fir(1, 2, 3),
    rtcp.transport_feedback(1, 2, bytes(12)),
    REMB,
]


def header(first, kind, words):
    return struct.pack("!BBH", first, kind, words)


class TestParse:
    def test_chromiums_reports(self):
        report, names = parse(CHROMIUM_REPORTS[0])
        assert report == SenderReport(0xD90634E2, 0xEEAB89144626809D, 0x86E014BF, 37, 2377, ())
        assert names == SourceDescription(((0xD90634E2, "OupBEy1u8VMX8aYZ"),))

    @pytest.mark.parametrize(
        ("packet", "expected"),
        [
            (
                theirs.RtcpSrPacket(
                    ssrc=1,
                    sender_info=theirs.RtcpSenderInfo(
                        ntp_timestamp=2**63 + 5, rtp_timestamp=3, packet_count=4, octet_count=5
                    ),
                    reports=[THEIR_BLOCK],
                ),
                SenderReport(1, 2**63 + 5, 3, 4, 5, (BLOCK,)),
            ),
            (theirs.RtcpRrPacket(ssrc=1, reports=[THEIR_BLOCK]), ReceiverReport(1, (BLOCK,))),
            (
                theirs.RtcpSdesPacket(
                    chunks=[theirs.RtcpSourceInfo(ssrc=1, items=[(1, b"a"), (2, b"left out")])]
                ),
                SourceDescription(((1, "a"),)),
            ),
            (theirs.RtcpByePacket(sources=[8, 9]), Goodbye((8, 9))),
            (
                theirs.RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=2, lost=[20, 21, 36, 37, 400]),
                Nack(1, 2, (20, 21, 36, 37, 400)),
            ),
            (theirs.RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=2), PictureLossIndication(1, 2)),
            (
                theirs.RtcpPsfbPacket(
                    fmt=4, ssrc=1, media_ssrc=0, fci=struct.pack("!IIII", 5, 0, 6, 1 << 24)
                ),
                FullIntraRequest(1, (5, 6)),
            ),
            (
                theirs.RtcpPsfbPacket(
                    fmt=15, ssrc=1, media_ssrc=0, fci=theirs.pack_remb_fci(4_160_000, [5, 6])
                ),
                Remb(1, 4_160_000, (5, 6)),
            ),
        ],
    )
    def test_what_aiortc_builds(self, packet, expected):
        assert parse(bytes(packet)) == [expected]

    def test_compound_in_order(self):
        kinds = [type(packet) for packet in parse(memoryview(b"".join(EVERY_KIND)))]
        assert kinds == [
            SenderReport,
            ReceiverReport,
            SourceDescription,
            Goodbye,
            Nack,
            PictureLossIndication,
            FullIntraRequest,
            TransportFeedbackReport,
            Remb,
        ]

    @pytest.mark.parametrize(
        "packet",
        [
            header(0x80, 204, 2) + bytes(8),  # application-defined
            header(0x80, 207, 1) + bytes(4),  # extended reports
            header(0x80 | 3, rtcp.TRANSPORT_FEEDBACK, 2) + bytes(8),  # another transport feedback
            header(0x80 | 2, rtcp.PAYLOAD_FEEDBACK, 2) + bytes(8),  # slice loss
            header(0x80 | 15, rtcp.PAYLOAD_FEEDBACK, 3) + bytes(8) + b"goog",  # another application's
        ],
    )
    def test_unknown_kinds_are_left_out(self, packet):
        assert parse(packet + rtcp.pli(1, 2)) == [PictureLossIndication(1, 2)]

    def test_several_chunks(self):
        # aiortc does not fill the chunks up to words (RFC 3550 section 6.5), so these are by hand
        chunks = "0000000101016102026263000000000201036263640000000000000300000000"
        packet = header(0x83, rtcp.SOURCE_DESCRIPTION, len(chunks) // 8) + bytes.fromhex(chunks)
        assert parse(packet) == [SourceDescription(((1, "a"), (2, "bcd")))]

    def test_nack_around_the_wrap(self):
        packet = header(0x81, rtcp.TRANSPORT_FEEDBACK, 3) + struct.pack("!IIHH", 1, 2, 65534, 0x8003)
        assert parse(packet) == [Nack(1, 2, (65534, 65535, 0, 14))]

    def test_transport_feedback_is_handed_on(self):
        packet = rtcp.transport_feedback(1, 2, b"abcdefgh")
        assert parse(packet) == [TransportFeedbackReport(1, 2, b"abcdefgh")]

    def test_estimate_for_no_stream(self):
        packet = header(0x8F, rtcp.PAYLOAD_FEEDBACK, 4) + bytes(8) + b"REMB" + bytes((0, 63 << 2 | 2, 0, 1))
        assert parse(packet) == [Remb(0, 0x20001 << 63, ())]

    def test_feedback_that_libwebrtc_fills_up_to_a_word(self):
        # as Chromium sends it: the fill is marked as padding, of two octets here
        report = bytes.fromhex("0067000206c87f082002eda1")[:-2]
        [parsed] = rtcp.parse(header(0xAF, rtcp.TRANSPORT_FEEDBACK, 5) + bytes(8) + report + b"\0\2")
        assert parsed == rtcp.TransportFeedbackReport(0, 0, report)

    def test_padding(self):
        packet = header(0xA1, rtcp.PAYLOAD_FEEDBACK, 4) + struct.pack("!II", 1, 2) + b"\0\0\0\0\0\0\0\x08"
        assert parse(packet) == [PictureLossIndication(1, 2)]

    def test_name_that_is_not_utf8(self):
        packet = header(0x81, rtcp.SOURCE_DESCRIPTION, 2) + struct.pack("!I", 1) + b"\x01\x01\xff\0"
        assert parse(packet) == [SourceDescription(((1, "\ufffd"),))]

    @pytest.mark.parametrize(
        "packet",
        [
            b"",
            b"\x80\xc9\x00",
            header(0x40, rtcp.RECEIVER_REPORT, 1) + bytes(4),  # version 1
            header(0x80, rtcp.RECEIVER_REPORT, 2) + bytes(4),  # longer than the datagram
            header(0x80, rtcp.RECEIVER_REPORT, 0),
            header(0x81, rtcp.RECEIVER_REPORT, 1) + bytes(4),  # a block announced, none there
            header(0x80, rtcp.SENDER_REPORT, 4) + bytes(16),
            header(0x81, rtcp.SOURCE_DESCRIPTION, 1) + bytes(4),
            header(0x81, rtcp.SOURCE_DESCRIPTION, 2) + bytes(4) + b"\x01\x09ab",  # item over the end
            header(0x82, rtcp.GOODBYE, 1) + bytes(4),
            header(0x80 | 31, rtcp.GOODBYE, 10) + bytes(40),
            header(0x81, rtcp.TRANSPORT_FEEDBACK, 1) + bytes(4),
            header(0x84, rtcp.PAYLOAD_FEEDBACK, 3) + bytes(12),  # half an item
            header(0x8F, rtcp.PAYLOAD_FEEDBACK, 4)
            + bytes(8)
            + b"REMB"
            + b"\x01\0\0\0",  # no SSRC where one is
            header(0x8F, rtcp.PAYLOAD_FEEDBACK, 3) + bytes(8) + b"REMB",
            header(0xA1, rtcp.PAYLOAD_FEEDBACK, 0),  # padding of nothing
            header(0xA1, rtcp.PAYLOAD_FEEDBACK, 2) + bytes(8),  # padding of 0
            header(0xA1, rtcp.PAYLOAD_FEEDBACK, 2) + bytes(7) + b"\x0c",  # more than there is
            header(0xA1, rtcp.PAYLOAD_FEEDBACK, 2) + bytes(7) + b"\x03",  # no multiple of four
        ],
    )
    def test_broken(self, packet):
        with pytest.raises(RtcpError):
            parse(packet)

    @pytest.mark.parametrize("packet", [*EVERY_KIND, *CHROMIUM_REPORTS])
    def test_every_truncation_is_refused_or_a_shorter_compound(self, packet):
        whole = parse(packet)
        for size in range(len(packet)):
            try:
                assert parse(packet[:size]) == whole[: len(whole) - 1]
            except RtcpError:
                continue

    def test_numbers_of_a_compound_are_bounded(self):
        greedy = header(0x81, rtcp.TRANSPORT_FEEDBACK, 2 + 300) + struct.pack("!II", 1, 2)
        greedy += b"".join(struct.pack("!HH", 17 * i, 0xFFFF) for i in range(300))
        packets = parse(greedy * 4)
        assert sum(len(packet.sequences) for packet in packets) == MAX_NACKED
        assert packets[0].sequences == tuple(range(MAX_NACKED))


class TestBuild:
    def test_reports_read_by_aiortc(self):
        [packet] = theirs.RtcpPacket.parse(rtcp.sender_report(1, 2**63 + 5, 2**32 + 3, 2**32 + 4, 5, [BLOCK]))
        assert (packet.ssrc, packet.reports) == (1, [THEIR_BLOCK])
        assert packet.sender_info == theirs.RtcpSenderInfo(
            ntp_timestamp=2**63 + 5, rtp_timestamp=3, packet_count=4, octet_count=5
        )
        [packet] = theirs.RtcpPacket.parse(rtcp.receiver_report(1, [BLOCK, BLOCK]))
        assert (packet.ssrc, packet.reports) == (1, [THEIR_BLOCK, THEIR_BLOCK])

    @pytest.mark.parametrize("name", ["", "a", "ab", "abc", "lectern", "x" * 255])
    def test_names(self, name):
        packet = rtcp.sdes_cname(9, name)
        assert parse(packet) == [SourceDescription(((9, name),))]
        [read] = theirs.RtcpPacket.parse(packet)
        assert read.chunks == [theirs.RtcpSourceInfo(ssrc=9, items=[(1, name.encode())])]

    def test_goodbye_and_keyframe_requests(self):
        assert theirs.RtcpPacket.parse(rtcp.bye([1, 2]))[0].sources == [1, 2]
        assert bytes(theirs.RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=2)) == rtcp.pli(1, 2)
        fir = theirs.RtcpPsfbPacket(fmt=4, ssrc=1, media_ssrc=0, fci=struct.pack("!IB3x", 2, 5))
        assert bytes(fir) == rtcp.fir(1, 2, 256 + 5)

    @given(st.integers(0, 2**20), st.sets(st.integers(0, 300), min_size=1, max_size=60))
    def test_nack(self, first, steps):
        wanted = sorted(first + step for step in steps)
        packet = rtcp.nack(1, 2, wanted)
        numbers = [number & 0xFFFF for number in wanted]
        assert parse(packet) == [Nack(1, 2, tuple(numbers))]
        # aiortc does not wrap what a bit mask adds
        assert [lost & 0xFFFF for lost in theirs.RtcpPacket.parse(packet)[0].lost] == numbers

    def test_nack_is_short(self):
        assert len(rtcp.nack(1, 2, range(17))) == 16
        assert len(rtcp.nack(1, 2, range(18))) == 20
        assert rtcp.nack(1, 2, [5, 5]) == rtcp.nack(1, 2, [5])

    def test_a_report_has_room_for_31_blocks(self):
        assert len(parse(rtcp.receiver_report(1, [BLOCK] * 31))[0].blocks) == 31
        with pytest.raises(ValueError, match="31"):
            rtcp.receiver_report(1, [BLOCK] * 32)


class TestNtp:
    def test_known_instants(self):
        assert rtcp.ntp_time(0) == 2_208_988_800 << 32
        # RFC 5905 figure 4: the first day of UNIX
        assert rtcp.ntp_time(0.5) & 0xFFFFFFFF == 0x80000000

    def test_the_era_ends_without_an_error(self):
        assert 0 <= rtcp.ntp_time(2**32) < 2**64

    @pytest.mark.parametrize(
        ("sent", "held_s", "arrived", "expected"),
        [
            (1000.0, 0.5, 1000.6, 0.1),
            (1000.0, 0.0, 1000.0, 0.0),
            (1000.0, 0.5, 1000.4, None),  # held longer than it was away
        ],
    )
    def test_round_trip(self, sent, held_s, arrived, expected):
        block = ReportBlock(1, 0, 0, 0, 0, rtcp.ntp_middle(rtcp.ntp_time(sent)), int(held_s * 65536))
        found = rtcp.round_trip_s(block, rtcp.ntp_time(arrived))
        assert found is expected if expected is None else found == pytest.approx(expected, abs=1e-4)

    def test_round_trip_without_a_sender_report(self):
        assert rtcp.round_trip_s(ReportBlock(1, 0, 0, 0, 0, 0, 0), rtcp.ntp_time(1000)) is None


@settings(max_examples=500)
@given(st.binary(max_size=64) | mutated([*EVERY_KIND, *CHROMIUM_REPORTS, b"".join(EVERY_KIND)]))
def test_fuzz_raises_nothing_but_rtcp_errors(data):
    try:
        packets = parse(data)
    except RtcpError:
        return
    assert sum(len(packet.sequences) for packet in packets if isinstance(packet, Nack)) <= MAX_NACKED


@pytest.mark.parametrize(
    "packet",
    [
        # NACKs whose padding leaves a part of an item: found by the fuzz
        "a1cd000400000001208000020001000903840001",
        "a1cd000400000001000000020000000200000001",
        # the same of a full intra request and of an estimate
        "a4ce0004000000010000000200000001040000010"[:40],
        "afce0005000000010000000052454d420100000000000001",
    ],
)
def test_padding_that_cuts_an_item_is_an_error_of_the_packet(packet):
    with pytest.raises(RtcpError):
        parse(bytes.fromhex(packet))
