"""The timeline of a replay in Chromium: chapters, chat, questions, polls and people who join; also on a phone."""

import asyncio
import time

import pytest

from recording.files.folder import Moment
from recording.media.codecs import opus
from recording.recorder import Recorder, RecorderSettings
from sfu.values import SegmentRecorded
from sfu.wire import tap
from tests.e2e.conftest import eventually
from tests.recording.encoders import MS, Sender, encode
from tests.signaling.school_client import person_token
from tests.signaling.school_world import make_template, serving
from tests.signaling.sessions_api.recordings.conftest import Lesson

pytestmark = pytest.mark.timeout(120)

S = 1_000_000_000
LENGTH_S = 80
# Marks that are closer than a sixtieth of the length share one place on the timeline.
APART_S = LENGTH_S / 60 + 0.2


def write(folder, recording, key, began_unix_s):
    """What a recorder writes of a tutor with camera and microphone, in a recording that began at a time."""
    now = Moment(0, int(began_unix_s * S), "boot")
    recorder = Recorder(RecorderSettings(str(folder), 0), lambda: now, lambda _: None)
    recorder.handle(tap.StartRecording(recording, 0, key))
    for stream, (source, kind, rate) in enumerate(
        (("camera", "video", 90_000), ("microphone", "audio", 48_000)), 1
    ):
        recorder.handle(tap.OpenTrack(recording, f"tutor/{source}", kind, "Ms Noether", 0))
        recorder.handle(tap.OpenStream(stream, recording, f"tutor/{source}", "p", rate, 0))
    frames = encode("vp8", 2 * LENGTH_S, keyframes=range(0, 2 * LENGTH_S, 20), fps=2)
    video = Sender(1, "vp8").frames(frames, interval_ns=500 * MS)
    packets = [packet for each in video for packet in each]
    packets += [
        tap.Packet(2, i, 960 * i, True, "opus", opus.SILENCE, i * 20 * MS) for i in range(50 * LENGTH_S)
    ]
    for packet in sorted(packets, key=lambda each: each.arrived_ns):
        recorder.handle(packet)
    recorder.handle(tap.StopRecording(recording, LENGTH_S * S))


async def happens(lesson):
    """A scene, chat, a question, a poll, and a student who joins, each at a time of its own."""
    path, tutor, ada = f"/sessions/{lesson.session}", lesson.tutor, lesson.person("ada")
    scene = await tutor.post(f"{path}/scenes", {"kind": "camera", "source": "tutor", "title": "Fractions"})
    poll = await tutor.post(f"{path}/polls", {"question": "Was it hard?", "kind": "short"})
    for what, body in (
        ("scenes/switch", {"scene": scene["id"]}),
        ("chat", {"text": "Hello everybody"}),
        ("questions", {"text": "Why is it so?"}),
        (f"polls/{poll['id']}/open", {}),
    ):
        await (ada if what in {"chat", "questions"} else tutor).post(f"{path}/{what}", body)
        await asyncio.sleep(APART_S)
    await lesson.join("ben")


@pytest.fixture
async def lesson(tmp_path, tmp_path_factory):
    template = await asyncio.to_thread(make_template, tmp_path_factory.mktemp("template"))
    async with serving(template, tmp_path, recordings=str(tmp_path / "recordings")) as world:
        made = Lesson(world, "", tmp_path / "recordings")
        made.session = await made.school.lesson()
        await made.join("ada")
        yield made


async def test_marks_and_chapters_are_on_the_timeline_also_on_a_phone(chromium, lesson):
    recording = (await lesson.record())["id"]
    await happens(lesson)
    lesson.report(SegmentRecorded(recording, "tutor/microphone", LENGTH_S * S, 1000))
    await lesson.tutor.post(f"/recordings/{recording}/stop")
    await lesson.over(recording)
    key = lesson.media.recording_keys[recording]
    assert key
    await asyncio.to_thread(write, lesson.recordings, recording, key, time.time() - LENGTH_S + 1)
    context = await chromium.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    token = person_token("tutor", "tutor")
    await page.goto(f"{lesson.world.url}/replay/{lesson.session}#access_token={token}")
    await page.get_by_test_id("replay-mark").first.wait_for()
    marks = await page.get_by_test_id("replay-mark").evaluate_all(
        "marks => marks.map((mark) => [mark.dataset.kind, mark.title])"
    )
    shown = dict(marks)
    assert set(shown) >= {"chat", "question", "poll", "join"}, marks
    assert "Message from Ada" in shown["chat"]
    assert "Was it hard?" in shown["poll"]
    assert "Ben" in shown["join"]
    chapters = page.get_by_test_id("replay-chapter")
    assert await chapters.count() == 2
    assert "Fractions" in await chapters.nth(1).inner_text()

    await chapters.nth(1).click()
    player = page.get_by_test_id("replay-player")

    async def at(low, high):
        return low < float(await player.get_attribute("data-time")) < high

    await eventually(lambda: at(60, LENGTH_S), "the chapter is shown")
    await page.locator("[data-testid=replay-mark][data-kind=poll]").click()
    poll_s = float(await player.get_attribute("data-time"))
    await page.locator("[data-testid=replay-mark][data-kind=chat]").click()
    assert float(await player.get_attribute("data-time")) < poll_s - 2 * APART_S + 0.5

    await page.set_viewport_size({"width": 390, "height": 844})
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    for part in ("replay-toggle", "replay-position", "replay-large"):
        assert await page.get_by_test_id(part).is_visible(), part
    await page.screenshot(path=str(lesson.recordings.parent / "phone.png"), full_page=True)
    assert complaints == []
    await context.close()
