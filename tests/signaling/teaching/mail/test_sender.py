"""The sender on a real database, with a clock and a mail server of the test's own."""

import asyncio
import logging
from contextlib import asynccontextmanager
from email.headerregistry import Address

import pytest

from signaling.access.sign_ins import SignIns
from signaling.store.people.accounts import Account
from signaling.store.people.mails import MailKind, NewMail
from signaling.store.store import MEMORY_URL, Store
from signaling.teaching.mail import sender as sending
from signaling.teaching.mail.sender import MailSender, MailSettings
from signaling.teaching.mail.smtp import MailError, MailServer

NOW = 1_800_000_000.0


class Post:
    """A mail server that does what it is told."""

    def __init__(self):
        self.errors = []
        self.attempts = []
        self.accepted = []
        self.change = None

    async def send(self, _server, message, recipient):
        self.attempts.append(message)
        if self.change is not None:
            self.change()
        if self.errors:
            error = self.errors.pop(0)
            if error is not None:
                raise error
        self.accepted.append((recipient, message))


class Desk:
    """A sender, and what is around it."""

    def __init__(self, store):
        self.store = store
        self.now = NOW
        self.post = Post()
        server = MailServer("mail.example", 25, Address("School", addr_spec="lessons@school.example"))
        settings = MailSettings(server, "https://school.example/lectern/")
        self.sender = MailSender(
            store, SignIns(store.accounts, self.clock), settings, self.clock, self.post.send
        )

    def clock(self):
        return self.now

    async def account(self, person="ada", name="Ada", **more):
        values = {"password_hash": "x", "email": f"{person}@school.example", **more}
        row = Account("north", person, values.pop("email"), name, "student", values.pop("password_hash"), NOW)
        await self.store.accounts.of("north").add(row)

    async def lesson(self, person="ada", starts_in=900.0):
        data = {"uid": "s/1", "title": "Optics", "time_zone": "Europe/Berlin"}
        starts_at = self.now + starts_in
        mail = NewMail(
            MailKind.LESSON_REMINDER, [person], {**data, "starts_at": starts_at, "ends_at": starts_at + 60}
        )
        await self.store.mails.add("north", mail, self.now)

    async def rounds(self):
        """Send until there is nothing to do now; return the sleep until the next round."""
        while (sleep_s := await self.sender._round()) == 0:
            pass
        return sleep_s


@pytest.fixture
async def desk():
    store = await Store.open(MEMORY_URL)
    yield Desk(store)
    await store.close()


async def test_each_attempt_has_the_same_id_and_a_token_that_is_not_in_the_database(desk):
    await desk.account()
    await desk.sender.add("north", MailKind.RESET, "ada")
    desk.post.errors = [MailError("451")]
    assert await desk.rounds() == 30
    desk.now += 30
    assert await desk.rounds() == sending.LONGEST_SLEEP_S
    first, second = desk.post.attempts
    assert first["Message-ID"] == second["Message-ID"]
    assert (
        "https://school.example/lectern/sessions/password#invitation=lst_" in second.get_body().get_content()
    )
    assert [recipient for recipient, _ in desk.post.accepted] == ["ada@school.example"]
    assert await desk.store.mails.count() == 0


async def test_waits_grow_and_a_mail_is_given_up_after_a_day(desk):
    await desk.account()
    await desk.sender.add("north", MailKind.RESET, "ada")
    waits = []
    desk.post.errors = [MailError("451")] * 100
    while await desk.store.mails.count():
        await desk.rounds()
        next_at = await desk.store.mails.next_at()
        if next_at is not None:
            waits.append(next_at - desk.now)
            desk.now = next_at
    assert waits[:4] == [30, 60, 120, 240]
    assert max(waits) == 3600
    assert desk.now - NOW > 86_400
    assert desk.post.accepted == []


