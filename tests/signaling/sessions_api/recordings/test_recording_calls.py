"""Recordings of sessions, from the call to the engine's commands: who may, who is recorded, how they end."""

import pytest
from livekit.protocol import models

from sfu.values import RecordedTrack, RecordingStopped, SegmentRecorded, TrackNotRecorded
from tests.signaling.school_client import eventually
from tests.signaling.sessions_api.recordings.test_replay_calls import write

CAMERA = models.TrackType.VIDEO, models.TrackSource.CAMERA


async def test_a_recording_takes_the_tracks_that_are_there_and_those_that_come(lesson):
    ada = await lesson.join("ada")
    sound = await lesson.publish(ada)
    made = await lesson.record(camera_layer=2)
    assert (made["status"], made["session"]) == ("recording", lesson.session)
    picture = await lesson.publish(ada, *CAMERA)
    await eventually(lambda: _true(len(lesson.commands()) == 2))
    assert lesson.commands() == [
        ("record_track", made["id"], sound, RecordedTrack("ada/microphone", "Ada: microphone", 2)),
        ("record_track", made["id"], picture, RecordedTrack("ada/camera", "Ada: camera", 2)),
    ]
    ((_, recording, room_id),) = lesson.commands("start_recording")
    assert (recording, room_id) == (made["id"], ada.info.room.sid)


async def _true(value):
    return value


async def test_clients_see_that_they_are_recorded(lesson):
    ada = await lesson.join("ada")
    assert not ada.info.room.active_recording
    made = await lesson.record()
    assert (await ada.until("room_update")).room.active_recording
    bob = await lesson.join("bob")
    assert bob.info.room.active_recording
    await lesson.tutor.post(f"/recordings/{made['id']}/pause")
    assert not (await ada.until("room_update")).room.active_recording
    await lesson.tutor.post(f"/recordings/{made['id']}/resume")
    assert (await ada.until("room_update")).room.active_recording
    await lesson.tutor.post(f"/recordings/{made['id']}/stop")
    assert not (await ada.until("room_update")).room.active_recording


async def test_who_declines_is_not_recorded_and_who_agrees_is(lesson):
    ada, bob = await lesson.join("ada"), await lesson.join("bob")
    of_ada = await lesson.publish(ada)
    await lesson.person("bob").call(
        "PUT", f"/sessions/{lesson.session}/recordings/consent", {"granted": False}
    )
    of_bob = await lesson.publish(bob)
    await lesson.record()
    assert lesson.recorded() == [of_ada]
    await lesson.person("ada").call(
        "PUT", f"/sessions/{lesson.session}/recordings/consent", {"granted": False}
    )
    assert lesson.recorded() == []
    await lesson.publish(ada, *CAMERA)
    assert lesson.recorded() == []
    await lesson.person("bob").call(
        "PUT", f"/sessions/{lesson.session}/recordings/consent", {"granted": True}
    )
    assert lesson.recorded() == [of_bob]


async def test_where_consent_is_required_nobody_is_recorded_without(lesson):
    ada = await lesson.join("ada")
    sid = await lesson.publish(ada)
    await lesson.record(require_consent=True)
    assert lesson.recorded() == []
    await lesson.person("ada").call(
        "PUT", f"/sessions/{lesson.session}/recordings/consent", {"granted": True}
    )
    assert lesson.recorded() == [sid]


async def test_a_recorded_track_that_comes_again_continues_the_same(lesson):
    ada = await lesson.join("ada")
    await lesson.publish(ada)
    await lesson.record()
    again = await lesson.join("ada")
    await lesson.publish(again)
    assert [command[3].id for command in lesson.commands("record_track")] == ["ada/microphone"] * 2


async def test_a_recording_is_stopped_and_told_with_its_figures(lesson):
    await lesson.join("ada")
    made = await lesson.record()
    lesson.report(SegmentRecorded(made["id"], "ada/microphone", 4_000_000_000, 5000))
    lesson.report(SegmentRecorded(made["id"], "bob/camera", 3_000_000_000, 9000))
    lesson.report(TrackNotRecorded(made["id"], "TR_7", "encrypted"))
    live = await lesson.tutor.get(f"/recordings/{made['id']}")
    assert (live["length_s"], live["octets"], live["not_recorded"]) == (4, 14_000, {"TR_7": "encrypted"})
    await lesson.tutor.post(f"/recordings/{made['id']}/stop")
    ended = await lesson.over(made["id"])
    assert (ended["status"], ended["reason"], ended["octets"]) == ("finished", "", 14_000)
    assert ended["ended_at"] >= ended["started_at"]
    (listed,) = (await lesson.tutor.get(f"/sessions/{lesson.session}/recordings"))["data"]
    assert listed == ended
    assert await lesson.tutor.attempt("POST", f"/recordings/{made['id']}/stop") == (409, "not_recording")


async def test_a_full_disk_ends_the_recording_with_its_reason_and_the_session_goes_on(lesson):
    ada = await lesson.join("ada")
    made = await lesson.record()
    await ada.until("room_update")
    ended = await lesson.over(made["id"], "disk-full")
    assert (ended["status"], ended["reason"]) == ("failed", "disk-full")
    assert not (await ada.until("room_update")).room.active_recording
    await lesson.publish(ada)
    assert lesson.recorded() == []
    assert (await lesson.record())["id"] != made["id"]


async def test_the_end_of_the_session_ends_its_recording(lesson):
    await lesson.join("ada")
    made = await lesson.record()
    await lesson.tutor.post(f"/sessions/{lesson.session}/end")
    assert (await lesson.over(made["id"]))["status"] == "finished"


