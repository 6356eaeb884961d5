"""Questions of students: ask, vote, answer, resolve, dismiss. Names can be hidden from other students."""

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field, structs

from classroom import checks, limits
from classroom.audience import beginning, everyone, fitting
from classroom.base import SERVER, Command, Event, Events, Feature
from classroom.errors import Code, Conflict, LimitReached, NotAllowed, NotFound
from classroom.ids import PersonId, QuestionId
from classroom.roles import STAFF

if TYPE_CHECKING:
    from classroom.features.people import Person
    from classroom.state import Classroom


class Status(StrEnum):
    """State of a question."""

    OPEN = "open"
    ANSWERED = "answered"
    RESOLVED = "resolved"
    "Resolved; removed from the list."
    DISMISSED = "dismissed"
    "Dismissed without an answer; removed from the list."


WAITING: Final = frozenset({Status.OPEN, Status.ANSWERED})


class Ask(Command, frozen=True, tag="questions.ask"):
    """Ask a question."""

    question: QuestionId
    text: str
    anonymous: bool = False
    "Hides the author's name from other students; staff see it."


class Upvote(Command, frozen=True, tag="questions.upvote"):
    """Vote for another person's question."""

    question: QuestionId


class TakeBack(Command, frozen=True, tag="questions.take_back"):
    """Take back your vote."""

    question: QuestionId


class Answer(Command, frozen=True, tag="questions.answer"):
    """Answer in writing, or record (empty text) that the question was answered aloud."""

    question: QuestionId
    text: str = ""


class Resolve(Command, frozen=True, tag="questions.resolve"):
    """Mark a question as resolved; it is removed from the list."""

    question: QuestionId


class Dismiss(Command, frozen=True, tag="questions.dismiss"):
    """Dismiss a question; it is removed from the list without an answer."""

    question: QuestionId


class Reopen(Command, frozen=True, tag="questions.reopen"):
    """Reopen a question; it returns to the list."""

    question: QuestionId


class Asked(Event, frozen=True, tag="questions.asked"):
    """`by` asked a question; `by` is empty where the name is hidden."""

    question: QuestionId
    text: str
    anonymous: bool


class Upvoted(Event, frozen=True, tag="questions.upvoted"):
    """The question gained a vote. Only the voter sees who voted."""

    question: QuestionId


class TakenBack(Event, frozen=True, tag="questions.taken_back"):
    """The question lost a vote. Only the voter sees who voted."""

    question: QuestionId


class Answered(Event, frozen=True, tag="questions.answered"):
    """A question was answered."""

    question: QuestionId
    text: str


class Resolved(Event, frozen=True, tag="questions.resolved"):
    """A question was resolved."""

    question: QuestionId


class Dismissed(Event, frozen=True, tag="questions.dismissed"):
    """A question was dismissed."""

    question: QuestionId


class Reopened(Event, frozen=True, tag="questions.reopened"):
    """A question was reopened."""

    question: QuestionId


class Question(Struct):
    """One question."""

    id: QuestionId
    by: PersonId
    at: float
    text: str
    anonymous: bool
    status: Status = Status.OPEN
    voters: dict[PersonId, None] = field(default_factory=dict)
    answer: str = ""
    answered_by: str = ""
    answered_at: float | None = None


class State(Struct):
    """All questions, in the order in which they were asked."""

    questions: dict[QuestionId, Question] = field(default_factory=dict)


def _ask(room: "Classroom", command: Ask, now: float) -> Events:
    questions = room.questions.questions
    question_id = checks.identifier(command.question, "question")
    text = checks.text(command.text, limits.QUESTION_LENGTH, "question")
    if question_id in questions:
        raise Conflict(Code.ALREADY_EXISTS, "There is a question with this id already.")
    if command.anonymous and not room.session.settings.anonymous_questions:
        raise NotAllowed(Code.ANONYMITY_OFF, "Anonymous questions are not allowed in this session.")
    checks.room_for_one(len(questions), limits.QUESTIONS, "questions in a session")
    mine = sum(
        question.by == command.by and question.status is Status.OPEN for question in questions.values()
    )
    if mine >= limits.OPEN_QUESTIONS_PER_PERSON:
        raise LimitReached(Code.TOO_MANY, "Too many questions of this person wait for an answer.")
    return [Asked(at=now, by=command.by, question=question_id, text=text, anonymous=command.anonymous)]


def _find(room: "Classroom", question_id: QuestionId, allowed: frozenset[Status]) -> Question:
    question = room.questions.questions.get(question_id)
    if question is None:
        raise NotFound(Code.QUESTION_NOT_FOUND, "There is no such question.")
    if question.status not in allowed:
        raise Conflict(Code.QUESTION_CLOSED, f"The question is {question.status}.")
    return question


def _upvote(room: "Classroom", command: Upvote, now: float) -> Events:
    question = _find(room, command.question, WAITING)
    if not room.session.settings.upvotes:
        raise NotAllowed(Code.UPVOTES_OFF, "Questions cannot be voted for in this session.")
    if question.by == command.by or command.by in question.voters:
        raise Conflict(Code.NOTHING_TO_CHANGE, "You cannot vote for your own question or vote twice.")
    return [Upvoted(at=now, by=command.by, question=question.id)]


