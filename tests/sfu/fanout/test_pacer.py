import pytest

from sfu.fanout.pacer import LONGEST_WAIT_S, PACE, Pacer

TICK_S = 0.02
PACKET_BYTES = 1000


class Leaking:
    """A pacer that is looked after every tick."""

    def __init__(self, available_bps=400_000):
        self.pacer, self.now, self.available_bps = Pacer(10.0), 10.0, available_bps
        self.sent = self.audio_bps = 0

    def put(self, count, mark=b"m"):
        for _ in range(count):
            self.pacer.put(mark * PACKET_BYTES)

    def leak(self, seconds):
        """(time, packet) of what came out."""
        out = []
        for _ in range(round(seconds / TICK_S)):
            self.now += TICK_S
            packets = self.pacer.leak(self.available_bps, self.sent + self.audio_bps * TICK_S / 8, self.now)
            self.sent = sum(map(len, packets))
            out += [(self.now, packet) for packet in packets]
        return out


def test_a_burst_comes_out_evenly_at_the_rate():
    leaking = Leaking()
    leaking.put(40)
    out = leaking.leak(0.5)
    assert len(out) * 8 * PACKET_BYTES / 0.5 == pytest.approx(PACE * leaking.available_bps, rel=0.1)
    first, second = len([1 for at, _ in out if at < 10.25]), len(out) / 2
    assert first == pytest.approx(second, abs=1)


def test_what_audio_takes_is_not_there_for_video():
    leaking = Leaking()
    leaking.audio_bps = 100_000
    leaking.put(40)
    rate_bps = len(leaking.leak(0.5)) * 8 * PACKET_BYTES / 0.5
    assert rate_bps == pytest.approx(PACE * leaking.available_bps - 100_000, rel=0.1)


def test_what_audio_takes_alone_puts_video_off_but_not_for_long():
    leaking = Leaking(50_000)
    leaking.audio_bps = 100_000
    leaking.leak(10)
    leaking.audio_bps = 0
    leaking.put(1)
    assert len(leaking.leak(0.3)) == 1


def test_what_comes_at_less_than_the_rate_waits_for_a_tick_at_most():
    leaking = Leaking()
    for _ in range(50):
        leaking.put(1)
        assert len(leaking.leak(2 * TICK_S)) == 1


def test_idle_time_is_not_saved_up():
    leaking = Leaking()
    leaking.leak(10)
    leaking.put(20)
    assert len(leaking.leak(TICK_S)) <= 3


def test_nothing_waits_much_longer_than_the_longest_wait():
    leaking = Leaking(available_bps=50_000)
    leaking.put(200)
    assert len(leaking.leak(5 * LONGEST_WAIT_S)) == 200
    leaking.put(200)
    assert len(leaking.leak(LONGEST_WAIT_S)) > 120


def test_retransmissions_go_first_and_are_dropped_when_too_much_waits():
    leaking = Leaking()
    leaking.put(3)
    assert leaking.pacer.put_again(b"r" * PACKET_BYTES, leaking.available_bps)
    assert leaking.leak(1)[0][1][:1] == b"r"
    leaking.put(40)
    waiting = leaking.pacer.waiting_bytes
    assert not leaking.pacer.put_again(b"r" * PACKET_BYTES, leaking.available_bps)
    assert leaking.pacer.waiting_bytes == waiting


def test_all_comes_out_when_the_link_is_wide():
    leaking = Leaking()
    leaking.put(5)
    assert len(leaking.pacer.empty()) == 5
    assert leaking.pacer.waiting_bytes == 0
    leaking.pacer.put(b"last")
    assert [packet for _, packet in leaking.leak(1)] == [b"last"]
