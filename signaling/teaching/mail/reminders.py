"""Which mail follows from the events of a session."""

from collections.abc import Sequence

from classroom.base import Event
from classroom.features import session
from classroom.state import Classroom
from signaling.store.people.mails import MailKind, NewMail


def session_mails(room: Classroom, events: Sequence[Event]) -> list[NewMail]:
    """Return the mail about new events: a reminder to everybody who belongs to the session."""
    return [
        NewMail(
            MailKind.SESSION_REMINDER,
            [person for person in room.people.everyone if person not in room.moderation.banned],
            {"session": room.session.id, "starts_at": event.starts_at},
        )
        for event in events
        if isinstance(event, session.Reminded)
    ]


def no_mails(_room: Classroom, _events: Sequence[Event]) -> list[NewMail]:
    """Return nothing, where this server sends no mail."""
    return []
