from email import message_from_bytes
from email.headerregistry import Address
from email.policy import default
from zoneinfo import ZoneInfo

import icalendar
import pytest

from signaling.teaching import ical
from signaling.teaching.mail import messages
from signaling.teaching.mail.messages import Envelope, Recipient

NOW = 1_796_029_200.0  # 2026-11-30 09:00 UTC
BERLIN = ZoneInfo("Europe/Berlin")


def envelope(name="Ada", address="ada@school.example", zone=BERLIN):
    sender = Address("Example School", addr_spec="lessons@school.example")
    return Envelope(sender, Recipient(name, address, zone), "<1@school.example>", NOW)


def on_the_wire(message):
    """The message as a mail program reads it."""
    content = message.as_bytes()
    assert content.isascii()
    return message_from_bytes(content, policy=default)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (900, "starts in 15 minutes"),
        (60, "starts in 1 minute"),
        (20, "starts now"),
        (-300, "starts now"),
        (90 * 60, "starts in 90 minutes"),
        (7200, "starts in 2 hours"),
        (36 * 3600, "starts in 36 hours"),
        (3 * 86_400, "starts in 3 days"),
    ],
)
def test_the_time_that_is_left(seconds, words):
    assert messages.starts_in(seconds) == words


def test_a_time_is_written_in_the_zone_of_its_reader():
    assert messages.local_time(NOW, BERLIN) == "Monday, 30 November 2026, 10:00 (Europe/Berlin)"
    assert messages.local_time(NOW, ZoneInfo("UTC")).endswith("09:00 (UTC)")


async def test_a_reminder_names_lesson_time_and_address_and_has_a_calendar_file():
    starts_at, link = NOW + 900, "https://school.example/sessions/ses_1"
    calendar = await ical.calendar(
        "Algebra", [ical.CalendarEvent("ses_1@lectern", "عِلم 🎓", starts_at, starts_at + 3600, NOW, link)]
    )
    message = on_the_wire(
        messages.reminder(
            envelope("Ada ❤ Łukasiewicz"),
            title="عِلم 🎓",
            starts_at=starts_at,
            zone=BERLIN,
            link=link,
            calendar=calendar,
        )
    )
    assert message["Subject"] == "عِلم 🎓 starts in 15 minutes"
    assert message["To"].addresses[0].display_name == "Ada ❤ Łukasiewicz"
    assert message["Message-ID"] == "<1@school.example>"
    text = message.get_body(("plain",)).get_content()
    assert "10:15 (Europe/Berlin)" in text
    assert link in text
    (attached,) = message.iter_attachments()
    assert attached.get_content_type() == "text/calendar"
    event = icalendar.Calendar.from_ical(attached.get_content()).walk("VEVENT")[0]
    assert event["dtstart"].dt.timestamp() == starts_at
    assert str(event["uid"]) == "ses_1@lectern"


@pytest.mark.parametrize("text", ["Ada\r\nBcc: eve@evil.example", "Ada\nX: y", "Ada\r"])
def test_no_name_or_title_can_add_a_header(text):
    with pytest.raises(ValueError):
        messages.invitation(envelope(name=text), "school.example", "https://x", NOW)
    with pytest.raises(ValueError):
        messages.reminder(
            envelope(), title=text, starts_at=NOW, zone=BERLIN, link="https://x", calendar=b"BEGIN:VCALENDAR"
        )


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example>\r\nRCPT TO:<eve@evil.example",
        "a@b.example, eve@evil.example",
        "a@b.example> SIZE=1",
        "a",
    ],
)
def test_no_address_can_add_a_recipient_or_a_command(address):
    with pytest.raises((ValueError, IndexError)):
        messages.invitation(envelope(address=address), "school.example", "https://x", NOW)


def test_the_id_of_a_message_is_the_same_in_each_attempt_and_tells_nothing():
    one = messages.message_id("north", 1, NOW, "school.example")
    assert one == messages.message_id("north", 1, NOW, "school.example")
    assert one != messages.message_id("south", 1, NOW, "school.example")
    assert "north" not in one
