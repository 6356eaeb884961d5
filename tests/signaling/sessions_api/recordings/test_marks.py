"""Marks of a session's events."""

import pytest

from classroom.features import chat, people, polls, questions, session, slides, studio, whiteboard
from classroom.features.studio import Kind
from classroom.roles import Role
from signaling.sessions_api.recordings.marks import Mark, mark

SENT = {"message": "m", "scope": chat.Scope.ALL, "target": ""}


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (session.Started(at=7), ("session", "", "", "started", 0)),
        (
            people.Joined(at=7, person="ada", name="Ada", role=Role.STUDENT, visit="v"),
            ("join", "ada", "", "Ada", 0),
        ),
        (chat.Sent(at=7, by="ada", text="Hi", held=False, **SENT), ("chat", "ada", "m", "Hi", 0)),
        (chat.Sent(at=7, by="ada", text="", held=False, **SENT), None),
        (chat.Sent(at=7, by="ada", text="Hi", held=True, **SENT), None),
        (
            chat.Approved(at=7, by="tia", author="ada", text="Hi", sent_at=5, **SENT),
            ("chat", "ada", "m", "Hi", 0),
        ),
        (
            chat.Edited(at=7, by="ada", text="Ho", held=False, **SENT),
            ("chat_edited", "ada", "m", "Ho", 0),
        ),
        (
            questions.Asked(at=7, by="", question="q", text="Why?", anonymous=True),
            ("question", "", "q", "Why?", 0),
        ),
        (slides.Turned(at=7, by="tia", deck="d", page=3), ("slide", "tia", "d", "", 3)),
        (
            studio.Switched(at=7, by="tia", scene="s", kind=Kind.SLIDES, source="d", title="T"),
            ("scene", "d", "slides", "T", 0),
        ),
        (
            studio.Switched(at=7, by="tia", scene="", kind=None, source="", title=""),
            ("scene", "", "", "", 0),
        ),
        (whiteboard.Turned(at=7, by="tia", page="p"), ("board", "tia", "p", "", 0)),
        (whiteboard.Drawn(at=7, by="tia", page="p", update=b"u"), None),
        (polls.Closed(at=7, poll="p"), None),
    ],
)
def test_an_event_as_a_mark(event, expected):
    found = mark(4, event, 5.0)
    assert found == (None if expected is None else Mark(4, 2.0, *expected))
