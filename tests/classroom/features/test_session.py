import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from classroom import engine, limits
from classroom.errors import Code, Refused
from classroom.features import session
from classroom.features.session import TRANSITIONS, EndReason
from classroom.roles import BEFORE, FINAL, OPEN, Phase
from tests.classroom.lesson import START, Lesson

COMMANDS = {
    session.Start: session.Started,
    session.Pause: session.Paused,
    session.Resume: session.Resumed,
    session.End: session.Ended,
    session.Cancel: session.Cancelled,
}


def lesson_in(phase):
    lesson = Lesson(live=False)
    ways = {
        Phase.DRAFT: [],
        Phase.SCHEDULED: [session.Schedule(by="tutor", starts_at=START + 60)],
        Phase.LIVE: [session.Start(by="tutor")],
        Phase.PAUSED: [session.Start(by="tutor"), session.Pause(by="tutor")],
        Phase.ENDED: [session.Start(by="tutor"), session.End(by="tutor")],
        Phase.CANCELLED: [session.Cancel(by="tutor")],
    }
    if phase is Phase.EXPIRED:
        lesson.wait(limits.DRAFT_S)
    else:
        for command in ways[phase]:
            lesson.do(command)
    assert lesson.room.session.phase is phase
    return lesson


@pytest.mark.parametrize("phase", list(Phase))
@pytest.mark.parametrize("kind", list(COMMANDS))
def test_only_moves_of_the_table_are_legal(phase, kind):
    lesson = lesson_in(phase)
    target = TRANSITIONS.get((phase, COMMANDS[kind]))
    if target is None:
        assert lesson.refusal(kind(by="tutor")) is Code.WRONG_PHASE
    else:
        lesson.do(kind(by="tutor"))
        assert lesson.room.session.phase is target


def test_a_session_with_a_time_is_scheduled_and_can_be_moved():
    lesson = Lesson(live=False)
    lesson.do(session.Schedule(by="tutor", starts_at=START + 100))
    lesson.do(session.Schedule(by="tutor", starts_at=START + 200))
    assert lesson.room.session.phase is Phase.SCHEDULED
    assert lesson.room.session.starts_at == START + 200


def reminded(lesson):
    return [event for event in lesson.events if isinstance(event, session.Reminded)]


def test_a_scheduled_session_reminds_once_for_each_time_and_again_after_it_was_moved():
    lesson = Lesson(live=False)
    lesson.do(session.Update(by="tutor", settings=session.Settings(reminders=(600, 3600, 600))))
    assert lesson.room.session.settings.reminders == (600, 3600)
    lesson.do(session.Schedule(by="tutor", starts_at=START + 7200))
    lesson.wait(3599)
    assert reminded(lesson) == []
    lesson.wait(2)
    lesson.wait(10)
    assert [event.before_s for event in reminded(lesson)] == [3600]
    lesson.wait(7200 - 3611)
    assert [event.before_s for event in reminded(lesson)] == [3600, 600]
    lesson.do(session.Schedule(by="tutor", starts_at=START + 20_000))
    lesson.wait(20_000 - 7200)
    assert [(event.before_s, event.starts_at) for event in reminded(lesson)][2:] == [
        (3600, START + 20_000),
        (600, START + 20_000),
    ]


def test_missed_reminders_are_one_and_late_times_have_none():
    lesson = Lesson(live=False)
    lesson.do(session.Update(by="tutor", settings=session.Settings(reminders=(600, 1200, 7200))))
    lesson.do(session.Schedule(by="tutor", starts_at=START + 3600))  # too late for the two hours
    assert engine.due(lesson.room).at == START + 2400
    lesson.now = START + 3500  # nobody asked in time
    lesson.wait(0)
    assert [event.before_s for event in reminded(lesson)] == [600]
    assert engine.due(lesson.room).reason == "session.expire"


