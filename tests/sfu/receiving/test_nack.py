import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.receiving.nack import NackGenerator


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
