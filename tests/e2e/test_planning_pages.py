"""Appointments, a student's times and the library in browsers: booking, exercises with files, polls, sets."""

import time
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest

from tests.e2e.test_session_home import is_accessible
from tests.e2e.test_session_page import visitor
from tests.signaling.pdfs import pdf
from tests.signaling.school_client import School, person_token

pytestmark = pytest.mark.timeout(120)


async def opened(chromium, server, path, person, role, width):
    page = await visitor(chromium, width)
    page.absent = []
    page.on("response", lambda response: page.absent.append(response.url) if response.status == 404 else None)
    await page.goto(f"{server.page}{path}#access_token={person_token(person, role)}")
    return page


async def set_times(page):
    """The tutor is away tomorrow and can be booked in an additional hour, which is all there is in this week."""
    now = datetime.now(UTC).replace(minute=0, second=0)
    await page.get_by_test_id("hours-zone").select_option("UTC")
    for at, (kind, since, hours) in enumerate((("away", 24, 24), ("extra", 50, 1))):
        starts = now + timedelta(hours=since)
        await page.get_by_test_id("except-add").click()
        await page.get_by_test_id(f"except-{at}-kind").select_option(kind)
        await page.get_by_test_id(f"except-{at}-from").fill(f"{starts:%Y-%m-%dT%H:%M}")
        await page.get_by_test_id("hours-save").click()
        await page.get_by_test_id("hours-problem").wait_for()
        await page.get_by_test_id(f"except-{at}-to").fill(f"{starts + timedelta(hours=hours):%Y-%m-%dT%H:%M}")
    await page.get_by_test_id("hours-save").click()
    await page.get_by_text("Your times are saved").wait_for()
    await is_accessible(page)
    await page.reload()
    await page.get_by_test_id("except-1-kind").wait_for()
    assert await page.get_by_test_id("except-0-kind").input_value() == "away"


def weekday():
    """A day on which the tutor has no times."""
    return (datetime.now(UTC) + timedelta(days=4)).weekday()


async def set_own_times(page):
    """A student says on the home page when they have time; tutors who plan a lesson see it."""
    await page.get_by_test_id("times-open").click()
    form = page.get_by_test_id("hours")
    await form.wait_for()
    assert await form.get_by_test_id("hours-slot").count() == 0
    await page.get_by_test_id("hours-zone").select_option("UTC")
    await page.get_by_test_id("hours-add").click()
    await page.get_by_test_id("hours-0-day").select_option(str(weekday()))
    await page.get_by_test_id("hours-0-from").fill("16:00")
    await page.get_by_test_id("hours-0-to").fill("15:00")
    await page.get_by_test_id("hours-save").click()
    await page.get_by_test_id("hours-problem").wait_for()
    await page.get_by_test_id("hours-0-to").fill("18:00")
    await page.get_by_test_id("hours-save").click()
    await form.get_by_text("Your times are saved").wait_for()
    await is_accessible(page)
    await page.reload()
    await page.get_by_test_id("times-open").click()
    await page.get_by_test_id("hours-0-from").wait_for()
    assert await page.get_by_test_id("hours-0-from").input_value() == "16:00"


async def times_of(server, tutor, student):
    """The common times of one student, as their tutor's application gets them: weekday, hours, and who is unknown."""
    async with aiohttp.ClientSession() as http:
        caller = School(http, server.page).person(tutor, "tutor")
        found = await caller.get(f"/availability/common?people={student}")
        assert student not in [each["tutor"] for each in (await caller.get("/availability"))["data"]]
    starts = [datetime.fromtimestamp(each["starts_at"], UTC) for each in found["data"]]
    return {(each.weekday(), each.hour) for each in starts}, found["unknown"]


