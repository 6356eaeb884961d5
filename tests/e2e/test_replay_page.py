"""A recording played in real browsers: while the session is live, sought in, at other speeds, and on a phone."""

import asyncio
import statistics
import time

import aiohttp
import pytest
from livekit import rtc

from recording.speech.values import Line, Transcript, Word
from signaling.recordings.notes.note_files import ModelNotes, NoteFiles
from signaling.recordings.notes.prompt import ModelNote
from signaling.recordings.speech.transcripts import Transcripts
from tests.e2e.conftest import eventually, serving
from tests.e2e.firefox import FIREFOX, running_firefox
from tests.e2e.test_recorded_session import FPS, HEIGHT, WIDTH, Lesson, Publisher, join, stamped
from tests.signaling.school_client import School, person_token

pytestmark = pytest.mark.timeout(120)

# The number in the stamp of the picture that is shown large or small, and the time of its element.
STAMP = """([look, side]) => {
  const video = document.querySelector(`[data-testid=replay-${look}] video`);
  if (!video || video.readyState < 2 || video.seeking) return null;
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const context = canvas.getContext("2d", {willReadFrequently: true});
  context.drawImage(video, 0, 0);
  const square = video.videoWidth / side;
  const {data} = context.getImageData(0, Math.floor(square / 2), video.videoWidth, 1);
  let stamp = 0;
  for (let bit = 0; bit < 8; bit++) if (data[4 * Math.floor((bit + 0.5) * square)] > 128) stamp |= 1 << bit;
  return [video.currentTime, stamp];
}"""

# How long a jump takes until the picture of that time is shown, in ms.
SEEK = """async (timeS) => {
  const video = document.querySelector("[data-testid=replay-large] video");
  const slider = document.querySelector("[data-testid=replay-position]");
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
  const began = performance.now();
  const shown = new Promise((done) => video.addEventListener("seeked", done, {once: true}));
  set.call(slider, String(timeS));
  slider.dispatchEvent(new Event("input", {bubbles: true}));
  await shown;
  return performance.now() - began;
}"""

SEEK_TO = """(timeS) => {
  const slider = document.querySelector("[data-testid=replay-position]");
  Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set.call(slider, String(timeS));
  slider.dispatchEvent(new Event("input", {bubbles: true}));
}"""

# Rate and pitch correction of what plays; null until something does.
RATES = """() => {
  const playing = [...document.querySelectorAll(".replay-stage video")].filter((each) => !each.paused);
  return playing.length ? playing.map((each) => [each.playbackRate, each.preservesPitch]) : null;
}"""

# What passes in a while: (seconds, seconds of the recording).
SPEED = """async () => {
  const time = () => Number(document.querySelector("[data-testid=replay-player]").dataset.time);
  const [began, from] = [performance.now(), time()];
  await new Promise((done) => setTimeout(done, 1500));
  return [(performance.now() - began) / 1000, time() - from];
}"""


SPOKEN = [
    Line("tutor/microphone", start_s, start_s + 1, text, [Word(start_s, start_s + 1, text)])
    for start_s, text in ((0.5, "Welcome to algebra"), (6.5, "Goodbye"))
]


async def share(room, began, seconds):
    """A shared screen with stamps for some seconds."""
    source = rtc.VideoSource(WIDTH, HEIGHT)
    track = rtc.LocalVideoTrack.create_video_track("screen", source)
    publication = await room.local_participant.publish_track(
        track, rtc.TrackPublishOptions(source=rtc.TrackSource.SOURCE_SCREENSHARE, simulcast=False)
    )
    until = time.monotonic() + seconds
    while (now := time.monotonic()) < until:
        number = int((now - began) * FPS) + 1
        await asyncio.sleep(number / FPS - (now - began))  # the frame rate
        source.capture_frame(stamped(number % 256))
    await room.local_participant.unpublish_track(publication.sid)


async def shown_time(page):
    return float(await page.get_by_test_id("replay-player").get_attribute("data-time"))


async def stamp(page, look="large"):
    return await eventually(lambda: page.evaluate(STAMP, [look, 10]), f"the {look} picture is shown")


def apart(one, other):
    """By how much two pictures contradict each other about when the publisher began, in s; numbers repeat each 17 s."""
    starts = [at - number / FPS for at, number in (one, other)]
    distance = abs(starts[0] - starts[1]) % (256 / FPS)
    return min(distance, 256 / FPS - distance)


