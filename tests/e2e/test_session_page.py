"""A teaching session from its creation to the report, in real browsers: a tutor and a student."""

import asyncio
import re
import time

import aiohttp
import pytest

from tests.e2e.conftest import eventually, serving
from tests.signaling.school_client import School

pytestmark = pytest.mark.timeout(120)

# `web/src/teaching/live/unheard.ts`
NOTABLE_S = 3

# Chromium without a window can share only the tab of the page itself.
SHARE_OWN_TAB = (
    "const ask = navigator.mediaDevices.getDisplayMedia.bind(navigator.mediaDevices);"
    "navigator.mediaDevices.getDisplayMedia = (o) => ask({...o, preferCurrentTab: true});"
)


async def visitor(chromium, width=1280):
    """A tab of somebody with camera and microphone; `complaints` are the errors of its console."""
    context = await chromium.new_context(
        permissions=["camera", "microphone", "clipboard-read", "clipboard-write"],
        viewport={"width": width, "height": 800},
    )
    page = await context.new_page()
    await page.add_init_script(SHARE_OWN_TAB)
    page.complaints = []
    page.on(
        "console", lambda message: page.complaints.append(message.text) if message.type == "error" else None
    )
    return page


async def sign_in(page, server, name, role):
    await page.goto(f"{server.page}/sessions")
    await page.get_by_test_id("sign-name").fill(name)
    await page.get_by_test_id(f"sign-{role}").check()
    await page.get_by_test_id("sign-submit").click()


async def teach(page, server, title, name="Tia"):
    """Create a session and start it, as a tutor; its join code."""
    await sign_in(page, server, name, "tutor")
    await page.get_by_test_id("new-title").fill(title)
    await page.get_by_test_id("new-start").click()
    await page.get_by_test_id("door-join").click()
    await page.get_by_test_id("session-room").wait_for()
    return await page.get_by_test_id("session-code").get_attribute("data-code")


async def crash(page):
    """Kill the process of a page."""
    devtools = await page.context.new_cdp_session(page)
    async with page.expect_event("crash"):
        # The call of a page that is gone has no answer.
        call = asyncio.ensure_future(devtools.send("Page.crash"))
    call.cancel()


async def knock(page, server, code, name):
    """Join by the code, as a student who is not signed in."""
    await page.goto(f"{server.page}/sessions/code/{code}")
    await page.get_by_test_id("door-name").fill(name)
    await page.get_by_test_id("door-join").click()


async def state(page, test_id, name, value):
    await page.locator(f'[data-testid={test_id}][{name}="{value}"]').first.wait_for()


async def open_panel(page, panel):
    await page.get_by_test_id(f"toggle-{panel}").click()
    await page.get_by_test_id(f"{panel}-panel").wait_for()


async def come_in(tia, sam, server, code):
    """Sam knocks, has a place in the queue, and is let in."""
    await knock(sam, server, code.lower(), "Sam")
    await state(sam, "waiting", "data-why", "knock")
    assert "number 1" in await sam.get_by_test_id("place").inner_text()
    await tia.get_by_test_id("knock").get_by_text("Sam wants to join").wait_for()
    before = time.monotonic()
    await tia.get_by_test_id("admit").click()
    await sam.get_by_test_id("session-room").wait_for()
    sam.entered = before, time.monotonic()
    assert await sam.get_by_role("heading", level=1).inner_text() == "Algebra <b>8b</b>"
    assert await sam.get_by_test_id("session-end").count() == 0


async def share(tia, sam):
    """The tutor shares, and the student sees it large."""
    await tia.get_by_test_id("toggle-screen").click()
    picture = sam.locator(".stage > [data-source=screen_share] video")
    await picture.wait_for()

    async def plays():
        return await picture.evaluate("(video) => video.videoWidth > 0 && video.currentTime > 0")

    await eventually(plays, "the student sees the tutor's screen")
    await tia.get_by_test_id("stop-sharing").click()


async def ask_for_help(tia, sam):
    """A hand, and a request for help."""
    await sam.get_by_test_id("toggle-hand").click()
    await tia.get_by_test_id("lower-hand").click()
    await state(sam, "toggle-hand", "data-state", "off")
    await open_panel(sam, "help")
    await sam.get_by_test_id("help-text").fill("I am <i>lost</i>")
    await sam.get_by_test_id("urgency-urgent").check()
    await sam.get_by_test_id("help-send").click()
    await tia.get_by_test_id("help-count").click()
    await state(tia, "help-request", "data-urgency", "urgent")
    assert "I am <i>lost</i>" in await tia.get_by_test_id("help-request").inner_text()
    await tia.get_by_test_id("help-respond").click()
    await sam.get_by_test_id("help-pending").get_by_text("Tia is coming to help you.").wait_for()
    await tia.get_by_test_id("help-resolve").click()
    await sam.get_by_test_id("help-send").wait_for()


