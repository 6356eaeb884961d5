import struct

import pytest

from sfu.fanout.pacer import PACE, Pacer

TICK_S = 0.02
PACKET_BYTES = 1000


def packet(number, timestamp=0, size=PACKET_BYTES):
    return struct.pack("!BBHI", 0x80, 96, number & 0xFFFF, timestamp).ljust(size, b"m")


def number(sent):
    return struct.unpack_from("!H", sent, 2)[0]


class Leaking:
    """A pacer that is looked after every tick."""

    def __init__(self, available_bps=400_000):
        self.pacer, self.now, self.available_bps = Pacer(10.0), 10.0, available_bps
        self.sent = self.audio_bps = 0
        self.numbers = {}

    def enqueue(self, count, key="screen", timestamp=0, *, keyframe=False):
        for i in range(count):
            following = self.numbers[key] = self.numbers.get(key, -1) + 1
            self.pacer.line(key).enqueue(packet(following, timestamp), keyframe=keyframe and i == 0)

    def leak(self, seconds):
        """(time, packet) of what came out."""
        out = []
        for _ in range(round(seconds / TICK_S)):
            self.now += TICK_S
            packets = self.pacer.leak(self.available_bps, self.sent + self.audio_bps * TICK_S / 8, self.now)
            self.sent = sum(map(len, packets))
            out += [(self.now, sent) for sent in packets]
        return out


def test_a_burst_comes_out_evenly_at_the_rate():
    leaking = Leaking()
    leaking.enqueue(40)
    out = leaking.leak(0.5)
    assert len(out) * 8 * PACKET_BYTES / 0.5 == pytest.approx(PACE * leaking.available_bps, rel=0.1)
    first, second = len([1 for at, _ in out if at < 10.25]), len(out) / 2
    assert first == pytest.approx(second, abs=1)


def test_what_audio_takes_is_not_there_for_video():
    leaking = Leaking()
    leaking.audio_bps = 100_000
    leaking.enqueue(40)
    rate_bps = len(leaking.leak(0.5)) * 8 * PACKET_BYTES / 0.5
    assert rate_bps == pytest.approx(PACE * leaking.available_bps - 100_000, rel=0.1)


def test_what_audio_takes_alone_puts_video_off_but_not_for_long():
    leaking = Leaking(50_000)
    leaking.audio_bps = 100_000
    leaking.leak(10)
    leaking.audio_bps = 0
    leaking.enqueue(1)
    assert len(leaking.leak(0.3)) == 1


def test_what_comes_at_less_than_the_rate_waits_for_a_tick_at_most():
    leaking = Leaking()
    for _ in range(50):
        leaking.enqueue(1)
        assert len(leaking.leak(2 * TICK_S)) == 1


def test_idle_time_is_not_saved_up():
    leaking = Leaking()
    leaking.leak(10)
    leaking.enqueue(20)
    assert len(leaking.leak(TICK_S)) <= 3


def test_nothing_is_sent_faster_than_the_rate_however_long_it_waits():
    leaking = Leaking(available_bps=50_000)
    leaking.enqueue(200)
    out = leaking.leak(10)
    assert len(out) * 8 * PACKET_BYTES / 10 == pytest.approx(PACE * leaking.available_bps, rel=0.1)
    assert leaking.pacer.waiting_bytes == (200 - len(out)) * PACKET_BYTES


def test_lines_are_served_by_rank_and_within_a_rank_as_packets_came():
    leaking = Leaking()
    leaking.pacer.line("camera").rank = leaking.pacer.line("other").rank = 1
    leaking.enqueue(1, "camera")
    leaking.enqueue(1, "other")
    leaking.enqueue(1, "camera")
    leaking.enqueue(2, "screen")
    order = [leaking.pacer.lines[key] for key in ("screen", "camera", "other")]
    taken = []
    for _ in range(5):
        before = [line.waiting_bytes for line in order]
        assert leaking.pacer._next() is not None
        taken.append(next(i for i, line in enumerate(order) if line.waiting_bytes < before[i]))
    assert taken == [0, 0, 1, 2, 1]


def test_a_keyframe_throws_out_what_waits_before_it_and_nothing_of_its_own():
    leaking = Leaking()
    leaking.enqueue(5, timestamp=1)
    leaking.enqueue(1, "camera")
    leaking.enqueue(2, timestamp=2, keyframe=True)
    leaking.enqueue(1, timestamp=2, keyframe=True)  # H264: parameter sets and the picture both begin it
    line = leaking.pacer.line("screen")
    assert line.keyframe_waits
    assert [line.was_dropped(i) for i in range(8)] == [True] * 5 + [False] * 3
    out = [number(sent) for _, sent in leaking.leak(1)]
    assert sorted(out) == [0, 5, 6, 7]
    assert not line.keyframe_waits
    assert leaking.pacer.waiting_bytes == 0


def test_dropped_numbers_may_wrap():
    pacer = Pacer(0.0)
    line = pacer.line("screen")
    for i in range(0xFFFE, 0x10002):
        line.enqueue(packet(i), keyframe=False)
    line.drop()
    assert [line.was_dropped(i & 0xFFFF) for i in range(0xFFFD, 0x10003)] == [
        False,
        True,
        True,
        True,
        True,
        False,
    ]


def test_a_keyframe_no_longer_waits_once_pictures_after_it_are_next():
    leaking = Leaking()
    leaking.enqueue(2, timestamp=1, keyframe=True)
    leaking.enqueue(40, timestamp=2)
    line = leaking.pacer.line("screen")
    assert line.keyframe_waits
    leaking.leak(0.1)
    assert line.waiting_bytes
    assert not line.keyframe_waits


def test_retransmissions_pass_what_waits_and_only_their_own_number_bounds_them():
    leaking = Leaking()
    leaking.enqueue(400)
    pacer, rate = leaking.pacer, leaking.available_bps
    accepted = 0
    for i in range(200):
        if pacer.has_room((1, i), rate):
            pacer.put_again((1, i), b"r" * PACKET_BYTES)
            accepted += 1
    assert 0.5 < accepted * 8 * PACKET_BYTES / rate < 2.5
    assert not pacer.has_room((1, 0), rate)
    assert {sent[:1] for _, sent in leaking.leak(0.5)} == {b"r"}


def test_a_retransmission_that_waits_is_not_taken_twice():
    pacer = Pacer(0.0)
    assert pacer.has_room((1, 7), 1e6)
    pacer.put_again((1, 7), b"r" * PACKET_BYTES)
    assert not pacer.has_room((1, 7), 1e6)
    assert pacer.has_room((2, 7), 1e6)


def test_all_comes_out_when_the_link_is_wide():
    leaking = Leaking()
    leaking.enqueue(5)
    assert len(leaking.pacer.empty()) == 5
    assert leaking.pacer.waiting_bytes == 0
    leaking.enqueue(1)
    assert [number(sent) for _, sent in leaking.leak(1)] == [5]


def test_what_waits_in_a_line_goes_with_it():
    leaking = Leaking()
    leaking.enqueue(5)
    leaking.pacer.close("screen")
    assert leaking.pacer.waiting_bytes == 0
    assert leaking.leak(1) == []