def _take_back(room: "Classroom", command: TakeBack, now: float) -> Events:
    question = _find(room, command.question, WAITING)
    if command.by not in question.voters:
        raise Conflict(Code.NOTHING_TO_CHANGE, "There is no vote to take back.")
    return [TakenBack(at=now, by=command.by, question=question.id)]


def _answer(room: "Classroom", command: Answer, now: float) -> Events:
    question = _find(room, command.question, WAITING)
    text = checks.text(command.text, limits.ANSWER_LENGTH, "answer", empty=True)
    return [Answered(at=now, by=command.by, question=question.id, text=text)]


def _resolve(room: "Classroom", command: Resolve, now: float) -> Events:
    return [Resolved(at=now, by=command.by, question=_find(room, command.question, WAITING).id)]


def _dismiss(room: "Classroom", command: Dismiss, now: float) -> Events:
    return [Dismissed(at=now, by=command.by, question=_find(room, command.question, WAITING).id)]


def _reopen(room: "Classroom", command: Reopen, now: float) -> Events:
    question = _find(room, command.question, frozenset(Status) - {Status.OPEN})
    return [Reopened(at=now, by=command.by, question=question.id)]


def _asked(state: State, event: Asked) -> None:
    question = Question(event.question, event.by, event.at, event.text, event.anonymous)
    state.questions[event.question] = question


def _upvoted(state: State, event: Upvoted) -> None:
    state.questions[event.question].voters[event.by] = None


def _taken_back(state: State, event: TakenBack) -> None:
    del state.questions[event.question].voters[event.by]


def _answered(state: State, event: Answered) -> None:
    question = state.questions[event.question]
    question.status, question.answer = Status.ANSWERED, event.text
    question.answered_by, question.answered_at = event.by, event.at


def _resolved(state: State, event: Resolved) -> None:
    state.questions[event.question].status = Status.RESOLVED


def _dismissed(state: State, event: Dismissed) -> None:
    state.questions[event.question].status = Status.DISMISSED


def _reopened(state: State, event: Reopened) -> None:
    state.questions[event.question].status = Status.OPEN


class Seen(Struct, frozen=True, omit_defaults=True):
    """A question in a view."""

    id: QuestionId
    at: float
    text: str
    status: Status
    votes: int
    by: PersonId = PersonId("")
    "Empty where the name is hidden."
    anonymous: bool = False
    voted: bool = False
    "Whether the person voted for it."
    answer: str = ""
    answered_by: str = ""
    cut: bool = False
    "The question or its answer is longer than shown."


class View(Struct, frozen=True):
    """The questions on the list: most votes first, then oldest first."""

    questions: list[Seen]
    more: bool


def _hides_name(question: Question, person: "Person") -> bool:
    return question.anonymous and person.role not in STAFF and person.id != question.by


def _seen(question: Question, person: "Person") -> Seen:
    text, text_cut = beginning(question.text)
    answer, answer_cut = beginning(question.answer)
    return Seen(
        id=question.id,
        at=question.at,
        text=text,
        status=question.status,
        votes=len(question.voters),
        by=SERVER if _hides_name(question, person) else question.by,
        anonymous=question.anonymous,
        voted=person.id in question.voters,
        answer=answer,
        answered_by=question.answered_by,
        cut=text_cut or answer_cut,
    )


def _view(room: "Classroom", person: "Person", _now: float) -> View:
    listed = [question for question in room.questions.questions.values() if question.status in WAITING]
    listed.sort(key=lambda question: -len(question.voters))
    return View(*fitting((_seen(question, person) for question in listed), limits.VIEW_QUESTIONS))


def _asked_shown(_room: "Classroom", event: Asked, person: "Person") -> Event:
    """Shown to everybody; only staff and the author see a hidden name."""
    hidden = event.anonymous and person.role not in STAFF and person.id != event.by
    return structs.replace(event, by="") if hidden else event


def _vote_shown(_room: "Classroom", event: Upvoted | TakenBack, person: "Person") -> Event:
    """Shown to everybody; only the voter sees who voted."""
    return event if person.id == event.by else structs.replace(event, by="")


FEATURE: Final = Feature(
    name="questions",
    state=State,
    decide={
        Ask: _ask,
        Upvote: _upvote,
        TakeBack: _take_back,
        Answer: _answer,
        Resolve: _resolve,
        Dismiss: _dismiss,
        Reopen: _reopen,
    },
    apply={
        Asked: _asked,
        Upvoted: _upvoted,
        TakenBack: _taken_back,
        Answered: _answered,
        Resolved: _resolved,
        Dismissed: _dismissed,
        Reopened: _reopened,
    },
    shown={
        Asked: _asked_shown,
        Upvoted: _vote_shown,
        TakenBack: _vote_shown,
        Answered: everyone,
        Resolved: everyone,
        Dismissed: everyone,
        Reopened: everyone,
    },
    view=_view,
)
