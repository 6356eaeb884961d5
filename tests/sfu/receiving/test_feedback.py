"""The builder of transport-wide feedback in `sfu.receiving.nack`, against a decoder written from the draft."""

import struct
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfu.receiving.feedback import TransportFeedback
from sfu.wire.rtcp import TransportFeedbackReport, parse

SENDER, MEDIA = 0x11111111, 0x22222222
TICK_S = 0.00025


class Decoded:
    """One feedback packet by draft-holmer-rmcat-transport-wide-cc-extensions-01 section 3.1."""

    def __init__(self, packet):
        assert len(packet) <= 1200
        [report] = parse(packet)
        assert isinstance(report, TransportFeedbackReport)
        self.ssrcs = (report.sender_ssrc, report.media_ssrc)
        data = report.data
        self.base, self.status_count = struct.unpack_from("!HH", data)
        self.reference = int.from_bytes(data[4:7], "big", signed=True)
        self.count = data[7]
        assert self.status_count > 0
        symbols, at = self._symbols(data, 8)
        # 16-bit number -> ticks of 250 us since the clock's zero (mod the reference time's range), None: lost
        self.ticks = {}
        ticks = self.reference * 256
        for i, symbol in enumerate(symbols):
            number = (self.base + i) & 0xFFFF
            if symbol == 0:
                self.ticks[number] = None
                continue
            if symbol == 1:
                delta, at = data[at], at + 1
            else:
                assert symbol == 2
                [delta], at = struct.unpack_from("!h", data, at), at + 2
                assert not 0 <= delta <= 255  # would have fitted the small form
            ticks += delta
            self.ticks[number] = ticks
        assert len(data) - at < 4
        assert not any(data[at:])

    def _symbols(self, data, at):
        symbols = []
        while len(symbols) < self.status_count:
            [chunk] = struct.unpack_from("!H", data, at)
            at += 2
            if chunk < 0x8000:
                assert chunk & 0x1FFF
                symbols += [chunk >> 13] * (chunk & 0x1FFF)
                assert len(symbols) <= self.status_count  # a run is as long as it says
            elif chunk < 0xC000:
                symbols += [chunk >> (13 - i) & 1 for i in range(14)]
            else:
                symbols += [chunk >> (12 - 2 * i) & 3 for i in range(7)]
        assert not any(symbols[self.status_count :])
        return symbols[: self.status_count], at


def decode(packets):
    return [Decoded(packet) for packet in packets]


def feed(feedback, arrivals):
    for number, now in arrivals:
        feedback.received(number & 0xFFFF, now)


def report_of(arrivals):
    """What one build says: number -> ticks."""
    feedback = TransportFeedback(SENDER)
    feed(feedback, arrivals)
    merged = {}
    for packet in decode(feedback.build(arrivals[-1][1])):
        merged |= packet.ticks
    return merged