def test_a_started_session_reminds_nobody():
    lesson = Lesson(live=False)
    lesson.do(session.Schedule(by="tutor", starts_at=START + 3600))
    lesson.do(session.Start(by="tutor"))
    lesson.wait(3600)
    assert reminded(lesson) == []


@pytest.mark.parametrize("starts_at", [START - 100, START + 20 * 366 * 86_400, 0.0])
def test_a_time_in_the_past_or_far_away_is_refused(starts_at):
    assert Lesson(live=False).refusal(session.Schedule(by="tutor", starts_at=starts_at)) is Code.BAD_TIME


def test_nothing_can_be_done_before_the_session_is_made():
    room = engine.Classroom()
    with pytest.raises(Refused) as refused:
        engine.decide(room, session.Start(by="tutor"), START)
    assert refused.value.code is Code.SESSION_NOT_FOUND


def test_a_session_is_made_once():
    lesson = Lesson(live=False)
    again = session.Create(session="s2", owner="x", owner_name="X", title="T", code_number=1)
    assert lesson.refusal(again) is Code.ALREADY_EXISTS


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"title": " "}, Code.TEXT_EMPTY),
        ({"title": "x" * 201}, Code.TEXT_TOO_LONG),
        ({"title": "two\nlines"}, Code.BAD_TEXT),
        ({"title": "\u202ereversed"}, Code.BAD_TEXT),
        ({"title": "half \ud800"}, Code.BAD_TEXT),
        ({"session": "a/b"}, Code.BAD_IDENTIFIER),
        ({"owner": ""}, Code.BAD_IDENTIFIER),
        ({"code_number": -1}, Code.BAD_NUMBER),
        ({"settings": session.Settings(capacity=0)}, Code.BAD_NUMBER),
        ({"settings": session.Settings(capacity=limits.CAPACITY + 1)}, Code.BAD_NUMBER),
        ({"settings": session.Settings(grace_s=10_000)}, Code.BAD_NUMBER),
        ({"settings": session.Settings(reminders=(30,))}, Code.BAD_NUMBER),
        ({"settings": session.Settings(reminders=tuple(range(60, 66)))}, Code.TOO_MANY),
    ],
)
def test_bad_values_are_refused(change, code):
    good = {"session": "s", "owner": "t", "owner_name": "T", "title": "Title", "code_number": 5}
    with pytest.raises(Refused) as refused:
        engine.decide(engine.Classroom(), session.Create(**(good | change)), START)
    assert refused.value.code is code


def test_updating_keeps_what_is_not_given():
    lesson = Lesson(live=False)
    lesson.do(session.Update(by="tutor", title="  عِلم 🎓  "))
    assert lesson.room.session.title == "عِلم 🎓"
    lesson.do(session.Update(by="tutor", description="Bring\na ruler", settings=session.Settings(capacity=3)))
    assert lesson.room.session.title == "عِلم 🎓"
    assert lesson.room.session.settings.capacity == 3
    assert lesson.refusal(session.Update(by="tutor")) is Code.NOTHING_TO_CHANGE


def test_a_renewed_code_is_another_one_and_only_staff_learn_it():
    lesson = Lesson(students=["ada"])
    before = lesson.room.session.code
    lesson.do(session.RenewCode(by="tutor", code_number=999))
    assert lesson.room.session.code != before
    assert lesson.view("ada").session.code == ""
    assert lesson.view("tutor").session.code == lesson.room.session.code


def test_the_time_of_the_lesson_leaves_pauses_out():
    lesson = Lesson()
    lesson.do(session.Pause(by="tutor"), after=100)
    lesson.do(session.Resume(by="tutor"), after=1_000)
    lesson.do(session.End(by="tutor"), after=20)
    assert lesson.room.session.taught_s == 120
    assert lesson.room.session.running_since is None


