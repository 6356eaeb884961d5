"""Any command of any kind, over small sets of people and ids so that many of them fit together."""

import enum
import itertools
import typing

import msgspec
from hypothesis import strategies as st

from classroom import engine
from classroom.catalogue import COMMANDS
from classroom.errors import Refused
from classroom.features import breakouts, exercises, people, session
from classroom.roles import Role
from tests.classroom.lesson import START, Lesson

STAFF = {"tutor": Role.OWNER, "coco": Role.CO_TUTOR, "kim": Role.ASSISTANT}
ROLES = STAFF | {"ada": Role.STUDENT, "ben": Role.STUDENT, "cem": Role.STUDENT, "eve": Role.OBSERVER}
PEOPLE = list(ROLES)

# Commands that end everything, put people out, or change roles would leave little to look at, or no fixed truth about
# who may see what.
QUIET = set(COMMANDS) - {
    "session.create",
    "session.end",
    "session.cancel",
    "people.set_role",
    "people.invite",
    "moderation.remove",
    "moderation.ban",
}

_tokens = itertools.count()
TEXT = st.builds(lambda: f"secret-{next(_tokens)}-")
PERSON = st.sampled_from(PEOPLE)
BY_NAME = {
    "by": st.sampled_from([*PEOPLE, ""]),
    "person": PERSON,
    "target": st.sampled_from([*PEOPLE, "", "b1", "b2"]),
    "source": st.sampled_from([*PEOPLE, "", "d1"]),
    "room": st.sampled_from(["b1", "b2", ""]),
    "text": TEXT,
    "note": TEXT,
    "title": TEXT,
    "question": st.sampled_from(["i1", "i2", "i3"]),
    "expression": st.sampled_from(["👍", "👏", "x"]),
    "permission": st.sampled_from(["chat.send", "whiteboard.draw", "session.end", "studio.switch"]),
    "kind": st.sampled_from(["application/pdf", "image/png", "text/html"]),
    "name": st.sampled_from(["Ann", "notes.pdf", "x.png"]),
    "digest": st.just("a" * 64),
    "description": TEXT,
    "options": st.sampled_from([("yes", "no"), ("one",), ()]),
}
ID = st.sampled_from(["i1", "i2", "i3"])


BY_KIND_AND_NAME = {
    ("polls.create", "question"): TEXT,
    ("polls.answer", "options"): st.lists(st.integers(-1, 2), max_size=2).map(tuple),
    ("people.join", "visit"): st.builds(lambda: f"v{next(_tokens)}"),
    ("exercises.add", "exercise"): st.builds(exercises.Exercise, id=ID, title=TEXT, text=TEXT),
    ("breakouts.make", "rooms"): st.just((breakouts.Room("b1", "One"), breakouts.Room("b2", "Two"))),
    ("exercises.assign", "people"): st.lists(PERSON, max_size=2).map(tuple),
    ("exercises.submit", "files"): st.lists(ID, max_size=2).map(tuple),
}
SETTINGS = st.builds(session.Settings, private_chat=st.booleans(), anonymous_questions=st.booleans())
BY_TYPE = {
    str: ID,
    bytes: st.binary(max_size=20),
    int: st.integers(0, 5),
    bool: st.booleans(),
    float: st.floats(START - 10, START + 5_000),
    session.Settings: SETTINGS,
    bool | None: st.sampled_from([True, False, None]),
    float | None: st.floats(START - 10, START + 5_000),
    str | None: st.none() | TEXT,
    session.Settings | None: st.none() | SETTINGS,
}


def field(kind, name, hint):
    """Return what one field of one kind of command may be."""
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return st.sampled_from(list(hint))
    for table, key in [(BY_KIND_AND_NAME, (kind, name)), (BY_NAME, name), (BY_TYPE, hint)]:
        if key in table:
            return table[key]
    raise AssertionError((kind, name, hint))


def command(tag):
    kind = COMMANDS[tag]
    hints = typing.get_type_hints(kind)
    names = [info.name for info in msgspec.structs.fields(kind) if info.name != "v"]
    return st.builds(kind, **{name: field(tag, name, hints[name]) for name in names})


def commands(tags):
    return st.sampled_from(sorted(tags)).flatmap(command)


def steps(tags=QUIET, size=60):
    """Return lists of (seconds that pass, command)."""
    return st.lists(st.tuples(st.sampled_from([0.0, 0.0, 0.5, 20.0]), commands(tags)), max_size=size)


def full_lesson(**settings):
    """Return a session with somebody of each role, three breakouts' worth of students, and things to act on."""
    lesson = Lesson(live=False, auto_end_s=0, **settings)
    lesson.do(session.Start())
    for person, role in ROLES.items():
        lesson.join(person, role)
    return lesson


def play(lesson, history):
    """Carry out what is not refused, as a server would; return the accepted commands with their events."""
    accepted = []
    for seconds, wanted in history:
        lesson.wait(seconds)
        try:
            events = engine.decide(lesson.room, wanted, lesson.now)
        except Refused:
            continue
        accepted.append((wanted, lesson.keep(events)))
        if isinstance(wanted, people.Leave):
            lesson.join(wanted.by, ROLES[wanted.by])
    return accepted
