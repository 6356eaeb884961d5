"""The home page of teaching sessions in browsers: timetable, calendar, office hours, groups, presence, accounts."""

import os
import socket
import time
from datetime import UTC, datetime, timedelta

import aiohttp
import pyotp
import pytest

from tests.e2e.conftest import free_media_port, free_port
from tests.e2e.test_design import AXE, OVERFLOW, VIOLATIONS
from tests.e2e.test_room import started, stopped
from tests.e2e.test_session_page import sign_in, visitor
from tests.signaling.oidc_provider import CLIENT, SECRET
from tests.signaling.oidc_provider import running as running_provider
from tests.signaling.school_client import School

pytestmark = pytest.mark.timeout(120)


async def plan(tia):
    """A lesson each week is in the timetable; one of them is cancelled; a calendar program can load all."""
    start = datetime.now(UTC) + timedelta(days=1)
    await tia.get_by_test_id("new-title").fill("Algebra <b>8b</b>")
    await tia.get_by_test_id("new-when").fill(start.strftime("%Y-%m-%dT%H:%M"))
    await tia.get_by_test_id("new-zone").select_option("UTC")
    await tia.get_by_test_id("new-repeat").select_option("weekly")
    await tia.get_by_test_id("new-times").fill("3")
    await tia.get_by_test_id("new-schedule").click()
    rows = tia.get_by_test_id("lesson-row")
    await rows.nth(2).wait_for()
    await rows.first.get_by_test_id("lesson-drop").click()
    await tia.get_by_test_id("lesson-drop-one").click()
    await rows.nth(2).wait_for(state="detached")
    assert await rows.count() == 2
    await shows_in_calendar(tia, start + timedelta(days=7))
    await tia.get_by_test_id("calendar-show").click()
    async with aiohttp.ClientSession() as http:
        address = await tia.get_by_test_id("calendar-url").input_value()
        async with http.get(address) as answer:
            calendar = await answer.text()
    assert "Algebra <b>8b</b>" in calendar
    assert calendar.count("BEGIN:VEVENT") >= 1


async def shows_in_calendar(tia, lesson):
    """The week and the month of a lesson have it on its day, which another time zone may move."""
    view = tia.get_by_test_id("calendar-view")
    await tia.get_by_test_id("calendar-next").click()
    await tia.get_by_test_id("calendar-zone").select_option("UTC")
    day = view.locator(f'[data-day="{lesson:%Y-%m-%d}"]')
    await day.get_by_text("Algebra <b>8b</b>").wait_for()
    await tia.get_by_test_id("calendar-span").click()
    await tia.locator("[data-testid=calendar-view][data-span=month]").wait_for()
    assert await view.locator("[data-day]").count() in {28, 35, 42}
    # 14 hours ahead of UTC, and 11 behind it: one of the two is on another date.
    dates = set()
    for zone in ("Pacific/Kiritimati", "Pacific/Niue"):
        await tia.get_by_test_id("calendar-zone").select_option(zone)
        entries = view.locator("[data-day]:has([data-testid=calendar-entry])")
        dates |= {await entries.nth(at).get_attribute("data-day") for at in range(await entries.count())}
    assert len(dates) > await entries.count()


async def meet_now(tia, sam, own):
    """Two members of a study group press the same button, and are at the door of one session; then both go home."""
    members = tia.locator('[data-testid=group][data-name="Night owls"]')
    home = sam.url
    await members.get_by_test_id("group-join").click()
    await own.get_by_test_id("group-meet").click()
    await sam.get_by_role("heading", name="Night owls").wait_for()
    await members.get_by_test_id("group-meet").click()
    await tia.get_by_test_id("door-join").wait_for()
    assert sam.url == tia.url != home
    for page in (tia, sam):
        await page.goto(home)
    await members.get_by_test_id("group-leave").click()


async def test_a_room_without_a_session_is_opened_from_home(server, chromium):
    ada = await visitor(chromium, 360)
    await ada.goto(server.page)
    await ada.get_by_test_id("instant-go").click()
    await ada.get_by_test_id("lobby-name").fill("Ada")
    room = await ada.get_by_test_id("lobby-room").input_value()
    assert len(room) >= 9
    await ada.get_by_test_id("lobby-join").click()
    await ada.get_by_test_id("invite-copy").click()
    link = await ada.evaluate("navigator.clipboard.readText()")
    assert link == f"{server.page}/join/{room}"


async def is_accessible(page):
    """Axe finds nothing on the page, by day and by night, and nothing is wider than the window."""
    await page.evaluate(AXE.read_text())
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        assert await page.evaluate(VIOLATIONS) == []
    assert await page.evaluate(OVERFLOW) == 0


async def hold_office_hours(tia, sam):
    """Sam queues up and has a place, is asked in, and both are in a session."""
    await tia.get_by_test_id("hours-toggle").click()
    visit = sam.get_by_test_id("visit").filter(has_text="Theodora")
    await visit.get_by_test_id("hours-topic").fill("Fractions")
    await visit.get_by_test_id("hours-join").click()
    await visit.get_by_test_id("hours-place").get_by_text("number 1").wait_for()
    await is_accessible(sam)
    await tia.get_by_test_id("queue-person").get_by_text("Fractions").wait_for()
    await tia.get_by_test_id("queue-admit").click()
    await tia.get_by_test_id("door-join").wait_for()
    await visit.get_by_test_id("hours-enter").click()
    await sam.get_by_test_id("door-join").wait_for()
    assert sam.url == tia.url