def test_a_session_ends_when_the_last_tutor_has_been_away():
    from classroom.features import people

    lesson = Lesson(students=["ada"], auto_end_s=300)
    lesson.do(people.Leave(by="tutor"), after=50)
    assert lesson.wait(299) == []
    (ended,) = lesson.wait(2)
    assert ended.reason is EndReason.TUTORS_AWAY
    assert ended.at == START + 350


def test_a_tutor_who_comes_back_keeps_it_open():
    from classroom.features import people

    lesson = Lesson(auto_end_s=300)
    lesson.do(people.Leave(by="tutor"))
    lesson.join("tutor", after=299)
    lesson.wait(1_000)
    assert lesson.room.session.phase is Phase.LIVE


def test_a_session_that_is_started_without_a_tutor_waits_for_one_from_its_start_on():
    lesson = Lesson(live=False, auto_end_s=300)
    lesson.do(session.Start(), after=1_000)
    assert engine.due(lesson.room).at == START + 1_300


def test_a_session_ends_when_its_time_is_up():
    lesson = Lesson(auto_end_s=0, max_duration_s=3_600)
    (ended,) = lesson.wait(4_000)
    assert (ended.reason, ended.at) == (EndReason.TIME_UP, START + 3_600)
    assert engine.due(lesson.room) is None


def test_a_scheduled_session_that_nobody_starts_expires():
    lesson = Lesson(live=False, expiry_s=600)
    lesson.do(session.Schedule(by="tutor", starts_at=START + 100))
    (expired,) = lesson.wait(1_000)
    assert expired.at == START + 700
    assert lesson.room.session.phase is Phase.EXPIRED


def test_a_clock_that_was_set_back_stands_still():
    lesson = Lesson()
    lesson.do(session.Pause(by="tutor"), after=50)
    lesson.now -= 10_000
    (resumed,) = lesson.do(session.Resume(by="tutor"))
    assert resumed.at == START + 50


def test_who_ended_it_is_told():
    assert Lesson().do(session.End(by="tutor"))[0].reason is EndReason.BY_TUTOR
    assert Lesson().do(session.End())[0].reason is EndReason.BY_APPLICATION


class Lifecycle(RuleBasedStateMachine):
    """Any order of commands and waiting: the phase follows the table, and time only goes forward."""

    def __init__(self):
        super().__init__()
        self.lesson = Lesson(live=False, auto_end_s=300, max_duration_s=4_000, expiry_s=600)
        self.expected = Phase.DRAFT

    @rule(kind=st.sampled_from(list(COMMANDS)), by=st.sampled_from(["tutor", ""]))
    def command(self, kind, by):
        target = TRANSITIONS.get((self.expected, COMMANDS[kind]))
        if target is None:
            assert self.lesson.refusal(kind(by=by)) is Code.WRONG_PHASE
        else:
            self.lesson.do(kind(by=by))
            self.expected = target

    @rule(ahead=st.integers(0, 500))
    def schedule(self, ahead):
        command = session.Schedule(by="tutor", starts_at=self.lesson.now + ahead)
        if self.expected in BEFORE:
            self.lesson.do(command)
            self.expected = Phase.SCHEDULED
        else:
            assert self.lesson.refusal(command) is Code.WRONG_PHASE

    @rule(seconds=st.integers(0, 700))
    def wait(self, seconds):
        for event in self.lesson.wait(seconds):
            self.expected = TRANSITIONS[self.expected, type(event)]

    @invariant()
    def holds(self):
        state = self.lesson.room.session
        assert state.phase is self.expected
        assert (state.running_since is not None) == (state.phase is Phase.LIVE)
        assert (state.started_at is not None) == (state.phase in OPEN or state.phase is Phase.ENDED)
        assert (engine.due(self.lesson.room) is None) == (state.phase in FINAL)
        assert state.taught_s <= self.lesson.now - START

    def teardown(self):
        self.lesson.check_replay()


TestLifecycle = Lifecycle.TestCase
TestLifecycle.settings = hypothesis_settings(max_examples=50, stateful_step_count=30, deadline=None)
