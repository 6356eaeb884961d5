"""Films through the API, composed by the real child process: progress, download, cancelling, deletion, failure."""

import io
import os

import av
import psutil
import pytest

from recording.speech.values import Line, Transcript, Word
from signaling.recordings.speech.transcripts import Transcripts
from signaling.sessions_api.recordings.film_calls import chapters, cues
from signaling.sessions_api.recordings.marks import Mark
from tests.recording.compose import films
from tests.signaling.school_client import eventually


@pytest.fixture
async def recorded(lesson):
    return await lesson.recorded_by(films.write)


async def until(lesson, *statuses):
    async def reached():
        found = await lesson.tutor.get(f"{lesson.path}/film")
        return found if found["status"] in statuses else None

    return await eventually(reached, 30)


async def test_a_film_is_composed_once_and_can_be_downloaded(recorded):
    tutor = recorded.tutor
    words = [
        Word(0.5 + i / 4, 0.7 + i / 4, word) for i, word in enumerate(["We", "begin", "with", "fractions"])
    ]
    line = Line("tutor/microphone", 0.5, 1.5, "We begin with fractions", words)
    Transcripts(recorded.recordings).write(recorded.recording, Transcript(1, "tiny", [line]))
    assert (await tutor.get(f"{recorded.path}/film"))["status"] == "none"
    assert (await tutor.attempt("POST", f"{recorded.path}/links", {"film": True}))[0] == 201
    assert (await tutor.post(f"{recorded.path}/film", status=202))["status"] in {"waiting", "composing"}
    done = await until(recorded, "finished", "failed")
    assert (done["status"], done["progress"], done["error"]) == ("finished", 1, "")
    assert (await tutor.post(f"{recorded.path}/film", status=202))["status"] == "finished"
    link = await tutor.post(f"{recorded.path}/links", {"film": True}, 201)
    async with recorded.world.http.get(link["url"]) as response:
        data = await response.read()
        assert (response.status, response.content_type) == (200, "video/mp4")
    assert len(data) == done["octets"]
    with av.open(io.BytesIO(data)) as container:
        assert [stream.codec_context.name for stream in container.streams] == ["h264", "aac", "mov_text"]
        said = [bytes(packet)[2:].decode() for packet in container.demux(subtitles=0) if packet.duration]
        assert [each for each in said if each] == ["Tutor: We begin with fractions"]
        assert abs(container.duration / 1e6 - films.LENGTH_S) < 0.3
    # RFC 4337: a file of this format begins with a box of the type `ftyp`.
    assert [b"ftyp" in each for each in (data, (recorded.folder / "film.mp4").read_bytes())] == [
        True,
        False,
    ]
    assert (await tutor.call("DELETE", f"{recorded.path}/film"))["status"] == "none"
    assert not list(recorded.folder.glob("film*"))
    async with recorded.world.http.get(link["url"]) as response:
        assert response.status == 404
    entries = (await recorded.school.application.get("/audit?action=recording.link_made"))["data"]
    assert [each["details"]["film"] for each in entries] == [True, True]


def children():
    found = psutil.Process().children(recursive=True)
    return [each for each in found if "recording.compose.process" in " ".join(each.cmdline())]


@pytest.mark.parametrize("how", ["film", "recording"])
async def test_a_film_that_is_composed_can_be_cancelled(recorded, how):
    await recorded.tutor.post(f"{recorded.path}/film", status=202)
    await until(recorded, "composing")
    (child,) = children()
    assert child.nice() in {os.nice(0), 19}  # 19 once it has begun
    await recorded.tutor.call("DELETE", f"{recorded.path}/film" if how == "film" else recorded.path)
    assert children() == []
    if how == "film":
        assert (await recorded.tutor.get(f"{recorded.path}/film"))["status"] == "none"
        assert not list(recorded.folder.glob("film*"))
    else:
        assert not recorded.folder.exists()


async def test_a_film_of_nothing_fails_with_a_reason(recorded):
    for track in recorded.folder.glob("tracks/*"):
        (track / "segments.idx").unlink()
        for part in track.glob("0*"):
            part.unlink()
    await recorded.tutor.post(f"{recorded.path}/film", status=202)
    failed = await until(recorded, "failed")
    assert failed["error"] == "the recording is empty"


async def test_there_is_no_film_of_what_goes_on_and_none_for_students(lesson):
    await lesson.join("ada")
    made = await lesson.record()
    path = f"/recordings/{made['id']}/film"
    assert await lesson.tutor.attempt("POST", path, {}) == (409, "still_recording")
    assert (await lesson.person("ada").attempt("POST", path, {}))[0] == 403
    assert (await lesson.person("ada").attempt("GET", path))[0] == 403


def test_scenes_and_chapters_of_a_log():
    marks = [
        Mark(1, -3, "scene", "deck", "slides", "Fractions"),
        Mark(2, 5, "slide", "tia", "deck", page=2),
        Mark(3, 9, "scene", "sam", "student_work"),
        Mark(4, 10, "leave", "ada"),
        Mark(5, 12, "leave", "sam"),
        Mark(6, 20, "question", "", "q", "Why?"),
        Mark(7, 21, "chat", "sam", "m", "Hello"),
    ]
    assert cues(marks) == [(-3, "slides", "deck"), (9, "student_work", "sam"), (12, "", "")]
    assert chapters(marks) == [(-3, "Fractions"), (5, "2"), (20, "Why?")]
