"""Sound of a track in blocks of limited length, and how speech in them is cut: mono samples at 16 kHz."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import av
import numpy as np
import numpy.typing as npt

from recording.compose.sources import frames
from recording.files.reader import TrackReader

RATE: Final = 16_000
"Samples per second, as Whisper and Silero VAD need them."
_BLOCK: Final = 60 * RATE
# Frames further apart than this are not joined, so that muted times cost nothing.
_APART_S: Final = 1.0
# Whisper's window is 30 s.
_MOST: Final = 28 * RATE
# Speech that is interrupted for less than this belongs together.
_JOINED: Final = 2 * RATE

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Block:
    """Sound without a hole."""

    start_s: float
    samples: Samples
    last: bool
    "The sound ends or is interrupted here."


def blocks(track: TrackReader) -> Iterator[Block]:
    """Decode a track into blocks of a minute at most. Blocking."""
    resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
    held: list[Samples] = []
    count, start_s, end_s = 0, 0.0, 0.0
    for at_s, frame in frames(track, 0):
        if not isinstance(frame, av.AudioFrame):
            continue
        if held and (at_s - end_s > _APART_S or count >= _BLOCK):
            yield Block(start_s, np.concatenate(held), at_s - end_s > _APART_S)
            held, count = [], 0
        if not held:
            start_s = at_s
        else:
            missing = round((at_s - start_s) * RATE) - count
            if missing > 0:
                held.append(np.zeros(missing, np.float32))
                count += missing
        for each in resampler.resample(frame):
            samples = each.to_ndarray().reshape(-1).astype(np.float32)
            held.append(samples)
            count += len(samples)
        end_s = at_s + frame.samples / frame.sample_rate
    if held:
        yield Block(start_s, np.concatenate(held), True)


def joined(speech: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans of speech (first sample, sample after the last) into spans that fit into Whisper's window."""
    found: list[tuple[int, int]] = []
    for start, end in speech:
        if found and start - found[-1][1] < _JOINED and end - found[-1][0] <= _MOST:
            found[-1] = (found[-1][0], end)
        else:
            found += [(at, min(at + _MOST, end)) for at in range(start, end, _MOST)]
    return found


def carried(spans: Sequence[tuple[int, int]], length: int, *, last: bool) -> int:
    """Return the sample from which a block is continued with the next one, so that no word is cut."""
    if last or not spans or length - spans[-1][1] > RATE // 2 or spans[-1][0] == 0:
        return length
    return spans[-1][0]