async def test_what_the_present_state_does_not_allow_is_refused(lesson):
    path = f"/sessions/{lesson.session}/recordings"
    assert await lesson.tutor.attempt("POST", path, {}) == (409, "room_empty")
    await lesson.join("ada")
    made = await lesson.record()
    assert await lesson.tutor.attempt("POST", path, {}) == (409, "already_recorded")
    assert await lesson.tutor.attempt("DELETE", f"/recordings/{made['id']}") == (409, "still_recording")
    assert await lesson.tutor.attempt("GET", "/recordings/rec_x") == (404, "recording_not_found")
    assert (await lesson.tutor.attempt("POST", path, {"camera_layer": 9}))[0] == 400


async def test_a_server_without_a_folder_records_nothing(servers):
    async with servers(recordings="") as lesson:
        await lesson.join("ada")
        path = f"/sessions/{lesson.session}/recordings"
        assert await lesson.tutor.attempt("POST", path, {}) == (501, "recordings_off")


@pytest.mark.parametrize(
    ("name", "role", "tenant", "status"),
    [("ada", "student", "", 403), ("eve", "tutor", "", 404), ("tutor", "tutor", "another", 404)],
)
async def test_only_tutors_of_the_session_start_stop_and_delete(lesson, name, role, tenant, status):
    await lesson.join("ada")
    made = await lesson.record()
    claims = {"tenant": tenant} if tenant else {}
    caller = lesson.school.person(name, role, **claims)
    for method, path in (
        ("POST", f"/sessions/{lesson.session}/recordings"),
        ("GET", f"/recordings/{made['id']}"),
        ("GET", f"/recordings/{made['id']}/manifest"),
        ("POST", f"/recordings/{made['id']}/stop"),
        ("POST", f"/recordings/{made['id']}/pause"),
        ("POST", f"/recordings/{made['id']}/links"),
        ("DELETE", f"/recordings/{made['id']}"),
    ):
        answer = await caller.attempt(method, path, {})
        assert answer[0] == status, path
        if tenant and path.startswith("/recordings"):
            assert answer[1] == "recording_not_found"


async def test_a_recording_that_a_server_left_is_continued_when_the_room_opens_again(servers):
    async with servers() as before:
        await before.join("ada")
        made = await before.record(camera_layer=0)
        session = before.session
        keys = before.media.recording_keys
    async with servers(session) as after:
        ada = await after.join("ada")
        sid = await after.publish(ada, *CAMERA)
        assert after.media.recording_keys == keys
        assert [command[1:2] for command in after.commands("start_recording")] == [(made["id"],)]
        assert after.commands("record_track")[0][2:] == (sid, RecordedTrack("ada/camera", "Ada: camera", 0))
        assert ada.info.room.active_recording
        await after.tutor.post(f"/recordings/{made['id']}/stop")
        assert (await after.over(made["id"]))["status"] == "finished"


async def test_a_changed_master_key_ends_the_recording_and_is_told(servers, caplog):
    async with servers() as before:
        await before.join("ada")
        made = await before.record()
        write(before.recordings, made["id"], before.media.recording_keys[made["id"]])
    async with servers(before.session, master_key="another master key of 32 characters") as after:
        await after.join("ada")
        ended = await after.over(made["id"])
        assert (ended["status"], ended["reason"]) == ("failed", "no-key")
        answer = await after.tutor.attempt("GET", f"/recordings/{made['id']}/manifest")
        assert answer[:2] == (409, "no_files")
    assert "cannot be decrypted: the master key has changed" in caplog.text


async def test_each_recording_has_a_key_which_its_deletion_removes(servers):
    async with servers() as lesson:
        await lesson.recorded_by(write)
        first = lesson.recording
        second = (await lesson.record())["id"]
        keys = dict(lesson.media.recording_keys)
        assert len({len(key) for key in keys.values()}) == 1
        assert len(set(keys.values())) == len(keys) == 2
        documents = lesson.world.server.store.documents
        assert set(await documents.all("recording keys")) == {first, second}
        await lesson.tutor.call("DELETE", f"/recordings/{first}")
        assert set(await documents.all("recording keys")) == {second}


async def test_recordings_of_a_server_that_does_not_encrypt_have_no_key(servers):
    async with servers(recordings_plain=True) as lesson:
        await lesson.join("ada")
        assert lesson.media.recording_keys[(await lesson.record())["id"]] == b""


async def test_a_report_about_an_unknown_recording_is_ignored(lesson):
    lesson.report(RecordingStopped("rec_x"))
    lesson.report(SegmentRecorded("rec_x", "a", 1, 1))
    lesson.report(TrackNotRecorded("rec_x", "TR_1", "codec"))
    assert (await lesson.tutor.get(f"/sessions/{lesson.session}/recordings"))["data"] == []


async def test_a_session_is_recorded_automatically_whenever_its_room_opens(lesson):
    path = f"/sessions/{lesson.session}/recordings/automatic"
    assert (await lesson.person("ada").attempt("PUT", path, {"on": True}))[0] in {403, 404}
    await lesson.tutor.call("PUT", path, {"on": True, "camera_layer": 0})
    ada = await lesson.join("ada")
    await ada.until("room_update", lambda update: update.room.active_recording)
    sid = await lesson.publish(ada, *CAMERA)
    assert lesson.commands()[0][2:] == (sid, RecordedTrack("ada/camera", "Ada: camera", 0))
    await lesson.tutor.call("PUT", path, {"on": False})
    (listed,) = (await lesson.tutor.get(f"/sessions/{lesson.session}/recordings"))["data"]
    assert listed["status"] == "recording"
