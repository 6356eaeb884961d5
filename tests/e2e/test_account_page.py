"""The account page in a browser: a second factor from its QR code to its end, mail, a ban, another password."""

import time

import aiohttp
import pyotp
import pytest

from tests.e2e.test_session_home import is_accessible
from tests.e2e.test_session_page import visitor
from tests.signaling.school_client import School, person_token

pytestmark = pytest.mark.timeout(120)

PASSWORD, CHANGED = "correct horse battery", "staple the horses"


async def tutor_with_a_ban(http, server, email):
    """A tutor who has an account and banned Sam from all sessions; the token of the sign-in."""
    school = School(http, server.page)
    application = school.application
    invited = await application.post("/users", {"email": email, "name": "Eve <b>", "role": "tutor"})
    await application.post("/passwords", {"token": invited["password_token"], "password": PASSWORD})
    signed = await application.post("/sign-in", {"email": email, "password": PASSWORD})
    eve = school.bearer(signed["access_token"])
    lesson = (await eve.post("/sessions", {"title": "Algebra 8b"}))["id"]
    await eve.post(f"/sessions/{lesson}/join")
    await eve.post(f"/sessions/{lesson}/start")
    await school.person("sam").post(f"/sessions/{lesson}/join")
    await eve.post(f"/sessions/{lesson}/moderation/ban", {"person": "sam", "scope": "forever"})
    return signed["access_token"]


async def enrol(page):
    """Scan, confirm, and see the recovery codes; return the authenticator and a recovery code."""
    await page.get_by_test_id("factor-password").fill("wrong password")
    await page.get_by_test_id("factor-next").click()
    await page.get_by_test_id("factor-problem").get_by_text("password is wrong").wait_for()
    await page.get_by_test_id("factor-password").fill(PASSWORD)
    await page.get_by_test_id("factor-next").click()
    await page.get_by_test_id("factor-picture").wait_for()
    await is_accessible(page)
    phone = pyotp.TOTP((await page.get_by_test_id("factor-secret").inner_text()).replace(" ", ""))
    await page.get_by_test_id("factor-code").fill("000000")
    await page.get_by_test_id("factor-next").click()
    await page.get_by_test_id("factor-problem").get_by_text("code is wrong").wait_for()
    # The code of the step before, since each step's code can be used once.
    await page.get_by_test_id("factor-code").fill(phone.at(int(time.time()) - 30))
    await page.get_by_test_id("factor-next").click()
    await page.get_by_test_id("recovery-codes").wait_for()
    codes = await page.get_by_test_id("recovery-codes").locator("code").all_inner_texts()
    assert len(codes) == 10
    await is_accessible(page)
    await page.get_by_test_id("codes-kept").click()
    await page.locator("[data-testid=factor][data-on=true]").get_by_text("10 recovery codes").wait_for()
    return phone, codes[0]


async def lift_the_ban(page):
    ban = page.get_by_test_id("ban")
    await ban.get_by_text("Algebra 8b").wait_for()
    await is_accessible(page)
    await ban.get_by_test_id("ban-lift").click()
    await page.get_by_test_id("bans").get_by_text("Sam can join").wait_for()
    assert await ban.count() == 0


async def offer_appointments(page):
    """A time that ends before it begins is refused; a good one is stored and shown again."""
    await page.get_by_test_id("hours-add").click()
    await page.get_by_test_id("hours-0-day").select_option("6")
    await page.get_by_test_id("hours-0-to").fill("08:00")
    await page.get_by_test_id("hours-save").click()
    await page.get_by_test_id("hours-problem").wait_for()
    await page.get_by_test_id("hours-0-to").fill("11:30")
    await page.get_by_test_id("hours-save").click()
    await page.get_by_text("Your times are saved").wait_for()
    await is_accessible(page)


async def test_a_tutor_manages_the_account(server, chromium):
    email = f"eve-{server.http_port}-{time.time_ns()}@school.example"
    async with aiohttp.ClientSession() as http:
        token = await tutor_with_a_ban(http, server, email)
        page = await visitor(chromium, 360)
        await page.goto(f"{server.page}/#access_token={token}")
        await page.get_by_test_id("account-link").click()
        await lift_the_ban(page)
        await offer_appointments(page)
        phone, recovery = await enrol(page)
        await page.get_by_test_id("mail-zone").select_option("Asia/Tokyo")
        await page.get_by_test_id("mail-reminders").click()
        await page.reload()
        await page.locator("[data-testid=factor][data-on=true]").wait_for()
        assert await page.get_by_test_id("hours-0-day").input_value() == "6"
        assert await page.get_by_test_id("hours-0-to").input_value() == "11:30"
        assert await page.get_by_test_id("mail-zone").input_value() == "Asia/Tokyo"
        await page.get_by_test_id("factor-disable").click()
        await page.get_by_test_id("factor-code").fill(recovery)
        await page.get_by_test_id("factor-next").click()
        await page.locator("[data-testid=factor][data-on=false]").wait_for()
        for field, value in (("present", PASSWORD), ("new", CHANGED), ("again", CHANGED)):
            await page.get_by_test_id(f"change-{field}").fill(value)
        await page.get_by_test_id("change-submit").click()
        await page.get_by_test_id("password-changed").wait_for()
        await page.get_by_test_id("account-sign-in").click()
        await page.get_by_test_id("sign-submit").wait_for()
        application = School(http, server.page).application
        signed = await application.post("/sign-in", {"email": email, "password": CHANGED})
        eve = School(http, server.page).bearer(signed["access_token"])
        mail = await eve.get("/me/mail")
        assert (mail["time_zone"], mail["reminders"]) == ("Asia/Tokyo", False)
        assert phone.secret
    # The refusals of a wrong password and a wrong code, which browsers report by themselves.
    assert [each for each in page.complaints if "401" not in each] == []


async def test_people_without_an_account_here_are_told_so(server, chromium):
    page = await visitor(chromium)
    token = person_token("sam")
    await page.goto(f"{server.page}/sessions/account#access_token={token}")
    await page.get_by_test_id("account-none").wait_for()
    assert await page.get_by_test_id("bans").count() == 0
