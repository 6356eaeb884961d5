"""Keys of media that are encrypted end to end: who gives them, and what is recorded with them."""

import base64

from sfu.values import TrackNotRecorded
from signaling.recordings.room_keys import frame_key
from tests.signaling.school_client import eventually


async def encrypted(lesson, name):
    """A person whose microphone is encrypted; returns the track's sid."""
    client = await lesson.join(name)
    sid = await lesson.publish(client, encryption=1)
    [track] = lesson.world.server.services.rooms.room(lesson.session).participants[name].tracks.values()
    assert track.spec.encrypted
    return sid


def handed_over(lesson, sid):
    """The keys with which a track was last handed to the engine."""
    return [each[3].frame_keys for each in lesson.commands("record_track") if each[2] == sid][-1]


async def test_a_tutor_gives_keys_before_and_while_a_session_is_recorded(lesson):
    path = f"/sessions/{lesson.session}/recordings/key"
    ada, ben = await encrypted(lesson, "ada"), await encrypted(lesson, "ben")
    made = await lesson.record()
    assert handed_over(lesson, ada) == ()
    lesson.report(TrackNotRecorded(made["id"], ada, "encrypted"))
    found = await lesson.tutor.get(f"/recordings/{made['id']}")
    assert found["not_recorded"] == {ada: "encrypted"}
    await lesson.tutor.call("PUT", path, {"key": "a secret of the class"})
    shared = frame_key(b"a secret of the class", "pbkdf2")
    assert handed_over(lesson, ada) == handed_over(lesson, ben) == ((0, shared),)
    assert (await lesson.tutor.get(f"/recordings/{made['id']}"))["not_recorded"] == {}
    body = {"key": base64.b64encode(b"x" * 32).decode(), "encoding": "base64", "index": 1, "person": "ada"}
    await lesson.tutor.call("PUT", path, body)
    assert handed_over(lesson, ada) == ((0, shared), (1, frame_key(b"x" * 32, "hkdf")))
    assert handed_over(lesson, ben) == ((0, shared),)
    await lesson.tutor.call("PUT", path, {**body, "derivation": "pbkdf2"})
    assert handed_over(lesson, ada)[1] == (1, frame_key(b"x" * 32, "pbkdf2"))
    await lesson.tutor.call("DELETE", path)
    assert handed_over(lesson, ada) == ()
    entries = (await lesson.school.application.get("/audit?action=recording.key_given"))["data"]
    assert [(each["actor"], each["details"]["index"]) for each in entries] == [
        ("tutor", 1),
        ("tutor", 1),
        ("tutor", 0),
    ]


async def test_who_declined_is_not_recorded_with_a_key_either(lesson):
    ada = await encrypted(lesson, "ada")
    consent = f"/sessions/{lesson.session}/recordings/consent"
    await lesson.person("ada").call("PUT", consent, {"granted": False})
    await lesson.record()
    await lesson.tutor.call("PUT", f"/sessions/{lesson.session}/recordings/key", {"key": "k"})
    assert ada not in lesson.recorded()


async def test_only_tutors_give_usable_keys(lesson):
    path = f"/sessions/{lesson.session}/recordings/key"
    await lesson.join("ada")
    assert (await lesson.person("ada").attempt("PUT", path, {"key": "k"}))[0] == 403
    assert (await lesson.person("ada").attempt("DELETE", path))[0] == 403
    assert await lesson.tutor.attempt("PUT", path, {"key": "%", "encoding": "base64"}) == (400, "bad_key")
    for body in ({"key": ""}, {"key": "k", "index": 256}, {"key": "k", "derivation": "md5"}):
        assert (await lesson.tutor.attempt("PUT", path, body))[0] == 400


async def test_keys_are_kept_over_a_restart_and_until_the_room_ends(servers):
    async with servers() as lesson:
        await lesson.join("ada")
        await lesson.tutor.call("PUT", f"/sessions/{lesson.session}/recordings/key", {"key": "k"})
    async with servers(lesson.session) as after:
        ada = await encrypted(after, "ada")
        await after.record()
        assert handed_over(after, ada) == ((0, frame_key(b"k", "pbkdf2")),)
        keys = after.world.server.store.documents
        assert after.session in await keys.all("room keys")
        await after.tutor.post(f"/sessions/{after.session}/end")

        async def gone():
            return after.session not in await keys.all("room keys")

        await eventually(gone)


async def test_a_server_without_recordings_takes_no_key(servers):
    async with servers(recordings="") as lesson:
        await lesson.join("ada")
        path = f"/sessions/{lesson.session}/recordings/key"
        assert await lesson.tutor.attempt("PUT", path, {"key": "k"}) == (501, "recordings_off")
