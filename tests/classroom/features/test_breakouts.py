from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from classroom.errors import Code
from classroom.features import breakouts, people, session
from classroom.features.breakouts import Room, place
from classroom.roles import Role
from classroom.visibility import shown_to, visible_to
from tests.classroom.lesson import Lesson

ROOMS = (Room("b1", "One"), Room("b2", "Two"))
PEOPLE = ["ada", "ben", "cem"]


def lesson_of(**fields):
    lesson = Lesson(students=PEOPLE)
    lesson.do(breakouts.Make(by="tutor", rooms=ROOMS, **fields))
    return lesson


def test_people_are_in_their_rooms_while_these_are_open():
    lesson = lesson_of()
    lesson.do(breakouts.Assign(by="tutor", person="ada", room="b1"))
    assert place(lesson.room, "ada") == ""
    lesson.do(breakouts.Open(by="tutor"))
    assert [place(lesson.room, person) for person in PEOPLE] == ["b1", "", ""]
    lesson.do(breakouts.Assign(by="tutor", person="ada", room="b2"))
    lesson.do(breakouts.Assign(by="tutor", person="ben", room="b2"))
    assert place(lesson.room, "ada") == "b2"
    lesson.do(breakouts.Assign(by="tutor", person="ben", room=""))
    assert place(lesson.room, "ben") == ""
    lesson.do(breakouts.Close(by="tutor"))
    assert place(lesson.room, "ada") == ""


@given(st.integers(0, 2**64 - 1), st.integers(1, 12))
@settings(max_examples=30, deadline=None)
def test_at_random_the_rooms_are_of_equal_size(seed, count):
    lesson = Lesson(students=[f"s{index}" for index in range(25)])
    rooms = tuple(Room(f"b{index}", f"Room {index}") for index in range(count))
    lesson.do(breakouts.Make(by="tutor", rooms=rooms))
    (shuffled,) = lesson.do(breakouts.Shuffle(by="tutor", seed=seed))
    sizes = Counter(shuffled.places.values())
    assert len(shuffled.places) == 25
    assert max(sizes.values()) - min(sizes.values()) <= 1
    assert len(sizes) == count
    lesson.check_replay()


def test_another_seed_makes_other_groups():
    lesson = Lesson(students=[f"s{index}" for index in range(25)])
    lesson.do(breakouts.Make(by="tutor", rooms=ROOMS))
    places = [lesson.do(breakouts.Shuffle(by="tutor", seed=seed))[0].places for seed in [1, 2, 1]]
    assert places[0] == places[2] != places[1]


def test_students_choose_if_they_may_and_there_is_a_place():
    lesson = lesson_of()
    assert lesson.refusal(breakouts.Choose(by="ada", room="b1")) is Code.CHOICE_OFF
    lesson = lesson_of(choice=True, capacity=1)
    lesson.do(breakouts.Choose(by="ada", room="b1"))
    assert lesson.refusal(breakouts.Choose(by="ada", room="b1")) is Code.NOTHING_TO_CHANGE
    assert lesson.refusal(breakouts.Choose(by="ben", room="b1")) is Code.GROUP_FULL
    assert lesson.refusal(breakouts.Choose(by="ben", room="b9")) is Code.BREAKOUT_NOT_FOUND
    lesson.do(breakouts.Choose(by="ada", room=""))
    lesson.do(breakouts.Choose(by="ben", room="b1"))


def test_staff_walk_from_room_to_room():
    lesson = lesson_of()
    assert lesson.refusal(breakouts.Visit(by="tutor", room="b1")) is Code.BREAKOUTS_CLOSED
    lesson.do(breakouts.Open(by="tutor"))
    lesson.do(breakouts.Visit(by="tutor", room="b1"))
    assert place(lesson.room, "tutor") == "b1"
    lesson.do(breakouts.Visit(by="tutor", room=""))
    assert place(lesson.room, "tutor") == ""
    assert lesson.refusal(breakouts.Visit(by="tutor", room="b9")) is Code.BREAKOUT_NOT_FOUND


def test_they_close_when_the_time_is_up():
    lesson = lesson_of()
    (opened,) = lesson.do(breakouts.Open(by="tutor", duration_s=300))
    assert opened.ends_at == lesson.now + 300
    assert lesson.wait(299) == []
    (closed,) = lesson.wait(1)
    assert isinstance(closed, breakouts.Closed)


def test_calling_back_is_a_countdown():
    lesson = lesson_of()
    assert lesson.refusal(breakouts.CallBack(by="tutor")) is Code.BREAKOUTS_CLOSED
    lesson.do(breakouts.Open(by="tutor"))
    lesson.do(breakouts.CallBack(by="tutor", countdown_s=30))
    assert len(lesson.wait(30)) == 1
    assert not lesson.room.breakouts.open


def test_a_broadcast_reaches_all_rooms():
    lesson = lesson_of()
    assert lesson.refusal(breakouts.Broadcast(by="tutor", text="x")) is Code.BREAKOUTS_CLOSED
    lesson.do(breakouts.Open(by="tutor"))
    (said,) = lesson.do(breakouts.Broadcast(by="tutor", text="Two minutes left"))
    assert all(visible_to(lesson.room, said, person) for person in PEOPLE)


