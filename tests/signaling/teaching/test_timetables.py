"""Reminders of timetables: stored once, found again by the next process."""

import json

import pytest

from classroom.errors import Code, Malformed
from classroom.school import courses, schedule
from signaling.store import WebhookEndpoint
from signaling.store.people.mails import MailKind
from signaling.teaching import hooks, timetables
from signaling.teaching.hooks import SessionHooks
from signaling.teaching.school import School
from signaling.teaching.timetables import Timetables
from tests.signaling.store.people.test_mails import add_account
from tests.signaling.teaching.harness import START, teaching

SERIES = schedule.Series(
    id="s1",
    title="Optics",
    starts="2027-01-15T09:00",  # an hour after START
    time_zone="UTC",
    duration_s=3600,
    reminders=(600,),
    course="c1",
)
STARTS_AT = START + 3600


class Running:
    """One process with its timetables."""

    def __init__(self, world):
        self.world = world
        self.stored = 0
        self.school = School(world.store.classroom, lambda: world.now)
        self.hooks = SessionHooks(world.store.endpoints)
        self.timetables = Timetables(self.school, self.hooks, self.count, mails=True)
        self.part = self.school.schedule("north", "tutor")

    def count(self):
        self.stored += 1

    async def do(self, command):
        await self.part.do(command, lambda *_: None)

    async def rounds(self):
        while (sleep_s := await self.timetables._carry_out()) == 0:
            pass
        return sleep_s

    async def mails(self):
        return [
            (each.kind, each.person, each.data["starts_at"])
            for each in await self.world.store.mails.due(self.world.now, 100)
        ]


@pytest.fixture
async def running(tmp_path):
    async with teaching(tmp_path) as world:
        for person in ("tutor", "ada"):
            await add_account(world.store, person)
        here = Running(world)
        catalogue = here.school.courses("north")
        for command in (
            courses.Create(course="c1", title="Physics"),
            courses.Enrol(course="c1", person="tutor", role=courses.Role.TUTOR),
            courses.Enrol(course="c1", person="ada", role=courses.Role.STUDENT),
        ):
            await catalogue.do(command, lambda *_: None)
        yield here


async def test_a_reminder_is_stored_once_with_its_mail_and_webhook_also_over_a_restart(running):
    world = running.world
    endpoint = WebhookEndpoint(
        "we_1",
        hooks.KIND,
        "https://school.example",
        {"tenant": "north"},
        START,
        secrets={"secret": hooks.new_secret(b"s" * 32)},
    )
    await running.hooks.put(endpoint)
    await running.do(schedule.Add(by="tutor", series=SERIES))
    assert await running.rounds() == timetables.LONGEST_SLEEP_S
    world.now = STARTS_AT - 601
    assert await running.rounds() == pytest.approx(1)
    assert await running.mails() == []
    again = Running(world)  # another process, a little late
    await again.hooks.load()
    world.now = STARTS_AT - 590
    await again.rounds()
    wanted = [(MailKind.LESSON_REMINDER, person, STARTS_AT) for person in ("ada", "tutor")]
    assert sorted(await again.mails()) == wanted
    assert again.stored == 1
    third = Running(world)
    world.now = STARTS_AT
    await third.rounds()
    assert sorted(await third.mails()) == wanted
    (delivery,) = await world.store.outbox.due("we_1", world.now, 10)
    body = json.loads(delivery.content.body)
    assert (body["type"], body["data"]["lesson"]["starts_at"]) == ("lesson.reminder", STARTS_AT)
    assert (body["data"]["tutor"], body["data"]["series"]["title"]) == ("tutor", "Optics")


async def test_a_command_that_comes_before_the_timer_loses_no_reminder(running):
    await running.do(schedule.Add(by="tutor", series=SERIES))
    running.world.now = STARTS_AT - 600
    changed = schedule.structs.replace(SERIES, title="Waves")
    await running.do(schedule.Change(by="tutor", series=changed))
    await running.rounds()
    assert len(await running.mails()) == 2


async def test_people_of_a_course_are_reminded_by_its_tutors_alone(running):
    await running.school.courses("north").do(
        courses.Enrol(course="c1", person="tutor", role=courses.Role.STUDENT), lambda *_: None
    )
    await running.do(schedule.Add(by="tutor", series=SERIES))
    running.world.now = STARTS_AT - 600
    await running.rounds()
    assert [person for _, person, _ in await running.mails()] == ["tutor"]


async def test_without_mail_there_are_webhooks_alone(running):
    Timetables(running.school, running.hooks, running.count, mails=False)
    running.part._effects = running.school._effects
    await running.do(schedule.Add(by="tutor", series=SERIES))
    running.world.now = STARTS_AT - 600
    await running.rounds()
    assert await running.mails() == []


async def test_a_timetable_that_cannot_be_expanded_is_not_tried_for_ever(running, monkeypatch):
    await running.do(schedule.Add(by="tutor", series=SERIES))
    running.world.now = STARTS_AT - 600

    async def broken():
        raise Malformed(Code.BAD_RECURRENCE, "The rule is of another release.")

    monkeypatch.setattr(running.part, "poke", broken)
    await running.rounds()
    assert await running.world.store.classroom.next_timer_at() is None


async def test_removing_a_series_removes_its_timer(running):
    await running.do(schedule.Add(by="tutor", series=SERIES))
    assert await running.world.store.classroom.next_timer_at() == STARTS_AT - 600
    await running.do(schedule.Remove(by="tutor", series="s1"))
    assert await running.world.store.classroom.next_timer_at() is None