async def book(page, tutor):
    """Choose the tutor and a free time; it is gone afterwards, and can be cancelled."""
    await page.get_by_test_id("book-tutor").select_option(tutor)
    slots = page.get_by_test_id("book-slot")
    await slots.nth(1).wait_for()
    assert await slots.count() == 2
    await is_accessible(page)
    await slots.first.click()
    await page.get_by_test_id("book-topic").fill("Fractions <b>")
    await is_accessible(page)
    await page.get_by_test_id("book-confirm").click()
    await page.get_by_test_id("book-done").get_by_text("is booked").wait_for()
    await slots.nth(1).wait_for(state="detached")
    await page.get_by_test_id("booked").get_by_text("Fractions <b>").wait_for()
    await is_accessible(page)


async def test_a_student_books_an_additional_time_and_the_tutor_cancels_it(server, chromium):
    tutor, student = f"tia-{time.time_ns()}", f"sam-{time.time_ns()}"
    tia = await opened(chromium, server, "/sessions/account", tutor, "tutor", 1280)
    await set_times(tia)
    assert (await times_of(server, tutor, student))[1] == [student]
    sam = await opened(chromium, server, "/", student, "student", 360)
    await set_own_times(sam)
    times, unknown = await times_of(server, tutor, student)
    assert (times, unknown) == ({(weekday(), 16)}, [])
    await sam.get_by_test_id("appointments-link").click()
    await book(sam, tutor)
    async with aiohttp.ClientSession() as http:
        application = School(http, server.page).application
        course = (await application.post("/courses", {"title": "Physics"}))["id"]
        for person, role in ((tutor, "tutor"), (student, "student"), ("kim", "student")):
            await application.post(f"/courses/{course}/enrolments", {"person": person, "role": role})
    await tia.goto(f"{server.page}/sessions/appointments")
    # The tutor's only time is in two days, when the student has none; Kim has set no times.
    await tia.get_by_test_id("common-none").wait_for()
    await tia.get_by_test_id("common-unknown").get_by_text("1 person").wait_for()
    booking = tia.get_by_test_id("booked-own").get_by_test_id("booking")
    await booking.get_by_text(student.title()).wait_for()
    await is_accessible(tia)
    await booking.get_by_test_id("booking-cancel").click()
    await tia.get_by_test_id("booking-cancel-confirm").click()
    await booking.wait_for(state="detached")
    await sam.reload()
    await sam.get_by_test_id("book-tutor").select_option(tutor)
    await sam.get_by_test_id("book-slot").nth(1).wait_for()
    assert await sam.get_by_test_id("booking").count() == 0
    await sees_common_times(server, tia, tutor)
    # The account page asks for an account, which people of an application do not have; browsers report the refusals.
    assert [each for each in (*tia.complaints, *sam.complaints) if "403" not in each] == []


async def sees_common_times(server, tia, tutor):
    """Once the tutor is available when the student is, the page has the time."""
    hours = {"weekday": weekday(), "from_minute": 17 * 60, "to_minute": 20 * 60}
    offer = {"hours": {"time_zone": "UTC", "weekly": [hours]}}
    async with aiohttp.ClientSession() as http:
        await School(http, server.page).application.call("PUT", f"/availability/{tutor}", offer)
    await tia.reload()
    starts = await tia.get_by_test_id("common-time").get_attribute("data-starts")
    assert datetime.fromtimestamp(int(starts), UTC).hour == 17
    await is_accessible(tia)
    await tia.get_by_test_id("common-length").select_option("90")
    await tia.get_by_test_id("common-none").wait_for()


async def write_exercises(page):
    """An exercise with a link and a file, and one that is deleted again."""
    await page.get_by_test_id("library-empty").wait_for()
    for title, link in (("Sums", "https://school.example/sums"), ("Wrong", "")):
        await page.get_by_test_id("library-new").click()
        await page.get_by_test_id("item-title").fill(title)
        await page.get_by_test_id("item-text").fill("Add 2 and 2.")
        if link:
            await page.get_by_test_id("item-link").fill("school.example")
            await page.get_by_test_id("item-save").click()
            await page.get_by_test_id("item-problem").wait_for()
            await page.get_by_test_id("item-link").fill(link)
            for name in ("first.pdf", "sheet.pdf"):
                file = {"name": name, "mimeType": "application/pdf", "buffer": pdf([name])}
                await page.get_by_test_id("item-attach-input").set_input_files(file)
                await page.get_by_test_id("item-file").get_by_text(name).wait_for()
            await is_accessible(page)
        await page.get_by_test_id("item-save").click()
        await page.get_by_test_id("library-notice").get_by_text(f"“{title}” is saved").wait_for()
    await (
        page.get_by_test_id("library-item").filter(has_text="Wrong").get_by_test_id("library-remove").click()
    )
    await page.get_by_test_id("library-remove-confirm").click()
    await page.get_by_test_id("library-item").nth(1).wait_for(state="detached")
    await is_accessible(page)


