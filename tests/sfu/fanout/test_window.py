"""The rule of the window by itself; tests/sfu/dataplane/test_window.py has it in both programs."""

import math

import numpy as np
import pytest

from sfu.fanout.window import FIRST_WINDOW, IDLE_S, LARGEST_WINDOW, Windows, patience_s

TRANSPORT, PATIENCE_S = 5, 0.1


class Row:
    """A row with packets that wait, each of which is written once the window has room."""

    def __init__(self, windows):
        self.waiting, self.sent = 0, 0
        self.window = windows.enter(TRANSPORT, self, PATIENCE_S)

    def waits(self):
        return self.waiting > 0

    def serve(self, now):
        while self.waiting and self.window.has_room(now):
            self.waiting -= 1
            self.sent += 1
            self.window.wrote(now)

    def burst(self, packets, now):
        self.waiting += packets
        self.serve(now)
        self.window.settle(now)


@pytest.fixture
def sequences():
    found = np.zeros(8, np.uint16)
    found[TRANSPORT] = 65_530  # close to the wrap
    return found


@pytest.fixture
def windows(sequences):
    return Windows(sequences)


def flush(sequences, rows):
    sequences[TRANSPORT] = int(sequences[TRANSPORT]) + rows & 0xFFFF


def test_rows_count_before_and_after_they_get_their_numbers(windows, sequences):
    row = Row(windows)
    row.burst(4, 1.0)
    assert row.window.unconfirmed == 4
    flush(sequences, 6)  # with two of another stream
    assert row.window.unconfirmed == 6
    row.burst(20, 1.0)
    assert (row.sent, row.waiting) == (4 + FIRST_WINDOW - 6, 20 - (FIRST_WINDOW - 6))
    assert row.window.unconfirmed == FIRST_WINDOW


def test_only_what_is_newly_confirmed_widens_the_window(windows, sequences):
    row = Row(windows)
    row.burst(30, 1.0)
    flush(sequences, FIRST_WINDOW)
    first = 65_530
    row.window.reported(first + 3, 1.05, no_limit=True)
    assert row.window.size == FIRST_WINDOW + 4
    row.window.reported(first + 3, 1.06, no_limit=True)
    row.window.reported(first + 1, 1.06, no_limit=True)
    row.window.reported(first + 200 & 0xFFFF, 1.06, no_limit=True)  # never sent
    assert row.window.size == FIRST_WINDOW + 4
    row.window.reported(first + 9 & 0xFFFF, 1.07, no_limit=False)
    assert row.window.size == FIRST_WINDOW + 4
    flush(sequences, row.sent - FIRST_WINDOW)
    assert row.window.unconfirmed == row.sent - FIRST_WINDOW


def test_the_window_has_a_limit(windows, sequences):
    row = Row(windows)
    for _ in range(20):
        row.burst(2000, 1.0)
        flush(sequences, 1000)
        row.window.reported(int(sequences[TRANSPORT]) - 1 & 0xFFFF, 1.0, no_limit=True)
    assert row.window.size == LARGEST_WINDOW


def test_it_begins_anew_after_a_pause_and_not_while_packets_wait(windows, sequences):
    row = Row(windows)
    row.burst(15, 1.0)
    flush(sequences, FIRST_WINDOW)
    row.window.reported(int(sequences[TRANSPORT]) - 1 & 0xFFFF, 1.05, no_limit=True)
    assert row.window.size == 2 * FIRST_WINDOW
    row.burst(1, 1.05 + IDLE_S)
    assert row.window.size == 2 * FIRST_WINDOW
    row.burst(1, 1.06 + 2 * IDLE_S)
    assert row.window.size == FIRST_WINDOW


def test_few_packets_do_not_show_what_the_path_carries(windows, sequences):
    row = Row(windows)
    row.burst(20, 1.0)
    flush(sequences, FIRST_WINDOW)
    row.window.reported(int(sequences[TRANSPORT]) - 1 & 0xFFFF, 1.05, no_limit=True)
    flush(sequences, FIRST_WINDOW)
    for i in range(6):  # a caret
        row.burst(1, 1.1 + 0.06 * i)
        flush(sequences, 1)
        row.window.reported(int(sequences[TRANSPORT]) - 1 & 0xFFFF, 1.11 + 0.06 * i, no_limit=True)
    row.burst(30, 1.5)
    assert row.window.size == FIRST_WINDOW
    assert row.waiting == 30 - FIRST_WINDOW


def test_what_was_sent_before_a_burst_does_not_widen_its_window(windows, sequences):
    row = Row(windows)
    flush(sequences, 5)
    row.burst(1, 1.0)
    flush(sequences, 8)  # with others
    row.burst(30, 1.4)
    sent = row.sent
    flush(sequences, sent - 1)
    row.window.reported(65_530 + 5 + 7 & 0xFFFF, 1.42, no_limit=True)
    assert row.window.size == FIRST_WINDOW
    assert row.sent == sent + 8  # but it makes room


def test_patience_ends(windows, sequences):
    told = []
    windows.on_waiting = told.append
    row = Row(windows)
    row.burst(FIRST_WINDOW, 1.0)
    assert told == []
    assert math.isinf(row.window.due_at)
    row.burst(15, 1.02)
    assert told == [row.window]
    assert row.window.due_at == 1.02 + PATIENCE_S
    flush(sequences, FIRST_WINDOW)
    row.window.run_due(1.1)
    assert row.sent == FIRST_WINDOW
    row.window.run_due(1.13)
    assert row.sent == 2 * FIRST_WINDOW
    flush(sequences, FIRST_WINDOW)
    row.window.run_due(1.24)
    assert row.waiting == 0
    assert math.isinf(row.window.due_at)
    assert told == [row.window]


def test_a_window_ends_with_its_last_row(windows):
    rows = [Row(windows), Row(windows)]
    assert rows[0].window is rows[1].window is windows.get(TRANSPORT)
    windows.leave(TRANSPORT, rows[0])
    assert windows.get(TRANSPORT) is rows[1].window
    windows.leave(TRANSPORT, rows[1])
    assert windows.get(TRANSPORT) is None
    windows.leave(TRANSPORT, rows[1])


@pytest.mark.parametrize(("rtt_s", "expected"), [(None, None), (0.0, 0.1), (0.07, 0.14), (0.15, None)])
def test_long_paths_are_not_bounded(rtt_s, expected):
    assert patience_s(rtt_s) == expected
