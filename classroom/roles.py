"""Types that every feature shares: roles and standing of people, the phases of a session."""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """A person's role in one session."""

    OWNER = "owner"
    "The tutor who owns the session; exactly one."
    CO_TUTOR = "co_tutor"
    "Teaches with the owner."
    ASSISTANT = "assistant"
    "Answers questions and requests for help, keeps the chat in order."
    STUDENT = "student"
    "Learns."
    OBSERVER = "observer"
    "Watches: a parent, an inspector, a colleague."


class Phase(StrEnum):
    """The phase of a session's lifecycle; the last three are final."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    LIVE = "live"
    PAUSED = "paused"
    ENDED = "ended"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Standing(StrEnum):
    """Where a person is in relation to the session."""

    INVITED = "invited"
    "On the roster, has not joined yet."
    WAITING = "waiting"
    "In the lobby."
    PRESENT = "present"
    "In the session; the connection may be lost for a moment."
    GONE = "gone"
    "Was in the session, or was refused."


class Why(StrEnum):
    """Why a person waits in the lobby."""

    KNOCK = "knock"
    "Staff have to admit them."
    NOT_STARTED = "not_started"
    "The person joins automatically when the session starts."


TUTORS: Final = frozenset({Role.OWNER, Role.CO_TUTOR})
STAFF: Final = TUTORS | {Role.ASSISTANT}
LEARNERS: Final = frozenset({Role.STUDENT, Role.OBSERVER})
EVERYBODY: Final = frozenset(Role)

BEFORE: Final = frozenset({Phase.DRAFT, Phase.SCHEDULED})
OPEN: Final = frozenset({Phase.LIVE, Phase.PAUSED})
FINAL: Final = frozenset({Phase.ENDED, Phase.CANCELLED, Phase.EXPIRED})
UNFINISHED: Final = BEFORE | OPEN
ANY: Final = frozenset(Phase)