async def open_player(chromium, server, lesson, hash_="", role="tutor", name="tutor", **options):
    context = await chromium.new_context(viewport={"width": 1280, "height": 800}, **options)
    page = await context.new_page()
    page.complaints = []
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("console", lambda m: page.complaints.append(m.text) if m.type in {"error", "warning"} else None)
    token = person_token(name, role)
    await page.goto(f"{server.page}/replay/{lesson.session}#access_token={token}{hash_}")
    return page


async def test_a_recording_is_played_while_it_is_made_and_sought_in_afterwards(chromium, tmp_path):
    async with (
        serving("--recordings", str(tmp_path), "--recordings-reserve-mb", "0", "--workers", "1") as server,
        aiohttp.ClientSession() as http,
    ):
        school = School(http, server.page)
        session = await school.lesson()
        room = await join(school, server, session, "tutor", "tutor")
        publisher = Publisher(room, time.monotonic())
        lesson = Lesson(http, school, session, publisher)
        await publisher.publish()
        sam = school.person("sam")
        await sam.post(f"/sessions/{session}/join")
        await asyncio.sleep(1)  # the keyframes are there
        await lesson.start()
        sharing = asyncio.create_task(share(room, publisher.began, 6))
        await asyncio.sleep(2)
        await sam.post(f"/sessions/{session}/chat", {"text": "Look <b>there</b>"})
        await sam.post(f"/sessions/{session}/questions", {"text": "Why?"})
        await asyncio.sleep(3)

        # a late student, while it is recorded
        late = await open_player(chromium, server, lesson, role="student", name="sam")
        await late.get_by_test_id("replay-live").wait_for()
        await late.keyboard.press("k")

        async def moves():
            return await shown_time(late) > 1.5 or None

        await eventually(moves, "the live recording plays")
        live = await stamp(late)
        grown = float(await late.get_by_test_id("replay-player").get_attribute("data-length"))
        await sharing
        await asyncio.sleep(3)

        async def grows():
            length = float(await late.get_by_test_id("replay-player").get_attribute("data-length"))
            return length > grown + 1

        await eventually(grows, "the live recording grows")
        await lesson.tutor.post(f"/recordings/{lesson.recording}/stop")

        async def is_over():
            return (await lesson.tutor.get(f"/recordings/{lesson.recording}"))["status"] == "finished"

        await eventually(is_over, "the recording has ended")
        Transcripts(tmp_path).write(lesson.recording, Transcript(1, "tiny", SPOKEN))
        notes = ModelNotes("tiny-chat", [ModelNote(SPOKEN[1].start_s, "Algebra begins.")])
        assert NoteFiles(tmp_path).write(lesson.recording, notes, lambda: True)
        await publisher.stop()
        await room.disconnect()

        page, large = await is_sought_in(chromium, server, lesson, live)
        await by_keyboard(page)
        await read_along(page, lesson, tmp_path)
        await on_a_phone(page)
        assert page.complaints == []
        viewed = (await school.application.get("/audit?action=recording.viewed"))["data"]
        assert [(each["actor"], each["subject"]) for each in viewed] == [
            ("tutor", lesson.recording),
            ("sam", lesson.recording),
        ]
        if FIREFOX is not None:
            async with running_firefox() as firefox:
                await in_firefox(firefox, f"{server.page}/replay/{session}", large)


async def is_sought_in(chromium, server, lesson, live):
    """A link to a moment, with screen and camera of that moment; jumps take less than 300 ms."""
    page = await open_player(chromium, server, lesson, "&t=3")
    await page.get_by_test_id("replay").wait_for()
    assert "access_token" not in page.url
    large, small = await stamp(page), await stamp(page, "small")
    assert abs(large[0] - 3) < 0.1
    assert apart(large, small) < 0.3, "screen and camera are of one moment"
    assert apart(large, live) < 0.3
    assert await page.get_by_test_id("replay-line").first.get_by_text("Look <b>there</b>").count() == 1
    took = [await page.evaluate(SEEK, at) for at in (1.0, 4.0, 2.0, 5.0, 1.5)]
    assert statistics.median(took) < 300
    sought = await stamp(page)
    assert apart(sought, large) < 0.3
    return page, large


