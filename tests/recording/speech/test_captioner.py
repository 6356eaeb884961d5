"""Whose speech is transcribed when, by a recogniser with made-up words and costs: each second of sound is a word."""

from itertools import pairwise

import numpy as np
import pytest

from recording.speech.blocks import RATE
from recording.speech.captioner import MAX_BEHIND_S, RECOVERED_S, Captioner
from recording.speech.captions import MAX_SPEAKERS
from recording.speech.cpu_budget import CpuBudget
from recording.speech.values import Word

TICK = 0.1
TIA = ("live_1", "tia/microphone")


class Clock:
    """CPU time, and the time that it takes."""

    def __init__(self):
        self.used = 0.0

    def __call__(self):
        return self.used


class Words:
    """Says the number of each second: a sample's value is its second, and 0 is silence."""

    def __init__(self, clock, cost_s):
        self.clock = clock
        self.cost_s = cost_s
        self.windows = []

    def speech(self, samples):
        loud = np.flatnonzero(samples)
        return [(int(loud[0]), int(loud[-1]) + 1)] if len(loud) else []

    def words(self, samples, language):
        self.clock.used += self.cost_s
        self.windows.append(len(samples) / RATE)
        seconds = samples.astype(int)
        found = []
        for number in np.unique(seconds[seconds > 0]):
            at = np.flatnonzero(seconds == number)
            found.append(Word(at[0] / RATE, (at[-1] + 1) / RATE, f"w{number}"))
        return found, language


class Room:
    """People who speak in simulated time."""

    def __init__(self, cost_s=0.1, share=0.5):
        self.cpu = Clock()
        self.recogniser = Words(self.cpu, cost_s)
        self.captioner = Captioner(self.recogniser, CpuBudget(share, 0.0), self.cpu, "en")
        self.now = 0.0
        self.shown = []
        "(time, report)"

    def run(self, seconds, *speakers):
        """Let these tracks speak for a time; the others are silent, without packets."""
        end = self.now + seconds
        while self.now < end - 1e-6:
            self.now += TICK
            for key in speakers:
                sound = np.full(round(TICK * RATE), int(self.now - 1e-6) + 1, np.float32)
                self.captioner.hear(key, sound, self.now)
            self.shown += [(self.now, report) for report in self.captioner.step(self.now)]

    def silence(self, seconds, *keys):
        """Silent packets."""
        end = self.now + seconds
        while self.now < end - 1e-6:
            self.now += TICK
            for key in keys:
                self.captioner.hear(key, np.zeros(round(TICK * RATE), np.float32), self.now)
            self.shown += [(self.now, report) for report in self.captioner.step(self.now)]

    def lines(self, key=TIA):
        found = [report for _now, report in self.shown if report.track_id == key[1]]
        return [report.text for report in found if report.final]


def test_words_appear_while_one_speaks_and_the_line_ends_with_silence():
    room = Room()
    room.run(4, TIA)
    before = [report for _now, report in room.shown]
    assert [report.line for report in before] == [1] * len(before)
    assert before[0].tail == "w1"
    assert before[-1].text.startswith("w1 w2 w3")
    assert all(later.text.startswith(earlier.text) for earlier, later in pairwise(before))
    assert max(report.lag_s for report in before) < 1.0
    room.silence(1.2, TIA)
    assert room.lines() == ["w1 w2 w3 w4"]
    room.run(1, TIA)
    assert room.shown[-1][1].line == 2


def test_silence_costs_nothing():
    room = Room()
    room.silence(20, TIA)
    assert room.cpu.used == 0
    assert room.shown == []


def test_a_line_ends_also_without_packets():
    room = Room()
    room.run(2, TIA)
    room.run(2)
    assert room.lines() == ["w1 w2"]
    used = room.cpu.used
    room.run(10)
    assert room.cpu.used == used