async def test_an_exercise_of_the_library_reaches_a_student_with_its_file(server, chromium):
    tutor, student = f"tia-{time.time_ns()}", f"sam-{time.time_ns()}"
    async with aiohttp.ClientSession() as http:
        school = School(http, server.page)
        tia = await opened(chromium, server, "/", tutor, "tutor", 360)
        await tia.get_by_test_id("library-link").click()
        await write_exercises(tia)
        files = await school.application.get(f"/library/files?owner={tutor}")
        assert [each["name"] for each in files["data"]] == ["sheet.pdf"]
        session = await school.lesson(owner=tutor)
        sam = await opened(chromium, server, f"/sessions/{session}", student, "student", 1280)
        await sam.get_by_test_id("door-join").click()
        await sam.get_by_test_id("session-room").wait_for()
        await tia.set_viewport_size({"width": 1280, "height": 800})
        await tia.goto(f"{server.page}/sessions/{session}")
        await tia.get_by_test_id("door-join").click()
        await tia.get_by_test_id("toggle-exercises").click()
        await tia.get_by_test_id("from-library").click()
        await tia.get_by_test_id("library-use").click()
        await tia.get_by_test_id("exercise").get_by_text("Sums").wait_for()
        await is_accessible(tia)
        await sam.get_by_test_id("toggle-exercises").click()
        exercise = sam.get_by_test_id("exercise")
        link = exercise.get_by_test_id("exercise-link")
        assert await link.get_attribute("href") == "https://school.example/sums"
        await is_accessible(sam)
        async with sam.expect_download() as download:
            await exercise.get_by_test_id("exercise-file").click()
        assert (await (await download.value).path()).read_bytes() == pdf(["sheet.pdf"])
        answer = {"name": "answer.txt", "mimeType": "text/plain", "buffer": b"4"}
        await exercise.get_by_test_id("exercise-attach-input").set_input_files(answer)
        await exercise.get_by_test_id("exercise-answer-file").get_by_text("answer.txt").wait_for()
        await is_accessible(sam)
        await exercise.get_by_test_id("exercise-submit").click()
        async with tia.expect_download() as download:
            await tia.get_by_test_id("exercise-answer").get_by_test_id("exercise-file").click()
        assert (await (await download.value).path()).read_bytes() == b"4"
    # `useSummary` of SessionPage asks for the session's title, before anybody joins. The server tells people who are
    # not on its roster that there is no such session, and the browser reports this answer; nothing else may be absent.
    assert sam.absent == [f"{server.page}/api/v1/sessions/{session}"]
    assert tia.absent == []
    assert len(sam.complaints) == 1
    assert "404" in sam.complaints[0]
    assert tia.complaints == []


async def write_poll(page):
    """A poll is written, and changed; what is missing is told."""
    await page.get_by_test_id("library-new-poll").click()
    await page.get_by_test_id("item-question").fill("Is 2 prime?")
    await page.get_by_test_id("item-option-0").fill("Yes")
    await page.get_by_test_id("item-save").click()
    await page.get_by_test_id("item-problem").wait_for()
    await page.get_by_test_id("item-option-1").fill("No")
    await page.get_by_test_id("item-option-add").click()
    await page.get_by_test_id("item-option-2").fill("Perhaps")
    await is_accessible(page)
    await page.get_by_test_id("item-save").click()
    await page.get_by_test_id("library-notice").get_by_text("“Is 2 prime?” is saved").wait_for()
    await page.get_by_test_id("library-edit").click()
    await page.get_by_test_id("item-option-2").fill("")
    await page.get_by_test_id("item-anonymous").click()
    await page.get_by_test_id("item-save").click()
    await page.get_by_test_id("library-notice").get_by_text("“Is 2 prime?” is saved").wait_for()


