"""Live captions of spoken texts by a real model, in simulated time: each window costs what it costs a slow machine."""

import numpy as np

from recording.speech.blocks import RATE
from recording.speech.captioner import Captioner
from recording.speech.cpu_budget import CpuBudget
from recording.speech.hearing import Hearing
from recording.speech.recogniser import WhisperRecogniser, spoken
from recording.speech.values import Word
from sfu.wire.tap import Packet
from tests.recording.speech.spoken import SENTENCES, errors, key_words, model, needs_speech, speak

pytestmark = needs_speech
KEY = ("live_1", "tia/microphone")
TICK = 0.02
PAUSE_S = 1.5
# CPU time of one window of seven seconds (docs/decisions/live-captions.md), and of looking for speech in one.
WINDOW_S, SEARCH_S = 0.2, 0.01


class Timed:
    """A recogniser that counts the CPU time that it would take."""

    def __init__(self, recogniser):
        self._recogniser = recogniser
        self.used_s = 0.0

    def speech(self, samples):
        self.used_s += SEARCH_S
        return self._recogniser.speech(samples)

    def words(self, samples, language):
        self.used_s += WINDOW_S
        return self._recogniser.words(samples, language)


def samples_of(packets):
    """Decoded packets of 20 ms, each as samples."""
    hearing = Hearing()
    return [
        hearing.take(Packet(1, i, i * 960, False, "opus", data, i * 20_000_000))
        for i, data in enumerate(packets)
    ]


def play(captioner, recogniser, spoken, end_s):
    """Speak in simulated time: `spoken` is (arrival in s, samples); (time, report) of everything shown."""
    now, shown, left = 0.0, [], list(spoken)
    while now < end_s:
        while left and left[0][0] <= now:
            at_s, samples = left.pop(0)
            captioner.hear(KEY, samples, at_s)
        before = recogniser.used_s
        reports = captioner.step(now)
        # What arrived meanwhile waits.
        now += TICK + recogniser.used_s - before
        shown += [(now, report) for report in reports]
    return shown


def test_words_are_shown_within_three_seconds_and_few_are_wrong():
    recogniser = Timed(WhisperRecogniser(model()))
    captioner = Captioner(recogniser, CpuBudget(0.5, 0.0), lambda: recogniser.used_s, "en")
    at_s, spoken, texts = 0.0, [], []
    for text in SENTENCES[:3]:
        packets = samples_of(speak(text))
        spoken += [(at_s + (i + 1) * 0.02, samples) for i, samples in enumerate(packets)]
        texts.append((text, at_s, at_s + len(packets) * 0.02))
        at_s += len(packets) * 0.02 + PAUSE_S
    shown = play(captioner, recogniser, spoken, at_s + 3)
    heard = " ".join(report.text for _at, report in shown if report.final)
    wrong, count = errors(" ".join(SENTENCES[:3]), heard)
    assert wrong / count < 0.2
    # A word is shown when its text is seen for the first time after it was spoken; its time follows from its place.
    lags = []
    for text, start_s, end_s in texts:
        names = key_words(text)
        for place, word in names:
            said_s = start_s + (end_s - start_s) * place
            seen = [
                now
                for now, report in shown
                if now > said_s - 1 and word in f"{report.text} {report.tail}".lower()
            ]
            if seen:
                lags.append(seen[0] - said_s)
    assert len(lags) > 15
    assert max(lags) < 3.0
    assert max(report.lag_s for _at, report in shown) < 3.0


def test_silence_and_noise_are_not_transcribed():
    recogniser = WhisperRecogniser(model())
    noise = np.random.default_rng(1).normal(0, 0.01, 3 * RATE).astype(np.float32)
    assert recogniser.speech(np.zeros(3 * RATE, np.float32)) == []
    assert recogniser.speech(noise) == []


def test_punctuation_belongs_to_words_and_the_language_of_an_english_model_is_known():
    recogniser = WhisperRecogniser(model())
    words, language = recogniser.words(np.concatenate(samples_of(speak(SENTENCES[3]))), "")
    assert language == "en"
    assert all(any(letter.isalnum() for letter in word.text) for word in words)
    assert [word.text for word in words if word.text[-1] in ".?"] in (
        ["homework.", "Wednesday?"],
        ["Wednesday?"],
    )
    times = [time for word in words for time in (word.start_s, word.end_s)]
    assert times == sorted(times)


def test_what_a_model_repeats_after_the_end_is_left_out():
    words = [Word(0.0, 0.4, "add"), Word(0.4, 0.4, "to"), Word(0.4, 0.9, "two")]
    repeated = [Word(0.9, 0.9, word) for word in ("add", "to", "two")]
    assert spoken([*words, *repeated]) == words
    assert spoken(words) == words
    assert spoken([]) == []
