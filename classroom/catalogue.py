"""All features, and all kinds of their commands and events."""

from typing import Final

from classroom.base import Command, Event, Feature
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

FEATURES: Final[tuple[Feature, ...]] = (
    session.FEATURE,
    people.FEATURE,
    grades.FEATURE,
    attendance.FEATURE,
    moderation.FEATURE,
    chat.FEATURE,
    files.FEATURE,
    reactions.FEATURE,
    hands.FEATURE,
    questions.FEATURE,
    polls.FEATURE,
    help_requests.FEATURE,
    studio.FEATURE,
    slides.FEATURE,
    whiteboard.FEATURE,
    exercises.FEATURE,
    breakouts.FEATURE,
)
"Events reach the features, and deadlines with the same time are handled, in this order."

COMMANDS: Final[dict[str, type[Command]]] = {
    str(kind.__struct_config__.tag): kind for feature in FEATURES for kind in feature.decide
}
EVENTS: Final[dict[str, type[Event]]] = {
    str(kind.__struct_config__.tag): kind for feature in FEATURES for kind in feature.shown
}
