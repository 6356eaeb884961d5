"""Reminders of timetables: one task that sleeps until the next one, and what each causes.

The time of the next reminder of each timetable is in the database, so that a restarted server finds those it missed.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from classroom.base import Event
from classroom.errors import Refused
from classroom.ids import CourseId, PersonId
from classroom.school import courses, schedule
from signaling.errors import StoreError
from signaling.ids import TenantId
from signaling.store.classroom.records import Timer
from signaling.store.people.mails import MailKind, NewMail
from signaling.teaching.hooks import SessionHooks
from signaling.teaching.school import Outgoing, School

log = logging.getLogger(__name__)

MAX_AT_ONCE: Final = 50

# A new timetable is known from its commit only to this process; the database is asked at least this often, which is
# what a reminder may be late by.
LONGEST_SLEEP_S: Final = 5.0
AGAIN_S: Final = 5.0


class Timetables:
    """Carries out the reminders of all timetables."""

    def __init__(
        self, school: School, hooks: SessionHooks, stored: Callable[[], None], *, mails: bool
    ) -> None:
        """`stored` is called after reminders were stored, and must not fail; `mails`: whether mail is sent."""
        self._mails = mails
        self._school = school
        self._hooks = hooks
        self._stored = stored
        self._stopped = asyncio.Event()
        school.cause(self.effects)

    def stop(self) -> None:
        """End `run` after its present step."""
        self._stopped.set()

    async def run(self) -> None:
        """Carry out reminders until stopped."""
        while not self._stopped.is_set():
            try:
                sleep_s = await self._carry_out()
            except StoreError as error:
                log.warning("reminders of timetables wait: %s", error)
                sleep_s = AGAIN_S
            try:
                async with asyncio.timeout(sleep_s):
                    await self._stopped.wait()
            except TimeoutError:
                continue

    async def _carry_out(self) -> float:
        """Carry out what is due; return the seconds until the next check."""
        store, now = self._school.store, self._school.wall_clock()
        due = await store.timers_due(now, MAX_AT_ONCE)
        for tenant, name in due:
            try:
                await self._school.part_of_log(tenant, name).poke()
            except Refused as error:
                # A rule that this release expands no more; the timetable can still be changed.
                log.warning("a timetable has no reminders: %s", error.code)
                await store.of(tenant).append(name, [], timer=Timer(None))
        if due:
            self._stored()
            return 0.0
        at = await store.next_timer_at()
        wait_s = LONGEST_SLEEP_S if at is None else at - self._school.wall_clock()
        return min(max(wait_s, 0.05), LONGEST_SLEEP_S)

    async def effects(
        self, tenant: TenantId, tutor: PersonId, state: schedule.State, events: Sequence[Event]
    ) -> Outgoing:
        """Return the webhooks and the mail about the reminders among new events of a timetable. StoreError."""
        due = [each for event in events if isinstance(event, schedule.Reminded) for each in event.reminders]
        deliveries, mails = [], []
        for reminder in due:
            series = state.entries[reminder.occurrence.series].series
            deliveries += self._hooks.lesson_deliveries(tenant, tutor, series, reminder)
            if not self._mails:
                continue
            people = [tutor]
            if series.course:
                people += await self._school.courses(tenant).read(partial(_members, series.course, tutor))
            mails.append(NewMail(MailKind.LESSON_REMINDER, people, _data(series, reminder)))
        return Outgoing(deliveries, mails)


def _members(course_id: CourseId, tutor: PersonId, state: courses.State) -> list[PersonId]:
    """Return the people of a course, if the timetable's owner may write to them."""
    course = state.courses.get(course_id)
    if course is None or course.archived or course.people.get(tutor) is not courses.Role.TUTOR:
        return []
    return list(course.people)


def _data(series: schedule.Series, reminder: schedule.Reminder) -> dict[str, Any]:
    return {
        "uid": f"{series.id}/{reminder.occurrence.key}",
        "title": series.title,
        "time_zone": series.time_zone,
        "starts_at": reminder.occurrence.starts_at,
        "ends_at": reminder.occurrence.ends_at,
    }
