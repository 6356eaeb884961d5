import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sfu.receiving.speakers import UPDATE_INTERVAL_S, Speakers
from sfu.values import Speaker

LOUD, QUIET = 10, 60


class Room:
    """Feeds packets each 20 ms and updates each 400 ms."""

    def __init__(self):
        self.speakers = Speakers()
        self.now = 100.0

    def window(self, *, interval_s=0.02, **levels):
        """One window; each publication's levels in order, repeated; a None is a packet not sent."""
        end = self.now + UPDATE_INTERVAL_S
        for i in range(round(UPDATE_INTERVAL_S / interval_s)):
            for publication_id, pattern in levels.items():
                level = pattern[i % len(pattern)]
                if level is not None:
                    self.speakers.observe(publication_id, level, self.now + i * interval_s)
        self.now = end
        return self.speakers.update(end)


def level_after(windows, level):
    """The linear level after that many windows of uninterrupted speech, from the rule."""
    smoothed = 0.0
    for _ in range(windows):
        smoothed += (10 ** (-level / 20) - smoothed) * 2 / 3
    return math.ceil(smoothed * 8) / 8


@pytest.fixture
def room():
    return Room()


def test_silence_is_no_news(room):
    assert room.window(a=[QUIET]) == ()
    assert room.window(a=[127]) == ()


@pytest.mark.parametrize("level", [0, 10, 20, 30])
def test_speech_is_smoothed_and_quantised(room, level):
    reported = 0.0
    for windows in range(1, 5):
        expected = level_after(windows, level)
        changes = room.window(a=[level])
        assert changes == (() if expected == reported else (Speaker("a", expected, active=True),))
        reported = expected


def test_the_stop_is_told_once(room):
    room.window(a=[LOUD])
    assert room.window(a=[QUIET]) == (Speaker("a", 0.0, active=False),)
    assert room.window(a=[QUIET]) == ()


@pytest.mark.parametrize(("level", "counts"), [(35, True), (36, False)])
def test_activity_begins_at_35_below_full_scale(room, level, counts):
    room.window(a=[level])
    assert (room.speakers._voices["a"].smoothed > 0) is counts


@pytest.mark.parametrize(("loud_of_20", "speaks"), [(8, True), (7, False), (20, True), (0, False)])
def test_speech_takes_two_fifths_of_the_window(room, loud_of_20, speaks):
    pattern = [LOUD] * loud_of_20 + [QUIET] * (20 - loud_of_20)
    changes = room.window(a=pattern)
    assert bool(changes) is speaks


def test_a_shorter_share_is_quieter(room):
    part = room.window(a=[LOUD] * 8 + [QUIET] * 12)[0].level
    whole = Room().window(a=[LOUD])[0].level
    assert part == math.ceil(10 ** (-LOUD / 20) * 0.4 * 2 / 3 * 8) / 8
    assert room.speakers._voices["a"].smoothed == pytest.approx(10 ** (-LOUD / 20) * 0.4 * 2 / 3)
    assert part < whole


@pytest.mark.parametrize("interval_s", [0.01, 0.02, 0.04])
def test_the_packets_length_does_not_matter(room, interval_s):
    # the second window: the very first packet has no packet before it to measure from
    room.window(a=[LOUD], interval_s=interval_s)
    room.window(a=[LOUD], interval_s=interval_s)
    assert room.speakers._voices["a"].reported == level_after(2, LOUD)


def test_a_single_packet_after_silence_is_no_speech(room):
    room.window(a=[QUIET])
    assert room.window(a=[None] * 19 + [LOUD]) == ()


def test_stale_after_800_ms(room):
    room.window(a=[LOUD])
    assert room.window() == ()
    assert room.window() == (Speaker("a", 0.0, active=False),)


def test_two_people(room):
    changes = room.window(a=[LOUD], b=[QUIET], c=[0])
    assert [change.publication_id for change in changes] == ["a", "c"]
    assert [change.publication_id for change in room.window(a=[QUIET], b=[LOUD], c=[0])] == ["a", "b", "c"]


def test_who_is_removed_stops(room):
    room.window(a=[LOUD], b=[QUIET])
    room.speakers.remove("a")
    room.speakers.remove("b")
    room.speakers.remove("nobody")
    assert room.window() == (Speaker("a", 0.0, active=False),)
    assert room.window() == ()


@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 127), st.floats(0, 1))
        | st.sampled_from(["update", "remove"]),
        max_size=80,
    )
)
def test_deltas_add_up(script):
    speakers = Speakers()
    now = 0.0
    told = {}
    for step in script:
        if step == "remove":
            speakers.remove("a")
        elif step == "update":
            now += UPDATE_INTERVAL_S
            for change in speakers.update(now):
                assert 0 <= change.level <= 1
                assert change.level * 8 == int(change.level * 8)
                assert change.active is (change.level > 0)
                assert told.get(change.publication_id, 0.0) != change.level
                told[change.publication_id] = change.level
        else:
            now += step[2]
            speakers.observe(*step[:2], now)
    for change in [*speakers.update(now + 10), *speakers.update(now + 20)]:
        told[change.publication_id] = change.level
    assert not any(told.values())


def test_the_dominant_speaker_stays_until_silent_while_another_speaks(room):
    assert room.speakers.dominant is None
    room.window(a=[20], b=[30])
    assert room.speakers.dominant == "a"
    room.window(a=[20], b=[0])
    assert room.speakers.dominant == "a"  # louder is not enough
    room.window(a=[QUIET], b=[QUIET])
    assert room.speakers.dominant == "a"  # nobody else speaks
    room.window(a=[QUIET], b=[30])
    assert room.speakers.dominant == "b"
    room.speakers.remove("b")
    room.window(a=[20])
    assert room.speakers.dominant == "a"