class TestEncoding:
    def test_head(self):
        feedback = TransportFeedback(SENDER)
        feedback.media_ssrc = MEDIA
        feed(feedback, [(65535, 1000.0), (0, 1000.001)])
        [packet] = decode(feedback.build(1000.1))
        assert packet.ssrcs == (SENDER, MEDIA)
        assert (packet.base, packet.status_count, packet.count) == (65535, 2, 0)
        assert packet.reference == 15625  # 1000 s in 64 ms
        assert packet.ticks == {65535: 4_000_000, 0: 4_000_004}

    def test_packets_are_counted(self):
        feedback = TransportFeedback(SENDER)
        counts = []
        for i in range(260):
            feed(feedback, [(i, i * 0.1)])
            counts += [packet.count for packet in decode(feedback.build(i * 0.1))]
        assert counts == [i & 0xFF for i in range(260)]

    @pytest.mark.parametrize(
        ("received", "chunks"),
        [
            (range(100), ["2064"]),  # one run of small deltas
            ([0, *range(100, 110)], ["a000", "0056", "200a"]),
            ([0, 2, 4, 6, 8, 10, 12], ["aaaa"]),  # one bit each
            ([*range(5), *range(30, 44)], ["be00", "0010", "200e"]),
        ],
    )
    def test_chunks(self, received, chunks):
        feedback = TransportFeedback(SENDER)
        # the first at a multiple of 64 ms, the others so close that each delta is small
        feed(feedback, [(number, 0.64 + i * 0.001) for i, number in enumerate(received)])
        [packet] = feedback.build(1.0)
        found = struct.unpack_from(f"!{len(chunks)}H", packet, 20)
        assert [f"{chunk:04x}" for chunk in found] == chunks

    def test_large_deltas(self):
        arrivals = [(0, 0.0), (1, 0.063), (2, 0.13), (3, 5.0), (4, 4.9)]
        assert report_of(arrivals) == {number: round(now / TICK_S) for number, now in arrivals}

    def test_a_pause_longer_than_a_delta_holds_begins_another_packet(self):
        feedback = TransportFeedback(SENDER)
        feed(feedback, [(0, 0.0), (1, 8.125), (2, 16.375)])
        first, second = decode(feedback.build(17.0))
        assert first.ticks == {0: 0, 1: 32500}
        assert second.ticks == {2: 65500}

    @pytest.mark.parametrize(("ticks", "packets"), [(32767, 1), (32768, 2)])
    def test_the_longest_delta(self, ticks, packets):
        feedback = TransportFeedback(SENDER)
        feed(feedback, [(0, 0.0), (1, ticks / 4000)])
        assert len(feedback.build(9.0)) == packets

    def test_a_longer_run_than_a_chunk_holds(self):
        ticks = report_of([(0, 0.0), (20000, 0.01)])
        assert ticks[0] == 0
        assert ticks[20000] == 40
        assert len(ticks) == 20001

    def test_the_widest_jumps(self):
        feedback = TransportFeedback(SENDER)
        feed(feedback, [(0, 0.0)])
        feedback.build(0.0)
        feed(feedback, [(0x7FFF, 0.01), (0xFFFE, 0.02), (0x17FFD, 0.03)])
        packets = decode(feedback.build(0.1))
        assert [packet.base for packet in packets] == [1, 0x8000, 0xFFFF]
        assert [packet.status_count for packet in packets] == [0x7FFF] * 3

    def test_the_reference_time_wraps(self):
        start = 2**24 * 0.064 - 0.01
        ticks = report_of([(0, start), (1, start + 0.02)])
        assert ticks[1] - ticks[0] == 80


class TestWhatIsReported:
    def test_losses_between_two_reports(self):
        feedback = TransportFeedback(SENDER)
        feed(feedback, [(10, 0.0)])
        feedback.build(0.05)
        feed(feedback, [(13, 0.06)])
        [packet] = decode(feedback.build(0.1))
        assert packet.ticks == {11: None, 12: None, 13: 240}

    def test_a_late_packet_is_reported_among_those_after_it(self):
        feedback = TransportFeedback(SENDER)
        feed(feedback, [(10, 0.0), (12, 0.01)])
        feedback.build(0.05)
        feed(feedback, [(11, 0.06), (13, 0.07)])
        [packet] = decode(feedback.build(0.1))
        assert packet.ticks == {11: 240, 12: 40, 13: 280}

    def test_nothing_new(self):
        feedback = TransportFeedback(SENDER)
        assert feedback.build(0.0) == []
        feed(feedback, [(10, 0.0)])
        assert feedback.build(0.05)
        feed(feedback, [(10, 0.06)])  # a duplicate
        assert feedback.due_at is None
        assert feedback.build(0.1) == []

    def test_far_too_late(self):
        feedback = TransportFeedback(SENDER)
        feed(feedback, [(number, 0.0) for number in range(1, 513)])
        feedback.build(0.0)
        feed(feedback, [(0, 0.1)])
        assert feedback.build(0.1) == []

    def test_memory_is_bounded(self):
        feedback = TransportFeedback(SENDER)
        for i in range(300):
            feed(feedback, [(100 * i + j, i * 0.05) for j in range(100)])
            feedback.build(i * 0.05)
        assert len(feedback._reported) <= 1124


