"""The whole state of one session: one part for each feature, changed by that feature alone."""

from typing import Final

from msgspec import Struct, field

from classroom.features.attendance import State as Attendance
from classroom.features.breakouts import State as Breakouts
from classroom.features.chat import State as Chat
from classroom.features.exercises import State as Exercises
from classroom.features.files import State as Files
from classroom.features.grades import State as Grades
from classroom.features.hands import State as Hands
from classroom.features.help_requests import State as HelpRequests
from classroom.features.moderation import State as Moderation
from classroom.features.people import State as People
from classroom.features.polls import State as Polls
from classroom.features.questions import State as Questions
from classroom.features.reactions import State as Reactions
from classroom.features.session import State as Session
from classroom.features.slides import State as Slides
from classroom.features.studio import State as Studio
from classroom.features.whiteboard import State as Whiteboard

STATE_VERSION: Final = 5
"Incremented whenever the same log gives a different state; snapshots of other versions are not read."


class Classroom(Struct):
    """One session. Created by `Classroom()`, changed by `classroom.engine.apply` and nothing else."""

    version: int = STATE_VERSION
    "Version of the state's format."
    seq: int = 0
    "Number of the last event applied; the log counts from 1."
    at: float = 0.0
    "Time of that event, seconds since 1970."
    session: Session = field(default_factory=Session)
    people: People = field(default_factory=People)
    grades: Grades = field(default_factory=Grades)
    attendance: Attendance = field(default_factory=Attendance)
    moderation: Moderation = field(default_factory=Moderation)
    chat: Chat = field(default_factory=Chat)
    files: Files = field(default_factory=Files)
    reactions: Reactions = field(default_factory=Reactions)
    hands: Hands = field(default_factory=Hands)
    questions: Questions = field(default_factory=Questions)
    polls: Polls = field(default_factory=Polls)
    help_requests: HelpRequests = field(default_factory=HelpRequests)
    studio: Studio = field(default_factory=Studio)
    slides: Slides = field(default_factory=Slides)
    whiteboard: Whiteboard = field(default_factory=Whiteboard)
    exercises: Exercises = field(default_factory=Exercises)
    breakouts: Breakouts = field(default_factory=Breakouts)
