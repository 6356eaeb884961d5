"""Erasure of a person from recordings, retention, and downloads that a tutor has forbidden."""

import json

from recording.speech.values import Transcript
from tests.recording.encoders import tones
from tests.recording.speech.spoken import write
from tests.signaling.recordings.insights.texts import line
from tests.signaling.school_client import eventually

DAY_S = 86_400.0


async def record(lesson, folder):
    await lesson.join("sam")
    await lesson.person("sam").call(
        "PUT", f"/sessions/{lesson.session}/recordings/consent", {"granted": True}
    )
    made = await lesson.record()
    sound = [(0.0, tones(1.0))]
    write(folder, made["id"], {"tutor/microphone": sound, "sam/microphone": sound, "sammy/camera": sound})
    await lesson.tutor.post(f"/recordings/{made['id']}/bookmarks", {"at_s": 0, "text": "Sam asks"}, 201)
    await lesson.tutor.post(f"/recordings/{made['id']}/stop")
    await lesson.over(made["id"])
    return made["id"]


async def test_an_erased_person_is_in_no_track_no_transcript_and_no_film(lesson, tmp_path):
    folder = tmp_path / "recordings"
    recording = await record(lesson, folder)
    host = lesson.world.server.recording
    lines = [line(0, "Hello", "tutor/microphone"), line(1, "Secret", "sam/microphone")]
    host.transcribing.transcripts.write(recording, Transcript(1, "tiny", lines))
    (folder / recording / "film.mp4").write_bytes(b"everybody")
    application = lesson.school.application
    assert (await application.attempt("POST", "/privacy/sam/erase"))[0] == 409
    await lesson.tutor.post(f"/sessions/{lesson.session}/end")
    await application.post("/privacy/sam/erase")
    manifest = await lesson.tutor.get(f"/recordings/{recording}/manifest")
    assert [track["id"] for track in manifest["tracks"]] == ["tutor/microphone", "sammy/camera"]
    assert [each.text for each in host.transcribing.transcripts.read(recording).lines] == ["Hello"]
    assert not (folder / recording / "film.mp4").exists()
    left = b"".join(path.read_bytes() for path in folder.rglob("*.json"))
    assert b'"sam/' not in left
    assert await host.recordings.consents(lesson.session) == {}
    row = await lesson.world.server.store.recordings.get(recording)
    assert row.status == "finished"


async def test_the_erasure_of_a_tutor_leaves_neither_name_nor_words_in_the_row(lesson, tmp_path):
    recording = await record(lesson, tmp_path / "recordings")
    await lesson.tutor.post(f"/sessions/{lesson.session}/end")
    await lesson.school.application.post("/privacy/tutor/erase")
    row = await lesson.world.server.store.recordings.get(recording)
    assert "tutor" not in json.dumps(dict(row.details))
    assert row.details["bookmarks"] == [[0, "", "erased"]]


async def test_expired_recordings_and_those_without_a_session_are_deleted(servers, tmp_path):
    folder = tmp_path / "recordings"
    async with servers() as lesson:
        old = await record(lesson, folder)
        kept = (await lesson.record())["id"]
        write(folder, kept, {"tutor/microphone": [(0.0, tones(0.5))]})
        await lesson.tutor.post(f"/recordings/{kept}/stop")
        await lesson.over(kept)
        store = lesson.world.server.store
        row = await store.recordings.get(old)
        aged = type(row)(
            row.id,
            row.room,
            row.session_sid,
            row.status,
            row.started_at,
            row.ended_at - 91 * DAY_S,
            row.details,
        )
        await store.recordings.replace(aged)
        session = lesson.session
    async with servers(session) as lesson:
        store = lesson.world.server.store

        async def gone():
            return (await store.recordings.get(old)).status == "deleted"

        await eventually(gone)
        assert not (folder / old).exists()
        assert (await store.recordings.get(kept)).status == "finished"
        assert (folder / kept).exists()
        tenant = (await store.recordings.get(kept)).details["tenant"]
        await lesson.tutor.post(f"/sessions/{session}/end")
        await store.classroom.of(tenant).delete_session(session)
        assert await lesson.world.server.recording._retention.apply() == 1
        assert not (folder / kept).exists()


async def test_recordings_are_kept_for_ever_if_the_operator_wants_so(servers, tmp_path):
    async with servers(recordings_days=0) as lesson:
        recording = await record(lesson, tmp_path / "recordings")
        retention = lesson.world.server.recording._retention
        retention._wall_clock = lambda: 9e9
        assert await retention.apply() == 0
        assert (tmp_path / "recordings" / recording).exists()


async def test_a_tutor_forbids_downloads_also_by_links_that_exist(lesson, tmp_path):
    recording = await record(lesson, tmp_path / "recordings")
    path, switch = f"/recordings/{recording}/links", f"/sessions/{lesson.session}/recordings/downloads"
    link = await lesson.tutor.post(path, {"track": 1}, 201)
    assert (await lesson.person("sam").attempt("PUT", switch, {"allowed": False}))[0] == 403
    await lesson.tutor.call("PUT", switch, {"allowed": False})
    assert await lesson.tutor.attempt("POST", path, {"track": 1}) == (403, "downloads_forbidden")
    async with lesson.world.http.get(link["url"]) as response:
        assert response.status == 403
    await lesson.tutor.call("PUT", switch, {"allowed": True})
    async with lesson.world.http.get(link["url"]) as response:
        assert response.status == 200
