"""A composed film, decoded: what is where at each moment, sound in its place, chapters."""

import io

import av
import msgspec
import numpy as np
import pytest

from recording.compose.film import EmptyError, Film
from recording.compose.layout import WHOLE, corner, fitted
from recording.compose.plan import Caption, Chapter, Cue, Job
from recording.compose.process import compose
from recording.files.folder import Moment
from recording.files.media_file import film_cipher, read_path, size_of
from recording.recorder import Recorder, RecorderSettings
from sfu.wire import tap
from tests.recording.compose.films import LENGTH_S, SCREEN_S, write

CHAPTERS = [Chapter(0.0, "Begin"), Chapter(2.0, "too short")]
CAPTIONS = [
    Caption(0.5, 1.5, "Tia: Grüß Gott"),
    Caption(1.0, 2.0, "Sam: Hello"),
    Caption(3.5, 99.0, "Tia: bye"),
]


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    folder = tmp_path_factory.mktemp("film")
    write(folder)
    told = []
    path = folder / "film.mp4"
    job = Job(str(folder), "rec_1", "", "tia", [Cue(2.5, "camera", "tia")], CHAPTERS, CAPTIONS)
    Film(job).write(str(path), told.append)
    return path, told


def stamp(luma, box):
    """The number of a stamped picture in a box (tests.recording.encoders), whose squares are 16 of 160 wide."""
    side = box.width // 10 if box.width * 96 == box.height * 160 else None
    if side is None:
        return None
    row = luma[box.y + side // 2]
    return sum(int(row[box.x + bit * side + side // 2] > 128) << bit for bit in range(8))


def test_a_film_has_the_scene_at_each_moment(film):
    path, told = film
    camera = fitted(160, 96, WHOLE)
    small = fitted(160, 96, corner())
    seen = {}
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        assert (video.codec_context.name, video.width, video.height) == ("h264", 1280, 720)
        for frame in container.decode(video):
            time_s = float(frame.pts * frame.time_base)
            luma = frame.to_ndarray(format="gray")
            # The first picture of a stream is shown 20 ms late, the delay of its packets.
            large = stamp(luma, camera)
            expected = int((time_s - 0.02) * 25)
            seen[round(time_s, 2)] = (
                abs(large - expected) <= 1,
                luma[small.y + small.height // 2, small.x + 5],
            )
    assert abs(max(seen) - LENGTH_S) < 0.2
    alone = [is_large for at, (is_large, _) in seen.items() if 0.2 < at < SCREEN_S[0] - 0.1]
    assert alone
    assert all(alone)
    beside = [is_large for at, (is_large, _) in seen.items() if SCREEN_S[0] + 0.2 < at < 2.4]
    assert sum(beside) < len(beside) / 4  # the screen
    by_cue = [is_large for at, (is_large, _) in seen.items() if 2.6 < at < 2.9]
    assert all(by_cue)
    assert told == sorted(told)
    assert told[-1] == 1


def test_voices_are_mixed_and_in_their_place(film):
    with av.open(str(film[0])) as container:
        audio = container.streams.audio[0]
        assert audio.codec_context.name == "aac"
        blocks = [(float(each.pts * each.time_base), each.to_ndarray()) for each in container.decode(audio)]
    loud = {round(at, 1) for at, samples in blocks if np.abs(samples).max() > 0.05}
    # tones begin each half second: the tutor's until 2 s, the student's from then on
    for burst in np.arange(0, LENGTH_S - 0.5, 0.5):
        assert any(abs(at - burst) <= 0.11 for at in loud), burst
        assert round(burst + 0.3, 1) not in loud


def test_a_film_has_chapters(film):
    with av.open(str(film[0])) as container:
        found = [(each["metadata"]["title"], each["start"]) for each in container.chapters()]
    assert found == [("Begin", 0)]


def test_a_film_has_captions(film):
    with av.open(str(film[0])) as container:
        assert container.streams.subtitles[0].codec_context.name == "mov_text"
        found = [
            (
                float(each.pts * each.time_base),
                float(each.duration * each.time_base),
                bytes(each)[2:].decode(),
            )
            for each in container.demux(subtitles=0)
            if each.pts is not None and each.duration
        ]
    assert found[:-1] == [
        (0, 0.5, ""),
        (0.5, 0.5, "Tia: Grüß Gott"),
        (1, 0.5, "Tia: Grüß Gott\nSam: Hello"),
        (1.5, 0.5, "Sam: Hello"),
        (2, 1.5, ""),
    ]
    start_s, duration_s, text = found[-1]
    assert (start_s, text) == (3.5, "Tia: bye")
    assert 0 < duration_s < 0.7  # up to the end of the film


def test_an_encrypted_recording_becomes_an_encrypted_film_of_the_same_content(film, tmp_path):
    key = bytes(range(32))
    write(tmp_path, key=key)
    output = tmp_path / "rec_1" / "film.mp4"
    job = Job(str(tmp_path), "rec_1", str(output), "tia", [], CHAPTERS, CAPTIONS, key)
    assert compose(job, lambda _: None) == 0
    assert b"ftyp" not in output.read_bytes()
    cipher = film_cipher(output, key)
    data = read_path(output, cipher, 0, size_of(output.stat().st_size, cipher))
    with av.open(io.BytesIO(data)) as container:
        assert [each.type for each in container.streams][:3] == ["video", "audio", "subtitle"]
        pictures = sum(1 for _ in container.decode(video=0))
    assert abs(pictures - LENGTH_S * 15) <= 2
    assert compose(msgspec.structs.replace(job, key=bytes(32)), lambda _: None) == 1


def test_a_recording_without_media_is_refused(tmp_path):
    now = Moment(10**9, 10**18, "boot")
    recorder = Recorder(RecorderSettings(str(tmp_path), 0), lambda: now, lambda _: None)
    recorder.handle(tap.StartRecording("rec_1", 0))
    recorder.handle(tap.StopRecording("rec_1", 10**9))
    with pytest.raises(EmptyError):
        Film(Job(str(tmp_path), "rec_1", "", "tia"))
