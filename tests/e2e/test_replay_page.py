"""A recording played in real browsers: while the session is live, sought in, at other speeds, and on a phone."""

import asyncio
import statistics
import time

import aiohttp
import pytest
from livekit import rtc

from tests.e2e.conftest import eventually, serving
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


def offset(found):
    """When the publisher began, in times of the recording, as a picture tells it; numbers repeat each 17 s."""
    at, number = found
    return (at - number / FPS) % (256 / FPS)


async def open_player(chromium, server, lesson, hash_="", role="tutor", name="tutor", **options):
    context = await chromium.new_context(viewport={"width": 1280, "height": 800}, **options)
    page = await context.new_page()
    page.complaints = []
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
        live_offset = offset(await stamp(late))
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
        await publisher.stop()
        await room.disconnect()

        page = await open_player(chromium, server, lesson, "&t=3")
        await page.get_by_test_id("replay").wait_for()
        assert "access_token" not in page.url
        large, small = await stamp(page), await stamp(page, "small")
        assert abs(large[0] - 3) < 0.1
        assert abs(offset(large) - offset(small)) < 0.15, "screen and camera are of one moment"
        assert abs(offset(large) - live_offset) < 0.15
        assert await page.get_by_test_id("replay-line").first.get_by_text("Look <b>there</b>").count() == 1
        took = [await page.evaluate(SEEK, at) for at in (1.0, 4.0, 2.0, 5.0, 1.5)]
        print("seeks in ms:", [round(each) for each in took])
        assert statistics.median(took) < 300
        sought = await stamp(page)
        assert abs(offset(sought) - offset(large)) < 0.15
        assert page.complaints == []
