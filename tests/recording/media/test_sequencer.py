import random

import pytest

from recording.media.sequencer import MAX_WAIT_NS, MAX_WAITING, Sequencer
from recording.values import Loss
from sfu.wire.tap import Packet

MS = 1_000_000


def packet(sequence, at_ms=0):
    return Packet(1, sequence, 0, False, "opus", b"", at_ms * MS)


def numbers(items):
    return [item.packets if isinstance(item, Loss) else item.sequence for item in items]


def test_what_is_in_order_is_handed_on_at_once():
    sequencer = Sequencer()
    assert [numbers(sequencer.push(packet(i))) for i in (10, 11, 12)] == [[10], [11], [12]]


def test_shuffled_and_repeated_packets_come_out_once_and_in_order():
    randomness = random.Random(4)
    sent = [packet(i) for i in range(100) for _ in range(2)]
    for at in range(2, len(sent) - 8, 8):
        part = sent[at : at + 8]
        randomness.shuffle(part)
        sent[at : at + 8] = part
    sequencer = Sequencer()
    assert numbers(item for each in sent for item in sequencer.push(each)) == list(range(100))


def test_a_lost_packet_is_given_up_after_a_time():
    sequencer = Sequencer()
    sequencer.push(packet(1, 0))
    assert sequencer.push(packet(4, 10)) == []
    assert sequencer.push(packet(6, 200)) == []
    assert sequencer.poll(10 * MS + MAX_WAIT_NS - 1) == []
    assert numbers(sequencer.poll(10 * MS + MAX_WAIT_NS)) == [2, 4]
    assert sequencer.push(packet(3, 320)) == []  # too late
    assert numbers(sequencer.push(packet(5, 330))) == [5, 6]


def test_a_repeated_packet_does_not_prolong_the_wait():
    sequencer = Sequencer()
    sequencer.push(packet(1, 0))
    sequencer.push(packet(3, 10))
    sequencer.push(packet(3, 200))
    assert numbers(sequencer.poll(10 * MS + MAX_WAIT_NS)) == [1, 3]


def test_a_lost_packet_is_given_up_when_too_many_wait():
    sequencer = Sequencer()
    sequencer.push(packet(0))
    items = [item for i in range(2, MAX_WAITING + 3) for item in sequencer.push(packet(i))]
    assert items[0] == Loss(1)
    assert numbers(items[1:]) == list(range(2, MAX_WAITING + 3))


@pytest.mark.parametrize("to", [50_000, -50_000])
def test_a_jump_begins_anew(to):
    sequencer = Sequencer()
    sequencer.push(packet(100_000))
    items = sequencer.push(packet(100_000 + to))
    assert isinstance(items[0], Loss)
    assert numbers(items[1:]) == [100_000 + to]
    assert numbers(sequencer.push(packet(100_001 + to))) == [100_001 + to]


def test_flush_hands_on_what_waits():
    sequencer = Sequencer()
    sequencer.push(packet(1))
    sequencer.push(packet(3))
    sequencer.push(packet(6))
    assert numbers(sequencer.flush()) == [1, 3, 2, 6]


def test_missing_packets_are_asked_for_four_times():
    sequencer = Sequencer()
    sequencer.push(packet(1, 0))
    sequencer.push(packet(4, 0))
    sequencer.push(packet(6, 1))
    assert sequencer.nacks(19 * MS) == ()  # they may overtake each other
    assert sequencer.nacks(20 * MS) == (2, 3)
    assert sequencer.nacks(21 * MS) == (5,)
    sequencer.push(packet(3, 30))
    assert sequencer.nacks(130 * MS) == (2, 5)
    assert [sequencer.nacks(at * MS) for at in (230, 330, 430)] == [(2, 5), (2, 5), ()]


def test_nothing_is_asked_for_that_is_given_up():
    sequencer = Sequencer()
    sequencer.push(packet(1, 0))
    sequencer.push(packet(3, 0))
    sequencer.poll(MAX_WAIT_NS)
    assert sequencer.nacks(MAX_WAIT_NS) == ()