async def by_keyboard(page):
    """Space, arrows, letters and speeds."""
    toggle = page.get_by_test_id("replay-toggle")
    await page.evaluate("document.activeElement.blur()")
    length = float(await page.get_by_test_id("replay-player").get_attribute("data-length"))
    for key, before, by in (("l", 0, 10), ("j", 9, -10), ("ArrowRight", 2, 5), ("ArrowLeft", 7, -5)):
        await page.evaluate(SEEK_TO, before)
        await page.keyboard.press(key)
        after = min(max(before + by, 0), length - 0.1)
        assert abs(await shown_time(page) - after) < 0.2, key
    await page.evaluate(SEEK_TO, 0)
    await page.keyboard.press(">")
    assert await page.get_by_test_id("replay-speed").input_value() == "1.25"
    await page.get_by_test_id("replay-speed").select_option("2")
    await page.evaluate("document.activeElement.blur()")
    await page.keyboard.press("Space")
    assert await toggle.get_attribute("data-state") == "playing"

    async def twice_as_fast():
        return await page.evaluate(RATES)

    rates = await eventually(twice_as_fast, "everything plays at twice the speed")
    assert all(abs(rate - 2) < 0.11 and pitch for rate, pitch in rates)
    times = await page.evaluate(SPEED)
    assert 1.6 < times[1] / times[0] < 2.4, times
    speaker = page.locator("[data-testid=replay-player][data-speaker=tutor]")
    await speaker.wait_for()
    await page.keyboard.press(" ")
    assert await toggle.get_attribute("data-state") == "paused"


async def read_along(page, lesson, folder):
    """The transcript follows and is clicked; captions are shown, silence is skipped, all recordings are searched."""
    await page.get_by_test_id("replay-show-transcript").click()
    spoken = page.get_by_test_id("replay-spoken")
    assert await spoken.count() == len(SPOKEN)
    await spoken.nth(1).click()
    assert abs(await shown_time(page) - SPOKEN[1].start_s) < 0.2
    await page.locator("[data-testid=replay-spoken][aria-current=time]").get_by_text("Goodbye").wait_for()
    await page.get_by_test_id("replay-captions-switch").click()
    await page.evaluate(SEEK_TO, 1.0)
    await page.get_by_test_id("replay-captions").get_by_text("Tutor: Welcome to algebra").wait_for()
    await page.get_by_test_id("replay-silence-switch").click()
    await page.get_by_test_id("replay-speed").select_option("1")
    await page.evaluate(SEEK_TO, 1.8)
    began = time.monotonic()
    await page.get_by_test_id("replay-toggle").click()

    async def skipped():
        return await shown_time(page) >= 6 or None

    await eventually(skipped, "the silence between 2 s and 6 s is skipped")
    assert time.monotonic() - began < 3.5
    await page.get_by_test_id("replay-toggle").click()
    await page.get_by_test_id("replay-silence-switch").click()
    await page.get_by_test_id("replay-search").fill("ALGEBRA welcome")
    await page.get_by_test_id("replay-search").press("Enter")
    hit = page.get_by_test_id("replay-hit")
    assert (await hit.get_attribute("href")).endswith(f"/replay/{lesson.recording}#t=0")
    await page.get_by_test_id("replay-show-notes").click()
    await page.screenshot(path=str(folder / "notes.png"))
    noted = page.get_by_test_id("replay-noted")
    assert await noted.evaluate_all("all => all.map((each) => each.dataset.origin)") == [
        "model",
        "said",
        "said",
    ]
    await noted.first.get_by_text("Algebra begins.").wait_for()
    await noted.first.click()
    assert abs(await shown_time(page) - SPOKEN[1].start_s) < 0.2
    await page.get_by_test_id("replay-show-log").click()


async def on_a_phone(page):
    """Everything fits into 320 px, and the log is below the player."""
    await page.set_viewport_size({"width": 320, "height": 640})
    assert await page.evaluate("document.documentElement.scrollWidth") <= 320
    below = await page.evaluate(
        "document.querySelector('.replay-log').getBoundingClientRect().top"
        " >= document.querySelector('.replay-player').getBoundingClientRect().bottom"
    )
    assert below
    marks = page.locator("[data-testid=replay-mark]")
    kinds = {await marks.nth(i).get_attribute("data-kind") for i in range(await marks.count())}
    assert kinds & {"question", "chat"}


async def in_firefox(firefox, url, seen):
    """The same picture of the same moment."""
    page = await firefox.open(f"{url}#access_token={person_token('sam', 'student')}&t=3")

    async def found():
        return await page.evaluate(STAMP, ["large", 10])

    assert apart(await eventually(found, "Firefox shows the picture"), seen) < 0.3
    await page.evaluate("() => document.querySelector('[data-testid=replay-toggle]').click()")

    async def plays():
        text = await page.evaluate("() => document.querySelector('[data-testid=replay-player]').dataset.time")
        return float(text) > 4

    await eventually(plays, "Firefox plays")
