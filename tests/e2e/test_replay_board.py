"""The whiteboard of a recording in Chromium: strokes appear at their time while it plays, and after jumps."""

import asyncio
import base64
import time

import pytest
from pycrdt import Array, Doc

from sfu.values import SegmentRecorded
from tests.e2e.conftest import eventually
from tests.e2e.test_replay_marks import LENGTH_S, S, write
from tests.e2e.test_replay_page import SEEK_TO
from tests.signaling.school_client import person_token
from tests.signaling.school_world import make_template, serving
from tests.signaling.sessions_api.recordings.conftest import Lesson

pytestmark = pytest.mark.timeout(120)

RED, BLUE = "#c0271d", "#0a5bc4"
# Time between two strokes, and of the first one in the recording.
APART_S, FIRST_S = 2.0, 20.0

# The colour at a point of the page, in hexadecimal digits; empty while there is no whiteboard.
PIXEL = """([x, y]) => {
  const canvas = document.querySelector("[data-testid=replay-board]");
  if (!canvas) return "";
  const {data} = canvas.getContext("2d").getImageData(x, y, 1, 1);
  return "#" + [...data.slice(0, 3)].map((each) => each.toString(16).padStart(2, "0")).join("");
}"""


class Drawer:
    """Draws lines from left to right, as Yjs updates."""

    def __init__(self):
        self.doc = Doc()
        self.items = self.doc.get("items", type=Array)

    def line(self, colour, y):
        before = self.doc.get_state()
        self.items.append({"kind": "line", "colour": colour, "width": 20, "points": [100, y, 1500, y]})
        return base64.b64encode(self.doc.get_update(before)).decode()

    def erase(self):
        before = self.doc.get_state()
        del self.items[0]
        return base64.b64encode(self.doc.get_update(before)).decode()


@pytest.fixture
async def lesson(tmp_path, tmp_path_factory):
    template = await asyncio.to_thread(make_template, tmp_path_factory.mktemp("template"))
    async with serving(template, tmp_path, recordings=str(tmp_path / "recordings")) as world:
        made = Lesson(world, "", tmp_path / "recordings")
        made.session = await made.school.lesson()
        await made.join("ada")
        yield made


async def drawn(lesson):
    """A scene with the whiteboard: a red line, then a blue one, then the red one is erased. Returns when it began."""
    path = f"/sessions/{lesson.session}"
    scene = await lesson.tutor.post(f"{path}/scenes", {"kind": "whiteboard", "title": "Board"})
    page = (await lesson.tutor.post(f"{path}/whiteboards"))["id"]
    await lesson.tutor.post(f"{path}/scenes/switch", {"scene": scene["id"]})
    drawer, began = Drawer(), time.time()
    for update in (drawer.line(RED, 300), drawer.line(BLUE, 600), drawer.erase()):
        await lesson.tutor.post(f"{path}/whiteboards/{page}/draw", {"update": update})
        await asyncio.sleep(APART_S)
    return began


async def lines(page):
    return [await page.evaluate(PIXEL, [800, y]) for y in (300, 600)]


async def test_strokes_of_the_whiteboard_appear_at_their_time_also_after_jumps(chromium, lesson):
    recording = (await lesson.record())["id"]
    first_at = await drawn(lesson)
    lesson.report(SegmentRecorded(recording, "tutor/microphone", LENGTH_S * S, 1000))
    await lesson.tutor.post(f"/recordings/{recording}/stop")
    await lesson.over(recording)
    key = lesson.media.recording_keys[recording]
    await asyncio.to_thread(write, lesson.recordings, recording, key, first_at - FIRST_S)
    context = await chromium.new_context(viewport={"width": 1280, "height": 800})
    page = await context.new_page()
    complaints = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    token = person_token("tutor", "tutor")
    await page.goto(f"{lesson.world.url}/replay/{lesson.session}#access_token={token}&t={FIRST_S - 1}")
    await page.locator("[data-testid=replay-stage]").wait_for()

    async def at(time_s, *expected):
        await page.evaluate(SEEK_TO, time_s)

        async def shows():
            return await lines(page) == list(expected)

        await eventually(shows, f"the whiteboard of {time_s} s")

    nothing = "#ffffff"
    await at(FIRST_S + APART_S + 1, RED, BLUE)
    await page.screenshot(path=str(lesson.recordings.parent / "board.png"))
    await at(FIRST_S + 1, RED, nothing)
    await at(FIRST_S + 2 * APART_S + 1, nothing, BLUE)
    await at(FIRST_S + APART_S + 1, RED, BLUE)

    # While it plays, the second line appears at its time.
    await at(FIRST_S + 0.8, RED, nothing)
    await page.get_by_test_id("replay-toggle").click()

    async def second():
        return await lines(page) == [RED, BLUE]

    await eventually(second, "the second line is drawn")
    shown_s = float(await page.get_by_test_id("replay-player").get_attribute("data-time"))
    assert 0 <= shown_s - (FIRST_S + APART_S) < 1.0
    await page.get_by_test_id("replay-toggle").click()

    await page.set_viewport_size({"width": 390, "height": 844})
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    assert await page.get_by_test_id("replay-board").is_visible()
    await page.screenshot(path=str(lesson.recordings.parent / "board-phone.png"))
    assert complaints == []
    await context.close()
