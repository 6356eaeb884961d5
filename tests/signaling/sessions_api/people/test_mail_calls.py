"""Mail as people get it: a server, a real mail server beside it."""

import logging
import re
import time

import icalendar
import pytest

from tests.signaling.mailbox import mailbox, text
from tests.signaling.school_client import School, eventually
from tests.signaling.school_world import serving

PASSWORD = "correct horse battery"
ADDRESS = "ada@school.example"


def mail_options(box):
    return {
        "mail_host": "127.0.0.1",
        "mail_port": box.port,
        "mail_tls": "none",
        "mail_from": "Example School <lessons@school.example>",
        "public_url": "https://school.example",
    }


@pytest.fixture
async def box():
    async with mailbox() as box:
        yield box


@pytest.fixture
async def mailing(template, tmp_path, box):
    async with serving(template, tmp_path, **mail_options(box)) as world:
        school = School(world.http, world.url)
        school.world = world
        yield school


def token_in(message):
    return re.search(r"https://school\.example/sessions/password#invitation=(\S+)", text(message))[1]


async def account(school, box, email=ADDRESS, name="Ada", role="student"):
    """Somebody who accepted an invitation by mail; their id."""
    count = len(box.messages)
    made = await school.application.post("/users", {"email": email, "name": name, "role": role}, 201)
    assert made["mailed"]
    message = (await box.has(count + 1))[-1]
    assert message["To"].addresses[0].addr_spec == email
    await school.bearer("").post("/passwords", {"token": token_in(message), "password": PASSWORD})
    return made["user"]["id"]


async def signed_in(school, email=ADDRESS, password=PASSWORD):
    found = await school.bearer("").post("/sign-in", {"email": email, "password": password})
    return school.bearer(found["access_token"])


async def forget(school, email=ADDRESS, status=202):
    return await school.bearer("").post("/passwords/forgotten", {"email": email}, status)


async def test_an_invitation_and_a_forgotten_password_come_by_mail(mailing, box, caplog):
    caplog.set_level(logging.DEBUG, "signaling")
    await account(mailing, box)
    answers = [await forget(mailing, " ADA@School.example"), await forget(mailing, "nobody@school.example")]
    assert answers == [{"requested": True}] * 2
    message = (await box.has(2))[1]
    assert message["Subject"] == "Another password for school.example"
    body = {"token": token_in(message), "password": "another long password"}
    await mailing.bearer("").post("/passwords", body)
    await signed_in(mailing, password="another long password")

    async def empty():
        return await mailing.world.server.store.mails.count() == 0

    await eventually(empty)
    assert len(box.messages) == 2, "nothing for the address without an account"
    assert [each[1] for each in box.envelopes] == [[ADDRESS]] * 2
    audit = await mailing.application.get("/audit?action=password.forgotten")
    assert len(audit["data"]) == 2
    assert "ada" not in caplog.text.lower()


async def test_nobody_is_flooded_and_the_limit_reveals_no_account(mailing, box):
    await account(mailing, box)
    for email in (ADDRESS, "nobody@school.example"):
        for _ in range(3):
            await forget(mailing, email)
        assert (await forget(mailing, email, 429))["code"] == "too_fast"
    users = (await mailing.application.get("/users"))["data"]
    refused = await mailing.application.post(f"/users/{users[0]['id']}/reset-password", {}, 429)
    assert refused["code"] == "too_fast"


async def test_a_person_chooses_time_zone_and_reminders(mailing, box):
    await account(mailing, box)
    ada = await signed_in(mailing)
    start = {"email": ADDRESS, "time_zone": "", "reminders": True, "sent": True}
    assert await ada.get("/me/mail") == start
    changed = await ada.call("PUT", "/me/mail", {"time_zone": "Asia/Tokyo", "reminders": False})
    assert changed == {**start, "time_zone": "Asia/Tokyo", "reminders": False}
    assert await ada.get("/me/mail") == changed
    assert (await ada.call("PUT", "/me/mail", {"time_zone": "Mars/Base"}, 400))["code"] == "bad_time_zone"
    assert (await mailing.person("sam").get("/me/mail", 403))["code"] == "not_allowed"


async def planned(school, people, in_s=3600.5, before_s=3600):
    """A session that reminds half a second from now."""
    return await school.application.post(
        "/sessions",
        {
            "title": "Algebra عِلم",
            "owner": {"id": "tutor", "name": "Ms Noether"},
            "starts_at": time.time() + in_s,
            "people": [{"id": person, "name": "X"} for person in people],
            "settings": {"reminders": [before_s]},
        },
    )


