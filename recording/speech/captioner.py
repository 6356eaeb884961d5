"""Decides whose speech is transcribed when, and what of it is shown: no clock, no model, no I/O.

A window of a speaker's latest audio is transcribed again each second as it grows. Words on which two windows agree
are stable; the window is cut behind them. While nobody speaks, nothing is transcribed.
"""

from collections.abc import Callable
from typing import Final, Protocol

import numpy as np

from recording.speech.agreement import Agreement
from recording.speech.blocks import RATE, Samples
from recording.speech.captions import MAX_SPEAKERS, CaptionReport
from recording.speech.cpu_budget import CpuBudget
from recording.speech.values import Word
from sfu.values import RecordedTrackId, RecordingId

TrackKey = tuple[RecordingId, RecordedTrackId]

STEP_S: Final = 0.8
"New audio of a speaker before the window is transcribed again."
PAUSE_S: Final = 0.6
"Silence that ends a line."
STALE_S: Final = 0.7
"A speaker without packets for this long is silent (DTX, muted, gone)."
MAX_BEHIND_S: Final = 4.0
"Audio that has waited longer is left out."
RECOVERED_S: Final = 10.0
"Captions are no longer behind when nothing was left out for this long."
_LEAD: Final = RATE // 2
"Silence before speech that is kept, so that the first sound is complete."
_CUT: Final = 9 * RATE
_LONGEST: Final = 15 * RATE
"Without agreement, a window this long is taken as it is."
_LINE_CHARACTERS: Final = 160
# -50 dB of full scale: below it nobody speaks, and no model has to look.
_QUIET: Final = 0.003
_ROUNDS: Final = 3
"Hypotheses about the end of an utterance: a small model sometimes stops after a sentence."


class Recogniser(Protocol):
    """Finds speech and words in audio at 16 kHz."""

    def speech(self, samples: Samples) -> list[tuple[int, int]]:
        """Return the spans of speech (first sample, sample after the last)."""

    def words(self, samples: Samples, language: str) -> tuple[list[Word], str]:
        """Return the words, with times in s from the first sample, and the language (ISO 639-1)."""


class _Speaker:
    """One track: the window, and the line that is being written."""

    def __init__(self) -> None:
        self.window: Samples = np.zeros(0, np.float32)
        self.base_s = 0.0
        "Arrival time of the window's first sample."
        self.done = 0
        "Samples of the window that were in the last hypothesis."
        self.active = False
        self.heard_s = 0.0
        self.tried_s = 0.0
        self.agreement = Agreement()
        self.language = ""
        self.line = 1
        self.words: list[Word] = []
        "Stable words of the line."
        self.shown = False
        "The line was shown, and is not final."

    def hear(self, samples: Samples, at_s: float) -> None:
        self.window = np.concatenate([self.window, samples])
        self.heard_s = at_s
        self.base_s = at_s - len(self.window) / RATE

    def drop(self, count: int) -> None:
        """Remove samples from the window's start."""
        self.window = self.window[count:]
        self.base_s += count / RATE
        self.done = max(self.done - count, 0)
        self.agreement.cut(self.base_s)

    def waiting_s(self, now_s: float) -> float:
        """How long the oldest audio without a hypothesis has waited."""
        return now_s - (self.base_s + self.done / RATE) if self.done < len(self.window) else 0.0

    def is_due(self, now_s: float) -> bool:
        if not self.active:
            return False
        new = (len(self.window) - self.done) / RATE
        return new >= STEP_S or now_s - self.heard_s >= STALE_S


