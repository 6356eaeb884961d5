import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from classroom import engine, limits
from classroom.errors import Code, Refused
from classroom.features import polls, session
from classroom.features.polls import Ballot, Kind, Status, export, results
from classroom.visibility import shown_to, visible_to
from tests.classroom.lesson import Lesson

PEOPLE = ["ada", "ben", "cem"]


def create(poll="p1", question="Which?", kind=Kind.SINGLE, options=("red", "blue"), **fields):
    return polls.Create(by="tutor", poll=poll, question=question, kind=kind, options=options, **fields)


def opened(kind=Kind.SINGLE, options=("red", "blue"), duration_s=0, **fields):
    lesson = Lesson(students=PEOPLE)
    lesson.do(create(kind=kind, options=options if kind in {Kind.SINGLE, Kind.MULTIPLE} else (), **fields))
    lesson.do(polls.Open(by="tutor", poll="p1", duration_s=duration_s))
    return lesson


def answer(by="ada", poll="p1", **fields):
    return polls.Answer(by=by, poll=poll, **fields)


def seen(lesson, person):
    return lesson.view(person).polls.polls


def test_each_kind_of_poll_counts_in_its_way():
    lesson = opened()
    lesson.do(answer(options=(0,)))
    lesson.do(answer("ben", options=(1,)))
    lesson.do(answer("ada", options=(1,)))  # changed
    assert results(lesson.room.polls.polls["p1"]).counts == (0, 2)
    lesson = opened(Kind.MULTIPLE)
    lesson.do(answer(options=(1, 0, 1)))
    lesson.do(answer("ben", options=(1,)))
    assert results(lesson.room.polls.polls["p1"]).counts == (1, 2)
    lesson = opened(Kind.RATING, steps=3)
    lesson.do(answer(rating=3))
    lesson.do(answer("ben", rating=1))
    assert results(lesson.room.polls.polls["p1"]).counts == (1, 0, 1)
    lesson = opened(Kind.SHORT)
    lesson.do(answer(text="zebra"))
    lesson.do(answer("ben", text="ape"))
    assert results(lesson.room.polls.polls["p1"]) == polls.Results(2, (), ("ape", "zebra"))


@pytest.mark.parametrize(
    ("kind", "fields", "code"),
    [
        (Kind.SINGLE, {}, Code.BAD_CHOICE),
        (Kind.SINGLE, {"options": (2,)}, Code.BAD_CHOICE),
        (Kind.SINGLE, {"options": (-1,)}, Code.BAD_CHOICE),
        (Kind.SINGLE, {"options": (0, 1)}, Code.BAD_CHOICE),
        (Kind.MULTIPLE, {"options": tuple(range(10_000))}, Code.BAD_CHOICE),
        (Kind.RATING, {"rating": 0}, Code.BAD_NUMBER),
        (Kind.RATING, {"rating": 6}, Code.BAD_NUMBER),
        (Kind.SHORT, {"options": (0,)}, Code.TEXT_EMPTY),
        (Kind.SHORT, {"text": "x" * 301}, Code.TEXT_TOO_LONG),
    ],
)
def test_bad_answers_are_refused(kind, fields, code):
    assert opened(kind).refusal(answer(**fields)) is code


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"options": ()}, Code.BAD_CHOICE),
        ({"options": ("one",)}, Code.BAD_CHOICE),
        ({"options": ("same", " same ")}, Code.BAD_CHOICE),
        ({"options": tuple(map(str, range(10_000)))}, Code.TOO_MANY),
        ({"options": ("a", "x" * 101)}, Code.TEXT_TOO_LONG),
        ({"kind": Kind.SHORT}, Code.BAD_CHOICE),
        ({"kind": Kind.RATING, "options": (), "steps": 11}, Code.BAD_NUMBER),
        ({"question": ""}, Code.TEXT_EMPTY),
    ],
)
def test_bad_polls_are_refused(fields, code):
    assert Lesson().refusal(create(**fields)) is code


def test_the_number_of_polls_is_limited(monkeypatch):
    monkeypatch.setattr(limits, "POLLS", 1)
    lesson = Lesson()
    lesson.do(create())
    assert lesson.refusal(create()) is Code.ALREADY_EXISTS
    assert lesson.refusal(create("p2")) is Code.TOO_MANY


def test_a_draft_is_the_tutors():
    lesson = Lesson(students=PEOPLE)
    (created,) = lesson.do(create())
    assert not visible_to(lesson.room, created, "ada")
    assert seen(lesson, "ada") == []
    assert lesson.refusal(answer(options=(0,))) is Code.POLL_NOT_FOUND
    assert len(seen(lesson, "tutor")) == 1


def test_a_late_answer_is_refused_whether_or_not_the_server_has_closed_the_poll():
    lesson = opened(duration_s=60)
    with pytest.raises(Refused) as refused:
        engine.decide(lesson.room, answer(options=(0,)), lesson.now + 60)
    assert refused.value.code is Code.POLL_CLOSED
    (closed,) = lesson.wait(60)
    assert isinstance(closed, polls.Closed)
    assert lesson.refusal(answer(options=(0,))) is Code.POLL_CLOSED


def test_a_forgotten_poll_closes():
    lesson = opened()
    assert [type(event) for event in lesson.wait(limits.POLL_S)] == [polls.Closed]


