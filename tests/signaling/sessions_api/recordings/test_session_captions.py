"""Who is captioned, who reads it, and how it arrives: with the captioning process replaced by its reports."""

import json

import pytest
from livekit.protocol import models

from recording.speech.captions import CaptionReport
from sfu.values import RecordingStopped
from signaling.recordings.speech.caption_child import CaptionChild
from tests.signaling.school_client import eventually

SCREEN_SOUND = models.TrackType.AUDIO, models.TrackSource.SCREEN_SHARE_AUDIO


class Captioned:
    """A lesson on a server with captions."""

    def __init__(self, lesson):
        self.lesson = lesson
        self.captions = lesson.world.server.recording.captions
        self.path = f"/sessions/{lesson.session}/captions"

    async def allow(self, *, allowed=True):
        await self.lesson.tutor.call(
            "PATCH", f"/sessions/{self.lesson.session}", {"settings": {"captions": allowed}}
        )

    async def turn(self, name, *, on=True):
        return await self.lesson.person(name).call("PUT", self.path, {"on": on})

    async def started(self):
        """The id under which the room is captioned."""

        async def found():
            return [each[1] for each in self.lesson.commands("start_recording")]

        return (await eventually(found))[-1]

    def say(self, recording, text, track="ada/microphone", **fields):
        self.captions._on_report(CaptionReport(recording, track, **{"line": 1, "text": text, **fields}))

    def packets(self, client):
        """Transcription packets to a client."""
        sid = client.info.participant.sid
        found = [
            models.DataPacket.FromString(data) for sids, _, data in self.lesson.media.sent if sid in sids
        ]
        return [each.transcription for each in found if each.WhichOneof("value") == "transcription"]


@pytest.fixture
async def captioned(servers, tmp_path, monkeypatch):
    running = []
    monkeypatch.setattr(CaptionChild, "need", lambda _self: running.append("need"))
    monkeypatch.setattr(CaptionChild, "release", lambda _self: running.append("release"))
    (tmp_path / "model.bin").touch()
    async with servers(speech_model=str(tmp_path), captions=True) as lesson:
        made = Captioned(lesson)
        made.running = running
        yield made


async def test_a_session_without_permission_or_a_server_without_captions_refuses(captioned, servers):
    await captioned.lesson.join("ada")
    ada = captioned.lesson.person("ada")
    state = {"available": True, "allowed": False, "on": False}
    assert await ada.get(captioned.path) == state
    assert await ada.attempt("PUT", captioned.path, {"on": True}) == (409, "captions_not_allowed")
    assert await captioned.lesson.person("eve").attempt("GET", captioned.path) == (404, "session_not_found")
    await captioned.allow()
    assert await captioned.turn("ada") == {"available": True, "allowed": True, "on": True}
    assert (await ada.get(captioned.path))["on"]
    async with servers(captioned.lesson.session) as without:
        refused = await without.person("ada").attempt("PUT", captioned.path, {"on": True})
        assert refused == (501, "captions_off")


async def test_a_room_is_tapped_while_a_reader_is_in_it(captioned):
    lesson = captioned.lesson
    await captioned.allow()
    ada, bob = await lesson.join("ada"), await lesson.join("bob")
    sound = await lesson.publish(ada)
    assert lesson.commands("start_recording") == []
    await captioned.turn("bob")
    recording = await captioned.started()
    assert recording.startswith("live_")
    await lesson.publish(ada, *SCREEN_SOUND)
    second = await lesson.publish(bob)
    assert [each[1:3] for each in lesson.commands("record_track")] == [
        (recording, sound),
        (recording, second),
    ]
    # It is no recording: nobody is shown one, and there is none to list.
    assert (await lesson.tutor.get(f"/sessions/{lesson.session}/recordings"))["data"] == []
    await captioned.turn("bob", on=False)
    assert lesson.commands("stop_recording") == [("stop_recording", recording)]
    assert captioned.running == ["need", "release"]