async def test_a_scheduled_session_reminds_its_people_each_in_their_own_zone_once(mailing, box):
    ada, ben = [await account(mailing, box, f"{name}@school.example", name) for name in ("ada", "ben")]
    cem = await account(mailing, box, "cem@school.example", "cem")
    await (await signed_in(mailing)).call("PUT", "/me/mail", {"time_zone": "Asia/Tokyo"})
    await (await signed_in(mailing, "cem@school.example")).call("PUT", "/me/mail", {"reminders": False})
    session = await planned(mailing, [ada, ben, cem, "sam"])
    found = {each["To"].addresses[0].addr_spec: each for each in (await box.has(5))[3:]}
    assert set(found) == {"ada@school.example", "ben@school.example"}
    assert all(each["Subject"] == "Algebra عِلم starts in 60 minutes" for each in found.values())
    assert "(Asia/Tokyo)" in text(found[ADDRESS])
    assert "(UTC)" in text(found["ben@school.example"])
    assert f"https://school.example/sessions/{session['id']}" in text(found[ADDRESS])
    (attached,) = found[ADDRESS].iter_attachments()
    event = icalendar.Calendar.from_ical(attached.get_content()).walk("VEVENT")[0]
    assert event["dtstart"].dt.timestamp() == pytest.approx(session["starts_at"], abs=1)
    feed = await mailing.application.get(f"/sessions/{session['id']}/calendar.ics")
    mine = icalendar.Calendar.from_ical(feed).walk("VEVENT")[0]
    assert mine["uid"] == event["uid"], "the same entry of the calendar"
    await mailing.application.post(f"/sessions/{session['id']}/cancel")
    assert len(box.messages) == 5


async def test_reminders_that_wait_survive_a_restart_and_come_once(template, tmp_path, box):
    box.answers = ["451 later"] * 1
    async with serving(template, tmp_path, **mail_options(box)) as world:
        school = School(world.http, world.url)
        box.answers = []
        ada = await account(school, box)
        box.answers = ["451 later"]
        await planned(school, [ada])

        async def tried():
            return not box.answers

        await eventually(tried)
    assert len(box.messages) == 1
    async with serving(template, tmp_path, **mail_options(box)) as world:
        store = world.server.store
        async with store.mails._engine.begin() as connection:
            await connection.exec_driver_sql("UPDATE mails SET next_at = 0")
        world.server.teaching.mail.wake()
        assert (await box.has(2))[1]["Subject"].startswith("Algebra")

        async def empty():
            return await store.mails.count() == 0

        await eventually(empty)
    async with serving(template, tmp_path, **mail_options(box)) as world:
        await eventually(empty_of(world))
    assert len(box.messages) == 2


def empty_of(world):
    async def empty():
        return await world.server.store.mails.count() == 0

    return empty


async def test_a_lesson_of_a_timetable_reminds_tutor_and_course(mailing, box):
    tutor = await account(mailing, box, "tutor@school.example", "Ms Noether", "tutor")
    ada = await account(mailing, box)
    course = (await mailing.application.post("/courses", {"title": "Physics"}))["id"]
    for person, role in ((tutor, "tutor"), (ada, "student")):
        await mailing.application.post(f"/courses/{course}/enrolments", {"person": person, "role": role})
    starts = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 3602))
    series = {"title": "Optics", "starts": starts, "time_zone": "UTC", "duration_s": 3600}
    teaching = await signed_in(mailing, "tutor@school.example")
    await teaching.post(f"/schedule/{tutor}/series", {**series, "reminders": [3600], "course": course})
    # Somebody else's course: only the owner of the timetable is reminded.
    await account(mailing, box, "eve@school.example", "Eve", "tutor")
    eve = await signed_in(mailing, "eve@school.example")
    own = (await eve.get("/me"))["person"]
    await eve.post(f"/schedule/{own}/series", {**series, "reminders": [3600], "course": course})
    found = (await box.has(6))[3:]
    assert sorted(each["To"].addresses[0].addr_spec for each in found) == [
        "ada@school.example",
        "eve@school.example",
        "tutor@school.example",
    ]
    assert all(each["Subject"] == "Optics starts in 60 minutes" for each in found)
    await eventually(empty_of(mailing.world))
    assert len(box.messages) == 6


async def test_without_a_mail_server_nothing_is_promised(school):
    made = await school.application.post("/users", {"email": ADDRESS, "name": "Ada"}, 201)
    assert not made["mailed"]
    assert (await forget(school, status=501))["code"] == "mail_off"
    assert await school.world.server.store.mails.count() == 0