def test_results_are_for_staff_until_they_are_published():
    lesson = opened(Kind.SHORT)
    lesson.do(answer(text="ape"))
    assert seen(lesson, "ada")[0].results is None
    assert seen(lesson, "ada")[0].mine == Ballot(text="ape")
    assert seen(lesson, "tutor")[0].results.answers == 1
    assert lesson.refusal(polls.Publish(by="tutor", poll="p1")) is Code.POLL_WRONG_STATE
    lesson.do(polls.Close(by="tutor", poll="p1"))
    (published,) = lesson.do(polls.Publish(by="tutor", poll="p1"))
    assert published.results.texts == ("ape",)
    assert seen(lesson, "ben")[0].results.answers == 1
    assert lesson.refusal(polls.Discard(by="tutor", poll="p1")) is Code.POLL_WRONG_STATE


def test_who_answered_what_is_hidden_in_an_anonymous_poll():
    for anonymous, shown in [(True, ""), (False, "ada")]:
        lesson = opened(anonymous=anonymous)
        (answered,) = lesson.do(answer(options=(1,)))
        assert shown_to(lesson.room, answered, "tutor").by == shown
        assert shown_to(lesson.room, answered, "ada").by == "ada"
        assert shown_to(lesson.room, answered, "ben") is None
        assert export(lesson.room.polls.polls["p1"]) == [(shown, "blue")]


def test_it_stays_hidden_when_another_poll_takes_the_id():
    lesson = opened(anonymous=True)
    (answered,) = lesson.do(answer(options=(1,)))
    lesson.do(polls.Discard(by="tutor", poll="p1"))
    assert lesson.refusal(polls.Open(by="tutor", poll="p1")) is Code.POLL_NOT_FOUND
    lesson.do(create(anonymous=False))
    assert shown_to(lesson.room, answered, "tutor").by == ""


def test_an_export_of_an_anonymous_poll_is_in_no_telling_order():
    lesson = opened(Kind.RATING, anonymous=True)
    for person, rating in zip(PEOPLE, [5, 1, 3], strict=True):
        lesson.do(answer(person, rating=rating))
    assert export(lesson.room.polls.polls["p1"]) == [("", "1"), ("", "3"), ("", "5")]


def test_an_export_names_all_options_that_were_chosen():
    lesson = opened(Kind.MULTIPLE)
    lesson.do(answer(options=(0, 1)))
    assert export(lesson.room.polls.polls["p1"]) == [("ada", "red; blue")]
    lesson = opened(Kind.SHORT)
    lesson.do(answer(text="ape"))
    assert export(lesson.room.polls.polls["p1"]) == [("ada", "ape")]


def test_open_polls_close_with_the_session_and_can_still_be_published():
    lesson = opened()
    lesson.do(create("p2"))
    lesson.do(session.End(by="tutor"))
    assert lesson.room.polls.polls["p1"].status is Status.CLOSED
    assert lesson.room.polls.polls["p2"].status is Status.DRAFT
    lesson.do(polls.Publish(by="tutor", poll="p1"))


MOVES = {
    polls.Open: ({Status.DRAFT}, Status.OPEN),
    polls.Close: ({Status.OPEN}, Status.CLOSED),
    polls.Publish: ({Status.CLOSED}, Status.PUBLISHED),
    polls.Discard: ({Status.DRAFT, Status.OPEN, Status.CLOSED}, None),
}


class Polls(RuleBasedStateMachine):
    """Any order of commands and waiting, against a table of moves and a dict of answers."""

    def __init__(self):
        super().__init__()
        self.lesson = Lesson(students=PEOPLE)
        self.status, self.answers, self.closes_at = None, {}, None

    @rule(kind=st.sampled_from(list(MOVES)))
    def move(self, kind):
        allowed, target = MOVES[kind]
        command = kind(by="tutor", poll="p1", **({"duration_s": 60} if kind is polls.Open else {}))
        if self.status is None:
            assert self.lesson.refusal(command) is Code.POLL_NOT_FOUND
        elif self.status not in allowed:
            assert self.lesson.refusal(command) is Code.POLL_WRONG_STATE
        else:
            self.lesson.do(command)
            self.status = target
            self.closes_at = self.lesson.now + 60 if target is Status.OPEN else None

    @rule()
    def create(self):
        if self.status is None:
            self.lesson.do(create())
            self.status, self.answers = Status.DRAFT, {}

    @rule(by=st.sampled_from(PEOPLE), option=st.integers(0, 1))
    def answer(self, by, option):
        command = answer(by, options=(option,))
        if self.status in {None, Status.DRAFT}:
            assert self.lesson.refusal(command) is Code.POLL_NOT_FOUND
        elif self.status is not Status.OPEN:
            assert self.lesson.refusal(command) is Code.POLL_CLOSED
        elif self.answers.get(by) == option:
            assert self.lesson.refusal(command) is Code.NOTHING_TO_CHANGE
        else:
            self.lesson.do(command)
            self.answers[by] = option

    @rule(seconds=st.integers(0, 70))
    def wait(self, seconds):
        self.lesson.wait(seconds)
        if self.closes_at is not None and self.lesson.now >= self.closes_at:
            self.status, self.closes_at = Status.CLOSED, None

    @invariant()
    def counts_are_right(self):
        poll = self.lesson.room.polls.polls.get("p1")
        assert (poll and poll.status) == self.status
        if poll:
            given = list(self.answers.values())
            assert results(poll).counts == (given.count(0), given.count(1))

    def teardown(self):
        self.lesson.check_replay()


TestPolls = Polls.TestCase
TestPolls.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