@pytest.mark.parametrize("error", [MailError("550", permanent=True), None])
async def test_what_is_final_is_not_tried_again(desk, error, caplog):
    await desk.account()
    await desk.sender.add("north", MailKind.RESET, "ada")
    desk.post.errors = [error]
    await desk.rounds()
    assert (len(desk.post.attempts), await desk.store.mails.count()) == (1, 0)
    assert ("given up" in caplog.text) == (error is not None)
    assert "ada" not in caplog.text


async def test_while_the_mail_server_is_away_there_is_one_attempt_at_a_time(desk):
    for person in ("ada", "ben", "cem"):
        await desk.account(person)
        await desk.sender.add("north", MailKind.RESET, person)
    desk.post.errors = [MailError("gone", connected=False)]
    assert await desk.sender._round() == sending.AGAIN_S
    assert len(desk.post.attempts) == 1
    await desk.rounds()
    assert [recipient[:3] for recipient, _ in desk.post.accepted] == ["ben", "cem"]
    desk.now += 30
    await desk.rounds()
    assert len(desk.post.accepted) == 3


async def test_a_reminder_that_came_too_late_or_is_not_wanted_any_more_is_left_out(desk):
    await desk.account()
    await desk.lesson()
    desk.now += 900 + sending.LATE_S + 1
    await desk.rounds()
    await desk.lesson()
    await desk.store.accounts.of("north").change("ada", reminders=False)
    await desk.rounds()
    assert (desk.post.attempts, await desk.store.mails.count()) == ([], 0)


async def test_an_invitation_that_was_accepted_meanwhile_is_left_out(desk):
    await desk.account(password_hash=None)
    await desk.sender.add("north", MailKind.INVITATION, "ada")
    await desk.store.accounts.of("north").change("ada", password_hash="x")
    await desk.rounds()
    assert desk.post.attempts == []


async def test_a_person_gets_so_many_reminders_a_day(desk):
    await desk.account()
    for _ in range(40):
        await desk.lesson()
    await desk.rounds()
    assert len(desk.post.accepted) == 30
    desk.now += 86_400
    await desk.lesson()
    await desk.rounds()
    assert len(desk.post.accepted) == 31


async def test_a_session_that_was_moved_is_not_reminded_of(desk):
    await desk.account()
    mail = NewMail(MailKind.SESSION_REMINDER, ["ada"], {"session": "ses_1", "starts_at": desk.now + 900})
    await desk.store.mails.add("north", mail, desk.now)
    await desk.rounds()
    assert (desk.post.attempts, await desk.store.mails.count()) == ([], 0)


async def test_an_address_that_cannot_be_written_costs_its_own_mail_alone(desk, caplog):
    await desk.account("eve", email='"x@school.example> SIZE=1')
    await desk.account()
    for person in ("eve", "ada"):
        await desk.sender.add("north", MailKind.RESET, person)
    await desk.rounds()
    assert [recipient for recipient, _ in desk.post.accepted] == ["ada@school.example"]
    assert await desk.store.mails.count() == 0
    assert "school.example" not in caplog.text


@asynccontextmanager
async def running(sender):
    task = asyncio.create_task(sender.run())
    yield
    sender.stop()
    async with asyncio.timeout(5):
        await task


async def test_new_mail_is_sent_at_once_and_a_failing_database_ends_nothing(desk, monkeypatch, caplog):
    caplog.set_level(logging.WARNING)
    monkeypatch.setattr(sending, "AGAIN_S", 0.01)
    await desk.account()
    sent = asyncio.Event()
    desk.post.change = sent.set
    broken = desk.store.mails.due
    from signaling.errors import StoreError

    calls = iter([StoreError("gone")])

    async def due(*arguments):
        for error in calls:
            raise error
        return await broken(*arguments)

    monkeypatch.setattr(desk.store.mails, "due", due)
    async with running(desk.sender):
        await desk.sender.add("north", MailKind.RESET, "ada")
        async with asyncio.timeout(5):
            await sent.wait()
    assert "mail waits for the database" in caplog.text
