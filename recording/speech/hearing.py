"""Audio packets of a track to samples: in order, decoded, with silence where packets are missing."""

from collections.abc import Iterable
from typing import Any, Final

import av
import numpy as np

from recording.media.assembler import AudioAssembler, TimestampUnwrapper
from recording.media.codecs.opus import SAMPLE_RATE
from recording.media.sequencer import Sequencer
from recording.speech.blocks import RATE, Samples
from recording.values import CodedFrame, Loss
from sfu.wire.tap import Packet

# A longer hole is cut to this: enough silence to end a line.
_MAX_SILENCE_S: Final = 1.0


class Hearing:
    """One stream of a track."""

    def __init__(self) -> None:
        self._sequencer = Sequencer()
        self._timestamps = TimestampUnwrapper()
        self._assembler = AudioAssembler(self._timestamps)
        self._decoder: Any = av.CodecContext.create("opus", "r")
        self._resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE)
        self._end: int | None = None
        "RTP timestamp after the last frame."

    def take(self, packet: Packet) -> Samples:
        """Return the samples that a packet makes available."""
        return self._samples(self._sequencer.push(packet))

    def poll(self, now_ns: int) -> Samples:
        """Return the samples after packets that are given up."""
        return self._samples(self._sequencer.poll(now_ns))

    def _samples(self, items: Iterable[Packet | Loss]) -> Samples:
        made: list[Samples] = []
        for item in items:
            if isinstance(item, Packet):
                self._timestamps.unwrap(item.timestamp & 0xFFFFFFFF)
            for frame in self._assembler.push(item):
                if isinstance(frame, CodedFrame):
                    made += self._decode(frame)
        return np.concatenate(made) if made else np.zeros(0, np.float32)

    def _decode(self, frame: CodedFrame) -> list[Samples]:
        made: list[Samples] = []
        if self._end is not None and frame.timestamp > self._end:
            hole_s = min((frame.timestamp - self._end) / SAMPLE_RATE, _MAX_SILENCE_S)
            made.append(np.zeros(round(hole_s * RATE), np.float32))
        self._end = frame.timestamp + frame.duration_ns * SAMPLE_RATE // 1_000_000_000
        try:
            for decoded in self._decoder.decode(av.Packet(frame.data)):
                made += [
                    each.to_ndarray().reshape(-1).astype(np.float32)
                    for each in self._resampler.resample(decoded)
                ]
        except av.FFmpegError:
            pass  # damaged by its sender
        return made
