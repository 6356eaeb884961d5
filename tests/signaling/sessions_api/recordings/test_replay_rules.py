"""Which tracks a student may watch, by the settings of the session."""

import pytest

from signaling.sessions_api.recordings.replay_rules import may_watch, may_watch_track


async def room_of(lesson, **settings):
    await lesson.join("ada")
    await lesson.join("ben")
    if settings:
        session = await lesson.tutor.get(f"/sessions/{lesson.session}")
        changed = {**session["settings"], **settings}
        await lesson.tutor.call("PATCH", f"/sessions/{lesson.session}", {"settings": changed})
    return lesson.world.server.teaching.registry.session("devkey", lesson.session).loaded


@pytest.mark.parametrize(
    ("settings", "source", "allowed"),
    [
        ({}, "camera", True),
        ({"student_cameras": False}, "camera", False),
        ({}, "screen_share", False),
        ({}, "screen_share_audio", False),
        ({"student_screens": True}, "screen_share", True),
        ({"student_cameras": False}, "microphone", True),
        ({"student_cameras": True, "student_screens": True}, "unknown", False),
    ],
)
async def test_tracks_of_students(lesson, settings, source, allowed):
    room = await room_of(lesson, **settings)
    ben, tutor, ada = (room.people.everyone[each] for each in ("ben", "tutor", "ada"))
    assert may_watch_track(room, ben, "ada", source) is allowed
    assert may_watch_track(room, tutor, "ada", source)
    assert may_watch_track(room, ada, "ada", source)
    assert may_watch_track(room, ben, "tutor", source)
    assert not may_watch_track(room, ben, "nobody", source)
    assert may_watch(room, "ben", staff_only=False)
    assert not may_watch(room, "ben", staff_only=True)
    assert may_watch(room, "tutor", staff_only=True)
    assert not may_watch(room, "nobody", staff_only=False)
