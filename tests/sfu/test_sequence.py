import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.sequence import (
    SEGMENTS_KEPT,
    VIDEO_HISTORY,
    Compactor,
    History,
    OutSequence,
    Thinning,
    Unwrapper,
    seq_diff,
    ts_diff,
)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        (5, 3, 2),
        (3, 5, -2),
        (0, 65535, 1),
        (65535, 0, -1),
        (7, 7, 0),
        (0x8000, 0, -0x8000),
        (0x7FFF, 0, 0x7FFF),
    ],
)
def test_seq_diff(a, b, expected):
    assert seq_diff(a, b) == expected


@pytest.mark.parametrize(
    ("a", "b", "expected"), [(0, 2**32 - 1, 1), (2**32 - 1, 0, -1), (2**31, 0, -(2**31))]
)
def test_ts_diff(a, b, expected):
    assert ts_diff(a, b) == expected


class TestUnwrapper:
    @pytest.mark.parametrize(
        ("received", "expected"),
        [
            ([10, 11, 12], [10, 11, 12]),
            ([65534, 65535, 0, 1], [65534, 65535, 65536, 65537]),
            ([65535, 1, 0, 65534], [65535, 65537, 65536, 65534]),  # reordered around the wrap
            ([0, 65535, 1], [0, -1, 1]),  # sent before the first that arrived
            ([0, 32767, 65534, 32765], [0, 32767, 65534, 98301]),
            ([0, 32768], [0, -32768]),  # half the number space is backwards
        ],
    )
    def test_table(self, received, expected):
        unwrapper = Unwrapper()
        assert [unwrapper.unwrap(seq) for seq in received] == expected
        assert unwrapper.highest == max(expected)

    @given(st.integers(0, 65535), st.lists(st.integers(-3000, 3000), max_size=200))
    def test_follows_any_walk_of_small_steps(self, start, steps):
        unwrapper = Unwrapper()
        highest = unwrapper.unwrap(start)
        for step in steps:
            number = highest + step
            assert unwrapper.unwrap(number & 0xFFFF) == number
            highest = max(highest, number)


def out16(sequence, source):
    out = sequence.out_seq(source)
    return None if out is None else out & 0xFFFF


class TestOutSequence:
    @pytest.mark.parametrize(
        ("first", "script", "expected"),
        [
            # ("s", key, first source number): switch; ("p", number): packet
            (100, [("s", "low", 5), ("p", 5), ("p", 6), ("p", 7)], [100, 101, 102]),
            # a source's loss and its late arrival keep their place
            (100, [("s", "low", 5), ("p", 5), ("p", 8), ("p", 6)], [100, 103, 101]),
            # a switch leaves no gap, whatever the layers' own numbers are
            (
                100,
                [("s", "low", 5), ("p", 5), ("p", 6), ("s", "high", 90000), ("p", 90000), ("p", 90001)],
                [100, 101, 102, 103],
            ),
            # older than the segment: its number belongs to the layer before
            (100, [("s", "low", 5), ("p", 5), ("s", "high", 50), ("p", 49), ("p", 50)], [100, None, 101]),
            # the wrap around
            (65535, [("s", "low", 5), ("p", 5), ("p", 6), ("s", "high", 1), ("p", 1)], [65535, 0, 1]),
            # back to the same layer after a pause
            (100, [("s", "low", 5), ("p", 5), ("s", "low", 300), ("p", 300)], [100, 101]),
            # a segment that nothing went out in leaves no trace
            (100, [("s", "low", 5), ("p", 5), ("s", "mid", 7), ("s", "high", 50), ("p", 50)], [100, 101]),
            (100, [("p", 5)], [None]),
            (0, [("s", "low", 65540), ("p", 65540)], [0]),
        ],
    )
    def test_numbering(self, first, script, expected):
        sequence = OutSequence(first)
        results = []
        for step, *arguments in script:
            if step == "s":
                sequence.switch(*arguments)
            else:
                results.append(out16(sequence, *arguments))
        assert results == expected

    def test_switch_returns_the_offset_of_the_segment(self):
        sequence = OutSequence(1000)
        offset = sequence.switch("low", 400)
        assert offset == 600
        assert sequence.current.offset == 600
        assert sequence.out_seq(401) == 401 + offset

    def test_resolves_across_switches(self):
        sequence = OutSequence(65530)
        sequence.switch("low", 10)
        sequence.advance(19)
        sequence.switch("high", 500)
        sequence.current.timestamp_offset = 77
        sequence.advance(509)
        for i in range(10):
            assert sequence.resolve((65530 + i) & 0xFFFF)[:2] == ("low", 10 + i)
            key, source, segment = sequence.resolve((65540 + i) & 0xFFFF)
            assert (key, source, segment.timestamp_offset) == ("high", 500 + i, 77)

    def test_what_never_went_out_resolves_to_nothing(self):
        sequence = OutSequence(100)
        assert sequence.resolve(100) is None
        sequence.switch("low", 10)
        assert sequence.resolve(100) is None
        sequence.advance(12)
        assert sequence.resolve(99) is None
        assert sequence.resolve(103) is None
        assert sequence.resolve((102 + 0x8000) & 0xFFFF) is None

    def test_keeps_the_last_segments(self):
        sequence = OutSequence(0)
        for i in range(SEGMENTS_KEPT + 2):
            sequence.switch(i, 1000 * i)
            sequence.advance(1000 * i + 9)
        found = [sequence.resolve(10 * i) for i in range(SEGMENTS_KEPT + 2)]
        assert found[:2] == [None, None]
        assert [source for source, _, _ in found[2:]] == list(range(2, SEGMENTS_KEPT + 2))

    def test_advance_does_not_go_back(self):
        sequence = OutSequence(100)
        sequence.switch("low", 10)
        sequence.advance(15)
        sequence.advance(12)
        assert sequence.highest == 105

    @given(
        st.integers(0, 65535),
        st.lists(
            st.tuples(
                st.integers(0, 3),
                st.integers(0, 2**20),
                st.lists(st.integers(0, 20), min_size=1, max_size=12),
            ),
            min_size=1,
            max_size=8,
        ),
    )
    def test_no_number_goes_out_twice_and_each_leads_back(self, first, segments):
        sequence = OutSequence(first)
        sent = {}
        expected_next = first
        for key, start, steps in segments:
            sequence.switch(key, start)
            number = start
            assert sequence.out_seq(number) == expected_next
            sent[expected_next] = (key, number)
            for step in steps:
                number += step
                out = sequence.out_seq(number)
                assert sent.setdefault(out, (key, number)) == (key, number)
            expected_next = max(sent) + 1
        oldest = sequence._segments[0].first_out
        for out, source in sent.items():
            resolved = sequence.resolve(out & 0xFFFF)
            assert (resolved[:2] if resolved else None) == (source if out >= oldest else None)


