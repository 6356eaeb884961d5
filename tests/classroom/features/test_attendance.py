import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from classroom import codec, engine, limits
from classroom.errors import Code
from classroom.features import attendance, people, session
from classroom.features.attendance import Activity, SetActivity, totals
from classroom.features.people import LeaveReason
from tests.classroom.lesson import START, Lesson


def sums(lesson, person):
    return totals(lesson.room.attendance, person, lesson.now)


def test_a_visit_lasts_from_joining_to_leaving():
    lesson = Lesson(students=["ada"])
    lesson.do(people.Leave(by="ada"), after=61.5)
    (visit,) = lesson.room.attendance.records["ada"].visits
    assert (visit.joined_at, visit.left_at, visit.reason) == (START, START + 61.5, LeaveReason.LEFT)
    assert sums(lesson, "ada").total_s == 61.5


def test_visits_add_up_while_one_lasts():
    lesson = Lesson(students=["ada"])
    lesson.do(people.Leave(by="ada"), after=10)
    lesson.join("ada", after=100)
    lesson.wait(5)
    got = sums(lesson, "ada")
    assert (got.visits, got.visit_s, got.total_s, got.last_left_at) == (2, 5, 15, None)
    assert got.first_joined_at == START


def test_idle_time_is_told_apart():
    lesson = Lesson(students=["ada"])
    lesson.do(SetActivity(by="ada", activity=Activity.IDLE), after=10)
    assert lesson.refusal(SetActivity(by="ada", activity=Activity.IDLE)) is Code.NOTHING_TO_CHANGE
    lesson.do(SetActivity(by="ada", activity=Activity.ACTIVE), after=7)
    lesson.do(people.Leave(by="ada"), after=3)
    (visit,) = lesson.room.attendance.records["ada"].visits
    assert (visit.active_s, visit.idle_s) == (13, 7)


def test_lesson_time_leaves_out_the_time_before_the_start_and_pauses():
    lesson = Lesson(live=False)
    lesson.join("tutor")
    lesson.do(session.Start(by="tutor"), after=100)
    lesson.do(session.Pause(by="tutor"), after=30)
    lesson.do(session.Resume(by="tutor"), after=500)
    lesson.wait(12)
    assert sums(lesson, "tutor").lesson_s == 42
    lesson.do(session.End(by="tutor"))
    assert sums(lesson, "tutor").lesson_s == 42
    assert sums(lesson, "tutor").total_s == 642


def test_a_short_loss_is_lost_time_within_the_visit():
    lesson = Lesson(students=["ada"])
    lesson.do(people.LoseConnection(person="ada", lost_at=START + 58), after=60)
    assert sums(lesson, "ada").total_s == 58
    lesson.do(people.RestoreConnection(person="ada"), after=10)
    lesson.do(people.Leave(by="ada"), after=30)
    got = sums(lesson, "ada")
    assert (got.visits, got.total_s, got.lost_s, got.lesson_s) == (1, 88, 12, 88)


def test_a_loss_without_return_ended_the_visit_when_it_began():
    lesson = Lesson(students=["ada"], grace_s=30)
    lesson.do(people.LoseConnection(person="ada", lost_at=START + 58), after=60)
    lesson.wait(1_000)
    (visit,) = lesson.room.attendance.records["ada"].visits
    assert (visit.left_at, visit.reason) == (START + 58, LeaveReason.CONNECTION_LOST)
    got = sums(lesson, "ada")
    assert (got.total_s, got.lost_s, got.last_left_at) == (58, 0, START + 58)


def test_a_pause_during_a_loss_does_not_count_twice():
    lesson = Lesson(students=["ada"], grace_s=60)
    lesson.do(people.LoseConnection(person="ada", lost_at=START + 10), after=10)
    lesson.do(session.Pause(by="tutor"), after=10)
    lesson.do(session.Resume(by="tutor"), after=10)
    lesson.do(people.RestoreConnection(person="ada"), after=5)
    lesson.do(people.Leave(by="ada"), after=1)
    got = sums(lesson, "ada")
    assert (got.total_s, got.lost_s, got.lesson_s) == (11, 25, 11)


def test_a_loss_noticed_late_takes_back_nothing_that_was_settled_after_it():
    # The page spoke at 50 (activity), so that the connection was not lost at 40.
    lesson = Lesson(students=["ada"])
    lesson.do(SetActivity(by="ada", activity=Activity.IDLE), after=50)
    lesson.do(people.LoseConnection(person="ada", lost_at=START + 40), after=5)
    lesson.do(people.RestoreConnection(person="ada"), after=5)
    got = sums(lesson, "ada")
    assert (got.total_s, got.lost_s) == (50, 10)


def test_durations_are_right_to_the_second_after_a_kill():
    """The server dies at 1,000 s; the last it wrote beside the log is that it lived at 999.6 s."""
    lesson = Lesson(students=["ada", "ben", "cem"], grace_s=30)
    lesson.do(people.Leave(by="cem"), after=100)
    log = list(lesson.log)  # kill -9: the log is all there is
    recovered = Lesson.__new__(Lesson)
    recovered.room = engine.replay(codec.decode_events(log))
    recovered.log, recovered.events, recovered.visits = log, [], 10
    recovered.now = START + 1_060
    recovered.do(people.Recover(alive_at=START + 999.6))
    recovered.do(people.RestoreConnection(person="tutor"), after=3)
    recovered.do(people.RestoreConnection(person="ada"), after=1)  # ben does not come back
    recovered.wait(100)
    recovered.do(session.End(by="tutor"))
    got = {person: sums(recovered, person).total_s for person in ["tutor", "ada", "ben", "cem"]}
    # Truth: until the kill at 1,000 s, and again from the return at 1,063 and 1,064 s until the end at 1,164 s.
    truth = {"tutor": 1_000 + 101, "ada": 1_000 + 100, "ben": 1_000, "cem": 100}
    assert got == pytest.approx(truth, abs=1.0)
    assert got["ben"] == pytest.approx(999.6)
    recovered.check_replay()


