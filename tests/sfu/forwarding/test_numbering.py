import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.forwarding.numbering import SEGMENTS_KEPT, OutboundSequence


def sent(sequence, source):
    """Send a packet of the current source as the fan-out does; returns its outbound number, None: not in its part."""
    segment = sequence.current
    if segment is None or source < segment.first_source:
        return None
    sequence.advance(source)
    return source + segment.offset


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
        sequence = OutboundSequence(first)
        results = []
        for step, *arguments in script:
            if step == "s":
                sequence.switch(*arguments)
            else:
                out = sent(sequence, *arguments)
                results.append(None if out is None else out & 0xFFFF)
        assert results == expected

    def test_switch_returns_the_offset_of_the_segment(self):
        sequence = OutboundSequence(1000)
        offset = sequence.switch("low", 400)
        assert offset == 600
        assert sequence.current.offset == 600
        assert sent(sequence, 401) == 401 + offset

    def test_resolves_across_switches(self):
        sequence = OutboundSequence(65530)
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
        sequence = OutboundSequence(100)
        assert sequence.resolve(100) is None
        sequence.switch("low", 10)
        assert sequence.resolve(100) is None
        sequence.advance(12)
        assert sequence.resolve(99) is None
        assert sequence.resolve(103) is None
        assert sequence.resolve((102 + 0x8000) & 0xFFFF) is None

    def test_keeps_the_last_segments(self):
        sequence = OutboundSequence(0)
        for i in range(SEGMENTS_KEPT + 2):
            sequence.switch(i, 1000 * i)
            sequence.advance(1000 * i + 9)
        found = [sequence.resolve(10 * i) for i in range(SEGMENTS_KEPT + 2)]
        assert found[:2] == [None, None]
        assert [source for source, _, _ in found[2:]] == list(range(2, SEGMENTS_KEPT + 2))

    def test_a_skipped_number_and_those_before_it_resolve_to_nothing(self):
        sequence = OutboundSequence(65535)
        sequence.switch("low", 5)
        sequence.advance(5)
        assert sequence.skip() == 0
        assert sequence.current is None
        assert [sequence.resolve(number) for number in (65535, 0)] == [None, None]
        sequence.switch("low", 6)
        sequence.advance(6)
        assert sequence.resolve(1)[:2] == ("low", 6)
        assert sequence.resolve(0) is None

    def test_advance_does_not_go_back(self):
        sequence = OutboundSequence(100)
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
        sequence = OutboundSequence(first)
        known = {}
        expected_next = first
        for key, start, steps in segments:
            sequence.switch(key, start)
            number = start
            assert sent(sequence, number) == expected_next
            known[expected_next] = (key, number)
            for step in steps:
                number += step
                out = sent(sequence, number)
                assert known.setdefault(out, (key, number)) == (key, number)
            expected_next = max(known) + 1
        oldest = sequence._segments[0].first_out
        for out, source in known.items():
            resolved = sequence.resolve(out & 0xFFFF)
            assert (resolved[:2] if resolved else None) == (source if out >= oldest else None)
