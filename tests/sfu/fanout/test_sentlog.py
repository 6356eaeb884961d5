import numpy as np

from sfu.fanout.sentlog import HEADERS_BYTES, LOG_SIZE, SentLog


def note(log, row, numbers, sent_at, size=100):
    count = len(numbers)
    log.reserve(row + 1)
    log.record(
        np.full(count, row, np.int32),
        np.array(numbers, np.int32),
        np.full(count, size, np.int32),
        sent_at,
    )


def test_packets_are_found_by_number_across_the_wrap():
    log = SentLog()
    note(log, 1, [0xFFFE, 0xFFFF], 5.0)
    note(log, 1, [0, 1], 6.0, size=200)
    sent = log.look_up(1, 0xFFFF, 4)
    assert sent.numbers.tolist() == [0xFFFF, 0, 1, 2]
    assert sent.known.tolist() == [True, True, True, False]
    assert sent.sent_at[:3].tolist() == [5, 6, 6]
    assert (sent.sizes[:3] - HEADERS_BYTES).tolist() == [100, 200, 200]
    assert not log.look_up(0, 0xFFFF, 4).known.any()
    assert log.sent_at(1, 0xFFFF) == 5
    assert log.sent_at(1, 0) == 6


def test_what_is_older_than_the_ring_is_forgotten():
    log = SentLog()
    note(log, 0, [0], 1.0)
    note(log, 0, [LOG_SIZE], 2.0)
    assert not log.look_up(0, 0, 1).known.any()
    assert log.look_up(0, LOG_SIZE, 1).known.all()


def test_rings_stay_when_more_are_made():
    log = SentLog()
    note(log, 0, [7], 1.0)
    log.reserve(4)
    note(log, 3, [7], 2.0)
    assert log.look_up(0, 7, 1).sent_at.tolist() == [1]
    assert log.look_up(3, 7, 1).sent_at.tolist() == [2]
    log.clear(0)
    assert not log.look_up(0, 7, 1).known.any()
    assert log.look_up(3, 7, 1).known.all()
