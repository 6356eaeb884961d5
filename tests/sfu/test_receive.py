import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu import rtcp
from sfu.receive import NackGenerator, ReceiverStatistics


def asked(generator, until, step_s=0.005, start=0.0):
    """All requests of a quiet time: (time, numbers)."""
    requests = []
    for i in range(round((until - start) / step_s) + 1):
        now = start + i * step_s
        numbers = generator.due(now)
        if numbers:
            requests.append((round(now, 6), numbers))
    return requests


class TestNackGenerator:
    def test_in_order_asks_for_nothing(self):
        generator = NackGenerator()
        for number in range(65530, 65600):
            generator.received(number, 0.0)
            assert generator.due(10.0) == []
        assert generator.next_at() is None

    def test_a_gap_waits_for_its_grace(self):
        generator = NackGenerator()
        generator.received(10, 0.0)
        generator.received(13, 0.0)
        assert generator.due(0.019) == []
        assert generator.next_at() == 0.02
        assert generator.due(0.02) == [11, 12]

    def test_two_later_packets_end_the_grace(self):
        generator = NackGenerator()
        generator.received(10, 0.0)
        generator.received(12, 0.0)
        assert generator.due(0.001) == []
        generator.received(13, 0.001)
        assert generator.next_at() == 0.001
        assert generator.due(0.001) == [11]

    def test_each_gap_has_its_own_grace(self):
        generator = NackGenerator()
        for number in (10, 12, 14):
            generator.received(number, 0.0)
        assert generator.due(0.0) == [11]
        generator.received(15, 0.001)
        assert generator.due(0.001) == [13]

    def test_a_packet_out_of_order_is_not_asked_for(self):
        generator = NackGenerator()
        for number in (10, 12, 11, 13, 14):
            generator.received(number, 0.0)
        assert generator.next_at() is None
        assert generator.due(1.0) == []

    @pytest.mark.parametrize(
        ("rtt_s", "waits"),
        [
            (0.07, [0.07, 0.0875, 0.109375, 0.13671875]),
            (0.001, [0.02] * 4),  # not closer than 20 ms
            (1.0, [0.4] * 4),  # nor farther than 400 ms
        ],
    )
    def test_five_tries_farther_and_farther_apart(self, rtt_s, waits):
        generator = NackGenerator()
        generator.rtt_s = rtt_s
        generator.received(10, 0.0)
        generator.received(12, 0.0)
        times = []
        while (now := generator.next_at()) is not None:
            assert generator.due(now) == [11]
            times.append(now)
        assert times == pytest.approx([0.02 + sum(waits[:i]) for i in range(5)])
        assert generator.due(100.0) == []

    def test_an_answer_ends_it(self):
        generator = NackGenerator()
        generator.received(10, 0.0)
        generator.received(13, 0.0)
        assert generator.due(0.02) == [11, 12]
        generator.received(11, 0.05)
        assert asked(generator, 1.0)[0][1] == [12]
        generator.received(12, 0.05)
        assert generator.next_at() is None

    def test_at_most_100_are_outstanding(self):
        generator = NackGenerator()
        generator.received(0, 0.0)
        generator.received(500, 0.0)
        assert generator.due(0.02) == list(range(400, 500))
        generator.received(503, 0.03)
        assert generator.due(0.05) == [501, 502]
        assert len(generator._missing) == 100

    @pytest.mark.parametrize(("jump", "expected"), [(1000, 100), (1001, 0)])
    def test_a_huge_jump_begins_anew(self, jump, expected):
        generator = NackGenerator()
        generator.received(0, 0.0)
        generator.received(3, 0.0)
        generator.received(3 + jump, 0.0)
        assert len(generator.due(0.02)) == expected

    def test_nothing_is_asked_twice_at_a_time(self):
        generator = NackGenerator()
        generator.received(10, 0.0)
        generator.received(12, 0.0)
        assert generator.due(0.02) == [11]
        assert generator.due(0.02) == []

    @given(
        st.lists(
            st.tuples(st.integers(-120, 130), st.floats(0, 0.05)) | st.just((5000, 0.0)),
            min_size=1,
            max_size=150,
        )
    )
    def test_asks_for_missing_packets_alone_and_ends(self, steps):
        generator = NackGenerator()
        now = 0.0
        highest = 100_000
        generator.received(highest, now)
        got = {highest}
        tries = {}
        for step, wait_s in steps:
            now += wait_s
            number = highest + step
            generator.received(number, now)
            got.add(number)
            highest = max(highest, number)
            numbers = generator.due(now)
            assert numbers == sorted(set(numbers))
            assert len(numbers) <= 100
            for wanted in numbers:
                assert wanted not in got
                assert wanted < highest
                tries[wanted] = tries.get(wanted, 0) + 1
        for _ in range(10):
            now += 0.5
            for wanted in generator.due(now):
                tries[wanted] = tries.get(wanted, 0) + 1
        assert generator.next_at() is None
        assert max(tries.values(), default=0) <= 5


