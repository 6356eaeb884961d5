"""The numbers of an outbound stream over switches, with packets and substreams as plain values."""

from types import SimpleNamespace

import pytest

from sfu.forwarding.timeline import Timeline, column
from sfu.wire.packet import SourcePacket

CLOCK_RATE = 90_000


def stream(clock=None):
    return SimpleNamespace(clock=clock, clock_rate=CLOCK_RATE)


class View:
    """A substream that keeps the numbers of its stream."""

    def __init__(self, layer):
        self.layer = layer

    @staticmethod
    def place(packet):
        return packet


def packet(sequence, timestamp, picture_id=0, tl0picidx=0, frame_number=0):
    return SourcePacket(
        memoryview(b""), 0, sequence, timestamp, False, "vp8", (), 14, picture_id, True, 16, tl0picidx,
        frame_number=frame_number,
    )  # fmt: skip


def begun(first=500):
    """A timeline whose first segment ended at its second packet, at time 10."""
    low = stream()
    timeline, view = Timeline(first), View(low)
    timeline.begin(view, packet(100, 9_000), None, 9.0, continues=False)
    last = packet(101, 12_000, picture_id=7, tl0picidx=3, frame_number=50)
    timeline.advance(101)
    timeline.end(last, 10.0)
    return timeline, low, view


def test_the_first_segment_only_renumbers():
    timeline = Timeline(500)
    assert timeline.segment is None
    timeline.begin(View(stream()), packet(100, 9_000), None, 9.0, continues=False)
    made = column(timeline.segment, 7, 3)
    assert (made.ssrc, made.transport, made.sequence_offset, made.timestamp_offset) == (7, 3, 400, 0)
    assert made.first_sequence == 100


def test_another_stream_follows_without_a_gap():
    timeline, _, _ = begun()
    timeline.begin(View(stream()), packet(9000, 77_000, 1000, 200, 60_000), None, 10.5, continues=False)
    segment = timeline.segment
    assert 9000 + segment.offset == 502
    assert 77_000 + segment.timestamp_offset == 12_000 + CLOCK_RATE // 2  # by the time that has passed
    assert 1000 + segment.picture_id_offset == 8
    assert 200 + segment.tl0picidx_offset == 4
    assert 60_000 + segment.frame_number_offset == 51


def test_the_same_stream_keeps_what_may_have_gaps():
    timeline, low, view = begun()
    expected = timeline.expected_timestamp(low, low, packet(104, 21_000))
    timeline.begin(view, packet(104, 21_000, 10, 9, 56), expected, 99.0, continues=True)
    segment = timeline.segment
    assert 104 + segment.offset == 502
    assert segment.timestamp_offset == 0
    assert 10 + segment.picture_id_offset == 8
    assert (segment.tl0picidx_offset, segment.frame_number_offset) == (0, 0)


def test_timestamps_never_run_backwards():
    timeline, low, view = begun()
    timeline.begin(view, packet(104, 11_000), timeline.expected_timestamp(low, low, packet(104, 11_000)), 10.1,
                   continues=True)  # fmt: skip
    assert 11_000 + timeline.segment.timestamp_offset == 12_001


def test_sender_reports_of_both_streams_align_their_clocks():
    timeline, low, _ = begun()
    high = stream(((1000 << 32) + (1 << 31), 500_000))  # half a second later than the report below
    assert timeline.expected_timestamp(low, high, packet(1, 500_000)) is None
    low.clock = (1000 << 32, 12_000)
    assert timeline.expected_timestamp(low, high, packet(1, 500_090)) == 12_000 + CLOCK_RATE // 2 + 90
    assert timeline.expected_timestamp(None, high, packet(1, 0)) is None


def test_a_segment_in_which_nothing_was_sent_leaves_the_last_packet_as_it_was():
    timeline, _, view = begun()
    timeline.begin(view, packet(200, 50_000), None, 10.5, continues=False)
    timeline.end(None, 11.0)
    timeline.begin(view, packet(300, 80_000), None, 11.0, continues=False)
    assert 300 + timeline.segment.offset == 502
    assert 80_000 + timeline.segment.timestamp_offset == 12_000 + CLOCK_RATE


@pytest.mark.parametrize(
    ("sequence", "expected"), [(500, 100), (501, 101), (502, 9000), (503, None), (499, None)]
)
def test_an_outbound_number_leads_to_its_source(sequence, expected):
    timeline, _, first = begun()
    second = View(stream())
    timeline.begin(second, packet(9000, 77_000), None, 10.5, continues=False)
    timeline.advance(9000)
    found = timeline.resolve(sequence)
    assert (found and found[:2]) == (expected and (first if expected < 1000 else second, expected))


def test_packets_that_are_not_media_take_the_next_numbers_and_the_time_that_has_passed():
    timeline, _, view = begun()
    assert timeline.fill(CLOCK_RATE, 10.5) == (502, 12_000 + CLOCK_RATE // 2)
    assert timeline.fill(CLOCK_RATE, 11.0) == (503, 12_000 + CLOCK_RATE)
    timeline.begin(view, packet(300, 80_000), None, 11.0, continues=False)
    assert 300 + timeline.segment.offset == 504


def test_packets_that_are_not_media_may_be_the_first():
    assert Timeline(500).fill(CLOCK_RATE, 10.0) == (500, 0)