class TestHistory:
    def test_keeps_as_many_as_it_has_slots(self):
        history = History(4)
        for number in range(65534, 65540):
            history.put(number, b"%d" % number)
        assert [history.get(number) for number in range(65534, 65541)] == [
            None,
            None,
            b"65536",
            b"65537",
            b"65538",
            b"65539",
            None,
        ]

    def test_a_late_packet_does_not_replace_a_newer_one(self):
        history = History(4)
        history.put(8, b"new")
        history.put(4, b"old")
        assert history.get(8) == b"new"
        assert history.get(4) is None

    def test_numbers_before_the_first(self):
        history = History(4)
        history.put(-1, b"early")
        assert history.get(-1) == b"early"
        assert history.get(3) is None

    def test_empty(self):
        assert History(4).get(-1) is None

    @pytest.mark.parametrize("size", [0, 3, -4])
    def test_size_is_a_power_of_two(self, size):
        with pytest.raises(ValueError, match="power of two"):
            History(size)


class TestCompactor:
    def test_numbers_close_up_over_what_was_dropped(self):
        compactor = Compactor()
        numbers = []
        for ext_seq in range(100, 110):
            if ext_seq in {102, 103, 107}:
                compactor.drop(ext_seq)
            else:
                numbers.append(compactor.number(ext_seq))
        assert numbers == list(range(100, 107))

    def test_a_late_packet_keeps_its_place(self):
        compactor = Compactor()
        for ext_seq in (102, 105):
            compactor.drop(ext_seq)
        assert [compactor.number(n) for n in (101, 103, 104, 106)] == [101, 102, 103, 104]

    def test_memory_is_bounded_and_what_is_too_late_is_told(self):
        compactor = Compactor()
        for ext_seq in range(0, 100_000, 2):
            compactor.drop(ext_seq)
        assert compactor.number(100_001) == 100_001 - 50_000
        assert compactor.number(11) is None


class TestThinning:
    """A stream of pictures of some packets each, of which some are left out."""

    @staticmethod
    def thinned(first, pictures):
        """(thinning, {source number: (number, picture id) of those that stay}, source numbers left out)."""
        thinning = Thinning()
        stays, left_out = {}, []
        source, number, shown = first, first, 0
        for picture_id, (stay, packets) in enumerate(pictures):
            for _ in range(packets):
                if stay:
                    stays[source] = (number, shown)
                    assert thinning.number(source) == (number, picture_id - shown)
                    number += 1
                else:
                    left_out.append(source)
                    thinning.leave_out(source, picture_id)
                source += 1
            shown += stay
        return thinning, stays, left_out

    def test_nothing_left_out(self):
        thinning = Thinning()
        assert thinning.number(77) == (77, 0)
        assert thinning.source(77) == 77

    @given(st.integers(0, 70_000), st.lists(st.tuples(st.booleans(), st.integers(1, 4)), max_size=60))
    def test_no_gaps_and_all_traced_back(self, first, pictures):
        thinning, stays, left_out = self.thinned(first, pictures)
        assert [number for number, _ in stays.values()] == list(range(first, first + len(stays)))
        for source, (number, _) in stays.items():
            assert thinning.source(number) == source
            assert thinning.number(source)[0] == number
        for source in left_out:
            after = sum(1 for stay in stays if stay < source)
            assert thinning.number(source)[0] == first + after

    def test_remembers_as_much_as_the_history(self):
        thinning, stays, left_out = self.thinned(10, [(i % 4 == 0, 2) for i in range(2000)])
        newest = max(left_out)
        for source, (number, _) in stays.items():
            if source > newest - VIDEO_HISTORY:
                assert thinning.source(number) == source
                assert thinning.number(source)[0] == number
        assert thinning.number(10) is None
        assert thinning.source(10) is None