async def test_readers_alone_are_sent_what_is_said(captioned):
    lesson = captioned.lesson
    await captioned.allow()
    ada, bob, cem = [await lesson.join(name) for name in ("ada", "bob", "cem")]
    sound = await lesson.publish(ada)
    await captioned.turn("bob")
    recording = await captioned.started()
    captioned.say(recording, "We add", tail="fractions")
    captioned.say(recording, "We add fractions.", final=True)
    first, last = captioned.packets(bob)
    assert (last.transcribed_participant_identity, last.track_id) == ("ada", sound)
    assert [each.segments[0].text for each in (first, last)] == ["We add fractions", "We add fractions."]
    assert [each.segments[0].final for each in (first, last)] == [False, True]
    assert first.segments[0].id == last.segments[0].id
    assert captioned.packets(ada) == captioned.packets(cem) == []
    # An unknown track, or another room: nothing.
    captioned.say(recording, "x", track="eve/microphone")
    captioned.say("live_other", "x")
    assert len(captioned.packets(bob)) == 2


async def test_a_line_ends_under_its_id_although_its_track_has_ended(captioned):
    lesson = captioned.lesson
    await captioned.allow()
    ada, bob = await lesson.join("ada"), await lesson.join("bob")
    sound = await lesson.publish(ada)
    await captioned.turn("bob")
    recording = await captioned.started()
    captioned.say(recording, "We add", tail="fractions")
    services = lesson.world.server.services
    person = services.rooms.room(lesson.session).participants["ada"]
    services.publishing.unpublish(person, sound)
    captioned.say(recording, "We add fractions.", final=True)
    first, last = captioned.packets(bob)
    assert (first.segments[0].id, last.segments[0].id) == (first.segments[0].id,) * 2
    assert last.segments[0].final
    assert last.track_id == sound
    # The microphone is published again: what is said belongs to the new track.
    again = await lesson.publish(ada)
    captioned.say(recording, "Now", line=2)
    await ada.send(leave={})
    await eventually(lambda: _left(services, lesson.session, "ada"))
    captioned.say(recording, "Now we multiply.", line=2, final=True)
    third, fourth = captioned.packets(bob)[2:]
    assert (third.track_id, fourth.track_id) == (again, again)
    assert third.segments[0].id == fourth.segments[0].id != first.segments[0].id
    assert fourth.segments[0].text == "Now we multiply."


async def _left(services, session, identity):
    return identity not in services.rooms.room(session).participants


async def test_a_number_that_the_process_uses_again_is_another_line(captioned):
    lesson = captioned.lesson
    await captioned.allow()
    ada, bob = await lesson.join("ada"), await lesson.join("bob")
    await lesson.publish(ada)
    await captioned.turn("bob")
    recording = await captioned.started()
    captioned.say(recording, "before the pause", final=True)
    captioned.say(recording, "after the pause", final=True)
    first, second = captioned.packets(bob)
    assert first.segments[0].id != second.segments[0].id


async def test_lines_end_as_they_were_when_the_process_fails_or_the_speaker_declines(captioned):
    lesson = captioned.lesson
    await captioned.allow()
    ada, bob = await lesson.join("ada"), await lesson.join("bob")
    await lesson.publish(ada)
    await captioned.turn("bob")
    recording = await captioned.started()
    captioned.say(recording, "We add", tail="fractions")
    captioned.captions._on_failure()
    captioned.say(recording, "We", tail="multiply")
    consent = f"/sessions/{lesson.session}/recordings/consent"
    await lesson.person("ada").call("PUT", consent, {"granted": False})
    captioned.say(recording, "We multiply, and more", final=True)
    shown = [each.segments[0] for each in captioned.packets(bob)]
    assert [(each.text, each.final) for each in shown] == [
        ("We add fractions", False),
        ("We add fractions", True),
        ("We multiply", False),
        ("We multiply", True),
    ]
    assert len({each.id for each in shown}) == 2


async def test_a_page_gets_captions_in_its_stream_of_events_without_a_number(captioned):
    lesson = captioned.lesson
    await captioned.allow()
    ada, bob = await lesson.join("ada"), await lesson.join("bob")
    await lesson.publish(ada)
    await captioned.turn("bob")
    recording = await captioned.started()
    url = f"{lesson.world.url}/api/v1/sessions/{lesson.session}/events"
    query = {"access_token": lesson.person("bob").token}
    async with (
        lesson.world.http.ws_connect(url, params=query) as ws,
        lesson.world.http.get(url, params=query, headers={"Accept": "text/event-stream"}) as stream,
    ):
        assert (await ws.receive_json())["type"] == "state"
        while (await stream.content.readline()).strip():
            pass
        captioned.say(recording, "Good", tail="morning")
        captioned.captions._on_report(CaptionReport(recording, behind=True))
        line = await ws.receive_json()
        assert line == {
            "type": "captions",
            "person": "ada",
            "line": line["line"],
            "text": "Good",
            "tail": "morning",
            "final": False,
        }
        assert await ws.receive_json() == {"type": "captions", "behind": True}
        sent = [(await stream.content.readline()).decode().strip() for _ in range(3)]
        assert sent[0] == "event: captions"
        assert json.loads(sent[1].removeprefix("data: ")) == line
        assert sent[2] == ""
    assert len(captioned.packets(bob)) == 1
    # A page that follows by its media connection gets them there, once.
    await lesson.person("bob").post(f"/sessions/{lesson.session}/events/deliver")
    captioned.say(recording, "Good morning")

    async def delivered():
        packets = [models.DataPacket.FromString(data) for _, _, data in lesson.media.sent]
        return [each for each in packets if b'"captions"' in each.user.payload]

    assert await eventually(delivered)
    assert len(captioned.packets(bob)) == 1


