"""A composed film, decoded: what is where at each moment, sound in its place, chapters."""

import av
import numpy as np
import pytest

from recording.compose.film import EmptyError, Film
from recording.compose.layout import WHOLE, corner, fitted
from recording.compose.plan import Chapter, Cue, Job
from recording.files.folder import Moment
from recording.recorder import Recorder, RecorderSettings
from sfu.wire import tap
from tests.recording.compose.films import LENGTH_S, SCREEN_S, write

CHAPTERS = [Chapter(0.0, "Begin"), Chapter(2.0, "too short")]


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    folder = tmp_path_factory.mktemp("film")
    write(folder)
    told = []
    path = folder / "film.mp4"
    job = Job(str(folder), "rec_1", "", "tia", [Cue(2.5, "camera", "tia")], CHAPTERS)
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


def test_a_recording_without_media_is_refused(tmp_path):
    now = Moment(10**9, 10**18, "boot")
    recorder = Recorder(RecorderSettings(str(tmp_path), 0), lambda: now, lambda _: None)
    recorder.handle(tap.StartRecording("rec_1", 0))
    recorder.handle(tap.StopRecording("rec_1", 10**9))
    with pytest.raises(EmptyError):
        Film(Job(str(tmp_path), "rec_1", "", "tia"))
