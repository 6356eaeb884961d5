"""Any command of any kind, over small sets of people and ids so that many of them fit together."""

import enum
import itertools
import random
import typing

from hypothesis import strategies as st

from classroom import engine
from classroom.catalogue import COMMANDS
from classroom.errors import Refused
from classroom.features import attendance, breakouts, exercises, people, polls, session
from classroom.permissions import RULES
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

IDS = ["i1", "i2", "i3"]
_tokens = itertools.count()


def text(_rng):
    """Return a text that is found again wherever it turns up."""
    return f"secret-{next(_tokens)}-"


def one_of(*values):
    return lambda rng: rng.choice(values)


def some_of(*values):
    return lambda rng: tuple(rng.choices(values, k=rng.randrange(3)))


def settings(rng):
    return session.Settings(private_chat=rng.random() < 0.8, anonymous_questions=rng.random() < 0.8)


def exercise(rng):
    return exercises.Exercise(rng.choice(IDS), text(rng), text(rng))


def time(rng):
    return rng.uniform(START - 10, START + 5_000)


def visit(_rng):
    return f"v{next(_tokens)}"


ROOMS = (breakouts.Room("b1", "One"), breakouts.Room("b2", "Two"))
BY_KIND_AND_NAME = {
    ("polls.create", "question"): text,
    ("polls.answer", "options"): one_of((0,), (1,), (0, 1), (2,), ()),
    ("people.join", "visit"): visit,
    ("exercises.add", "exercise"): exercise,
    ("breakouts.make", "rooms"): one_of(ROOMS),
    ("attendance.record_talk", "talks"): lambda rng: tuple(
        attendance.Talk(rng.choice(PEOPLE), rng.choice([0.0, 1.5])) for _ in range(rng.randrange(3))
    ),
    ("exercises.assign", "people"): some_of(*PEOPLE),
    ("exercises.submit", "files"): one_of((), (), ("i1",)),
    ("chat.send", "files"): one_of((), (), (), ("i1",)),
}
BY_NAME = {
    "person": one_of(*PEOPLE),
    "target": one_of(*PEOPLE, "", "", "", "b1", "b2"),
    "source": one_of(*PEOPLE, "", "d1"),
    "room": one_of("b1", "b2", ""),
    "text": text,
    "note": text,
    "title": text,
    "expression": one_of("👍", "👏", "x"),
    "permission": one_of("chat.send", "whiteboard.draw", "session.end", "studio.switch"),
    "name": one_of("Ann", "notes.pdf", "x.png"),
    "digest": one_of("a" * 64),
    "grade": one_of("7b", "8", ""),
    "description": text,
    "options": one_of(("yes", "no"), ("one",), ()),
}
BY_TYPE = {
    str: one_of(*IDS),
    bytes: lambda rng: rng.randbytes(rng.randrange(20)),
    int: one_of(0, 1, 2, 3, 5),
    bool: one_of(True, False),
    float: time,
    session.Settings: settings,
    bool | None: one_of(True, False, None),
    float | None: time,
    str | None: text,
    session.Settings | None: settings,
}


def field(rng, kind, name, hint):
    """Return a value for one field of one kind of command."""
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return rng.choice(list(hint))
    if (kind, name) == ("files.add", "kind"):
        return rng.choice(["application/pdf", "image/png", "text/html"])
    for table, key in [(BY_KIND_AND_NAME, (kind, name)), (BY_NAME, name), (BY_TYPE, hint)]:
        if key in table:
            return table[key](rng)
    raise AssertionError((kind, name, hint))


HINTS = {
    tag: {
        k: getattr(v, "__supertype__", v)
        for k, v in typing.get_type_hints(kind).items()
        if k not in {"v", "by"}
    }
    for tag, kind in COMMANDS.items()
}
ALLOWED = {
    tag: [person for person, role in ROLES.items() if role in RULES[tag].roles] + [""] * RULES[tag].server
    for tag in COMMANDS
}


def command(rng, tag):
    """Return a command of one kind, mostly by somebody who may give it."""
    by = rng.choice(ALLOWED[tag]) if rng.random() < 0.9 else rng.choice([*PEOPLE, ""])
    fields = {name: field(rng, tag, name, hint) for name, hint in HINTS[tag].items() if name != "type"}
    return COMMANDS[tag](by=by, **fields)


def commands(tags):
    """Return a strategy for one command."""
    return st.builds(command, st.builds(random.Random, st.integers(0, 2**32)), st.sampled_from(sorted(tags)))


def history(seed, tags, size):
    """Return (seconds that pass, command) `size` times. Lists that hypothesis draws itself are far shorter."""
    rng, names = random.Random(seed), sorted(tags)
    return [(rng.choice([0.0, 0.0, 0.5, 20.0]), command(rng, rng.choice(names))) for _ in range(size)]


def steps(tags=QUIET, size=150):
    """Return a strategy for histories."""
    return st.integers(0, 2**32).map(lambda seed: history(seed, tags, size))


def full_lesson(**settings):
    """Return a session with somebody of each role, three breakouts' worth of students, and things to act on."""
    lesson = Lesson(live=False, auto_end_s=0, **settings)
    lesson.do(session.Start())
    for person, role in ROLES.items():
        lesson.join(person, role)
    return lesson


def busy_lesson(**settings):
    """Return one in which much is under way, so that most commands find what they need."""
    lesson = full_lesson(**settings)
    lesson.do(breakouts.Make(by="tutor", rooms=ROOMS, choice=True))
    lesson.do(breakouts.Assign(by="tutor", person="ada", room="b1"))
    for number, key in enumerate(IDS):
        lesson.do(exercises.Add(by="tutor", exercise=exercises.Exercise(key, f"Exercise {key}")))
        lesson.do(exercises.Assign(by="tutor", exercise=key))
        kind = polls.Kind.SINGLE if number == 1 else polls.Kind.SHORT
        options = ("yes", "no") if number == 1 else ()
        lesson.do(
            polls.Create(by="coco", poll=key, question="?", kind=kind, options=options, anonymous=number < 2)
        )
        lesson.do(polls.Open(by="coco", poll=key))
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