async def write_set(page):
    """A set of a new exercise with a file, the poll of the library, and a rating that is removed again."""
    await page.get_by_test_id("library-new-set").click()
    await page.get_by_test_id("item-title").fill("Lesson 1")
    await page.get_by_test_id("item-save").click()
    await page.get_by_test_id("item-problem").wait_for()
    await page.get_by_test_id("part-exercise").click()
    await page.get_by_test_id("part-0-title").fill("Primes")
    file = {"name": "primes.pdf", "mimeType": "application/pdf", "buffer": pdf(["primes"])}
    await page.get_by_test_id("part-0-attach-input").set_input_files(file)
    await page.get_by_test_id("part-0-file").get_by_text("primes.pdf").wait_for()
    await page.get_by_test_id("part-copy").select_option(label="Is 2 prime?")
    await page.get_by_test_id("part").nth(1).wait_for()
    await page.get_by_test_id("part-poll").click()
    await page.get_by_test_id("part-2-answers").select_option("rating")
    await is_accessible(page)
    await page.get_by_test_id("part-up").nth(1).click()
    await page.get_by_test_id("part-remove").nth(2).click()
    await page.get_by_test_id("item-save").click()
    await page.get_by_test_id("library-notice").get_by_text("“Lesson 1” is saved").wait_for()


async def test_polls_and_sets_of_the_library_are_written_and_changed(server, chromium):
    tutor = f"tia-{time.time_ns()}"
    tia = await opened(chromium, server, "/sessions/library", tutor, "tutor", 360)
    await write_poll(tia)
    await write_set(tia)
    edit = tia.get_by_test_id("library-item").filter(has_text="Lesson 1").get_by_test_id("library-edit")
    await edit.click()
    assert await tia.get_by_test_id("part-0-question").input_value() == "Is 2 prime?"
    await tia.get_by_test_id("part-0-question").fill("Is 3 prime?")
    async with aiohttp.ClientSession() as http:
        school = School(http, server.page)
        listed = await school.application.get(f"/library?owner={tutor}")
        ids = {each["kind"]: each["id"] for each in listed["data"]}
        await tia.get_by_test_id("item-save").click()
        await tia.get_by_test_id("library-notice").get_by_text("“Lesson 1” is saved").wait_for()
        poll = {"kind": "poll", "question": "Is 2 prime?", "answers": "single", "options": ["Yes", "No"]}
        stored = await school.application.get(f"/library/{ids['poll']}?owner={tutor}")
        assert stored["content"] == {**poll, "steps": 5, "anonymous": True}
        stored = await school.application.get(f"/library/{ids['set']}?owner={tutor}")
        first, second = stored["content"]["items"]
        assert first == {**poll, "question": "Is 3 prime?", "steps": 5, "anonymous": True}
        assert (second["title"], stored["version"]) == ("Primes", 2)
        # Another window has written a version meanwhile.
        await edit.click()
        changed = {"content": {**stored["content"], "title": "Lesson 2"}, "version": 2}
        await school.application.call("PUT", f"/library/{ids['set']}?owner={tutor}", changed)
        await tia.get_by_test_id("item-save").click()
        await tia.get_by_test_id("item-problem").get_by_text("changed elsewhere").wait_for()
        await tia.get_by_test_id("item-cancel").click()
        assert len((await school.application.get(f"/library/files?owner={tutor}"))["data"]) == 1
        for _ in range(2):
            await tia.get_by_test_id("library-remove").first.click()
            await tia.get_by_test_id("library-remove-confirm").click()
            await tia.get_by_test_id("library-notice").get_by_text("is deleted").wait_for()
        await tia.get_by_test_id("library-empty").wait_for()
        assert (await school.application.get(f"/library/files?owner={tutor}"))["data"] == []
    assert [each for each in tia.complaints if "412" not in each] == []