class TestWhen:
    def times(self, interval_s, count):
        """When feedback is built for packets at that interval, by a caller that looks at each arrival."""
        feedback = TransportFeedback(SENDER)
        built = []
        for i in range(count):
            now = i * interval_s
            if feedback.due_at is not None and now >= feedback.due_at:
                feedback.build(now)
                built.append(now)
            feedback.received(i & 0xFFFF, now)
        return built

    def test_never_without_packets(self):
        assert TransportFeedback(SENDER).due_at is None

    @pytest.mark.parametrize(
        ("interval_s", "between_s"), [(0.001, 0.05), (0.004, 0.05), (0.02, 0.1), (0.04, 0.12)]
    )
    def test_every_50_to_100_ms(self, interval_s, between_s):
        built = self.times(interval_s, 2000)
        gaps = [after - before for before, after in pairwise(built[1:])]
        assert min(gaps) >= 0.05 - 1e-9
        assert max(gaps) <= 0.1 + interval_s + 1e-9
        assert sum(gaps) / len(gaps) == pytest.approx(between_s, abs=interval_s + 1e-9)

    def test_a_lone_packet_waits_50_ms(self):
        feedback = TransportFeedback(SENDER)
        feedback.received(1, 7.0)
        assert feedback.due_at == pytest.approx(7.05)
        feedback.build(7.05)
        feedback.received(2, 9.0)
        assert feedback.due_at == pytest.approx(9.05)


@st.composite
def traffic(draw):
    """(number, arrival) in order of arrival: losses, reordering, pauses, any start around the wraps."""
    number = draw(st.integers(0, 65535))
    start = draw(st.sampled_from([0.0, 12345.678, 2**24 * 0.064 - 0.5]))
    now = start
    packets = []
    for _ in range(draw(st.integers(1, 250))):
        number += draw(st.sampled_from([1] * 12 + [2, 3, 9, 20, 150]))
        now += draw(st.sampled_from([0.0, 0.0001, 0.001, 0.001, 0.005, 0.03, 0.2]))
        late_s = draw(st.sampled_from([0.0] * 9 + [0.002, 0.05]))
        packets.append((number, now + late_s))
    return sorted(packets, key=lambda packet: packet[1])


@settings(max_examples=60)
@given(traffic(), st.floats(0.01, 0.5))
def test_a_sender_learns_every_arrival_and_every_loss(packets, every_s):
    feedback = TransportFeedback(SENDER)
    known = {}
    reports = []
    next_build = packets[0][1] + every_s
    for number, now in packets:
        while now >= next_build:
            reports += decode(feedback.build(next_build))
            next_build += every_s
        feedback.received(number & 0xFFFF, now)
    reports += decode(feedback.build(next_build))
    assert [report.count for report in reports] == [i & 0xFF for i in range(len(reports))]
    for report in reports:
        for number, ticks in report.ticks.items():
            if ticks is not None or number not in known:
                known[number] = ticks
    highest = accumulate((number for number, _ in packets), max)
    packets = [packet for packet, seen in zip(packets, highest, strict=True) if packet[0] > seen - 512]
    expected = {number & 0xFFFF: now for number, now in packets}
    first = min(number for number, _ in packets)
    last = max(number for number, _ in packets)
    assert {number for number, ticks in known.items() if ticks is not None} == set(expected)
    # the numbers before the very first arrival may be unknown, every later one is told
    assert all(number & 0xFFFF in known for number in range(max(first, packets[0][0]), last + 1))
    for number, now in expected.items():
        range_of_reference = 2**24 * 256
        difference = (known[number] - int(now / TICK_S)) % range_of_reference
        assert min(difference, range_of_reference - difference) <= 1


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 65535), st.floats(0, 20)), min_size=1, max_size=60))
def test_any_numbers_at_any_time_make_decodable_packets(packets):
    feedback = TransportFeedback(SENDER)
    now = 0.0
    for i, (number, wait_s) in enumerate(packets):
        now += wait_s
        feedback.received(number, now)
        if i % 7 == 6:
            decode(feedback.build(now))
    decode(feedback.build(now))


@pytest.mark.parametrize("gap", [1, 2, 6, 7, 13, 14, 15, 40, 170])
@pytest.mark.parametrize("delta_s", [0.0, 0.1])
def test_the_worst_patterns_stay_under_1200_bytes(gap, delta_s):
    arrivals = [(gap * i, 1.0 + delta_s * i) for i in range(min(1000, 0xFFFF // gap))]
    reported = {number for number, ticks in report_of(arrivals).items() if ticks is not None}
    assert reported == {number for number, _ in arrivals}
