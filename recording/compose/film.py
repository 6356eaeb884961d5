"""Draws and encodes the film (H.264 and AAC in MP4), second by second. Blocking; takes a core while it runs."""

import io
from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil
from pathlib import Path
from typing import Any, Final

import av
import numpy as np
import numpy.typing as npt
from av.container import OutputContainer

from recording.compose.layout import HEIGHT, WHOLE, WIDTH, Box, corner, fitted
from recording.compose.plan import Candidate, Caption, Job, cue_at, one_at_a_time, shown, spaced, speaker_of
from recording.compose.sources import RATE, Pictures, Sound
from recording.files.reader import RecordingReader, TrackReader
from recording.values import EVER_NS, NS_PER_S

FPS: Final = 15
_SAMPLES: Final = RATE  # samples per second
_BLACK, _NO_COLOUR = 16, 128
_MILLISECOND: Final = Fraction(1, 1000)
# A sample of timed text begins with its length in 16 bits (3GPP TS 26.245 section 5.17).
_MAX_CAPTION_OCTETS: Final = 65_535
# FFmpeg makes the description of the track from a header in the format ASS, of which it uses the default style alone.
_ASS_HEADER: Final = (
    b"[Script Info]\r\nScriptType: v4.00+\r\n\r\n[V4+ Styles]\r\n"
    b"Format: Name, Fontname, Fontsize, PrimaryColour, BackColour, Alignment\r\n"
    b"Style: Default,Arial,16,&Hffffff,&H0,2\r\n"
)


class EmptyError(Exception):
    """The recording contains nothing to show."""