def test_a_line_of_words_that_were_not_said_ends_empty():
    room = Room()
    room.recogniser.words = lambda _samples, language: (
        [] if room.shown else [Word(0.0, 1.0, "hm")],
        language,
    )
    room.run(3, TIA)
    room.silence(2, TIA)
    reports = [report for _at, report in room.shown]
    assert [(each.line, each.text, each.tail, each.final) for each in reports] == [
        (1, "", "hm", False),
        (1, "", "", True),
    ]


def test_a_line_of_words_that_were_not_said_ends_also_with_its_track():
    room = Room(share=0.15)
    room.recogniser.words = lambda _samples, language: (
        [] if room.shown else [Word(0.0, 1.0, "hm")],
        language,
    )
    room.run(1, TIA)
    room.run(1.5, TIA)
    room.captioner.forget(TIA)
    [first, *_, last] = [report for _at, report in room.shown] + room.captioner.step(room.now)
    assert (first.tail, first.final) == ("hm", False)
    assert (last.text, last.tail, last.final) == ("", "", True)


def test_a_long_speech_is_transcribed_in_short_windows_and_nothing_is_missing():
    room = Room(cost_s=0.05)
    room.run(100, TIA)
    room.silence(2, TIA)
    assert max(room.recogniser.windows) < 11
    assert " ".join(room.lines()).split() == [f"w{n}" for n in range(1, 101)]
    assert len(room.lines()) > 1


def test_the_cpu_time_is_bounded_and_what_it_does_not_suffice_for_is_left_out():
    room = Room(cost_s=1.0, share=0.2)
    room.run(60, TIA)
    assert room.cpu.used <= 0.2 * 60 + 2
    told = [report.behind for _now, report in room.shown if report.behind is not None]
    assert told[0] is True
    assert max(report.lag_s for _now, report in room.shown) < MAX_BEHIND_S + 1
    # The captions keep up with what is said now, with holes: no window grows beyond what may wait.
    assert max(room.recogniser.windows) < MAX_BEHIND_S + 2
    assert room.shown[-1][1].behind is None or room.shown[-1][0] > 50


def test_captions_recover_when_fewer_speak():
    room = Room(cost_s=1.0, share=0.5)
    room.run(12, TIA, ("live_1", "sam/microphone"), ("live_1", "eve/microphone"))
    told = [report.behind for _now, report in room.shown if report.behind is not None]
    assert told == [True]
    room.recogniser.cost_s = 0.05
    room.run(RECOVERED_S + 8, TIA)
    told = [report.behind for _now, report in room.shown if report.behind is not None]
    assert told == [True, False]


def test_only_some_speak_at_once():
    room = Room(cost_s=0.01)
    keys = [("live_1", f"p{n}/microphone") for n in range(MAX_SPEAKERS + 1)]
    room.run(3, *keys)
    room.run(2)
    assert all(room.lines(key) for key in keys[:MAX_SPEAKERS])
    assert room.lines(keys[-1]) == []
    assert [report.behind for _now, report in room.shown if report.behind is not None] == [True]
    # Now there is room for the last one.
    room.run(2, keys[-1])
    room.run(2)
    assert room.lines(keys[-1])


def test_speakers_take_turns():
    room = Room(cost_s=0.2)
    other = ("live_2", "ada/microphone")
    room.run(6, TIA, other)
    counts = [sum(report.track_id == key[1] for _now, report in room.shown) for key in (TIA, other)]
    assert min(counts) >= 4
    assert abs(counts[0] - counts[1]) <= 1


def test_a_forgotten_track_ends_its_line():
    room = Room()
    room.run(1.5, TIA)
    assert room.captioner.silent_since(room.now + 31, 30) == [TIA]
    room.captioner.forget(TIA)
    [report] = room.captioner.step(room.now)
    assert (report.text, report.tail, report.final) == ("w1", "", True)
    assert room.captioner.silent_since(room.now + 31, 30) == []


@pytest.mark.parametrize("level", [0.0, 0.0001])
def test_quiet_sound_needs_no_model(level):
    room = Room()
    for _ in range(100):
        room.now += TICK
        room.captioner.hear(TIA, np.full(round(TICK * RATE), level, np.float32), room.now)
        assert room.captioner.step(room.now) == []
    assert room.recogniser.windows == []
