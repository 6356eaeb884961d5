"""A lesson that is spoken over real connections, recorded by a real server, and transcribed by a real model."""

import asyncio
import io
import subprocess
import time

import aiohttp
import av
import numpy as np
import pytest
from livekit import rtc

from tests.e2e.conftest import serving
from tests.e2e.test_recorded_session import Lesson, Publisher, join
from tests.recording.speech.spoken import SENTENCES, errors, model, needs_speech
from tests.signaling.school_client import School, eventually

pytestmark = [pytest.mark.timeout(180), pytest.mark.long, needs_speech]

SAMPLES = 480
"Of a frame of 10 ms."


def spoken(text):
    """The text as samples at 48 kHz."""
    wave = subprocess.run(
        ["espeak-ng", "-v", "en-gb", "-s", "140", "--stdout", text], check=True, capture_output=True
    )
    resampler = av.AudioResampler(format="s16", layout="mono", rate=48_000)
    with av.open(io.BytesIO(wave.stdout)) as container:
        frames = [each for frame in container.decode(audio=0) for each in resampler.resample(frame)]
    return np.concatenate([frame.to_ndarray().reshape(-1) for frame in frames])


async def talk(room, samples):
    """Publish a microphone, and say something."""
    source = rtc.AudioSource(48_000, 1, queue_size_ms=100)
    track = rtc.LocalAudioTrack.create_audio_track("microphone", source)
    options = rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_MICROPHONE)
    publication = await room.local_participant.publish_track(track, options)
    silence = np.zeros(48_000, np.int16)
    whole = np.concatenate([silence, samples, silence])
    for at in range(0, len(whole) - SAMPLES, SAMPLES):
        await source.capture_frame(rtc.AudioFrame(whole[at : at + SAMPLES].tobytes(), 48_000, 1, SAMPLES))
    return publication


async def test_a_lesson_is_transcribed_person_by_person(tmp_path):
    options = ("--recordings", str(tmp_path), "--recordings-reserve-mb", "0", "--workers", "1")
    speech = ("--speech-model", str(model()), "--speech-language", "en")
    async with serving(*options, *speech) as server, aiohttp.ClientSession() as http:
        school = School(http, server.page)
        session = await school.lesson()
        tutor, sam = [
            await join(school, server, session, *who) for who in (("tutor", "tutor"), ("sam", "student"))
        ]
        lesson = Lesson(http, school, session, Publisher(tutor, time.monotonic()))
        await lesson.start()
        await talk(tutor, spoken(SENTENCES[0]))
        await talk(sam, spoken(SENTENCES[3]))
        await asyncio.sleep(1)  # the last packets arrive
        await lesson.tutor.post(f"/recordings/{lesson.recording}/stop")

        async def transcribed():
            found = await lesson.tutor.get(f"/recordings/{lesson.recording}/transcript")
            return found if found["status"] == "finished" else None

        found = await eventually(transcribed, 90)
        for person, text in (("tutor", SENTENCES[0]), ("sam", SENTENCES[3])):
            said = [line for line in found["lines"] if line["person"] == person]
            wrong, count = errors(text, " ".join(line["text"] for line in said))
            assert wrong / count < 0.2, said
        first, last = found["lines"][0], found["lines"][-1]
        assert (first["person"], last["person"]) == ("tutor", "sam")
        await tutor.disconnect()
        await sam.disconnect()
