"""Sends the stored mail, one message after the other, until the mail server has accepted each.

A mail is deleted after its acceptance. A server that is killed in between sends it again, with the same Message-ID.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Final
from urllib.parse import quote, urlsplit
from zoneinfo import ZoneInfo

from classroom.errors import Malformed
from classroom.ids import PersonId, SessionId
from classroom.roles import UNFINISHED
from classroom.school import recurrence
from signaling.access.sign_ins import SignIns
from signaling.errors import StoreError
from signaling.ids import TenantId
from signaling.limits import Limiter, Rate
from signaling.store import Store
from signaling.store.people.accounts import Account, TokenKind
from signaling.store.people.mails import REMINDERS, Mail, MailKind, NewMail
from signaling.teaching import ical
from signaling.teaching.mail import messages
from signaling.teaching.mail.messages import Envelope, Recipient
from signaling.teaching.mail.smtp import MailError, MailServer, send

log = logging.getLogger(__name__)

_AT_ONCE: Final = 20
LONGEST_SLEEP_S: Final = 60.0
AGAIN_S: Final = 5.0

# The waits between attempts double from the first to the last of these.
FIRST_RETRY_S: Final = 30.0
LAST_RETRY_S: Final = 3600.0
GIVE_UP_AFTER_S: Final = 86_400.0

# A lesson that began this long ago needs no reminder.
LATE_S: Final = 600.0

# Of one person: more lessons than a day has, and less than a flood by somebody who may plan sessions.
_REMINDERS: Final = Rate(per_s=30 / 86_400, burst=30)

# A session does not say how long it will be.
_USUAL_S: Final = 3600.0

Send = Callable[[MailServer, EmailMessage, str], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The operator's choices."""

    server: MailServer
    public_url: str
    "Links in messages begin with it; never with a host that a request named."