async def test_a_tutor_and_a_student_at_home(server, chromium):
    tia, sam = await visitor(chromium), await visitor(chromium, 360)
    await sign_in(tia, server, "Theodora", "tutor")
    await sign_in(sam, server, "Sam", "student")
    await plan(tia)
    await sam.get_by_test_id("group-name").fill("Night owls")
    await sam.get_by_test_id("group-found").click()
    own = sam.locator('[data-testid=group][data-name="Night owls"]')
    await meet_now(tia, sam, own)
    await own.get_by_test_id("group-leave").click()
    await own.get_by_test_id("group-join").wait_for()
    await sam.get_by_test_id("online-person").filter(has_text="Theodora").wait_for()
    await is_accessible(tia)
    await hold_office_hours(tia, sam)
    assert tia.complaints == sam.complaints == []


async def test_an_invitation_is_accepted_with_a_password(server, chromium):
    async with aiohttp.ClientSession() as http:
        application = School(http, server.page).application
        body = {"email": f"ada-{server.http_port}@school.example", "name": "Ada", "role": "tutor"}
        invited = (await application.post("/users", body))["password_token"]
    ada = await visitor(chromium, 360)
    await ada.goto(f"{server.page}/sessions/password#invitation={invited}")
    await ada.get_by_test_id("password-new").fill("short")
    await ada.get_by_test_id("password-submit").click()
    await ada.get_by_test_id("password-problem").get_by_text("10 characters").wait_for()
    for field in ("password-new", "password-again"):
        await ada.get_by_test_id(field).fill("correct horse battery")
    await ada.get_by_test_id("password-submit").click()
    await ada.get_by_role("heading", name="Hello, Ada").wait_for()
    assert invited not in ada.url
    await ada.goto(f"{server.page}/sessions/password#invitation={invited}")
    for field in ("password-new", "password-again"):
        await ada.get_by_test_id(field).fill("correct horse battery")
    await ada.get_by_test_id("password-submit").click()
    await ada.get_by_test_id("password-problem").get_by_text("was used").wait_for()


async def test_a_second_factor_is_asked_for_after_the_password(server, chromium):
    address, password = f"eve-{server.http_port}@school.example", "correct horse battery"
    async with aiohttp.ClientSession() as http:
        school = School(http, server.page)
        invited = await school.application.post("/users", {"email": address, "name": "Eve", "role": "tutor"})
        await school.application.post(
            "/passwords", {"token": invited["password_token"], "password": password}
        )
        signed = await school.application.post("/sign-in", {"email": address, "password": password})
        eve = school.bearer(signed["access_token"])
        secret = (await eve.call("PUT", "/me/totp", {"password": password}))["secret"]
        phone = pyotp.TOTP(secret)
        # the code of the step before, since each step's code can be used once
        await eve.post("/me/totp/confirm", {"code": phone.at(int(time.time()) - 30)})
        reset = await school.application.post(f"/users/{invited['user']['id']}/reset-password")
    page = await visitor(chromium, 360)
    await page.goto(f"{server.page}/sessions/password#invitation={reset['password_token']}")
    for field in ("password-new", "password-again"):
        await page.get_by_test_id(field).fill(password)
    await page.get_by_test_id("password-submit").click()
    await page.get_by_test_id("sign-code").fill("000000")
    await is_accessible(page)
    await page.get_by_test_id("password-submit").click()
    await page.get_by_test_id("password-problem").get_by_text("wrong").wait_for()
    await page.get_by_test_id("sign-code").fill(phone.now())
    await page.get_by_test_id("password-submit").click()
    await page.get_by_role("heading", name="Hello, Eve").wait_for()


@pytest.mark.long
async def test_people_sign_in_at_the_provider_of_their_school(chromium, tmp_path):
    ports = free_port(socket.SOCK_STREAM), free_media_port(len(os.sched_getaffinity(0)))
    config = tmp_path / "lectern.toml"
    async with running_provider() as provider:
        config.write_text(
            f'issuer = "{provider.issuer}"\noidc_client_id = "{CLIENT}"\noidc_client_secret = "{SECRET}"\n'
            f'public_url = "http://localhost:{ports[0]}"\n[keys]\nkey = "{"x" * 32}"\n'
        )
        process = await started(*ports, str(tmp_path), "--host", "127.0.0.1", "--config", str(config))
        try:
            emmy = await visitor(chromium, 360)
            await emmy.goto(f"http://localhost:{ports[0]}")
            await is_accessible(emmy)
            for _ in range(2):
                await emmy.get_by_test_id("sign-school").click()
                await emmy.get_by_role("heading", name="Hello, Emmy").wait_for()
                # a reload keeps the sign-in, and signing out ends it
                await emmy.reload()
                await emmy.get_by_test_id("sign-out").click()
            await emmy.get_by_test_id("sign-school").wait_for()
        finally:
            await stopped(process)
