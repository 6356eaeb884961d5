import itertools
from types import SimpleNamespace

from sfu.forwarding.numbering import Segment
from sfu.forwarding.replay import Replay, compressed
from sfu.wire.packet import SourcePacket


def packet(sequence, timestamp):
    return SourcePacket(memoryview(b""), 0, sequence, timestamp, False, "vp8")


class Stream:
    """Retains packets by number."""

    def __init__(self, *numbers):
        self.retained = {number: packet(number, 3000 * number) for number in numbers}
        self.highest = numbers[-1]
        self.highest_timestamp = 3000 * numbers[-1]
        self.stored = self.retained.get


def test_a_replay_gives_what_is_retained_in_order_and_ends_with_the_newest():
    stream, segment = Stream(10, 11, 13), Segment(None, 10, 0, 0)
    replay = Replay(stream, segment, 10)
    assert (segment.compressed_until, segment.compressed_to) == (13, 39_000)
    assert replay.tail is None
    assert replay.next().sequence == 10
    assert not replay.finished
    assert [replay.next().sequence, replay.next().sequence] == [11, 13]  # 12 was lost upstream
    assert replay.tail.sequence == 13
    assert replay.finished
    assert replay.next() is None


def test_what_arrives_meanwhile_belongs_to_it():
    stream, segment = Stream(10), Segment(None, 10, 0, 0)
    replay = Replay(stream, segment, 10)
    replay.next()
    stream.retained[11], stream.highest = packet(11, 33_000), 11
    assert not replay.finished
    assert replay.next().sequence == 11
    assert segment.compressed_until == 10


def test_timestamps_up_to_the_newest_packet_move_close_together_and_stay_apart():
    times = [compressed(packet(number, 3000 * number), 20, 60_000) for number in range(10, 23)]
    assert times[-3:] == [60_000, 63_000, 66_000]
    steps = [b - a for a, b in itertools.pairwise(times)]
    assert all(0 < step <= 3000 // 32 + 1 for step in steps[:10])


def test_timestamps_wrap_around():
    assert compressed(packet(1, 0xFFFFFFF0), 2, 16) == (16 - 1) & 0xFFFFFFFF


def test_a_replay_with_nothing_left_is_finished():
    stream = SimpleNamespace(highest=4, highest_timestamp=0, stored=lambda _: None)
    replay = Replay(stream, Segment(None, 1, 0, 0), 1)
    assert replay.next() is None
    assert replay.finished
    assert replay.tail is None