async def test_who_declined_or_is_encrypted_is_never_tapped(captioned):
    lesson = captioned.lesson
    await captioned.allow()
    ada, bob = await lesson.join("ada"), await lesson.join("bob")
    of_ada, of_bob = await lesson.publish(ada), await lesson.publish(bob)
    consent = f"/sessions/{lesson.session}/recordings/consent"
    await lesson.person("ada").call("PUT", consent, {"granted": False})
    await captioned.turn("bob")
    recording = await captioned.started()
    assert lesson.recorded() == [of_bob]
    await lesson.person("bob").call("PUT", consent, {"granted": False})
    assert lesson.recorded() == []
    captioned.say(recording, "not to be read", track="bob/microphone")
    assert captioned.packets(bob) == []
    await lesson.person("ada").call("PUT", consent, {"granted": True})
    assert lesson.recorded() == [of_ada]
    cem = await lesson.join("cem")
    room = lesson.world.server.services.rooms.room(lesson.session)
    sid = await lesson.publish(cem)
    [track] = [each for each in room.participants["cem"].tracks.values() if each.sid == sid]
    assert sid in lesson.recorded()
    assert not track.spec.encrypted


async def test_a_speaker_decides_who_may_read(captioned):
    lesson = captioned.lesson
    await captioned.allow()
    ada, bob = await lesson.join("ada"), await lesson.join("bob")
    await lesson.publish(ada)
    await captioned.turn("bob")
    recording = await captioned.started()
    await ada.send(subscription_permission={"all_participants": False})
    await lesson.publish(ada, *SCREEN_SOUND)  # answered: the permission was read before
    captioned.say(recording, "for nobody")
    assert captioned.packets(bob) == []


async def test_captions_end_with_the_permission_and_continue_with_the_next_reader(captioned):
    lesson = captioned.lesson
    await captioned.allow()
    ada, bob = await lesson.join("ada"), await lesson.join("bob")
    await lesson.publish(ada)
    await captioned.turn("bob")
    first = await captioned.started()
    await captioned.allow(allowed=False)

    async def stopped():
        return lesson.commands("stop_recording")

    assert await eventually(stopped) == [("stop_recording", first)]
    assert not (await lesson.person("bob").get(captioned.path))["on"]
    await captioned.allow()
    await captioned.turn("bob")
    await eventually(lambda: _more(lesson, 2))
    # The last reader leaves the room, and returns.
    await bob.send(leave={})
    assert len(await eventually(lambda: _enough(lesson, "stop_recording", 2))) == 2
    await lesson.join("bob")
    assert await eventually(lambda: _more(lesson, 3))


async def _more(lesson, count):
    return await _enough(lesson, "start_recording", count)


async def _enough(lesson, command, count):
    found = lesson.commands(command)
    return found if len(found) >= count else []


async def test_readers_are_told_of_failures_and_lessons_go_on(captioned):
    lesson = captioned.lesson
    await captioned.allow()
    ada, bob = await lesson.join("ada"), await lesson.join("bob")
    await lesson.publish(ada)
    await captioned.turn("bob")
    recording = await captioned.started()
    told = []
    captioned.captions.observe(told.append)
    captioned.captions._on_failure()
    captioned.captions._on_failure()
    captioned.say(recording, "again")
    assert [getattr(each, "behind", "text") for each in told] == [True, False, "text"]
    lesson.report(RecordingStopped(recording, "internal", "for a test"))
    assert not captioned.captions.is_captioned(lesson.session)
    assert captioned.running == ["need", "release"]
    assert (await lesson.tutor.get(f"/sessions/{lesson.session}"))["phase"] == "live"
    del bob
