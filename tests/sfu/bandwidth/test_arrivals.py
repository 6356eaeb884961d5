import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sfu.bandwidth.arrivals import REFERENCE_S, ReportTail, decode, last
from sfu.receiving.feedback import TransportFeedback
from sfu.wire.rtcp import RtcpError, TransportFeedbackReport, parse


def report(base, count, reference, *chunks, deltas=b""):
    return struct.pack(f"!HHI{len(chunks)}H", base, count, reference << 8, *chunks) + deltas


def times(arrivals):
    return [round(arrivals.reference * REFERENCE_S + offset, 6) for offset in arrivals.offsets_s.tolist()]


def test_a_run():
    arrivals = decode(report(0xFFFF, 3, 100, 1 << 13 | 3, deltas=bytes((4, 8, 0))))
    assert arrivals.first == 0xFFFF
    assert arrivals.received.tolist() == [True] * 3
    assert times(arrivals) == [6.401, 6.403, 6.403]


def test_a_vector_of_one_bit_and_one_of_two():
    chunks = (0b10_10100000000000, 0b11_01_00_10_00_00_00_00)
    deltas = bytes((1, 2, 3)) + struct.pack("!h", -400)
    arrivals = decode(report(7, 17, 1, *chunks, deltas=deltas))
    assert arrivals.received.tolist() == [True, False, True] + [False] * 11 + [True, False, True]
    assert times(arrivals) == [round(0.064 + ticks / 4000, 6) for ticks in (1, 3, 6, -394)]


def test_a_last_run_longer_than_the_report_is_cut():
    assert decode(report(0, 2, 1, 1 << 13 | 8191, deltas=bytes(2))).received.tolist() == [True, True]


def test_nothing_received():
    nothing = report(5, 100, 1, 100)
    assert not decode(nothing).received.any()
    assert len(decode(nothing).offsets_s) == 0
    assert last(nothing) is None


def test_the_end_of_a_report():
    deltas = bytes((4, 8, 0))
    assert last(report(0xFFFE, 3, 100, 1 << 13 | 3, deltas=deltas)) == ReportTail(0, 100, 0.003, 0, 3)
    # the last packet of which something is told need not be the last that has arrived
    assert last(report(10, 14, 100, 0b10_11100000000000, deltas=deltas)) == ReportTail(12, 100, 0.003, 11, 14)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        report(0, 0, 1, 0x2001),
        report(0, 1, 1, 0x2001),
        report(0, 1, 1, 0x4001, deltas=b"\0"),
        report(0, 20, 1, 0x2001, deltas=b"\0"),
        report(0, 1, 1, 3 << 13 | 1, deltas=bytes(4)),
        report(0, 7, 1, 0xFFFF, deltas=bytes(20)),
        report(0, 1, 1, 0, 0x2001, deltas=bytes(4)),
    ],
    ids=[
        "empty",
        "of nothing",
        "no delta",
        "half a delta",
        "no chunk",
        "reserved",
        "reserved bits",
        "empty run",
    ],
)
def test_what_is_not_a_report_is_refused(data):
    for read in (decode, last):
        with pytest.raises(RtcpError):
            read(data)


def the_last(arrivals):
    """What `last` says of a report, by all of it."""
    at = np.flatnonzero(arrivals.received)
    if not len(at):
        return None
    number, count = (arrivals.first + int(at[-1])) & 0xFFFF, len(arrivals.received)
    return ReportTail(number, arrivals.reference, float(arrivals.offsets_s[-1]), count - len(at), count)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=80), st.integers(0, 0xFFFF), st.integers(0, 0xFFFF))
def test_any_bytes_are_a_report_or_refused(data, count, chunk):
    for each in (data, data[:2] + struct.pack("!H", count) + data[4:8] + struct.pack("!H", chunk) + data[8:]):
        try:
            arrivals = decode(each)
        except RtcpError:
            with pytest.raises(RtcpError):
                last(each)
            continue
        assert last(each) == the_last(arrivals)
        assert len(arrivals.received) == each[2] << 8 | each[3]
        assert len(arrivals.offsets_s) == arrivals.received.sum()


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(1, 40), st.integers(0, 40_000)), min_size=1, max_size=300))
def test_what_receivers_write_is_read_back(steps):
    feedback = TransportFeedback(1)
    now, number, arrived = 10.0, 0xFF00, {}
    for gap, ticks in steps:
        number, now = number + gap, now + ticks / 4000
        arrived[number & 0xFFFF] = now
        feedback.received(number & 0xFFFF, now)
    read = {}
    for packet in feedback.build(now):
        [part] = parse(packet)
        assert isinstance(part, TransportFeedbackReport)
        arrivals = decode(part.data)
        assert last(part.data) == the_last(arrivals)
        numbers = [(arrivals.first + i) & 0xFFFF for i, here in enumerate(arrivals.received) if here]
        read |= dict(zip(numbers, times(arrivals), strict=True))
    assert read.keys() == arrived.keys()
    assert all(abs(read[number] - at) <= 0.000_251 for number, at in arrived.items())