class MailSender:
    """Stores mail and sends it."""

    def __init__(
        self,
        store: Store,
        sign_ins: SignIns,
        settings: MailSettings,
        wall_clock: Callable[[], float],
        send_: Send = send,
    ) -> None:
        """`wall_clock` is seconds since 1970."""
        self._store = store
        self._sign_ins = sign_ins
        self._settings = settings
        self._wall_clock = wall_clock
        self._send = send_
        self._base = settings.public_url.rstrip("/")
        self._site = urlsplit(self._base).netloc
        self._reminders = Limiter(_REMINDERS)
        self._news = asyncio.Event()
        self._goes_on = True

    async def add(self, tenant: TenantId, kind: MailKind, person: PersonId) -> None:
        """Store a mail to a person with an account, and send it soon. StoreError."""
        await self._store.mails.add(tenant, NewMail(kind, [person]), self._wall_clock())
        self.wake()

    def wake(self) -> None:
        """Look for new mail."""
        self._news.set()

    def stop(self) -> None:
        """End `run` after its present step."""
        self._goes_on = False
        self._news.set()

    async def run(self) -> None:
        """Send mail until stopped."""
        while self._goes_on:
            self._news.clear()
            try:
                sleep_s = await self._round()
            except StoreError as error:
                log.warning("mail waits for the database: %s", error)
                sleep_s = AGAIN_S
            try:
                async with asyncio.timeout(sleep_s):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def _round(self) -> float:
        """Send what is due; return the seconds until the next check."""
        store = self._store.mails
        due = await store.due(self._wall_clock(), _AT_ONCE)
        for mail in due:
            if not self._goes_on:
                break
            try:
                await self._deliver(mail)
            except MailError as error:
                log.warning("the mail server cannot be used: %s", error)
                return AGAIN_S
        if due:
            return 0.0
        at = await store.next_at()
        return LONGEST_SLEEP_S if at is None else min(max(at - self._wall_clock(), 0.0), LONGEST_SLEEP_S)

    async def _deliver(self, mail: Mail) -> None:
        """Make one attempt. MailError when the mail server is out of reach."""
        now, store = self._wall_clock(), self._store.mails
        account = await self._store.accounts.of(mail.tenant).get(mail.person)
        if account is None or not self._is_wanted(mail, account, now):
            await store.delete(mail)
            return
        retry_in_s = min(FIRST_RETRY_S * 2 ** min(mail.attempts, 30), LAST_RETRY_S)
        if not await store.begin(mail, now + retry_in_s):
            return
        try:
            message = await self._message(mail, account, now)
            if message is not None:
                await self._send(self._settings.server, message, account.email)
        except ValueError:
            log.warning("mail %d (%s) cannot be written and is given up", mail.number, mail.kind)
        except MailError as error:
            if error.permanent:
                log.warning("mail %d (%s) is given up: %s", mail.number, mail.kind, error)
            else:
                log.warning("mail %d (%s), attempt %d: %s", mail.number, mail.kind, mail.attempts + 1, error)
                if not error.connected:
                    raise
                return
        await store.delete(mail)

    def _is_wanted(self, mail: Mail, account: Account, now: float) -> bool:
        if account.disabled_at is not None or now - mail.created_at > GIVE_UP_AFTER_S:
            return False
        if mail.kind is MailKind.INVITATION:
            return account.password_hash is None
        if mail.kind not in REMINDERS:
            return True
        if not account.reminders or account.password_hash is None or now > mail.data["starts_at"] + LATE_S:
            return False
        # Only the first attempt counts.
        key = f"{mail.tenant}/{mail.person}"
        return bool(mail.attempts) or self._reminders.take_tokens(key, now) == 0

    async def _message(self, mail: Mail, account: Account, now: float) -> EmailMessage | None:
        """Return the message as it is now; None when there is no occasion for it any more. ValueError."""
        sender = self._settings.server.sender
        identity = messages.message_id(mail.tenant, mail.number, mail.created_at, sender.domain)
        zone = _zone(account.time_zone, str(mail.data.get("time_zone", "")))
        envelope = Envelope(sender, Recipient(account.name, account.email, zone), identity, now)
        if mail.kind is MailKind.SESSION_REMINDER:
            return await self._of_session(mail, envelope)
        if mail.kind is MailKind.LESSON_REMINDER:
            return await self._reminder(
                envelope,
                uid=str(mail.data["uid"]),
                title=str(mail.data["title"]),
                starts_at=float(mail.data["starts_at"]),
                ends_at=float(mail.data["ends_at"]),
                link=f"{self._base}/sessions",
            )
        # Made for each attempt: the database has no token that could be read from it.
        token, expires_at = await self._sign_ins.make(mail.tenant, TokenKind.PASSWORD, account.id)
        # Browsers do not send the fragment to any server.
        link = f"{self._base}/sessions/password#invitation={token}"
        write = messages.invitation if mail.kind is MailKind.INVITATION else messages.reset
        return write(envelope, self._site, link, expires_at)

    async def _of_session(self, mail: Mail, envelope: Envelope) -> EmailMessage | None:
        session_id = SessionId(str(mail.data["session"]))
        row = await self._store.classroom.of(mail.tenant).session(session_id)
        starts_at = float(mail.data["starts_at"])
        if row is None or row.phase not in UNFINISHED or row.starts_at != starts_at:
            return None
        return await self._reminder(
            envelope,
            uid=row.id,
            title=row.title,
            starts_at=starts_at,
            ends_at=starts_at + _USUAL_S,
            link=f"{self._base}/sessions/{quote(row.id)}",
        )

    @staticmethod
    async def _reminder(  # noqa: PLR0913 - the parts of a lesson
        envelope: Envelope, *, uid: str, title: str, starts_at: float, ends_at: float, link: str
    ) -> EmailMessage:
        entry = ical.CalendarEvent(f"{uid}@lectern", title, starts_at, ends_at, envelope.at, link)
        calendar = await ical.calendar(title, [entry])
        return messages.reminder(
            envelope,
            title=title,
            starts_at=starts_at,
            zone=envelope.recipient.zone,
            link=link,
            calendar=calendar,
        )


def _zone(*names: str) -> ZoneInfo:
    """Return the first known zone of these, otherwise UTC."""
    for name in names:
        try:
            if name:
                return recurrence.zone(name)
        except Malformed:
            continue
    return ZoneInfo("UTC")
