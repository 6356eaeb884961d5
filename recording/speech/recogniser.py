"""Words in short windows of audio by Whisper; the encoder sees the window alone.

`WhisperModel.transcribe` fills each window up to 30 s before it is encoded. With the tiny model, that is 0.55 of the
0.75 CPU seconds that seven seconds of speech take. Without it they take 0.2 s, with the same words.
"""

from pathlib import Path
from typing import Any, Final

import numpy as np

from recording.speech.blocks import RATE, Samples
from recording.speech.model import load
from recording.speech.values import Word

# Shorter windows are filled up to this: below it, the model repeats itself.
_SHORTEST: Final = 4 * RATE
_MARGIN: Final = RATE // 5
_BEAMS: Final = 5
# Six tokens for each second are more than anybody says.
_TOKENS_PER_S: Final = 12
_NO_SPEECH: Final = 0.6
"Above this, Whisper itself says that nobody speaks."
_SURE: Final = 0.5
"A language detected with less is detected again with the next window."
_TIMELESS: Final = 3
# Punctuation that belongs to the next or to the previous word.
_BEFORE_WORD: Final = "\"'“¿([{-"
_AFTER_WORD: Final = "\"'.。,，!！?？:：”)]}、"  # noqa: RUF001 - full-width forms are meant


class WhisperRecogniser:
    """One model in memory."""

    def __init__(self, folder: Path, threads: int = 1) -> None:
        """Load the model. SpeechError."""
        self._whisper = load(folder, threads)
        from faster_whisper import tokenizer, transcribe, vad  # noqa: PLC0415 - an extra, `lectern[speech]`

        self._vad: Any = vad
        self._options: Any = vad.VadOptions(min_silence_duration_ms=500, speech_pad_ms=100)
        self._make_tokenizer: Any = tokenizer.Tokenizer
        self._merge: Any = transcribe.merge_punctuations
        self._tokenizers: dict[str, Any] = {}

    def speech(self, samples: Samples) -> list[tuple[int, int]]:
        """Return the spans of speech (Silero VAD)."""
        spans = self._vad.get_speech_timestamps(samples, self._options)
        return [(each["start"], each["end"]) for each in spans]

    def words(self, samples: Samples, language: str) -> tuple[list[Word], str]:
        """Return the words of a window of 30 s at most, and the language; it is empty if it is not sure."""
        filled = max(_SHORTEST, len(samples) + _MARGIN)
        features = self._whisper.feature_extractor(np.pad(samples, (0, filled - len(samples))))
        # The encoder halves the number of frames.
        features = np.ascontiguousarray(features[:, : min(features.shape[1], 3000) // 2 * 2])
        encoded = self._whisper.encode(features)
        sure = language
        if not self._whisper.model.is_multilingual:
            language = sure = "en"
        elif not language:
            found, probability = self._whisper.model.detect_language(encoded)[0][0]
            language = found.strip("<|>")
            sure = language if probability >= _SURE else ""
        tokenizer = self._tokenizer(language)
        result = self._whisper.model.generate(
            encoded,
            [[*tokenizer.sot_sequence, tokenizer.no_timestamps]],
            beam_size=_BEAMS,
            max_length=min(max(len(samples) * _TOKENS_PER_S // RATE, 20), 200),
            return_no_speech_prob=True,
        )[0]
        tokens = [token for token in result.sequences_ids[0] if token < tokenizer.eot]
        if not tokens or result.no_speech_prob > _NO_SPEECH:
            return [], sure
        aligned = self._whisper.find_alignment(tokenizer, [tokens], encoded, features.shape[1])[0]
        self._merge(aligned, _BEFORE_WORD, _AFTER_WORD)
        end_s = len(samples) / RATE
        words = [
            Word(min(float(each["start"]), end_s), min(float(each["end"]), end_s), each["word"].strip())
            for each in aligned
            if each["word"].strip()
        ]
        return spoken(words), sure

    def _tokenizer(self, language: str) -> Any:
        found = self._tokenizers.get(language)
        if found is None:
            whisper = self._whisper
            found = self._tokenizers[language] = self._make_tokenizer(
                whisper.hf_tokenizer, whisper.model.is_multilingual, task="transcribe", language=language
            )
        return found


def spoken(words: list[Word]) -> list[Word]:
    """Return the words up to the first of several in a row that take no time: Whisper repeats itself after the end."""
    for i in range(len(words) - _TIMELESS + 1):
        if all(word.end_s <= word.start_s for word in words[i : i + _TIMELESS]):
            return words[:i]
    return words
