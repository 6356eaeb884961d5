"""Events of a session's log that a player shows beside the media, as marks with a time."""

from functools import partial
from typing import Final

import msgspec

from classroom.base import Event
from classroom.features import (
    breakouts,
    chat,
    hands,
    moderation,
    people,
    polls,
    questions,
    session,
    slides,
    studio,
    whiteboard,
)
from classroom.ids import PersonId
from classroom.state import Classroom
from classroom.visibility import shown_to
from signaling.teaching.live import LiveSession

_EVENTS: Final = 1000
"Events that are read at a time."


class Mark(msgspec.Struct, frozen=True, omit_defaults=True):
    """One event at a moment of the recording."""

    seq: int
    "Number of the event."
    at_s: float
    "Seconds since the start of the recording; negative before it."
    kind: str
    by: str = ""
    "Id of the person concerned; empty where the name is hidden."
    id: str = ""
    "Id of the message, question, poll, deck, scene or page of the whiteboard."
    text: str = ""
    page: int = 0
    "Page of slides, from 1."


async def all_marks(live: LiveSession, viewer: PersonId, started_at: float) -> list[Mark]:
    """Return the marks of a session's log as a person may see them, oldest first. StoreError."""
    found: list[Mark] = []
    after = 0
    while events := await live.events(after, limit=_EVENTS):
        found += await live.read(partial(_seen, viewer, after + 1, events, started_at))
        after += len(events)
    return found


def _seen(
    viewer: PersonId, first: int, events: list[Event], started_at: float, room: Classroom
) -> list[Mark]:
    shown = ((seq, shown_to(room, each, viewer)) for seq, each in enumerate(events, first))
    marks = (mark(seq, each, started_at) for seq, each in shown if each is not None)
    return [each for each in marks if each is not None]


_STATES: Final[dict[type[Event], str]] = {
    session.Started: "started",
    session.Paused: "paused",
    session.Resumed: "resumed",
    session.Ended: "ended",
}

Content = tuple[str, str, str, str, int]
"(kind, by, id, text, page)"


def mark(seq: int, event: Event, started_at: float) -> Mark | None:
    """Return the mark of an event in the form that a person may see; None for events that a player does not show.

    `started_at` is the time 0 of the recording in seconds since 1970.
    """
    found = _content(event)
    if found is None:
        return None
    kind, by, subject, text, page = found
    return Mark(seq, round(event.at - started_at, 3), kind, by, subject, text, page)


def _content(event: Event) -> Content | None:
    state = _STATES.get(type(event))
    if state is not None:
        return "session", "", "", state, 0
    return _of_people(event) or _of_chat(event) or _of_questions(event) or _of_stage(event)


def _of_people(event: Event) -> Content | None:
    match event:
        case people.Joined():
            return "join", event.person, "", event.name, 0
        case people.Left():
            return "leave", event.person, "", "", 0
        case people.Renamed():
            return "name", event.person, "", event.name, 0
        case hands.Raised():
            return "hand", event.by, "", "", 0
        case _:
            return None


def _of_chat(event: Event) -> Content | None:
    match event:
        # A message without a text was deleted later.
        case chat.Sent() if event.text and not event.held:
            return "chat", event.by, event.message, event.text, 0
        case chat.Approved() if event.text:
            return "chat", event.author, event.message, event.text, 0
        case chat.Edited() if event.text and not event.held:
            return "chat_edited", event.by, event.message, event.text, 0
        case _:
            return None


def _of_questions(event: Event) -> Content | None:
    match event:
        case questions.Asked():
            return "question", event.by, event.question, event.text, 0
        case questions.Answered():
            return "answer", event.by, event.question, event.text, 0
        case polls.Opened():
            return "poll", event.by, event.poll, event.question, 0
        case _:
            return None


def _of_stage(event: Event) -> Content | None:
    match event:
        case slides.Turned():
            return "slide", event.by, event.deck, "", event.page
        case studio.Switched():
            return "scene", event.source, event.kind or "", event.title, 0
        case moderation.Spotlit():
            return "spotlight", event.person, "", "", 0
        case _:
            return _of_rest(event)


def _of_rest(event: Event) -> Content | None:
    match event:
        case whiteboard.Turned():
            return "board", event.by, event.page, "", 0
        case breakouts.Opened():
            return "breakouts", "", "", "opened", 0
        case breakouts.Closed():
            return "breakouts", "", "", "closed", 0
        case _:
            return None
