"""Cutting sound: blocks without holes, spans of speech for Whisper's window, and what is continued."""

import numpy as np
import pytest

from recording.files.reader import RecordingReader
from recording.speech.blocks import RATE, blocks, carried, joined
from tests.recording.encoders import tones
from tests.recording.speech.spoken import write


def test_a_block_has_no_hole_and_begins_where_the_sound_does(tmp_path):
    tone = tones(2.0)
    write(tmp_path, "rec_1", {"ada/microphone": [(1.0, tone), (10.0, tone)]})
    [track] = RecordingReader(tmp_path, "rec_1").tracks()[0]
    found = list(blocks(track))
    assert [(each.start_s, each.last) for each in found] == [
        (pytest.approx(1, abs=0.05), True),
        (pytest.approx(10, abs=0.05), True),
    ]
    for each in found:
        assert len(each.samples) / RATE == pytest.approx(2, abs=0.1)
        loud = np.abs(each.samples) > 0.1
        assert np.argmax(loud) / RATE < 0.05  # a burst begins each period
        assert 0.1 < loud.mean() < 0.3


def test_long_sound_comes_in_blocks_of_a_minute(tmp_path):
    write(tmp_path, "rec_1", {"ada/microphone": [(0.0, tones(2.0) * 35)]})
    [track] = RecordingReader(tmp_path, "rec_1").tracks()[0]
    first, second = blocks(track)
    assert (first.last, second.last) == (False, True)
    assert len(first.samples) / RATE == pytest.approx(60, abs=0.1)
    assert second.start_s == pytest.approx(60, abs=0.1)


def test_speech_is_joined_as_far_as_the_window_goes():
    s = RATE
    assert joined([]) == []
    assert joined([(0, s), (2 * s, 3 * s), (6 * s, 7 * s)]) == [(0, 3 * s), (6 * s, 7 * s)]
    assert joined([(0, 20 * s), (21 * s, 30 * s)]) == [(0, 20 * s), (21 * s, 30 * s)]
    assert joined([(s, 40 * s)]) == [(s, 29 * s), (29 * s, 40 * s)]


@pytest.mark.parametrize(
    ("spans", "last", "expected"),
    [
        ([(5, 9)], True, 60),  # the sound ends
        ([], False, 60),
        ([(5, 40)], False, 60),  # silence at the end
        ([(5, 9), (40, 60)], False, 40),  # somebody is speaking
        ([(0, 60)], False, 60),  # and has been from the beginning
    ],
)
def test_what_is_being_said_at_the_end_of_a_block_is_continued(spans, last, expected):
    spans = [(start * RATE, end * RATE) for start, end in spans]
    assert carried(spans, 60 * RATE, last=last) == expected * RATE
