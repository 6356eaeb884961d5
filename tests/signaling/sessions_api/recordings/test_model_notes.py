"""Notes by a model behind a real HTTP endpoint: off by default, tried again, and never about erased people."""

import json

import pytest
from aiohttp import web

from recording.speech.values import Transcript
from signaling.recordings.steps import MAX_ATTEMPTS
from tests.recording.encoders import tones
from tests.recording.speech.spoken import write
from tests.signaling.recordings.insights.texts import line
from tests.signaling.recordings.notes.endpoint import endpoint
from tests.signaling.school_client import eventually

LINES = [
    line(1, "Today we add fractions together", "tutor/microphone"),
    line(4, "Sam has a very secret question", "sam/microphone"),
]


@pytest.fixture
async def model():
    async with endpoint() as found:
        yield found


async def recorded(lesson):
    """A recording of a tutor and a student with a transcript."""
    for each in ("tutor", "sam"):
        await lesson.join(each, "tutor" if each == "tutor" else "student")
    made = await lesson.record()
    key = lesson.media.recording_keys[made["id"]]
    sound = [(0.0, tones(1.0))]
    write(lesson.recordings, made["id"], {"tutor/microphone": sound, "sam/microphone": sound}, key)
    await lesson.tutor.post(f"/recordings/{made['id']}/stop")
    await lesson.over(made["id"])
    transcribing = lesson.world.server.recording.transcribing
    transcribing.transcripts.write(made["id"], Transcript(1, "tiny", LINES))
    await transcribing.steps.done(made["id"])
    for listener in transcribing._listeners:
        listener()
    return made["id"]


async def notes(lesson, recording, *statuses, caller=None):
    async def reached():
        found = await (caller or lesson.tutor).get(f"/recordings/{recording}/notes")
        return found if found["model"]["status"] in statuses else None

    return await eventually(reached)


def written(found):
    return [
        (each["at_s"], each["text"])
        for chapter in found["data"]
        for each in chapter["notes"]
        if each["origin"] == "model"
    ]


async def test_notes_are_written_encrypted_and_shown_with_their_origin(servers, model):
    model.reply = lambda _: json.dumps({"notes": [{"line": 2, "text": "A <i>question</i> was asked."}]})
    async with servers(notes_url=model.url, notes_model="tiny-chat", notes_key="sesame") as lesson:
        recording = await recorded(lesson)
        found = await notes(lesson, recording, "finished")
        assert found["model"] == {"status": "finished", "name": "tiny-chat", "error": ""}
        assert written(found) == [(4, "A <i>question</i> was asked.")]
        said = [
            each["text"]
            for each in found["data"][0]["notes"]
            if (each["origin"], each["person"]) != ("model", "")
        ]
        assert "Today we add fractions together" in said
        assert written(await notes(lesson, recording, "finished", caller=lesson.person("sam"))) == written(
            found
        )
        [(headers, body)] = model.requests
        assert headers["Authorization"] == "Bearer sesame"
        assert "1. speaker 1: Today we add" in body["messages"][1]["content"]
        assert "sam" not in body["messages"][1]["content"].split(":")[0]
        files = lesson.recordings / recording
        assert b"question" not in (files / "notes.json").read_bytes()
        assert b"secret" not in (files / "transcript.json").read_bytes()


async def test_nothing_is_sent_unless_the_operator_wants_it(servers, model):
    async with servers() as lesson:
        recording = await recorded(lesson)
        found = await notes(lesson, recording, "none")
        assert written(found) == []
        assert found["data"]
        assert model.requests == []