class _Canvas:
    """A picture in yuv420p: rows of luma, then those of the two chroma planes at half width, packed."""

    def __init__(self) -> None:
        self._y = np.full((HEIGHT, WIDTH), _BLACK, np.uint8)
        self._u = np.full((HEIGHT // 2, WIDTH // 2), _NO_COLOUR, np.uint8)
        self._v = np.full((HEIGHT // 2, WIDTH // 2), _NO_COLOUR, np.uint8)

    def paint(self, frame: Any, box: Box) -> None:
        """Draw a decoded picture into a box, as large as possible."""
        place = fitted(frame.width, frame.height, box)
        scaled = frame.reformat(width=place.width, height=place.height, format="yuv420p").to_ndarray()
        width, height = place.width, place.height
        flat = scaled.reshape(-1)
        luma, chroma = width * height, width * height // 4
        rows, columns = slice(place.y, place.y + height), slice(place.x, place.x + width)
        self._y[rows, columns] = flat[:luma].reshape(height, width)
        rows = slice(place.y // 2, (place.y + height) // 2)
        columns = slice(place.x // 2, (place.x + width) // 2)
        shape = height // 2, width // 2
        self._u[rows, columns] = flat[luma : luma + chroma].reshape(shape)
        self._v[rows, columns] = flat[luma + chroma : luma + 2 * chroma].reshape(shape)

    def frame(self) -> av.VideoFrame:
        """Return the picture to encode."""
        planes = [self._y.reshape(-1), self._u.reshape(-1), self._v.reshape(-1)]
        packed = np.concatenate(planes).reshape(HEIGHT * 3 // 2, WIDTH)
        return av.VideoFrame.from_ndarray(packed, format="yuv420p")


class _CaptionTrack:
    """The track of captions; a film without captions has none."""

    def __init__(self, container: OutputContainer, captions: Sequence[Caption], length_s: float) -> None:
        self._left = one_at_a_time(captions, length_s)[::-1]
        if self._left:
            self._stream = container.add_stream("mov_text")
            self._stream.codec_context.subtitle_header = _ASS_HEADER
            self._stream.time_base = _MILLISECOND

    def packets(self, until_s: float) -> list[Any]:
        """Return the captions that begin before a time and have not been returned."""
        found: list[Any] = []
        while self._left and self._left[-1].start_s < until_s:
            caption = self._left.pop()
            text = caption.text.encode()[:_MAX_CAPTION_OCTETS]
            packet = av.Packet(len(text).to_bytes(2) + text)
            packet.stream, packet.time_base = self._stream, _MILLISECOND
            packet.pts = packet.dts = round(caption.start_s * 1000)
            packet.duration = max(round(caption.end_s * 1000) - packet.pts, 1)
            found.append(packet)
        return found


class Film:
    """A recording, composed to one film."""

    def __init__(self, job: Job) -> None:
        """Open the recording. LayoutError, EmptyError."""
        self._job = job
        tracks, _problems = RecordingReader(Path(job.folder), job.recording, job.key).tracks()
        self._pictures: dict[int, tuple[Candidate, Pictures]] = {}
        self._sounds: list[tuple[str, Sound]] = []
        self.length_s = 0.0
        for track in tracks:
            self._take(track)
        if not self.length_s:
            raise EmptyError("the recording is empty")
        self._speaker = ""

    def _take(self, track: TrackReader) -> None:
        records = list(track.segments(0, EVER_NS))
        if not records:
            return
        self.length_s = max(self.length_s, records[-1].end_ns / NS_PER_S)
        person, _, rest = track.info.track_id.partition("/")
        if track.info.kind == "audio":
            self._sounds.append((person, Sound(track)))
        else:
            candidate = Candidate(track.number, person, rest.partition("/")[0])
            self._pictures[track.number] = candidate, Pictures(track, records)

    def write(self, target: str | io.RawIOBase, progress: Callable[[float], None]) -> None:
        """Encode the film; `progress` receives the finished share after each second. OSError, av.FFmpegError.

        A path gets its index at the beginning of the file, a file-like object at its end: moving it takes a path.
        """
        flags = {"movflags": "+faststart"} if isinstance(target, str) else {}
        with av.open(target, "w", format="mp4", options=flags) as container:
            video = container.add_stream("libx264", rate=FPS, options={"preset": "veryfast", "crf": "23"})
            video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
            audio = container.add_stream("aac", rate=RATE, layout="mono")
            container.set_chapters(
                [
                    {
                        "id": index,
                        "start": int(start_s * 1000),
                        "end": int(end_s * 1000),
                        "time_base": _MILLISECOND,
                        "metadata": {"title": title},
                    }
                    for index, (start_s, end_s, title) in enumerate(spaced(self._job.chapters, self.length_s))
                ]
            )
            text = _CaptionTrack(container, self._job.captions, self.length_s)
            seconds = ceil(self.length_s)
            for second in range(seconds):
                container.mux(text.packets(second + 1))
                container.mux(self._sound(second, audio))
                for number in range(second * FPS, (second + 1) * FPS):
                    if number / FPS < self.length_s:
                        picture = self._picture(number / FPS)
                        picture.pts, picture.time_base = number, Fraction(1, FPS)
                        container.mux(video.encode(picture))
                progress(min((second + 1) / seconds, 1.0))
            container.mux(video.encode(None))
            container.mux(audio.encode(None))

    def _sound(self, second: int, stream: Any) -> list[Any]:
        """Mix one second, detect who speaks in it, and encode it."""
        count = min(_SAMPLES, round(self.length_s * RATE) - second * _SAMPLES)
        if count <= 0:
            return []
        mixed = np.zeros(count, np.float32)
        levels: dict[str, float] = {}
        for person, sound in self._sounds:
            samples = sound.read(second * _SAMPLES, count)
            levels[person] = max(levels.get(person, 0.0), _level(samples))
            mixed += samples
        self._speaker = speaker_of(levels, self._speaker)
        frame = av.AudioFrame.from_ndarray(np.clip(mixed, -1, 1).reshape(1, -1), format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, second * _SAMPLES, Fraction(1, RATE)
        return list(stream.encode(frame))

    def _picture(self, time_s: float) -> av.VideoFrame:
        candidates = [each for each, pictures in self._pictures.values() if pictures.exists(time_s)]
        chosen = shown(cue_at(self._job.cues, time_s), candidates, self._speaker, self._job.owner)
        canvas = _Canvas()
        for number, box in ((chosen.large, WHOLE), (chosen.small, corner())):
            picture = None if number is None else self._pictures[number][1].at(time_s)
            if picture is not None:
                canvas.paint(picture, box)
        return canvas.frame()


def _level(samples: npt.NDArray[np.float32]) -> float:
    return float(np.sqrt(np.mean(samples * samples)))