def test_without_a_sign_of_life_the_last_event_counts():
    lesson = Lesson(students=["ada"])
    lesson.do(SetActivity(by="ada", activity=Activity.IDLE), after=40)
    (recovered,) = lesson.do(people.Recover(alive_at=0.0), after=100)
    assert recovered.lost_at == START + 40


def test_a_second_crash_before_anybody_is_back_takes_nothing_away():
    lesson = Lesson(students=["ada"], grace_s=60)
    lesson.do(people.Recover(alive_at=START + 40), after=50)
    lesson.do(people.Recover(alive_at=START + 60), after=20)
    lesson.do(people.RestoreConnection(person="ada"), after=5)
    got = sums(lesson, "ada")
    assert (got.total_s, got.lost_s) == (40, 35)


def test_old_visits_keep_their_sums():
    lesson = Lesson()
    for _ in range(limits.VISITS_PER_PERSON + 10):
        lesson.join("ada")
        lesson.do(people.Leave(by="ada"), after=2)
    record = lesson.room.attendance.records["ada"]
    assert (len(record.visits), record.earlier) == (limits.VISITS_PER_PERSON, 10)
    got = sums(lesson, "ada")
    assert (got.visits, got.total_s, got.lesson_s) == (60, 120, 120)


def test_staff_see_all_times_and_others_their_own():
    lesson = Lesson(students=["ada", "ben"])
    assert [line.person for line in lesson.view("ada").attendance.lines] == ["ada"]
    assert len(lesson.view("tutor").attendance.lines) == 3


def test_who_was_never_there_has_no_times():
    lesson = Lesson()
    lesson.do(people.Invite(by="tutor", person="ada", name="Ada"))
    assert sums(lesson, "ada") is None


PEOPLE = ["ada", "ben"]


class Attendance(RuleBasedStateMachine):
    """Joining, leaving, losing and pausing in any order, against sums taken second by second."""

    def __init__(self):
        super().__init__()
        self.lesson = Lesson(auto_end_s=0, grace_s=5)
        self.there = dict.fromkeys(PEOPLE, 0)
        self.taught = dict.fromkeys(PEOPLE, 0)
        self.running = True

    def _present(self, person):
        known = self.lesson.room.people.everyone.get(person)
        return known is not None and person in self.lesson.room.people.present

    def _lost(self, person):
        return person in self.lesson.room.people.lost

    @rule(seconds=st.integers(1, 8))
    def wait(self, seconds):
        for _ in range(seconds):
            for person in PEOPLE:
                if self._present(person) and not self._lost(person):
                    self.there[person] += 1
                    self.taught[person] += self.running
            self.lesson.wait(1)

    @rule(person=st.sampled_from(PEOPLE))
    def join(self, person):
        self.lesson.join(person)

    @rule(person=st.sampled_from(PEOPLE))
    def leave(self, person):
        if self._present(person):
            self.lesson.do(people.Leave(by=person))

    @rule(person=st.sampled_from(PEOPLE))
    def lose_or_restore(self, person):
        if self._lost(person):
            self.lesson.do(people.RestoreConnection(person=person))
        elif self._present(person):
            self.lesson.do(people.LoseConnection(person=person, lost_at=self.lesson.now))

    @rule(person=st.sampled_from(PEOPLE))
    def toggle(self, person):
        if self._present(person):
            now = self.lesson.room.attendance.records[person].visits[-1].activity
            other = Activity.IDLE if now is Activity.ACTIVE else Activity.ACTIVE
            if not self._lost(person):
                self.lesson.do(SetActivity(by=person, activity=other))

    @rule()
    def pause_or_resume(self):
        self.lesson.do(session.Pause(by="tutor") if self.running else session.Resume(by="tutor"))
        self.running = not self.running

    @rule()
    def crash(self):
        self.lesson.do(people.Recover(alive_at=self.lesson.now))

    @invariant()
    def sums_are_right(self):
        for person in PEOPLE:
            got = sums(self.lesson, person)
            if got is not None:
                assert got.total_s == pytest.approx(self.there[person], abs=1e-3)
                assert got.lesson_s == pytest.approx(self.taught[person], abs=1e-3)

    def teardown(self):
        self.lesson.check_replay()


TestAttendance = Attendance.TestCase
TestAttendance.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)


def test_talk_is_summed_for_people_who_were_there_also_after_the_end():
    lesson = Lesson(students=["ada"])
    talks = (attendance.Talk("ada", 2.5), attendance.Talk("nobody", 9.0), attendance.Talk("tutor", 0.0))
    for _ in range(2):
        lesson.do(attendance.RecordTalk(talks=talks))
    lesson.do(session.End(by="tutor"))
    lesson.do(attendance.RecordTalk(talks=talks[:1]))
    assert attendance.totals(lesson.room.attendance, "ada", lesson.now).talk_s == 7.5
    assert attendance.totals(lesson.room.attendance, "tutor", lesson.now).talk_s == 0.0
    assert lesson.refusal(attendance.RecordTalk(talks=talks[1:])) is Code.NOTHING_TO_CHANGE
    wrong = attendance.RecordTalk(talks=(attendance.Talk("ada", -1.0),))
    assert lesson.refusal(wrong) is Code.BAD_NUMBER
    lesson.check_replay()