@pytest.mark.parametrize(
    ("rooms", "code"),
    [
        ((), Code.TOO_MANY),
        (tuple(Room(f"b{index}", "x") for index in range(51)), Code.TOO_MANY),
        ((Room("b1", "x"), Room("b1", "y")), Code.BAD_IDENTIFIER),
        ((Room("b1", " "),), Code.TEXT_EMPTY),
    ],
)
def test_bad_rooms_are_refused(rooms, code):
    assert Lesson().refusal(breakouts.Make(by="tutor", rooms=rooms)) is code


def test_open_rooms_are_not_made_anew():
    lesson = lesson_of()
    lesson.do(breakouts.Open(by="tutor"))
    assert lesson.refusal(breakouts.Make(by="tutor", rooms=ROOMS)) is Code.BREAKOUTS_OPEN
    assert lesson.refusal(breakouts.Shuffle(by="tutor", seed=1)) is Code.BREAKOUTS_OPEN
    assert lesson.refusal(breakouts.Open(by="tutor")) is Code.BREAKOUTS_OPEN


def test_without_rooms_there_is_nothing_to_open():
    lesson = Lesson()
    assert lesson.refusal(breakouts.Open(by="tutor")) is Code.BREAKOUT_NOT_FOUND
    assert lesson.refusal(breakouts.Shuffle(by="tutor", seed=1)) is Code.BREAKOUT_NOT_FOUND


def test_who_loses_the_connection_comes_back_to_their_room():
    lesson = lesson_of()
    lesson.do(breakouts.Assign(by="tutor", person="ada", room="b1"))
    lesson.do(breakouts.Assign(by="tutor", person="ben", room="b1"))
    lesson.do(breakouts.Open(by="tutor"))
    lesson.do(people.LoseConnection(person="ada", lost_at=lesson.now))
    lesson.wait(60)
    lesson.join("ada")
    assert place(lesson.room, "ada") == "b1"
    lesson.do(people.Leave(by="ben"))
    lesson.join("ben")
    assert place(lesson.room, "ben") == ""


def test_who_is_where_is_for_staff():
    lesson = lesson_of()
    (shuffled,) = lesson.do(breakouts.Shuffle(by="tutor", seed=1))
    (moved,) = lesson.do(breakouts.Assign(by="tutor", person="ada", room=""))
    assert set(shown_to(lesson.room, shuffled, "ben").places) == {"ben"}
    assert set(shown_to(lesson.room, shuffled, "tutor").places) == set(PEOPLE)
    assert [visible_to(lesson.room, moved, person) for person in PEOPLE] == [True, False, False]
    assert lesson.view("ben").breakouts.places == {}
    assert lesson.view("ben").breakouts.mine == shuffled.places["ben"]
    assert sum(map(len, lesson.view("tutor").breakouts.places.values())) == 2
    lesson.join("eve", Role.OBSERVER)
    assert shown_to(lesson.room, shuffled, "eve").places == {}


def test_they_close_with_the_session():
    lesson = lesson_of()
    lesson.do(breakouts.Open(by="tutor", duration_s=300))
    lesson.do(session.End(by="tutor"))
    assert not lesson.room.breakouts.open


class Breakouts(RuleBasedStateMachine):
    """Against two dicts: who was put where, and whether the rooms are open."""

    def __init__(self):
        super().__init__()
        self.lesson = lesson_of(choice=True)
        self.places, self.open = {}, False

    @rule(person=st.sampled_from(PEOPLE), room=st.sampled_from(["b1", "b2", ""]), chosen=st.booleans())
    def move(self, person, room, chosen):
        if chosen:
            command = breakouts.Choose(by=person, room=room)
        else:
            command = breakouts.Assign(by="tutor", person=person, room=room)
        if self.places.get(person, "") == room:
            assert self.lesson.refusal(command) is Code.NOTHING_TO_CHANGE
        else:
            self.lesson.do(command)
            self.places[person] = room

    @rule(seed=st.integers(0, 99))
    def shuffle(self, seed):
        if not self.open:
            (shuffled,) = self.lesson.do(breakouts.Shuffle(by="tutor", seed=seed))
            self.places = dict(shuffled.places)

    @rule()
    def make(self):
        command = breakouts.Make(by="tutor", rooms=ROOMS, choice=True)
        if self.open:
            assert self.lesson.refusal(command) is Code.BREAKOUTS_OPEN
        else:
            self.lesson.do(command)
            self.places = {}

    @rule()
    def open_or_close(self):
        self.lesson.do(breakouts.Close(by="tutor") if self.open else breakouts.Open(by="tutor"))
        self.open = not self.open

    @rule(person=st.sampled_from(PEOPLE))
    def leave_and_return(self, person):
        self.lesson.do(people.Leave(by=person))
        self.lesson.join(person)
        self.places.pop(person, None)

    @invariant()
    def everybody_is_where_they_belong(self):
        for person in PEOPLE:
            assert place(self.lesson.room, person) == (self.places.get(person, "") if self.open else "")

    def teardown(self):
        self.lesson.check_replay()


TestBreakouts = Breakouts.TestCase
TestBreakouts.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
