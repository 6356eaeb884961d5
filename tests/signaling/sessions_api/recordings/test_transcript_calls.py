"""Transcripts through the API, made by the real child process with a real model out of spoken text."""

import pytest

from signaling.teaching.names import room_name
from tests.recording.speech.spoken import model, needs_speech, speak, write
from tests.signaling.school_client import eventually

TAUGHT = "Photosynthesis is the process by which green plants use sunlight to make sugar."
ASKED = "I have a question about the homework."


async def record(lesson, tmp_path, tracks):
    made = await lesson.record()
    write(tmp_path / "recordings", made["id"], tracks)
    await lesson.tutor.post(f"/recordings/{made['id']}/stop")
    await lesson.over(made["id"])
    return made["id"]


async def transcript(lesson, recording, *statuses):
    async def reached():
        found = await lesson.tutor.get(f"/recordings/{recording}/transcript")
        return found if found["status"] in statuses else None

    return await eventually(reached, 60)


@needs_speech
async def test_what_was_said_is_read_searched_and_shown_as_captions(servers, tmp_path):
    async with servers(speech_model=str(model()), speech_language="en") as lesson:
        await lesson.join("ada")
        tracks = {"tutor/microphone": [(1.0, speak(TAUGHT))], "ada/microphone": [(8.0, speak(ASKED))]}
        recording = await record(lesson, tmp_path, tracks)
        found = await transcript(lesson, recording, "finished", "failed")
        assert (found["status"], found["error"], found["model"]) == ("finished", "", "model")
        first, second = found["lines"]
        assert (first["person"], second["person"]) == ("tutor", "ada")
        assert "photosynthesis" in first["text"].lower()
        assert first["start_s"] == pytest.approx(1, abs=0.5)
        assert second["start_s"] == pytest.approx(8, abs=0.5)
        assert [word[2] for word in second["words"]] == second["text"].split()

        path = f"/recordings/{recording}"
        for person in (lesson.tutor, lesson.person("ada")):
            [hit] = (await person.get("/transcripts?q=about%20QUESTION"))["data"]
            assert (hit["recording"], hit["session"], hit["person"]) == (recording, lesson.session, "ada")
            assert hit["at_s"] == second["start_s"]
        assert (await lesson.person("eve").get("/transcripts?q=question"))["data"] == []
        stranger = lesson.school.person("boss", "admin", tenant="other")
        assert (await stranger.get("/transcripts?q=question"))["data"] == []
        for call in ("transcript", "captions", "chapters", "highlights", "notes"):
            assert (await lesson.person("eve").attempt("GET", f"{path}/{call}"))[0] == 404

        url = f"{lesson.world.url}/api/v1{path}/captions"
        headers = {"Authorization": f"Bearer {lesson.tutor.token}"}
        async with lesson.world.http.get(url, headers=headers) as response:
            text = await response.text()
            assert (response.status, response.content_type) == (200, "text/vtt")
        assert text.startswith("WEBVTT\n\n00:00:0")
        assert "<v Ada>" in text

        notes = (await lesson.tutor.get(f"{path}/notes"))["data"]
        assert [each["person"] for chapter in notes for each in chapter["notes"]] == ["tutor", "ada"]

        await lesson.tutor.call("PUT", f"/sessions/{lesson.session}/replay/access", {"staff_only": True})
        assert (await lesson.person("ada").get("/transcripts?q=question"))["data"] == []
        assert (await lesson.person("ada").attempt("GET", f"{path}/transcript"))[0] == 403
        await lesson.tutor.call("DELETE", path)
        assert (await lesson.tutor.get("/transcripts?q=question"))["data"] == []
        assert not (tmp_path / "recordings" / recording).exists()


@needs_speech
async def test_a_failed_transcript_says_why_and_disturbs_nothing(servers, tmp_path):
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"no model")
    async with servers(speech_model=str(folder)) as lesson:
        await lesson.join("ada")
        recording = await record(lesson, tmp_path, {"tutor/microphone": [(0.0, speak("Hello"))]})

        async def failed():
            found = await lesson.tutor.get(f"/recordings/{recording}/transcript")
            return found if found["error"] else None

        found = await eventually(failed, 30)
        assert found["status"] == "waiting"  # for another attempt
        assert "cannot be loaded" in found["error"]
        assert found["lines"] == []
        assert (await lesson.record())["status"] == "recording"


async def test_a_server_without_a_model_says_so(lesson, tmp_path):
    await lesson.join("ada")
    recording = await record(lesson, tmp_path, {"tutor/microphone": []})
    found = await lesson.tutor.get(f"/recordings/{recording}/transcript")
    assert (found["status"], found["lines"]) == ("none", [])
    assert await lesson.tutor.attempt("GET", "/transcripts?q=x") == (400, "invalid")


async def test_highlights_are_questions_polls_and_bookmarks(lesson, tmp_path):
    await lesson.join("ada")
    made = await lesson.record()
    path = f"/recordings/{made['id']}"
    running = await lesson.tutor.post(f"{path}/bookmarks", {"text": "Important"}, 201)
    assert running["kind"] == "bookmark"
    assert 0 <= running["at_s"] < 60
    write(tmp_path / "recordings", made["id"], {"tutor/microphone": []})
    await lesson.tutor.post(f"{path}/stop")
    await lesson.over(made["id"])
    later = await lesson.tutor.post(f"{path}/bookmarks", {"at_s": 0, "text": "From the start"}, 201)
    assert (later["at_s"], later["by"]) == (0, "tutor")
    assert (await lesson.person("ada").attempt("POST", f"{path}/bookmarks", {}))[0] == 403
    row = await lesson.world.server.store.recordings.get(made["id"])
    assert [text for _, text, _ in row.details["bookmarks"]] == ["Important", "From the start"]
    assert row.room == room_name(lesson.session)
    found = (await lesson.person("ada").get(f"{path}/highlights"))["data"]
    assert {"at_s": 0, "kind": "bookmark", "text": "From the start", "by": "tutor"} in found
    assert [each["kind"] for each in (await lesson.tutor.get(f"{path}/chapters"))["data"]] == ["start"]
