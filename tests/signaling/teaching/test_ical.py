from datetime import UTC, datetime

import icalendar

from signaling.teaching.ical import CalendarEvent, calendar

AT = datetime(2026, 11, 30, 9, 0, tzinfo=UTC).timestamp()


async def test_a_calendar_has_the_lines_that_the_standard_asks_for():
    title = "Ünits, part 1; a\\b\nline"
    event = CalendarEvent("x@lectern", title, AT, AT + 3600, AT, "https://s.example/join/x", sequence=7)
    content = await calendar("Lessons", [event])
    lines = content.decode().split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    wanted = {"VERSION:2.0", "METHOD:PUBLISH", "X-WR-CALNAME:Lessons", "UID:x@lectern", "SEQUENCE:7"}
    wanted |= {"DTSTART:20261130T090000Z", "DTEND:20261130T100000Z", "URL:https://s.example/join/x"}
    assert wanted <= set(lines)
    assert "SUMMARY:Ünits\\, part 1\\; a\\\\b\\nline" in lines
    assert lines[-2:] == ["END:VCALENDAR", ""]
    (read,) = icalendar.Calendar.from_ical(content).walk("VEVENT")
    assert (str(read["summary"]), read.decoded("dtend").timestamp()) == (title, AT + 3600)
    assert b"STATUS:CANCELLED" in await calendar("x", [CalendarEvent("x", "x", AT, AT, AT, cancelled=True)])


async def test_long_lines_are_folded_between_characters():
    title = "é漢🎓" * 30
    content = await calendar("x", [CalendarEvent("x", title, AT, AT, AT)])
    lines = content.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines)
    assert [line.decode() for line in lines], "each line is UTF-8 by itself"
    (read,) = icalendar.Calendar.from_ical(content).walk("VEVENT")
    assert str(read["summary"]) == title


async def test_a_title_cannot_add_a_line():
    content = await calendar("x", [CalendarEvent("x", "a\r\nATTACH:https://evil.example", AT, AT, AT)])
    assert b"\r\nATTACH" not in content
