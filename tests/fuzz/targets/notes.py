"""What the operator's endpoint for notes answers."""

import contextlib

from recording.speech.values import Line
from signaling.recordings.notes.prompt import MAX_NOTE_CHARS, MAX_NOTES, AnswerError, excerpts, notes_of

_LINES = [Line("tia/microphone", float(i), i + 1.0, f"sentence {i}", []) for i in range(5)]


def seeds():
    return [
        b'{"notes": [{"line": 1, "text": "Fractions"}, {"line": 5, "text": "Homework"}]}',
        b'Here are the notes: ```json\n{"notes": [{"text": "a\\u0000b", "line": 2}]}\n```',
    ]


def words():
    return [b'{"notes": [', b'{"line": ', b'"text": ', b"]}", b"}", b"[[[[", b"1e999", b"-1", b'"\\ud800"']


def make():
    [excerpt] = excerpts(_LINES)

    def feed(data):
        with contextlib.suppress(AnswerError):
            notes = notes_of(data.decode(errors="surrogateescape"), excerpt)
            assert len(notes) <= MAX_NOTES
            assert all(0 < len(note.text) <= MAX_NOTE_CHARS and 0 <= note.at_s <= 4 for note in notes)

    return feed
