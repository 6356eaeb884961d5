"""Which words of successive hypotheses about growing audio are stable: local agreement of two.

A word is stable when two hypotheses in a row have it in the same place, after the same stable words (LocalAgreement-2:
Liu et al. 2020, "Low-Latency Sequence-to-Sequence Speech Recognition and Translation by Partial Hypothesis Selection").
Stable words are never taken back.
"""

from collections.abc import Sequence
from typing import Final

from recording.speech.values import Word

# Words of two hypotheses differ by this much in time without being different words.
_TOLERANCE_S: Final = 0.15


def key(word: Word) -> str:
    """Return a word as hypotheses are compared: without case and punctuation, which change most."""
    return "".join(letter for letter in word.text.casefold() if letter.isalnum())


class Agreement:
    """The hypotheses about one speaker's audio; times are seconds on the speaker's clock."""

    def __init__(self) -> None:
        self._stable: list[Word] = []
        "Stable words in the audio that is transcribed again."
        self._until_s = float("-inf")
        self.tail: list[Word] = []
        "Words of the last hypothesis that are not stable yet."

    def take(self, hypothesis: Sequence[Word], *, final: bool = False) -> list[Word]:
        """Return the words that this hypothesis makes stable; all of them if it is the last one of this audio."""
        fresh = self._fresh(hypothesis)
        count = len(fresh)
        if not final:
            count = 0
            for before, now in zip(self.tail, fresh, strict=False):
                if key(before) != key(now):
                    break
                count += 1
        stable, self.tail = fresh[:count], fresh[count:]
        if stable:
            self._stable += stable
            self._until_s = max(self._until_s, stable[-1].end_s)
        return stable

    def cut(self, at_s: float) -> None:
        """The audio before a time is no longer transcribed."""
        self._stable = [word for word in self._stable if word.end_s > at_s]

    def reset(self) -> None:
        """Start anew: the audio continues after a hole."""
        self._stable.clear()
        self.tail = []

    def _fresh(self, hypothesis: Sequence[Word]) -> list[Word]:
        """Return the words of a hypothesis after the stable ones."""
        known = len(self._stable)
        if known and [key(word) for word in hypothesis[:known]] == [key(word) for word in self._stable]:
            return list(hypothesis[known:])
        return [
            word for word in hypothesis if (word.start_s + word.end_s) / 2 > self._until_s - _TOLERANCE_S / 2
        ]
