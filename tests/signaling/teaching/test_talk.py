"""Talk time, from the levels of microphones to the attendance."""

import pytest
from livekit.protocol import models

from sfu.values import Speaker, SpeakersChanged
from tests.signaling.school_client import eventually
from tests.signaling.teaching.test_media import enter, participant


class Meter:
    """The engine's reports about one person, on a clock that moves with them."""

    def __init__(self, world, session, monkeypatch):
        self.world, self.session, self.now = world, session, 1000.0
        self.talk = world.server.teaching.talk
        monkeypatch.setattr(self.talk, "_clock", lambda: self.now)

    def sid(self, person, name):
        tracks = participant(self.world, self.session, person).tracks.values()
        return next(track.sid for track in tracks if track.spec.name == name)

    def report(self, person, level, after_s, name="mic"):
        self.now += after_s
        speaker = Speaker(self.sid(person, name), level, level > 0)
        room = self.world.server.services.rooms.room(self.session)
        self.world.server.services.media_events.dispatch(SpeakersChanged(room.sid, (speaker,)))


@pytest.fixture
async def lesson(world, school, monkeypatch):
    session = await school.lesson()
    clients = []
    for person in ("sam", "ada"):
        client, _ = await enter(world, school, session, person, offer="a3 v3 mic=m1")
        clients.append(client)
        await client.publish("mic", models.TrackType.AUDIO, name="mic", source=models.TrackSource.MICROPHONE)

        async def published(person=person):
            return len(participant(world, session, person).tracks) == 1

        await eventually(published)
    yield session, Meter(world, session, monkeypatch), clients
    for client in clients:
        await client.ws.close()


async def talked(school, session):
    lines = (await school.application.get(f"/sessions/{session}/attendance"))["lines"]
    return {line["person"]: line["talk_s"] for line in lines}


async def test_attendance_says_how_long_each_person_spoke(school, lesson):
    session, meter, _ = lesson
    meter.report("sam", 0.5, 0)
    meter.report("sam", 0.7, 2)  # louder, and still the same words
    meter.report("ada", 0.3, 1)
    meter.report("sam", 0.0, 4)
    meter.talk.record_all()
    assert await talked(school, session) == {"tutor": 0, "sam": 7, "ada": 4}
    meter.report("ada", 0.0, 3)
    meter.talk.record_all()
    assert await talked(school, session) == {"tutor": 0, "sam": 7, "ada": 7}
    table = await school.application.get(f"/sessions/{session}/attendance.csv")
    assert table.splitlines()[0].endswith("talk seconds")
    assert meter.talk._sessions == {}, "silent sessions cost nothing"


async def test_the_last_words_before_the_end_count(school, lesson):
    session, meter, _ = lesson
    meter.report("sam", 0.5, 0)
    meter.now += 5
    await school.person("tutor", "tutor").post(f"/sessions/{session}/end")

    async def counted():
        return (await talked(school, session))["sam"] == 5

    await eventually(counted)


async def test_who_leaves_while_speaking_has_stopped(world, school, lesson):
    session, meter, _ = lesson
    meter.report("sam", 0.5, 0)
    meter.now += 2
    await school.person("sam").post(f"/sessions/{session}/leave")

    async def left():
        return "sam" not in world.server.services.rooms.room(session).participants

    await eventually(left)
    meter.now += 60
    meter.talk.record_all()
    assert (await talked(school, session))["sam"] == 2


async def test_talk_is_in_no_event_that_people_see(school, lesson):
    session, meter, _ = lesson
    meter.report("sam", 0.5, 0)
    meter.now += 2
    meter.talk.record_all()
    await talked(school, session)
    page = await school.person("tutor", "tutor").get(f"/sessions/{session}/events?limit=1000")
    assert all(each["event"]["type"] != "attendance.talked" for each in page["events"])
