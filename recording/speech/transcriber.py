"""Speech to text by faster-whisper: silence is left out first (Silero VAD), each track apart, with times of words."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from recording.files.reader import RecordingReader, TrackReader
from recording.speech.blocks import RATE, Block, Samples, blocks, carried, joined
from recording.speech.model import load
from recording.speech.values import Line, SpeechJob, Word
from recording.values import NS_PER_S
from sfu.values import RecordingId


class Transcriber:
    """One model in memory."""

    def __init__(self, model: Path, language: str = "", threads: int = 1) -> None:
        """Load a model; nothing is fetched from elsewhere. SpeechError."""
        self._model = load(model, threads)
        from faster_whisper import vad  # noqa: PLC0415 - an extra, `lectern[speech]`

        self._vad: Any = vad
        self._language = language or None

    def lines(self, track: TrackReader, tell: Callable[[float], None]) -> Iterator[Line]:
        """Transcribe a track, and call `tell` with the time in s that is done."""
        rest: Block | None = None
        language = self._language
        for found in blocks(track):
            block = found
            if rest is not None:
                samples = np.concatenate([rest.samples, found.samples])
                block = Block(rest.start_s, samples, found.last)
            spans = joined(self._speech(block.samples))
            upto = carried(spans, len(block.samples), last=block.last)
            for start, end in spans:
                if start >= upto:
                    break
                at_s = block.start_s + start / RATE
                said, language = self._transcribed(
                    track.info.track_id, block.samples[start:end], at_s, language
                )
                yield from said
            rest = None
            if upto < len(block.samples):
                rest = Block(block.start_s + upto / RATE, block.samples[upto:], False)
            tell(block.start_s + upto / RATE)

    def _speech(self, samples: Samples) -> list[tuple[int, int]]:
        return [(each["start"], each["end"]) for each in self._vad.get_speech_timestamps(samples)]

    def _transcribed(
        self, track_id: str, samples: Samples, at_s: float, language: str | None
    ) -> tuple[list[Line], str | None]:
        segments, info = self._model.transcribe(
            samples,
            language=language,
            beam_size=5,
            temperature=0.0,  # without repetitions at other temperatures, the effort is bounded
            condition_on_previous_text=False,
            word_timestamps=True,
        )
        found: list[Line] = []
        for each in segments:
            words = [
                Word(round(at_s + float(word.start), 3), round(at_s + float(word.end), 3), word.word.strip())
                for word in each.words or ()
            ]
            text = each.text.strip()
            if text and words:
                found.append(Line(track_id, words[0].start_s, words[-1].end_s, text, words))
        return found, language or info.language


def transcribe(job: SpeechJob, transcriber: Transcriber, tell: Callable[[float], None]) -> Iterator[Line]:
    """Transcribe the tracks of a job one after another; `tell` gets the progress from 0 to 1. LayoutError."""
    tracks = [
        track
        for track in RecordingReader(Path(job.root), RecordingId(job.recording), job.key).tracks()[0]
        if track.info.kind == "audio"
        and track.info.track_id.partition("/")[2].partition("/")[0] in job.sources
    ]
    lengths = [_length_s(track) for track in tracks]
    whole, before = sum(lengths) or 1.0, 0.0
    for track, length_s in zip(tracks, lengths, strict=True):

        def told(at_s: float, before: float = before) -> None:
            tell(min((before + at_s) / whole, 1.0))

        yield from transcriber.lines(track, told)
        before += length_s


def _length_s(track: TrackReader) -> float:
    last = track.tail(len(track)) or ([track.record(len(track) - 1)] if len(track) else [])
    return last[-1].end_ns / NS_PER_S if last else 0.0
