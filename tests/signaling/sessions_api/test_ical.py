from datetime import UTC, datetime

from signaling.sessions_api.ical import CalendarEvent, calendar, fold, text

AT = datetime(2026, 11, 30, 9, 0, tzinfo=UTC).timestamp()


def test_a_calendar_has_the_lines_that_the_standard_asks_for():
    event = CalendarEvent(
        "x@lectern", "Ünits, part 1; a\\b\nline", AT, AT + 3600, AT, "https://s.example/join/x"
    )
    lines = calendar("Lessons", [event]).decode().split("\r\n")
    assert lines[0] == "BEGIN:VCALENDAR"
    assert {"VERSION:2.0", "UID:x@lectern", "DTSTART:20261130T090000Z", "DTEND:20261130T100000Z"} <= set(
        lines
    )
    assert "SUMMARY:Ünits\\, part 1\\; a\\\\b\\nline" in lines
    assert lines[-2:] == ["END:VCALENDAR", ""]
    assert "STATUS:CANCELLED" in calendar("x", [CalendarEvent("x", "x", AT, AT, AT, cancelled=True)]).decode()


def test_long_lines_are_folded_between_characters():
    line = "SUMMARY:" + "é漢🎓" * 30
    folded = fold(line)
    assert all(len(piece.encode()) <= 75 for piece in folded.split("\r\n"))
    assert folded.replace("\r\n ", "") == line
    assert text("a\r\nb\rc") == "a\\nb\\nc"
