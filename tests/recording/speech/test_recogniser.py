"""Live captions of spoken texts by a real model; the clock is simulated, and advances by the CPU time that is used."""

import time

import numpy as np

from recording.speech.blocks import RATE
from recording.speech.captioner import Captioner
from recording.speech.cpu_budget import CpuBudget
from recording.speech.hearing import Hearing
from recording.speech.recogniser import WhisperRecogniser
from sfu.wire.tap import Packet
from tests.recording.speech.spoken import SENTENCES, errors, key_words, model, needs_speech, speak

pytestmark = needs_speech
KEY = ("live_1", "tia/microphone")
TICK = 0.02
PAUSE_S = 1.5


def samples_of(packets):
    """Decoded packets of 20 ms, each as samples."""
    hearing = Hearing()
    return [
        hearing.take(Packet(1, i, i * 960, False, "opus", data, i * 20_000_000))
        for i, data in enumerate(packets)
    ]


def play(captioner, spoken, end_s):
    """Speak in simulated time: `spoken` is (arrival in s, samples); (time, report) of everything shown."""
    now, shown, left = 0.0, [], list(spoken)
    while now < end_s:
        while left and left[0][0] <= now:
            at_s, samples = left.pop(0)
            captioner.hear(KEY, samples, at_s)
        before = time.process_time()
        reports = captioner.step(now)
        # What arrived meanwhile waits.
        now += TICK + time.process_time() - before
        shown += [(now, report) for report in reports]
    return shown


def test_words_are_shown_within_three_seconds_and_few_are_wrong():
    recogniser = WhisperRecogniser(model())
    captioner = Captioner(recogniser, CpuBudget(0.5, 0.0), time.process_time, "en")
    at_s, spoken, texts = 0.0, [], []
    for text in SENTENCES[:3]:
        packets = samples_of(speak(text))
        spoken += [(at_s + (i + 1) * 0.02, samples) for i, samples in enumerate(packets)]
        texts.append((text, at_s, at_s + len(packets) * 0.02))
        at_s += len(packets) * 0.02 + PAUSE_S
    shown = play(captioner, spoken, at_s + 3)
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
