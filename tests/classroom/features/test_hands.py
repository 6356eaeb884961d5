from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from classroom.errors import Code
from classroom.features import hands, people, session
from classroom.roles import Role
from tests.classroom.lesson import Lesson


def queue(lesson):
    return list(lesson.room.hands.raised)


def test_hands_stand_in_the_order_in_which_they_went_up():
    lesson = Lesson(students=["ada", "ben", "cem"])
    for person in ["cem", "ada", "ben"]:
        lesson.do(hands.Raise(by=person), after=1)
    lesson.do(hands.Lower(by="cem"))
    lesson.do(hands.Raise(by="cem"), after=1)
    assert queue(lesson) == ["ada", "ben", "cem"]
    assert [hand.person for hand in lesson.view("ben").hands.hands] == ["ada", "ben", "cem"]


def test_a_hand_goes_up_and_down_once():
    lesson = Lesson(students=["ada"])
    assert lesson.refusal(hands.Lower(by="ada")) is Code.HAND_NOT_RAISED
    assert lesson.refusal(hands.LowerAll(by="tutor")) is Code.HAND_NOT_RAISED
    lesson.do(hands.Raise(by="ada"))
    assert lesson.refusal(hands.Raise(by="ada")) is Code.HAND_RAISED


def test_staff_lower_hands_and_students_only_their_own():
    lesson = Lesson(students=["ada", "ben"])
    lesson.do(hands.Raise(by="ada"))
    assert lesson.refusal(hands.Lower(by="ben", person="ada")) is Code.NOT_YOURS
    assert lesson.refusal(hands.LowerAll(by="ben")) is Code.NOT_ALLOWED
    lesson.do(hands.Lower(by="tutor", person="ada"))
    lesson.do(hands.Raise(by="ben"))
    lesson.do(hands.LowerAll(by="tutor"))
    assert queue(lesson) == []


def test_who_leaves_takes_the_hand_along_and_who_reloads_keeps_the_place():
    lesson = Lesson(students=["ada", "ben"])
    for person in ["ada", "ben"]:
        lesson.do(hands.Raise(by=person))
    lesson.join("ada")
    assert queue(lesson) == ["ada", "ben"]
    lesson.do(people.Leave(by="ada"))
    assert queue(lesson) == ["ben"]


def test_staff_have_no_hand_to_raise():
    lesson = Lesson(students=["ada"])
    assert lesson.refusal(hands.Raise(by="tutor")) is Code.NOT_ALLOWED
    lesson.do(hands.Raise(by="ada"))
    lesson.do(people.SetRole(by="tutor", person="ada", role=Role.ASSISTANT))
    assert queue(lesson) == []


def test_when_the_session_is_over_no_hand_is_up():
    lesson = Lesson(students=["ada"])
    lesson.do(hands.Raise(by="ada"))
    lesson.do(session.End(by="tutor"))
    assert queue(lesson) == []


PEOPLE = ["ada", "ben", "cem"]


class Hands(RuleBasedStateMachine):
    """Against a list: who raises is last, who lowers or leaves is out."""

    def __init__(self):
        super().__init__()
        self.lesson = Lesson(students=PEOPLE)
        self.queue = []

    @rule(person=st.sampled_from(PEOPLE))
    def raise_hand(self, person):
        if person not in self.lesson.room.people.present:
            assert self.lesson.refusal(hands.Raise(by=person)) is Code.NOT_PRESENT
        elif person in self.queue:
            assert self.lesson.refusal(hands.Raise(by=person)) is Code.HAND_RAISED
        else:
            self.lesson.do(hands.Raise(by=person), after=0.5)
            self.queue.append(person)

    @rule(person=st.sampled_from(PEOPLE))
    def lower(self, person):
        if person in self.queue:
            self.lesson.do(hands.Lower(by="tutor", person=person))
            self.queue.remove(person)
        else:
            assert self.lesson.refusal(hands.Lower(by="tutor", person=person)) is Code.HAND_NOT_RAISED

    @rule()
    def lower_all(self):
        if self.queue:
            self.lesson.do(hands.LowerAll(by="tutor"))
            self.queue = []

    @rule(person=st.sampled_from(PEOPLE))
    def leave_or_return(self, person):
        if person in self.lesson.room.people.present:
            self.lesson.do(people.Leave(by=person))
            self.queue = [other for other in self.queue if other != person]
        else:
            self.lesson.join(person)

    @invariant()
    def in_order(self):
        assert queue(self.lesson) == self.queue

    def teardown(self):
        self.lesson.check_replay()


TestHands = Hands.TestCase
TestHands.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
