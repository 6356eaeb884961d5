"""Captions of a transcript (WebVTT, W3C): short cues by the times of words, with the speaker's name."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from recording.speech.values import Line, Word

# Two rows of 42 characters, as broadcasters have them.
_MAX_CHARS: Final = 84
_MAX_CUE_S: Final = 6.0
_PAUSE_S: Final = 1.0


def web_vtt(lines: Iterable[Line], name: Callable[[str], str]) -> str:
    """Return a WebVTT file; `name` returns the name of the speaker of a track."""
    blocks = ["WEBVTT\n"]
    for start_s, end_s, track_id, text in cues(lines):
        speaker = _escaped(name(track_id)).replace("\n", " ")
        voiced = f"<v {speaker}>{_escaped(text)}" if speaker else _escaped(text)
        blocks.append(f"{timestamp(start_s)} --> {timestamp(max(end_s, start_s + 0.001))}\n{voiced}\n")
    return "\n".join(blocks)


def cues(lines: Iterable[Line]) -> list[tuple[float, float, str, str]]:
    """Return (start in s, end in s, track id, text) of the cues of a transcript, in the order of time."""
    return sorted(
        (words[0].start_s, words[-1].end_s, line.track_id, " ".join(word.text for word in words))
        for line in lines
        for words in _parts(line.words)
    )


def _parts(words: Sequence[Word]) -> Iterator[list[Word]]:
    part: list[Word] = []
    chars = 0
    for word in words:
        long = chars + len(word.text) > _MAX_CHARS or (part and word.end_s - part[0].start_s > _MAX_CUE_S)
        if part and (long or word.start_s - part[-1].end_s > _PAUSE_S):
            yield part
            part, chars = [], 0
        part.append(word)
        chars += len(word.text) + 1
    if part:
        yield part


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def timestamp(time_s: float) -> str:
    """Return a time in seconds as WebVTT writes it."""
    milliseconds = max(round(time_s * 1000), 0)
    seconds, milliseconds = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}.{milliseconds:03}"
