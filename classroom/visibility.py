"""Who may see which event, and the state that a joining person receives: each a pure function."""

from typing import Any, Final

from msgspec import Struct

from classroom.audience import everyone
from classroom.base import Event
from classroom.catalogue import FEATURES
from classroom.features import (
    attendance,
    breakouts,
    chat,
    exercises,
    files,
    grades,
    hands,
    help_requests,
    moderation,
    people,
    polls,
    questions,
    reactions,
    session,
    slides,
    studio,
    whiteboard,
)
from classroom.features.people import Person
from classroom.ids import PersonId
from classroom.roles import STAFF, Standing, Why
from classroom.state import Classroom

_SHOWN: Final = {kind: shown for feature in FEATURES for kind, shown in feature.shown.items()}

PUBLIC: Final = frozenset(kind for kind, shown in _SHOWN.items() if shown is everyone)
"Kinds of events that all participants see unchanged."

_AT_THE_DOOR: Final = frozenset(
    {
        session.Updated,
        session.Scheduled,
        session.Started,
        session.Paused,
        session.Resumed,
        session.Ended,
        session.Cancelled,
        session.Expired,
    }
)
"Kinds of events that people in the lobby and invited people see as well."

_ABOUT_ONESELF: Final = (people.Waits, people.TurnedAway, people.Joined, people.Left)


def is_participant(room: Classroom, person_id: PersonId) -> bool:
    """Return whether the person takes part, or took part and was not removed; staff always do."""
    person = room.people.everyone.get(person_id)
    return person is not None and _takes_part(room, person)


def _takes_part(room: Classroom, person: Person) -> bool:
    if person.id in room.moderation.removed or person.id in room.moderation.banned:
        return False
    if person.role in STAFF or person.standing is Standing.PRESENT:
        return True
    return person.standing is Standing.GONE and person.visited


def shown_to(room: Classroom, event: Event, person_id: PersonId) -> Event | None:
    """Return the event as a person may see it, without the parts hidden from them; None if they may not see it.

    `room` is the state after the event or any later state: a person who catches up sees what they may see now.
    """
    person = room.people.everyone.get(person_id)
    if person is None:
        return None
    if _takes_part(room, person):
        return _SHOWN[type(event)](room, event, person)
    if isinstance(event, _ABOUT_ONESELF):
        return event if event.person == person_id else None
    return event if type(event) in _AT_THE_DOOR and person.id not in room.moderation.banned else None


def visible_to(room: Classroom, event: Event, person_id: PersonId) -> bool:
    """Return whether a person may see an event, possibly with parts hidden."""
    return shown_to(room, event, person_id) is not None


class View(Struct, frozen=True):
    """Everything that a joining page needs, in one value below `limits.VIEW_SIZE` for a class of 50."""

    seq: int
    "The events after this number complete the view."
    session: session.View
    people: people.View
    grades: grades.View
    attendance: attendance.View
    moderation: moderation.View
    chat: chat.View
    files: files.View
    reactions: reactions.View
    hands: hands.View
    questions: questions.View
    polls: polls.View
    help_requests: help_requests.View
    studio: studio.View
    slides: slides.View
    whiteboard: whiteboard.View
    exercises: exercises.View
    breakouts: breakouts.View


class Door(Struct, frozen=True):
    """What a person sees who is not in the session."""

    seq: int
    title: str
    phase: str
    starts_at: float | None
    standing: Standing
    why: Why | None
    place: int
    "Position in the queue of the lobby, from 1; 0: not in the lobby."


def view(room: Classroom, person_id: PersonId, now: float) -> View | Door:
    """Return the session as a person may see it. Raises `NotFound` for people who do not belong to it."""
    person = people.find(room, person_id)
    if _takes_part(room, person):
        parts: dict[str, Any] = {feature.name: feature.view(room, person, now) for feature in FEATURES}
        return View(seq=room.seq, **parts)
    waiting = list(room.people.waiting)
    return Door(
        seq=room.seq,
        title=room.session.title,
        phase=room.session.phase,
        starts_at=room.session.starts_at,
        standing=person.standing,
        why=person.why,
        place=waiting.index(person_id) + 1 if person_id in room.people.waiting else 0,
    )