async def test_a_failure_is_told_repeated_with_growing_waits_and_given_up(servers, model):
    model.reply = lambda _messages: web.Response(status=503)
    async with servers(notes_url=model.url, notes_model="tiny-chat") as lesson:
        recording = await recorded(lesson)
        taking = lesson.world.server.recording.notes

        async def failed():
            found = await lesson.tutor.get(f"/recordings/{recording}/notes")
            return found if found["model"]["error"] else None

        first = await eventually(failed)
        assert first["model"]["status"] == "waiting"
        assert first["model"]["error"] == "the endpoint answers with status 503"
        assert [each["origin"] for each in first["data"][0]["notes"]] == ["said", "said"]
        later = [0.0]
        taking.steps._wall_clock = lambda: 2e9 + later[0]
        for attempt in range(1, MAX_ATTEMPTS):
            later[0] += 4000
            taking._news.set()

            async def tried(wanted=attempt + 1):
                return (await taking.steps.get(recording)).attempts == wanted

            await eventually(tried)
        assert len(model.requests) == MAX_ATTEMPTS
        assert (await notes(lesson, recording, "failed"))["model"]["error"]
        assert (await lesson.tutor.get(f"/sessions/{lesson.session}"))["phase"] == "live"


async def test_an_endpoint_that_recovers_is_used(servers, model):
    replies = [
        web.Response(text="nonsense"),
        "nonsense",
        json.dumps({"notes": [{"line": 1, "text": "Added."}]}),
    ]
    model.reply = lambda _messages: replies.pop(0)
    async with servers(notes_url=model.url, notes_model="tiny-chat") as lesson:
        recording = await recorded(lesson)
        taking = lesson.world.server.recording.notes
        later = [0.0]
        taking.steps._wall_clock = lambda: 2e9 + later[0]

        async def done():
            later[0] += 4000
            taking._news.set()
            found = await lesson.tutor.get(f"/recordings/{recording}/notes")
            return written(found)

        assert await eventually(done) == [(1, "Added.")]


async def test_notes_are_written_again_without_an_erased_person(servers, model):
    async with servers(notes_url=model.url, notes_model="tiny-chat") as lesson:
        recording = await recorded(lesson)
        await notes(lesson, recording, "finished")
        await lesson.tutor.post(f"/sessions/{lesson.session}/end")
        model.holds = True
        await lesson.school.application.post("/privacy/sam/erase")
        assert written(await notes(lesson, recording, "waiting")) == []
        model.release.set()
        await notes(lesson, recording, "finished")
        assert ["secret" in each for each in model.sent] == [True, False]


async def test_notes_that_are_being_written_while_a_person_is_erased_are_not_kept(servers, model):
    model.holds = True
    async with servers(notes_url=model.url, notes_model="tiny-chat") as lesson:
        recording = await recorded(lesson)

        async def asked():
            return model.requests

        await eventually(asked)
        await lesson.tutor.post(f"/sessions/{lesson.session}/end")
        await lesson.school.application.post("/privacy/sam/erase")
        model.reply = lambda messages: json.dumps(
            {"notes": [{"line": 1, "text": "secret" if "secret" in messages[1]["content"] else "clean"}]}
        )
        model.release.set()
        assert written(await notes(lesson, recording, "finished")) == [(1, "clean")]


async def test_a_stopped_server_leaves_the_notes_to_the_next_one(servers, model):
    model.holds = True
    options = {"notes_url": model.url, "notes_model": "tiny-chat"}
    async with servers(**options) as lesson:
        recording = await recorded(lesson)

        async def asked():
            return model.requests

        await eventually(asked)
    model.holds = False
    async with servers(lesson.session, **options) as lesson:
        assert written(await notes(lesson, recording, "finished")) == [(1, "Fractions are added.")]


async def test_who_may_not_see_everything_that_was_said_gets_no_notes_by_a_model(servers, model):
    async with servers(notes_url=model.url, notes_model="tiny-chat") as lesson:
        recording = await recorded(lesson)
        await notes(lesson, recording, "finished")
        transcripts = lesson.world.server.recording.transcribing.transcripts
        hidden = line(8, "Of a screen", "tutor2/screen_share_audio")
        transcripts.write(recording, Transcript(1, "tiny", [*LINES, hidden]))
        assert written(await notes(lesson, recording, "finished"))
        assert written(await notes(lesson, recording, "none", caller=lesson.person("sam"))) == []
