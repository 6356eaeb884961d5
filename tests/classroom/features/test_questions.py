import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from classroom import limits
from classroom.errors import Code
from classroom.features import questions
from classroom.features.questions import Status
from classroom.visibility import shown_to
from tests.classroom.lesson import Lesson

PEOPLE = ["ada", "ben", "cem"]


def ask(by="ada", question="q1", text="Why?", **fields):
    return questions.Ask(by=by, question=question, text=text, **fields)


def lesson_of(**settings):
    return Lesson(students=PEOPLE, **settings)


def listed(lesson, person):
    return lesson.view(person).questions.questions


def test_questions_stand_by_votes_and_then_by_age():
    lesson = lesson_of()
    for number in range(3):
        lesson.do(ask(question=f"q{number}"), after=1)
    lesson.do(questions.Upvote(by="ben", question="q2"))
    assert [seen.id for seen in listed(lesson, "ben")] == ["q2", "q0", "q1"]
    assert listed(lesson, "ben")[0].voted
    assert not listed(lesson, "cem")[0].voted
    lesson.do(questions.TakeBack(by="ben", question="q2"))
    assert [seen.votes for seen in listed(lesson, "ben")] == [0, 0, 0]
    assert lesson.refusal(questions.TakeBack(by="ben", question="q2")) is Code.NOTHING_TO_CHANGE


def test_nobody_votes_twice_or_for_themselves():
    lesson = lesson_of()
    lesson.do(ask())
    lesson.do(questions.Upvote(by="ben", question="q1"))
    assert lesson.refusal(questions.Upvote(by="ben", question="q1")) is Code.NOTHING_TO_CHANGE
    assert lesson.refusal(questions.Upvote(by="ada", question="q1")) is Code.NOTHING_TO_CHANGE


def test_voting_can_be_off():
    lesson = lesson_of(upvotes=False)
    lesson.do(ask())
    assert lesson.refusal(questions.Upvote(by="ben", question="q1")) is Code.UPVOTES_OFF


def test_a_hidden_name_is_hidden_from_peers_and_not_from_staff():
    lesson = lesson_of()
    (asked,) = lesson.do(ask(anonymous=True))
    seen = {person: shown_to(lesson.room, asked, person).by for person in [*PEOPLE, "tutor"]}
    assert seen == {"ada": "ada", "ben": "", "cem": "", "tutor": "ada"}
    assert {person: listed(lesson, person)[0].by for person in seen} == seen


def test_hiding_the_name_can_be_off():
    lesson = lesson_of(anonymous_questions=False)
    assert lesson.refusal(ask(anonymous=True)) is Code.ANONYMITY_OFF
    lesson.do(ask())


def test_an_answer_in_writing_is_there_for_all():
    lesson = lesson_of()
    lesson.do(ask())
    assert lesson.refusal(questions.Answer(by="ben", question="q1", text="x")) is Code.NOT_ALLOWED
    lesson.do(questions.Answer(by="tutor", question="q1", text="Because."), after=5)
    (seen,) = listed(lesson, "ben")
    assert (seen.answer, seen.answered_by, seen.status) == ("Because.", "tutor", Status.ANSWERED)
    lesson.do(questions.Answer(by="tutor", question="q1"))  # said aloud instead
    assert lesson.room.questions.questions["q1"].answered_at == lesson.now


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (ask(text=""), Code.TEXT_EMPTY),
        (ask(text="x" * 1_001), Code.TEXT_TOO_LONG),
        (ask(question="a b"), Code.BAD_IDENTIFIER),
        (ask(by="tutor"), Code.NOT_ALLOWED),
        (questions.Upvote(by="ada", question="q9"), Code.QUESTION_NOT_FOUND),
    ],
)
def test_bad_questions_are_refused(command, code):
    assert lesson_of().refusal(command) is code


def test_questions_are_limited(monkeypatch):
    lesson = lesson_of()
    for number in range(limits.OPEN_QUESTIONS_PER_PERSON):
        lesson.do(ask(question=f"q{number}"))
    assert lesson.refusal(ask(question="q1")) is Code.ALREADY_EXISTS
    assert lesson.refusal(ask(question="new")) is Code.TOO_MANY
    lesson.do(questions.Dismiss(by="tutor", question="q1"))
    lesson.do(ask(question="new"))
    monkeypatch.setattr(limits, "QUESTIONS", 11)
    assert lesson.refusal(ask(by="ben", question="newer")) is Code.TOO_MANY


def test_long_questions_are_cut_in_the_list():
    lesson = lesson_of()
    lesson.do(ask(text="x" * 1_000))
    (seen,) = listed(lesson, "ben")
    assert (len(seen.text), seen.cut) == (limits.VIEW_TEXT, True)


COMMANDS = {
    questions.Answer: ({Status.OPEN, Status.ANSWERED}, Status.ANSWERED),
    questions.Resolve: ({Status.OPEN, Status.ANSWERED}, Status.RESOLVED),
    questions.Dismiss: ({Status.OPEN, Status.ANSWERED}, Status.DISMISSED),
    questions.Reopen: ({Status.ANSWERED, Status.RESOLVED, Status.DISMISSED}, Status.OPEN),
}


class Questions(RuleBasedStateMachine):
    """Any order of asking, voting and closing, against a table and sets of voters."""

    def __init__(self):
        super().__init__()
        self.lesson = lesson_of()
        self.status, self.voters = {}, {}

    @rule(question=st.sampled_from(["q1", "q2"]), by=st.sampled_from(PEOPLE), anonymous=st.booleans())
    def ask(self, question, by, anonymous):
        command = ask(by=by, question=question, anonymous=anonymous)
        if question in self.status:
            assert self.lesson.refusal(command) is Code.ALREADY_EXISTS
        else:
            self.lesson.do(command)
            self.status[question], self.voters[question] = Status.OPEN, set()

    @rule(question=st.sampled_from(["q1", "q2"]), kind=st.sampled_from(list(COMMANDS)))
    def treat(self, question, kind):
        allowed, target = COMMANDS[kind]
        command = kind(by="tutor", question=question)
        if question not in self.status:
            assert self.lesson.refusal(command) is Code.QUESTION_NOT_FOUND
        elif self.status[question] not in allowed:
            assert self.lesson.refusal(command) is Code.QUESTION_CLOSED
        else:
            self.lesson.do(command)
            self.status[question] = target

    @rule(question=st.sampled_from(["q1", "q2"]), by=st.sampled_from(PEOPLE))
    def vote(self, question, by):
        if question not in self.status:
            return
        known = self.lesson.room.questions.questions[question]
        command = questions.Upvote(by=by, question=question)
        if self.status[question] not in questions.WAITING:
            assert self.lesson.refusal(command) is Code.QUESTION_CLOSED
        elif by in self.voters[question] or by == known.by:
            assert self.lesson.refusal(command) is Code.NOTHING_TO_CHANGE
        else:
            self.lesson.do(command)
            self.voters[question].add(by)

    @invariant()
    def the_list_is_right(self):
        seen = {item.id: (item.status, item.votes) for item in listed(self.lesson, "ada")}
        assert seen == {
            key: (status, len(self.voters[key]))
            for key, status in self.status.items()
            if status in questions.WAITING
        }

    def teardown(self):
        self.lesson.check_replay()


TestQuestions = Questions.TestCase
TestQuestions.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
