import ast
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from classroom import codec, engine, limits
from classroom.catalogue import COMMANDS, EVENTS, FEATURES
from classroom.errors import Code, Conflict, Refused
from classroom.features import attendance, chat, hands, people, reactions, session
from classroom.roles import OPEN, Phase
from classroom.state import Classroom
from tests.classroom.histories import busy_lesson, play, steps
from tests.classroom.lesson import START, Lesson

FEATURE_FILES = sorted(Path(engine.__file__).parent.glob("features/[a-z]*.py"))
RELAXED = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


@RELAXED
@given(steps(tags=set(COMMANDS)))
def test_any_history_replays_from_its_log_and_from_a_snapshot(history):
    lesson = busy_lesson(private_chat=True)
    play(lesson, history)
    lesson.check_replay()


@RELAXED
@given(steps(tags=set(COMMANDS)))
def test_deciding_changes_nothing(history):
    lesson = busy_lesson()
    for seconds, command in history:
        lesson.wait(seconds)
        before = codec.encode(lesson.room)
        try:
            events = engine.decide(lesson.room, command, lesson.now)
        except Refused:
            events = ()
        assert codec.encode(lesson.room) == before
        lesson.keep(events)


@RELAXED
@given(steps(tags=set(COMMANDS)))
def test_time_and_numbers_of_a_log_only_go_forward(history):
    lesson = busy_lesson()
    play(lesson, history)
    times = [event.at for event in lesson.events]
    assert times == sorted(times)
    assert lesson.room.seq == len(lesson.log)
    assert lesson.room.at == times[-1]


def test_tags_begin_with_their_feature_and_features_have_one_shape():
    assert len(FEATURES) == len(FEATURE_FILES) == 17
    for feature in FEATURES:
        own = [*feature.decide, *feature.shown]
        assert {str(kind.__struct_config__.tag).partition(".")[0] for kind in own} == {feature.name}
        assert set(feature.shown) <= set(feature.apply) | {people.Renamed}
        assert isinstance(getattr(Classroom(), feature.name), feature.state)


def test_every_kind_has_one_tag():
    assert len(COMMANDS) == sum(len(feature.decide) for feature in FEATURES)
    assert len(EVENTS) == sum(len(feature.shown) for feature in FEATURES)
    assert not set(COMMANDS) & set(EVENTS)


@pytest.mark.parametrize("path", FEATURE_FILES, ids=lambda path: path.stem)
def test_a_feature_builds_on_session_and_people_only(path):
    imported = {
        node.module
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("classroom.features")
    }
    assert imported <= {"classroom.features.session", "classroom.features.people"}


@pytest.mark.parametrize(
    "path", sorted(Path(engine.__file__).parent.rglob("*.py")), ids=lambda path: path.stem
)
def test_no_module_reads_the_clock(path):
    names = {node.attr for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Attribute)}
    assert not names & {"now", "utcnow", "today", "monotonic", "perf_counter", "time_ns", "urandom"}


def test_events_are_applied_by_every_feature_that_cares():
    lesson = Lesson(students=["ada"])
    lesson.do(hands.Raise(by="ada"))
    lesson.do(session.End(by="tutor"), after=10)
    room = lesson.room
    assert room.session.phase is Phase.ENDED
    assert room.people.present == room.hands.raised == room.attendance.open == {}


def test_nothing_is_carried_out_before_it_is_due():
    lesson = Lesson()
    with pytest.raises(Conflict) as refused:
        engine.expire(lesson.room, lesson.now)
    assert refused.value.code is Code.NOT_DUE


def test_the_earliest_deadline_comes_first():
    lesson = Lesson(students=["ada", "ben"], grace_s=30)
    lesson.do(people.LoseConnection(person="ben", lost_at=lesson.now))
    lesson.do(people.LoseConnection(person="ada", lost_at=lesson.now + 5), after=5)
    deadline = engine.due(lesson.room)
    assert (deadline.at, deadline.reason, deadline.subject) == (START + 30, "people.grace", "ben")


def test_a_log_that_is_full_takes_only_the_servers_commands(monkeypatch):
    lesson = Lesson(students=["ada"])
    monkeypatch.setattr(limits, "EVENTS", lesson.room.seq)
    assert lesson.refusal(hands.Raise(by="ada")) is Code.LOG_FULL
    assert lesson.refusal(chat.Send(by="tutor", message="m1", text="x")) is Code.LOG_FULL
    lesson.do(people.Leave(by="ada"))
    lesson.do(session.End(by="tutor"))


@RELAXED
@given(steps(tags=set(COMMANDS)))
def test_nothing_is_due_when_a_session_is_over(history):
    lesson = busy_lesson()
    play(lesson, history)
    if lesson.room.session.phase in OPEN:
        lesson.do(session.End())
    assert engine.due(lesson.room) is None
    assert lesson.wait(10**7) == []


def test_every_limit_limits_something():
    used = "".join(
        path.read_text() for path in Path(engine.__file__).parent.rglob("*.py") if path.stem != "limits"
    )
    tests = Path(__file__).parent
    used += "".join(path.read_text() for path in tests.rglob("test_visibility.py"))
    names = [name for name in vars(limits) if name.isupper()]
    assert [name for name in names if f"limits.{name}" not in used] == []


def a_busy_log(count):
    lesson = Lesson(students=[f"s{index}" for index in range(50)])
    number = 0
    while len(lesson.events) < count:
        number += 1
        student = f"s{number % 50}"
        lesson.now += 0.5
        commands = [
            hands.Raise(by=student),
            chat.Send(by=student, message=f"m{number}", text="I have got 42 here, is that right?"),
            attendance.SetActivity(by=student, activity=attendance.Activity.IDLE),
            reactions.React(by=student, expression="👍"),
            hands.Lower(by=student),
            attendance.SetActivity(by=student, activity=attendance.Activity.ACTIVE),
        ]
        for command in commands:
            lesson.keep(engine.decide(lesson.room, command, lesson.now))
    return lesson


def test_20_000_events_fold_within_a_second():
    lesson = a_busy_log(20_000)
    assert lesson.room.chat.count > 3_000
    best = float("inf")
    for _ in range(3):
        started = time.process_time()
        room = engine.replay(codec.decode_events(lesson.log))
        best = min(best, time.process_time() - started)
    assert room == lesson.room
    assert best < 1.0


def test_commands_and_events_are_frozen():
    for kind in [*COMMANDS.values(), *EVENTS.values()]:
        assert kind.__struct_config__.frozen
        assert issubclass(kind, msgspec.Struct)
