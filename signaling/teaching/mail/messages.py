"""The messages, as plain text in English. Pure: the caller looks up whatever is in them.

Headers are set by the standard library's policy, which refuses a line break in any of them; names and titles are
single lines already (`classroom.checks.line`).
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final
from zoneinfo import ZoneInfo

_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who gets a message."""

    name: str
    address: str
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Envelope:
    """What all messages of a server have in common."""

    sender: Address
    recipient: Recipient
    message_id: str
    at: float
    "When the message is sent, seconds since 1970."


def message_id(tenant: str, number: int, created_at: float, domain: str) -> str:
    """Return the Message-ID of a stored mail, the same in each attempt: mail programs drop a repetition."""
    digest = hashlib.sha256(f"{tenant}/{number}/{created_at}".encode()).hexdigest()[:32]
    return f"<{digest}@{domain}>"


def invitation(envelope: Envelope, site: str, link: str, expires_at: float) -> EmailMessage:
    """Return an invitation to an account."""
    until = local_time(expires_at, envelope.recipient.zone)
    text = (
        f"An account for you was created at {site}.\n\n"
        f"Choose a password here, until {until}:\n\n{link}\n\n"
        "If you did not expect this message, ignore it: without a password, the account cannot be used."
    )
    return _message(envelope, f"Your account at {site}", text)


def reset(envelope: Envelope, site: str, link: str, expires_at: float) -> EmailMessage:
    """Return a message with which a person sets another password."""
    until = local_time(expires_at, envelope.recipient.zone)
    text = (
        f"Somebody asked for another password for your account at {site}.\n\n"
        f"Choose one here, until {until}:\n\n{link}\n\n"
        "If it was not you, ignore this message: the present password stays valid."
    )
    return _message(envelope, f"Another password for {site}", text)


def reminder(  # noqa: PLR0913 - the parts of a lesson
    envelope: Envelope, *, title: str, starts_at: float, zone: ZoneInfo, link: str, calendar: bytes
) -> EmailMessage:
    """Return a reminder of a lesson, with its calendar file."""
    begins = starts_in(starts_at - envelope.at)
    text = f"{title} {begins}: {local_time(starts_at, zone)}.\n\nJoin here:\n\n{link}"
    message = _message(envelope, f"{title} {begins}", text)
    message.add_attachment(
        calendar,
        maintype="text",
        subtype="calendar",
        filename="lesson.ics",
        params={"charset": "utf-8", "method": "PUBLISH"},
        cte="base64",
    )
    return message


def local_time(at: float, zone: ZoneInfo) -> str:
    """Return a time as people read it, with its zone."""
    local = datetime.fromtimestamp(at, zone)
    return f"{local:%A}, {local.day} {local:%B %Y}, {local:%H:%M} ({zone.key})"


def starts_in(seconds: float) -> str:
    """Return when a lesson begins, as a predicate."""
    for unit_s, name in ((_DAY_S, "day"), (_HOUR_S, "hour"), (_MINUTE_S, "minute")):
        # Two units of one kind say more than one of the next: "90 minutes", "36 hours".
        if seconds >= 2 * unit_s or (unit_s == _MINUTE_S and seconds > unit_s / 2):
            count = round(seconds / unit_s)
            return f"starts in {count} {name}{'' if count == 1 else 's'}"
    return "starts now"


def _message(envelope: Envelope, subject: str, text: str) -> EmailMessage:
    """Return a message. ValueError when a header cannot hold its value."""
    recipient = envelope.recipient
    message = EmailMessage(policy=SMTP)
    message["From"] = envelope.sender
    message["To"] = Address(recipient.name, addr_spec=recipient.address)
    message["Subject"] = subject
    message["Date"] = datetime.fromtimestamp(envelope.at, ZoneInfo("UTC"))
    message["Message-ID"] = envelope.message_id
    # No answers of absence assistants (RFC 3834, section 5).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"Hello {recipient.name},\n\n{text}\n")
    return message