async def write(tia, sam):
    """Chat and a question."""
    await sam.get_by_test_id("toggle-chat").click()
    await sam.get_by_test_id("chat-input").fill("Thank you")
    await sam.keyboard.press("Enter")
    await tia.get_by_test_id("toasts").get_by_text("Sam: Thank you").wait_for()
    await open_panel(sam, "questions")
    await sam.get_by_test_id("question-text").fill("Why is a/0 not defined?")
    await sam.get_by_test_id("question-send").click()
    await open_panel(tia, "questions")
    await tia.get_by_test_id("question-answer").click()
    await tia.get_by_test_id("answer-text").fill("Nothing times 0 is a.")
    await tia.get_by_test_id("answer-send").click()
    await sam.get_by_text("Nothing times 0 is a.").wait_for()


async def moderate_chat(tia, sam):
    """A message is corrected, pinned, held, released and deleted."""
    for page in (tia, sam):
        await page.get_by_test_id("toggle-chat").click()
        await page.get_by_test_id("chat-panel").wait_for()

    async def choose(page, text, action):
        line = page.get_by_test_id("chat-line").filter(has_text=text)
        await line.get_by_test_id("chat-more").click()
        await page.get_by_test_id(action).click()

    async def say(text):
        await sam.get_by_test_id("chat-input").fill(text)
        await sam.keyboard.press("Enter")

    await say("a is <b>nought</b>")
    await choose(sam, "nought", "chat-edit")
    await sam.get_by_test_id("chat-edit-text").fill("a is <b>zero</b>")
    await sam.get_by_test_id("chat-edit-save").click()
    await tia.get_by_test_id("chat-line").get_by_text("a is <b>zero</b>").wait_for()
    assert "edited" in await tia.get_by_test_id("chat-line").filter(has_text="zero").inner_text()
    await choose(tia, "zero", "chat-pin")
    await sam.get_by_test_id("chat-pinned").get_by_text("a is <b>zero</b>").wait_for()

    await tia.get_by_test_id("chat-mode").select_option("staff_first")
    await sam.get_by_test_id("chat-told").get_by_text("A tutor reads your messages").wait_for()
    await say("May I?")
    await choose(tia, "May I?", "chat-approve")
    line = sam.get_by_test_id("chat-line").filter(has_text="May I?")
    await eventually(lambda: lacks(line, "waits for the tutor"), "the message is released")
    await tia.get_by_test_id("chat-mode").select_option("open")
    await sam.get_by_test_id("chat-told").wait_for(state="detached")

    await choose(tia, "zero", "chat-delete")
    await tia.get_by_test_id("chat-confirm").click()
    await sam.get_by_test_id("chat-pinned").wait_for(state="detached")
    await sam.get_by_test_id("chat-line").filter(has_text="zero").wait_for(state="detached")


async def lacks(line, words):
    return words not in await line.inner_text()


async def vote(tia, sam):
    """A poll."""
    await open_panel(tia, "polls")
    await tia.get_by_test_id("poll-new").click()
    await tia.get_by_test_id("poll-question").fill("1/2 + 1/3?")
    for index, option in enumerate(("2/5", "5/6")):
        await tia.get_by_test_id("poll-option").nth(index).fill(option)
    await tia.get_by_test_id("poll-ask").click()
    await open_panel(sam, "polls")
    await sam.get_by_test_id("poll-choice").nth(1).check()
    await sam.get_by_test_id("poll-answer").click()
    await sam.get_by_test_id("poll-answered").wait_for()
    await state(tia, "poll-results", "data-answers", "1")
    await tia.get_by_test_id("poll-close").click()
    await tia.get_by_test_id("poll-publish").click()
    assert await sam.get_by_test_id("poll-result").nth(1).get_attribute("data-count") == "1"


