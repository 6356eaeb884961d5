"""Transcripts for tests."""

from recording.speech.values import Line, Word


def line(start_s, text, track_id="tia/microphone", word_s=0.4):
    words = [
        Word(round(start_s + i * word_s, 3), round(start_s + (i + 1) * word_s, 3), each)
        for i, each in enumerate(text.split())
    ]
    return Line(track_id, words[0].start_s, words[-1].end_s, text, words)


CELLS = (
    "the cell membrane surrounds every cell",
    "inside the cell is the nucleus",
    "plant cells have a cell wall",
)
RIVERS = (
    "the river flows into the valley",
    "water shapes the valley for ages",
    "rivers carry sand into valleys",
)


def lesson(topics=(CELLS, RIVERS), lines=40, apart_s=8.0):
    """Lines about one topic after another."""
    return [
        line((number * lines + i) * apart_s, topic[i % len(topic)])
        for number, topic in enumerate(topics)
        for i in range(lines)
    ]
