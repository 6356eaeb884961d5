"""Decoded tracks of a recording: the picture at a time, and sound second by second. Blocking."""

import io
from collections.abc import Iterator, Sequence
from typing import Any, Final

import av
import numpy as np
import numpy.typing as npt

from recording.containers.index import SegmentRecord
from recording.files.layout import DamagedError, LayoutError
from recording.files.reader import TrackReader
from recording.values import EVER_NS, NS_PER_S

RATE: Final = 48_000
_FORMATS: Final = {"webm": "matroska", "mp4": "mp4"}
# To reach a picture further ahead, decoding restarts at the keyframe before it.
_LEAP_S: Final = 8.0


class _Segments(io.RawIOBase):
    """The initialisation segment of a part and some of its segments, as a file that is read once."""

    def __init__(self, track: TrackReader, records: list[SegmentRecord]) -> None:
        self._track = track
        self._records = iter(records)
        self._data = track.init_segment(records[0].part)

    def readable(self) -> bool:
        """Always readable."""
        return True

    def readinto(self, target: Any) -> int:
        """Read some octets; none at the end. Damaged segments are skipped."""
        while not self._data:
            record = next(self._records, None)
            if record is None:
                return 0
            try:
                self._data = self._track.read(record)
            except LayoutError:
                continue
        size = min(len(self._data), len(target))
        target[:size], self._data = self._data[:size], self._data[size:]
        return size


def frames(track: TrackReader, start_ns: int) -> Iterator[tuple[float, Any]]:
    """Decode a track from the keyframe before a time: (time in s, frame). Undecodable packets are skipped."""
    try:
        first = track.decode_from(start_ns)
        begin_ns = track.record(first).start_ns if first < len(track) else start_ns
    except DamagedError:
        begin_ns = start_ns
    by_part: dict[int, list[SegmentRecord]] = {}
    for record in track.segments(begin_ns, EVER_NS):
        by_part.setdefault(record.part, []).append(record)
    for number, records in by_part.items():
        try:
            suffix = track.part(number).suffix
            with av.open(_Segments(track, records), "r", format=_FORMATS[suffix]) as container:
                for frame in container.decode(container.streams[0]):
                    if isinstance(frame, (av.AudioFrame, av.VideoFrame)) and frame.time is not None:
                        yield frame.time, frame
        except (av.FFmpegError, LayoutError, IndexError):
            continue


class Pictures:
    """The pictures of a video track, requested in the order of time."""

    def __init__(self, track: TrackReader, records: Sequence[SegmentRecord]) -> None:
        """Decoding starts with the first request; `records` are those of the whole track."""
        self._track = track
        self._spans = [(record.start_ns / NS_PER_S, record.end_ns / NS_PER_S) for record in records]
        self._span = 0
        self._frames: Iterator[tuple[float, Any]] | None = None
        self._next: tuple[float, Any] | None = None
        self._picture: Any = None
        self._at_s = 0.0

    def exists(self, time_s: float) -> bool:
        """Whether the track has a picture at a time, which must not be before the previously requested one."""
        while self._span < len(self._spans) and self._spans[self._span][1] <= time_s:
            self._span += 1
        return self._span < len(self._spans) and self._spans[self._span][0] <= time_s

    def at(self, time_s: float) -> Any:
        """Return the frame shown at a time; None if there is none."""
        if self._frames is None or time_s - self._at_s > _LEAP_S:
            self._frames = frames(self._track, int(time_s * NS_PER_S))
            self._next, self._picture = next(self._frames, None), None
        self._at_s = time_s
        while self._next is not None and self._next[0] <= time_s:
            self._picture = self._next[1]
            self._next = next(self._frames, None)
        return self._picture


class Sound:
    """The sound of an audio track as mono samples, requested in the order of time."""

    def __init__(self, track: TrackReader) -> None:
        """Decoding starts with the first request."""
        self._frames = frames(track, 0)
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        self._left: list[tuple[int, npt.NDArray[np.float32]]] = []
        self._over = False

    def read(self, start: int, count: int) -> npt.NDArray[np.float32]:
        """Return `count` samples from number `start` on; zeros where there is no sound."""
        mixed = np.zeros(count, np.float32)
        while not self._over and (not self._left or self._left[-1][0] < start + count):
            found = next(self._frames, None)
            if found is None:
                self._over = True
                break
            at_s, frame = found
            for each in self._resampler.resample(frame):
                self._left.append((round(at_s * RATE), each.to_ndarray().reshape(-1).astype(np.float32)))
        kept: list[tuple[int, npt.NDArray[np.float32]]] = []
        for position, samples in self._left:
            begin, end = max(position, start), min(position + len(samples), start + count)
            if begin < end:
                mixed[begin - start : end - start] = samples[begin - position : end - position]
            if position + len(samples) > start + count:
                kept.append((position, samples))
        self._left = kept
        return mixed