async def practise(tia, sam):
    """An exercise."""
    await open_panel(tia, "exercises")
    await tia.get_by_test_id("exercise-new").click()
    await tia.get_by_test_id("exercise-title").fill("Fractions")
    await tia.get_by_test_id("exercise-assign").click()
    await open_panel(sam, "exercises")
    await sam.get_by_test_id("exercise-progress").nth(2).click()
    await state(tia, "student-work", "data-status", "working")
    await sam.get_by_test_id("exercise-own-answer").fill("5/6")
    await sam.get_by_test_id("exercise-submit").click()
    await tia.get_by_test_id("exercise-answer").get_by_text("5/6").wait_for()
    await tia.get_by_test_id("exercise-accept").click()
    await state(sam, "exercise", "data-status", "done")


async def know_the_student(tia, sam):
    """Details of a student, and the grade."""
    await tia.get_by_test_id("student-details-open").click()
    await tia.get_by_test_id("details-link").get_by_text("Good").wait_for()
    await tia.get_by_test_id("details-grade").fill("7b")
    await tia.get_by_test_id("details-grade-save").click()
    await tia.get_by_test_id("student-grade").get_by_text("7b").wait_for()
    await tia.keyboard.press("Escape")
    await tia.get_by_test_id("student-details").wait_for(state="detached")
    assert await sam.get_by_text("7b").count() == 0


async def hand_in(tia, sam):
    """A file of a student."""
    await open_panel(sam, "files")
    content = {"name": "<img onerror>.txt", "mimeType": "text/plain", "buffer": b"5/6"}
    await sam.get_by_test_id("file-add-input").set_input_files(content)
    await sam.get_by_test_id("file").wait_for()
    await tia.get_by_test_id("toasts").get_by_text("Sam added a file: <img onerror>.txt").wait_for()


async def show_work(tia, sam):
    """What a student shares, the tutor sees on the wall, and shows to all."""
    await sam.get_by_test_id("toggle-screen").click()
    await sam.get_by_test_id("share-notice").get_by_text("Only your tutor").wait_for()
    await open_panel(tia, "wall")
    await tia.get_by_test_id("wall-screen").wait_for()
    assert await tia.locator(".stage [data-source=screen_share]").count() == 0
    await tia.get_by_test_id("wall-show").click()
    await tia.locator(".stage > [data-source=screen_share] video").wait_for()
    await sam.get_by_test_id("share-notice").get_by_text("Everybody").wait_for()
    await sam.get_by_test_id("stop-sharing").click()


async def break_out(tia, sam):
    """Breakouts and back."""
    await open_panel(tia, "breakouts")
    await tia.get_by_test_id("breakout-count").fill("1")
    await tia.get_by_test_id("breakouts-make").click()
    # out of the room by the selection, and back into it by dragging
    await tia.get_by_test_id("breakout-move").select_option("")
    rooms = tia.get_by_test_id("breakout-room")
    await rooms.nth(1).get_by_test_id("breakout-person").drag_to(rooms.first)
    await rooms.nth(1).wait_for(state="detached")
    await rooms.first.get_by_test_id("breakout-person").get_by_text("Sam").wait_for()
    await tia.get_by_test_id("breakouts-open").click()
    await state(sam, "breakout-notice", "data-room", "Room 1")
    await tia.get_by_test_id("toasts").get_by_text("The breakouts are open.").wait_for()
    # Sam went to another room, and did not leave.
    assert await tia.get_by_test_id("toasts").get_by_text("Sam left").count() == 0
    await tia.locator("[data-testid=tile][data-identity]").nth(1).wait_for(state="detached")
    await tia.get_by_test_id("breakout-visit").click()
    await tia.locator("[data-testid=tile][data-identity]").nth(1).wait_for()
    await tia.get_by_test_id("breakouts-close").click()
    await sam.get_by_test_id("breakout-notice").wait_for(state="detached")
    await sam.locator("[data-testid=tile][data-identity]").nth(1).wait_for()


