"""Spoken texts, recorded by the real recorder and transcribed by a real model."""

from itertools import pairwise

import pytest

from recording.speech.model import SpeechError
from recording.speech.transcriber import Transcriber, transcribe
from recording.speech.values import SpeechJob
from tests.recording.speech.spoken import SENTENCES, errors, model, needs_speech, speak, write

pytestmark = needs_speech


def test_each_persons_words_have_their_times_and_few_are_wrong(tmp_path):
    taught = [(index * 12.0, speak(text)) for index, text in enumerate(SENTENCES)]
    asked = speak("May I ask something?", "en-us", 130)
    write(tmp_path, "rec_1", {"tia/microphone": taught, "sam/microphone": [(9.0, asked)]})
    job = SpeechJob(str(tmp_path), "rec_1", str(model()))
    progress = []
    lines = list(transcribe(job, Transcriber(model()), progress.append))
    assert progress == sorted(progress)
    assert progress[-1] == pytest.approx(1, abs=0.01)
    wrong = count = 0
    for (start_s, packets), text in zip(taught, SENTENCES, strict=True):
        end_s = start_s + len(packets) * 0.02
        said = [word for each in lines if each.track_id == "tia/microphone" for word in each.words]
        heard = " ".join(word.text for word in said if start_s - 0.5 < word.start_s < end_s)
        mistakes, words = errors(text, heard)
        wrong, count = wrong + mistakes, count + words
    rate = wrong / count
    assert rate < 0.2
    [question] = [each for each in lines if each.track_id == "sam/microphone"]
    assert "ask something" in question.text.lower()
    assert question.start_s == pytest.approx(9.0, abs=0.4)
    assert question.end_s < 9.0 + len(asked) * 0.02 + 0.3
    spoken = [word for each in lines if each.track_id == "tia/microphone" for word in each.words]
    assert all(before.start_s <= after.start_s for before, after in pairwise(spoken))


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(SpeechError, match="cannot be loaded"):
        Transcriber(tmp_path)
