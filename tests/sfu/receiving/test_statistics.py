import pytest

from sfu.receiving.statistics import ReceiverStatistics
from sfu.wire import rtcp


class TestReceiverStatistics:
    def test_before_the_first_packet(self):
        assert ReceiverStatistics(7, 90000).report_block(1.0) == rtcp.ReportBlock(7, 0, 0, 0, 0, 0, 0)

    def test_losses(self):
        statistics = ReceiverStatistics(7, 90000)
        for number in range(65530, 65550):
            if number % 4:
                statistics.received(number, 0, 0.0)
        # 65530..65549: 65532, 65536, 65540, 65544, 65548 are missing
        block = statistics.report_block(1.0)
        assert (block.ssrc, block.highest_sequence) == (7, 65549)
        assert (block.fraction_lost, block.cumulative_lost) == (5 * 256 // 20, 5)
        for number in range(65550, 65560):
            statistics.received(number, 0, 0.0)
        block = statistics.report_block(2.0)
        assert (block.fraction_lost, block.cumulative_lost) == (0, 5)

    def test_retransmissions_fill_the_loss(self):
        statistics = ReceiverStatistics(7, 90000)
        for number in (10, 12, 11):
            statistics.received(number, 0, 0.0)
        assert statistics.report_block(1.0).cumulative_lost == 0

    def test_duplicates_count_negative_without_a_fraction(self):
        statistics = ReceiverStatistics(7, 90000)
        for number in (10, 11, 11, 11):
            statistics.received(number, 0, 0.0)
        block = statistics.report_block(1.0)
        assert (block.fraction_lost, block.cumulative_lost) == (0, -2)

    def test_a_packet_from_before_the_first_is_expected_too(self):
        statistics = ReceiverStatistics(7, 90000)
        for number in (0, -1, 1):
            statistics.received(number, 0, 0.0)
        assert statistics.report_block(1.0).cumulative_lost == 0

    def test_cumulative_loss_stays_in_its_24_bits(self):
        statistics = ReceiverStatistics(7, 90000)
        statistics.received(0, 0, 0.0)
        statistics.received(1 << 24, 0, 0.0)
        block = statistics.report_block(1.0)
        assert (block.fraction_lost, block.cumulative_lost) == (255, 0x7FFFFF)
        assert rtcp.parse(rtcp.receiver_report(1, [block])) == [rtcp.ReceiverReport(1, (block,))]

    @pytest.mark.parametrize("start", [0, 2**32 - 3000])
    def test_jitter_of_even_arrivals_is_zero(self, start):
        statistics = ReceiverStatistics(7, 48000)
        for i in range(100):
            statistics.received(i, (start + 960 * i) & 0xFFFFFFFF, 0.02 * i)
        assert statistics.report_block(2.0).jitter == 0

    def test_jitter_converges_to_the_mean_difference(self):
        # RFC 3550 A.8 by hand: every transit differs by 10 ms from the one before
        statistics = ReceiverStatistics(7, 48000)
        for i in range(500):
            statistics.received(i, 960 * i, 0.02 * i + (0.01 if i % 2 else 0.0))
        assert statistics.report_block(2.0).jitter == pytest.approx(480, abs=2)

    def test_late_packets_do_not_count_as_jitter(self):
        statistics = ReceiverStatistics(7, 48000)
        for i in range(0, 100, 2):
            statistics.received(i, 960 * i, 0.02 * i)
            statistics.received(i - 1, 960 * (i - 1), 0.02 * i)
        assert statistics.report_block(2.0).jitter == 0

    def test_delay_since_the_last_sender_report(self):
        statistics = ReceiverStatistics(7, 90000)
        statistics.received(1, 0, 0.0)
        ntp = rtcp.ntp_time(1_700_000_000.0)
        statistics.sender_report(ntp, 5.0)
        block = statistics.report_block(5.25)
        assert block.last_sr == rtcp.ntp_middle(ntp)
        assert block.delay_since_last_sr == 16384
        # the publisher reads its round-trip time from it
        assert rtcp.round_trip_s(block, rtcp.ntp_time(1_700_000_000.3)) == pytest.approx(0.05, abs=1e-3)
