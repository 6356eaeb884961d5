"""The whole state of one session: a part for each feature, each changed by that feature alone."""

from msgspec import Struct, field

from classroom.features.attendance import State as Attendance
from classroom.features.breakouts import State as Breakouts
from classroom.features.chat import State as Chat
from classroom.features.hands import State as Hands
from classroom.features.moderation import State as Moderation
from classroom.features.people import State as People
from classroom.features.session import State as Session


class Classroom(Struct):
    """One session. Made by `Classroom()`, changed by `classroom.engine.apply` and nothing else."""

    seq: int = 0
    "Number of the last event that is in here; the log counts from 1."
    at: float = 0.0
    "Time of that event, seconds since 1970."
    session: Session = field(default_factory=Session)
    people: People = field(default_factory=People)
    attendance: Attendance = field(default_factory=Attendance)
    moderation: Moderation = field(default_factory=Moderation)
    chat: Chat = field(default_factory=Chat)
    hands: Hands = field(default_factory=Hands)
    breakouts: Breakouts = field(default_factory=Breakouts)