async def end(tia, sam):
    """The end, and the report, which is right to the second."""
    await tia.get_by_test_id("session-end").click()
    before = time.monotonic()
    await tia.get_by_test_id("end-confirm").click()
    await sam.get_by_test_id("session-over").wait_for()
    ended = before, time.monotonic()
    await tia.get_by_test_id("report").wait_for()
    lines = tia.get_by_test_id("attendance")
    await lines.nth(1).wait_for()
    totals = {
        await lines.nth(index).get_attribute("data-person"): float(
            await lines.nth(index).get_attribute("data-total")
        )
        for index in range(2)
    }
    assert set(totals) == {"Tia", "Sam"}
    row = tia.locator("[data-testid=attendance][data-person=Sam]")
    # Sam entered and left at some time between a click and what it led to.
    total_s = totals["Sam"] + float(await row.get_attribute("data-lost"))
    assert ended[0] - sam.entered[1] - 0.5 < total_s < ended[1] - sam.entered[0] + 0.5
    assert await tia.get_by_test_id("report-question").inner_text() != ""
    assert await tia.get_by_test_id("report-message").get_by_text("Thank you").count() == 1
    assert await tia.get_by_test_id("report-poll").get_by_text("1 of 1").count() == 1
    assert await tia.get_by_test_id("report-file").get_by_text("<img onerror>.txt").count() == 1
    async with tia.expect_download() as download:
        await tia.get_by_test_id("report-file-load").click()
    assert (await (await download.value).path()).read_bytes() == b"5/6"
    async with tia.expect_download() as download:
        await tia.get_by_test_id("report-csv").click()
    table = (await (await download.value).path()).read_text()
    seconds = {row.split(",")[1]: int(row.split(",")[6]) for row in table.splitlines()[1:]}
    assert all(abs(seconds[name] - totals[name]) <= 0.5 for name in totals)


STEPS = (
    *(
        share,
        ask_for_help,
        write,
        moderate_chat,
        vote,
        practise,
        know_the_student,
        hand_in,
        show_work,
        break_out,
    ),
    end,
)


async def test_a_lesson_from_its_creation_to_the_report(server, chromium):
    tia, sam = await visitor(chromium), await visitor(chromium, 1100)
    code = await teach(tia, server, "Algebra <b>8b</b>")
    await state(tia, "phase", "data-phase", "live")
    await come_in(tia, sam, server, code)
    for step in STEPS:
        await step(tia, sam)
    # LiveKit's client reports data channels that close with their connection.
    complaints = [each for each in tia.complaints + sam.complaints if "data channel" not in each.lower()]
    assert [each for each in complaints if "DataChannel" not in each] == []


async def test_a_tutor_reads_how_long_a_student_has_not_heard_them(server, chromium):
    tia, sam = await visitor(chromium), await visitor(chromium)
    await come_in(tia, sam, server, await teach(tia, server, "Algebra <b>8b</b>"))
    await tia.get_by_test_id("student").wait_for()
    assert await tia.get_by_test_id("student-unheard").count() == 0
    await crash(sam)
    lost_at = time.monotonic()
    words = tia.get_by_test_id("student-unheard")
    await words.wait_for()
    minutes, seconds = re.search(r"(\d+):(\d+)", await words.inner_text()).groups()
    # It is shown from the third second on, and counts from when the connection was lost.
    assert NOTABLE_S <= 60 * int(minutes) + int(seconds) <= time.monotonic() - lost_at + 1


async def test_the_address_that_an_application_gets_for_somebody_opens_the_session(server, chromium):
    async with aiohttp.ClientSession() as http:
        school = School(http, server.page)
        session = await school.lesson()
        joined = await school.application.post(
            f"/sessions/{session}/join", {"person": "kim", "name": "Kim", "role": "student"}
        )
    kim = await visitor(chromium)
    await kim.goto(joined["join_url"])
    await kim.get_by_test_id("check-connection").click()
    await state(kim, "check-result", "data-verdict", "good")
    await kim.get_by_test_id("door-join").click()
    await kim.get_by_test_id("session-room").wait_for()
    assert await kim.get_by_test_id("door-name").count() == 0
    assert "access_token" not in kim.url
    assert kim.complaints == []


async def test_everybody_is_told_of_a_recording_and_asked(chromium, tmp_path):
    async with serving("--recordings", str(tmp_path)) as server:
        tia, sam = await visitor(chromium), await visitor(chromium, 360)
        code = await teach(tia, server, "Algebra <b>8b</b>")
        await come_in(tia, sam, server, code)
        await tia.get_by_test_id("toggle-more").click()
        await tia.get_by_test_id("record").click()
        await tia.get_by_test_id("record-start").click()
        await tia.get_by_test_id("recording").wait_for()
        await sam.get_by_test_id("recording").wait_for()
        # Who starts a recording agrees; the others are asked, and may think again.
        assert await tia.get_by_test_id("consent").count() == 0
        await sam.get_by_test_id("consent-no").click()
        await sam.get_by_test_id("consent-change").click()
        await sam.get_by_test_id("consent-yes").click()
        await sam.get_by_test_id("consent").wait_for(state="detached")
        await tia.get_by_test_id("toggle-more").click()
        await tia.get_by_test_id("record").click()
        await sam.get_by_test_id("recording").wait_for(state="detached")