class Captioner:
    """The speakers of all captioned rooms."""

    def __init__(
        self,
        recogniser: Recogniser,
        budget: CpuBudget,
        cpu_clock: Callable[[], float],
        language: str = "",
    ) -> None:
        """`cpu_clock` returns the CPU time used by this thread, in s."""
        self._recogniser = recogniser
        self._budget = budget
        self._cpu_clock = cpu_clock
        self._language = language
        self._speakers: dict[TrackKey, _Speaker] = {}
        self._behind: dict[RecordingId, float] = {}
        "When something was left out last, by recording."
        self._reports: list[CaptionReport] = []

    def hear(self, key: TrackKey, samples: Samples, at_s: float) -> None:
        """Take audio of a track; `at_s` is when its last sample arrived."""
        speaker = self._speakers.get(key)
        if speaker is None:
            speaker = self._speakers[key] = _Speaker()
            speaker.language = self._language
        speaker.hear(samples, at_s)
        if not speaker.active:
            if len(samples) and float(np.sqrt(np.mean(samples * samples))) >= _QUIET:
                if sum(each.active for each in self._speakers.values()) < MAX_SPEAKERS:
                    speaker.active = True
                    return
                self._leave_out(key[0], at_s)
            speaker.drop(max(len(speaker.window) - _LEAD, 0))

    def forget(self, key: TrackKey) -> None:
        """Remove a track that is no longer heard."""
        speaker = self._speakers.pop(key, None)
        if speaker is not None:
            self._end_line(key, speaker, speaker.heard_s)
        if all(recording_id != key[0] for recording_id, _track in self._speakers):
            self._behind.pop(key[0], None)

    def silent_since(self, now_s: float, age_s: float) -> list[TrackKey]:
        """Return the tracks that were not heard for a time."""
        return [key for key, speaker in self._speakers.items() if now_s - speaker.heard_s > age_s]

    def step(self, now_s: float) -> list[CaptionReport]:
        """Transcribe at most one window, if the budget allows; return what there is to show."""
        for key, speaker in self._speakers.items():
            if speaker.active and speaker.waiting_s(now_s) > MAX_BEHIND_S:
                self._skip(key, speaker, now_s)
        for recording_id, since_s in list(self._behind.items()):
            if now_s - since_s > RECOVERED_S:
                del self._behind[recording_id]
                self._reports.append(CaptionReport(recording_id, behind=False))
        due = [(each.tried_s, key) for key, each in self._speakers.items() if each.is_due(now_s)]
        if due and self._budget.allows(now_s):
            key = min(due)[1]
            before_s = self._cpu_clock()
            self._transcribe(key, self._speakers[key], now_s)
            self._budget.spend(self._cpu_clock() - before_s)
        reports, self._reports = self._reports, []
        return reports

    def _skip(self, key: TrackKey, speaker: _Speaker, now_s: float) -> None:
        """Leave out what has waited too long: what is said now matters more."""
        self._end_line(key, speaker, now_s)
        speaker.drop(max(len(speaker.window) - RATE, 0))
        speaker.agreement.reset()
        self._leave_out(key[0], now_s)

    def _leave_out(self, recording_id: RecordingId, now_s: float) -> None:
        if recording_id not in self._behind:
            self._reports.append(CaptionReport(recording_id, behind=True))
        self._behind[recording_id] = now_s

    def _transcribe(self, key: TrackKey, speaker: _Speaker, now_s: float) -> None:
        speaker.tried_s = now_s
        spans = self._recogniser.speech(speaker.window)
        if not spans:
            self._end_line(key, speaker, now_s)
            speaker.active = False
            speaker.drop(max(len(speaker.window) - _LEAD, 0))
            return
        start, end = spans[0][0], spans[-1][1]
        gone = now_s - speaker.heard_s >= STALE_S
        ended = gone or len(speaker.window) - end >= PAUSE_S * RATE
        self._guess(speaker, start, end, ended=ended)
        speaker.done = len(speaker.window)
        if ended:
            self._end_line(key, speaker, now_s)
            speaker.drop(end)
            speaker.agreement.reset()
            if gone:
                speaker.active = False
                speaker.drop(len(speaker.window))
            return
        self._cut(speaker)
        text = " ".join(word.text for word in speaker.words)
        if speaker.words and (len(text) >= _LINE_CHARACTERS * 1.5 or _is_long_sentence(text)):
            self._show(key, speaker, now_s, final=True)
        else:
            self._show(key, speaker, now_s)

    def _guess(self, speaker: _Speaker, start: int, end: int, *, ended: bool) -> None:
        """Make a hypothesis about the speech in the window."""
        for _round in range(_ROUNDS if ended else 1):
            words, language = self._recogniser.words(speaker.window[start:end], speaker.language)
            speaker.language = speaker.language or language
            at_s = speaker.base_s + start / RATE
            placed = [Word(at_s + word.start_s, at_s + word.end_s, word.text) for word in words]
            final = ended or end - start > _LONGEST
            speaker.words += speaker.agreement.take(placed, final=final)
            if not words or end - start - words[-1].end_s * RATE < RATE:
                return
            start += round(words[-1].end_s * RATE)

    @staticmethod
    def _cut(speaker: _Speaker) -> None:
        """Transcribe no longer what is stable: whole sentences, or as much as possible of a long window."""
        if not speaker.words:
            return
        ends = [word.end_s for word in speaker.words if word.text[-1:] in ".?!"]
        cut_s = speaker.words[-1].end_s if len(speaker.window) > _CUT else max(ends, default=0.0)
        count = round((cut_s - speaker.base_s) * RATE)
        if 0 < count <= len(speaker.window):
            speaker.drop(count)

    def _end_line(self, key: TrackKey, speaker: _Speaker, now_s: float) -> None:
        speaker.words += speaker.agreement.tail
        speaker.agreement.tail = []
        self._show(key, speaker, now_s, final=True)

    def _show(self, key: TrackKey, speaker: _Speaker, now_s: float, *, final: bool = False) -> None:
        shown = [*speaker.words, *speaker.agreement.tail]
        # A line ends empty if it was shown with words that no later hypothesis has.
        if not shown and not (final and speaker.shown):
            return
        text = " ".join(word.text for word in speaker.words)
        tail = " ".join(word.text for word in speaker.agreement.tail)
        lag_s = round(max(now_s - shown[-1].end_s, 0.0), 3) if shown else 0.0
        self._reports.append(CaptionReport(*key, speaker.line, text, tail, final, lag_s))
        speaker.shown = not final
        if final:
            speaker.line += 1
            speaker.words = []


def _is_long_sentence(text: str) -> bool:
    return len(text) >= _LINE_CHARACTERS and text[-1:] in ".?!"