class TestReceiverStatistics:
    def test_before_the_first_packet(self):
        assert ReceiverStatistics(7, 90000).report(1.0) == rtcp.ReportBlock(7, 0, 0, 0, 0, 0, 0)

    def test_losses(self):
        statistics = ReceiverStatistics(7, 90000)
        for number in range(65530, 65550):
            if number % 4:
                statistics.received(number, 0, 0.0)
        # 65530..65549: 65532, 65536, 65540, 65544, 65548 are missing
        block = statistics.report(1.0)
        assert (block.ssrc, block.highest_sequence) == (7, 65549)
        assert (block.fraction_lost, block.cumulative_lost) == (5 * 256 // 20, 5)
        for number in range(65550, 65560):
            statistics.received(number, 0, 0.0)
        block = statistics.report(2.0)
        assert (block.fraction_lost, block.cumulative_lost) == (0, 5)

    def test_retransmissions_fill_the_loss(self):
        statistics = ReceiverStatistics(7, 90000)
        for number in (10, 12, 11):
            statistics.received(number, 0, 0.0)
        assert statistics.report(1.0).cumulative_lost == 0

    def test_duplicates_count_negative_without_a_fraction(self):
        statistics = ReceiverStatistics(7, 90000)
        for number in (10, 11, 11, 11):
            statistics.received(number, 0, 0.0)
        block = statistics.report(1.0)
        assert (block.fraction_lost, block.cumulative_lost) == (0, -2)

    def test_a_packet_from_before_the_first_is_expected_too(self):
        statistics = ReceiverStatistics(7, 90000)
        for number in (0, -1, 1):
            statistics.received(number, 0, 0.0)
        assert statistics.report(1.0).cumulative_lost == 0

    def test_cumulative_loss_stays_in_its_24_bits(self):
        statistics = ReceiverStatistics(7, 90000)
        statistics.received(0, 0, 0.0)
        statistics.received(1 << 24, 0, 0.0)
        block = statistics.report(1.0)
        assert (block.fraction_lost, block.cumulative_lost) == (255, 0x7FFFFF)
        assert rtcp.parse(rtcp.receiver_report(1, [block])) == [rtcp.ReceiverReport(1, (block,))]

    @pytest.mark.parametrize("start", [0, 2**32 - 3000])
    def test_jitter_of_even_arrivals_is_zero(self, start):
        statistics = ReceiverStatistics(7, 48000)
        for i in range(100):
            statistics.received(i, (start + 960 * i) & 0xFFFFFFFF, 0.02 * i)
        assert statistics.report(2.0).jitter == 0

    def test_jitter_converges_to_the_mean_difference(self):
        # RFC 3550 A.8 by hand: every transit differs by 10 ms from the one before
        statistics = ReceiverStatistics(7, 48000)
        for i in range(500):
            statistics.received(i, 960 * i, 0.02 * i + (0.01 if i % 2 else 0.0))
        assert statistics.report(2.0).jitter == pytest.approx(480, abs=2)

    def test_late_packets_do_not_count_as_jitter(self):
        statistics = ReceiverStatistics(7, 48000)
        for i in range(0, 100, 2):
            statistics.received(i, 960 * i, 0.02 * i)
            statistics.received(i - 1, 960 * (i - 1), 0.02 * i)
        assert statistics.report(2.0).jitter == 0

    def test_delay_since_the_last_sender_report(self):
        statistics = ReceiverStatistics(7, 90000)
        statistics.received(1, 0, 0.0)
        ntp = rtcp.ntp_time(1_700_000_000.0)
        statistics.sender_report(ntp, 5.0)
        block = statistics.report(5.25)
        assert block.last_sr == rtcp.ntp_middle(ntp)
        assert block.delay_since_last_sr == 16384
        # the publisher reads its round-trip time from it
        assert rtcp.round_trip_s(block, rtcp.ntp_time(1_700_000_000.3)) == pytest.approx(0.05, abs=1e-3)
