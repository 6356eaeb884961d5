"""Topics of a transcript: where they change (TextTiling, Hearst 1997), their words, and their central lines."""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from recording.speech.values import Line

# Shorter words are mostly articles and prepositions, in whatever language.
_WORD: Final = re.compile(r"[^\W\d_]{4,}")
_BLOCK: Final = 12
"Lines on each side of a possible change; Hearst compares 200 words, and lines have some 15."
_MIN_TOPIC_S: Final = 120.0
_TITLE_WORDS: Final = 3

Bag = Counter[str]


class Topics:
    """The words of a transcript, whose lines are in the order of time."""

    def __init__(self, lines: Sequence[Line]) -> None:
        """Count the words of each line."""
        self._lines = lines
        self._bags: list[Bag] = [Counter(_WORD.findall(line.text.casefold())) for line in lines]
        spread = Counter(word for bag in self._bags for word in bag)
        # Inverse document frequency: what many lines contain says little about one of them.
        self._weights = {word: math.log((1 + len(lines)) / count) for word, count in spread.items()}

    def title(self, start_s: float, end_s: float) -> str:
        """Return the most typical words of a stretch of time; empty if nothing was said."""
        counts = _sum(self._bags[index] for index in self._within(start_s, end_s))
        ranked = sorted(counts, key=lambda word: (-counts[word] * self._weights[word], word))
        return ", ".join(ranked[:_TITLE_WORDS])

    def central(self, start_s: float, end_s: float, most: int) -> list[Line]:
        """Return the lines of a stretch of time whose words the others use, too, in the order of time."""
        indices = self._within(start_s, end_s)
        whole = _sum(self._bags[index] for index in indices)

        def score(index: int) -> float:
            bag = self._bags[index]
            return sum(self._weights[word] * math.log1p(whole[word]) for word in bag) / math.sqrt(
                len(bag) + 4
            )

        ranked = sorted(indices, key=lambda index: -score(index))
        return [self._lines[index] for index in sorted(ranked[:most]) if score(index) > 0]

    def changes(self) -> list[float]:
        """Return the times in s at which the topic changes."""
        gaps = range(_BLOCK // 2, len(self._lines) - _BLOCK // 2)
        if len(gaps) < 3:
            return []
        similar = [self._similarity(gap) for gap in gaps]
        depths = [
            _peak(similar, index, -1) + _peak(similar, index, 1) - 2 * value
            for index, value in enumerate(similar)
        ]
        mean = sum(depths) / len(depths)
        deviation = math.sqrt(sum((depth - mean) ** 2 for depth in depths) / len(depths))
        found: list[float] = []
        edges = [self._lines[0].start_s, self._lines[-1].end_s]
        for index in sorted(range(len(depths)), key=lambda each: -depths[each]):
            if depths[index] <= mean + deviation / 2:
                break
            at_s = self._lines[gaps[index]].start_s
            if all(abs(at_s - edge) >= _MIN_TOPIC_S for edge in (*edges, *found)):
                found.append(at_s)
        return sorted(found)

    def _within(self, start_s: float, end_s: float) -> list[int]:
        return [index for index, line in enumerate(self._lines) if start_s <= line.start_s < end_s]

    def _similarity(self, gap: int) -> float:
        """Return the cosine between the words before and after a gap."""
        before, after = _sum(self._bags[max(gap - _BLOCK, 0) : gap]), _sum(self._bags[gap : gap + _BLOCK])
        weights = self._weights
        product = sum(count * after[word] * weights[word] ** 2 for word, count in before.items())
        lengths = [
            math.sqrt(sum((count * weights[word]) ** 2 for word, count in bag.items()))
            for bag in (before, after)
        ]
        return product / (lengths[0] * lengths[1]) if all(lengths) else 0.0


def _sum(bags: Iterable[Bag]) -> Bag:
    whole: Bag = Counter()
    for bag in bags:
        whole.update(bag)
    return whole


def _peak(values: Sequence[float], index: int, step: int) -> float:
    """Return the height of the nearest peak on one side."""
    while 0 <= index + step < len(values) and values[index + step] >= values[index]:
        index += step
    return values[index]
