"""Polls: single choice, multiple choice, rating, short answer; drafted, opened, closed, published.

The log records who gave which answer, since an answer may be changed while the poll is open and counts once. In an
anonymous poll, that link is never shown to anybody: not in events, views, results or the export.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field, structs

from classroom import checks, limits
from classroom.audience import everyone, fitting, tutors
from classroom.base import Command, Deadline, Event, Events, Feature
from classroom.errors import Code, Conflict, LimitReached, Malformed, NotFound
from classroom.features.session import Ended
from classroom.ids import PersonId, PollId
from classroom.roles import STAFF, TUTORS

if TYPE_CHECKING:
    from classroom.features.people import Person
    from classroom.state import Classroom


class Kind(StrEnum):
    """How a poll is answered."""

    SINGLE = "single"
    MULTIPLE = "multiple"
    RATING = "rating"
    SHORT = "short"


class Status(StrEnum):
    """State of a poll."""

    DRAFT = "draft"
    OPEN = "open"
    CLOSED = "closed"
    PUBLISHED = "published"


class Create(Command, frozen=True, tag="polls.create"):
    """Draft a poll."""

    poll: PollId
    question: str
    kind: Kind
    options: tuple[str, ...] = ()
    "For single and multiple choice."
    steps: int = 5
    "For ratings: the highest value; the lowest is 1."
    anonymous: bool = False


class Open(Command, frozen=True, tag="polls.open"):
    """Open a poll."""

    poll: PollId
    duration_s: int = 0
    "The poll closes automatically after this time; 0: after the longest allowed time."


class Answer(Command, frozen=True, tag="polls.answer"):
    """Answer a poll, or change the answer. The poll's kind determines which field is used."""

    poll: PollId
    options: tuple[int, ...] = ()
    "Indexes from 0."
    rating: int = 0
    text: str = ""


class Close(Command, frozen=True, tag="polls.close"):
    """Close a poll."""

    poll: PollId


class Publish(Command, frozen=True, tag="polls.publish"):
    """Publish the results for everybody."""

    poll: PollId


class Discard(Command, frozen=True, tag="polls.discard"):
    """Delete a poll whose results were not published, with its answers."""

    poll: PollId


class Ballot(Struct, frozen=True):
    """One answer."""

    options: tuple[int, ...] = ()
    rating: int = 0
    text: str = ""


class Results(Struct, frozen=True):
    """The results of a poll."""

    answers: int
    counts: tuple[int, ...]
    "Number of answers for each option, or for each step of a rating."
    texts: tuple[str, ...]
    "The first short answers in alphabetical order, which does not reveal who wrote them."


class Created(Event, frozen=True, tag="polls.created"):
    """A poll was drafted."""

    poll: PollId
    question: str
    kind: Kind
    options: tuple[str, ...]
    steps: int
    anonymous: bool


class Opened(Event, frozen=True, tag="polls.opened"):
    """A poll was opened. The event carries all of it, because students see it for the first time."""

    poll: PollId
    question: str
    kind: Kind
    options: tuple[str, ...]
    steps: int
    anonymous: bool
    closes_at: float


class Answered(Event, frozen=True, tag="polls.answered"):
    """A person answered a poll or changed the answer. `by` is empty where the name is hidden."""

    poll: PollId
    ballot: Ballot
    anonymous: bool
    "Copied from the poll, because the poll may be discarded and its id used again."


class Closed(Event, frozen=True, tag="polls.closed"):
    """A poll was closed."""

    poll: PollId


class Published(Event, frozen=True, tag="polls.published"):
    """The results of a poll were published."""

    poll: PollId
    results: Results


class Discarded(Event, frozen=True, tag="polls.discarded"):
    """A poll was deleted."""

    poll: PollId


class Poll(Struct):
    """One poll."""

    id: PollId
    by: PersonId
    question: str
    kind: Kind
    options: tuple[str, ...]
    steps: int
    anonymous: bool
    status: Status = Status.DRAFT
    closes_at: float | None = None
    "Only while the poll is open."
    ballots: dict[PersonId, Ballot] = field(default_factory=dict)
    "By person."


class State(Struct):
    """All polls, in the order in which they were drafted."""

    polls: dict[PollId, Poll] = field(default_factory=dict)


TEXTS: Final = 50
"Maximum number of short answers in published results; the export has all of them."


def results(poll: Poll) -> Results:
    """Count the answers of a poll."""
    ballots = poll.ballots.values()
    if poll.kind is Kind.RATING:
        counts = [0] * poll.steps
        for ballot in ballots:
            counts[ballot.rating - 1] += 1
    else:
        counts = [0] * len(poll.options)
        for ballot in ballots:
            for option in ballot.options:
                counts[option] += 1
    texts = sorted(ballot.text for ballot in ballots if ballot.text)
    return Results(len(poll.ballots), tuple(counts), tuple(texts[:TEXTS]))


def export(poll: Poll) -> list[tuple[str, str]]:
    """Return a row (person, answer) for each answer; if the poll is anonymous, sorted and without persons."""
    rows = []
    for person_id, ballot in poll.ballots.items():
        chosen = "; ".join(poll.options[index] for index in ballot.options)
        answer = str(ballot.rating) if poll.kind is Kind.RATING else chosen or ballot.text
        rows.append(("" if poll.anonymous else person_id, answer))
    return sorted(rows) if poll.anonymous else rows


def check_draft(command: Create) -> Create:
    """Return a draft after checking its limits; also used for a tutor's library."""
    poll_id = checks.identifier(command.poll, "poll")
    question = checks.text(command.question, limits.POLL_QUESTION_LENGTH, "question")
    options: tuple[str, ...] = ()
    if command.kind in {Kind.SINGLE, Kind.MULTIPLE}:
        if len(command.options) > limits.POLL_OPTIONS:
            raise LimitReached(Code.TOO_MANY, f"A poll may have {limits.POLL_OPTIONS} options at most.")
        options = tuple(checks.line(option, limits.OPTION_LENGTH, "option") for option in command.options)
        if len(options) < 2 or len(set(options)) < len(options):
            raise Malformed(Code.BAD_CHOICE, "A poll needs at least two options that differ.")
    elif command.options:
        raise Malformed(Code.BAD_CHOICE, "Only single and multiple choice have options.")
    steps = int(checks.number(command.steps, 2, limits.RATING_STEPS, "number of steps"))
    return structs.replace(command, poll=poll_id, question=question, options=options, steps=steps)


def _create(room: "Classroom", command: Create, now: float) -> Events:
    polls = room.polls.polls
    draft = check_draft(command)
    if draft.poll in polls:
        raise Conflict(Code.ALREADY_EXISTS, "There is a poll with this id already.")
    checks.room_for_one(len(polls), limits.POLLS, "polls in a session")
    return [
        Created(
            at=now,
            by=command.by,
            poll=draft.poll,
            question=draft.question,
            kind=draft.kind,
            options=draft.options,
            steps=draft.steps,
            anonymous=draft.anonymous,
        )
    ]


def _find(room: "Classroom", poll_id: PollId, *allowed: Status) -> Poll:
    poll = room.polls.polls.get(poll_id)
    if poll is None:
        raise NotFound(Code.POLL_NOT_FOUND, "There is no such poll.")
    if poll.status not in allowed:
        raise Conflict(Code.POLL_WRONG_STATE, f"The poll is {poll.status}.")
    return poll


def _open(room: "Classroom", command: Open, now: float) -> Events:
    poll = _find(room, command.poll, Status.DRAFT)
    duration_s = checks.number(command.duration_s, 0, limits.POLL_S, "duration") or limits.POLL_S
    return [
        Opened(
            at=now,
            by=command.by,
            poll=poll.id,
            question=poll.question,
            kind=poll.kind,
            options=poll.options,
            steps=poll.steps,
            anonymous=poll.anonymous,
            closes_at=now + duration_s,
        )
    ]


def _answer(room: "Classroom", command: Answer, now: float) -> Events:
    poll = room.polls.polls.get(command.poll)
    if poll is None or poll.status is Status.DRAFT:  # only tutors see drafts
        raise NotFound(Code.POLL_NOT_FOUND, "There is no such poll.")
    # The deadline counts, not the moment at which the server handles it.
    if poll.status is not Status.OPEN or (poll.closes_at is not None and now >= poll.closes_at):
        raise Conflict(Code.POLL_CLOSED, "The poll accepts no more answers.")
    ballot = _ballot(poll, command)
    if poll.ballots.get(command.by) == ballot:
        raise Conflict(Code.NOTHING_TO_CHANGE, "The answer is unchanged.")
    return [Answered(at=now, by=command.by, poll=poll.id, ballot=ballot, anonymous=poll.anonymous)]


def _ballot(poll: Poll, command: Answer) -> Ballot:
    """Return the answer with only the fields that this kind of poll uses."""
    if poll.kind is Kind.RATING:
        return Ballot(rating=int(checks.number(command.rating, 1, poll.steps, "rating")))
    if poll.kind is Kind.SHORT:
        return Ballot(text=checks.text(command.text, limits.SHORT_ANSWER_LENGTH, "answer"))
    options = tuple(sorted(set(command.options)))
    if not options or options[0] < 0 or options[-1] >= len(poll.options):
        raise Malformed(Code.BAD_CHOICE, "The answer has to choose from the options of the poll.")
    if poll.kind is Kind.SINGLE and len(options) > 1:
        raise Malformed(Code.BAD_CHOICE, "Only one option can be chosen.")
    return Ballot(options=options)


def _close(room: "Classroom", command: Close, now: float) -> Events:
    return [Closed(at=now, by=command.by, poll=_find(room, command.poll, Status.OPEN).id)]


def _publish(room: "Classroom", command: Publish, now: float) -> Events:
    poll = _find(room, command.poll, Status.CLOSED)
    return [Published(at=now, by=command.by, poll=poll.id, results=results(poll))]


def _discard(room: "Classroom", command: Discard, now: float) -> Events:
    poll = _find(room, command.poll, Status.DRAFT, Status.OPEN, Status.CLOSED)
    return [Discarded(at=now, by=command.by, poll=poll.id)]


def _created(state: State, event: Created) -> None:
    state.polls[event.poll] = Poll(
        event.poll, event.by, event.question, event.kind, event.options, event.steps, event.anonymous
    )


def _opened(state: State, event: Opened) -> None:
    poll = state.polls[event.poll]
    poll.status, poll.closes_at = Status.OPEN, event.closes_at


def _answered(state: State, event: Answered) -> None:
    state.polls[event.poll].ballots[event.by] = event.ballot


def _shut(poll: Poll) -> None:
    poll.status, poll.closes_at = Status.CLOSED, None


def _closed(state: State, event: Closed) -> None:
    _shut(state.polls[event.poll])


def _published(state: State, event: Published) -> None:
    state.polls[event.poll].status = Status.PUBLISHED


def _discarded(state: State, event: Discarded) -> None:
    del state.polls[event.poll]


def _ended(state: State, _event: Ended) -> None:
    for poll in state.polls.values():
        if poll.status is Status.OPEN:
            _shut(poll)


def _due(room: "Classroom") -> Iterable[Deadline]:
    for poll in room.polls.polls.values():
        if poll.closes_at is not None:
            yield Deadline(poll.closes_at, "polls.close", poll.id)


def _expire(_room: "Classroom", deadline: Deadline, now: float) -> Events:
    return [Closed(at=now, poll=PollId(deadline.subject))]


class Seen(Struct, frozen=True):
    """A poll in a view."""

    id: PollId
    question: str
    kind: Kind
    options: tuple[str, ...]
    steps: int
    anonymous: bool
    status: Status
    closes_at: float | None
    mine: Ballot | None
    "The person's own answer."
    results: Results | None
    "For staff from the start, for others after publication; without texts, which are requested for each poll."


class View(Struct, frozen=True):
    """The polls that the person may see, the latest first."""

    polls: list[Seen]
    more: bool


def _seen(poll: Poll, person: "Person") -> Seen:
    shown = person.role in STAFF or poll.status is Status.PUBLISHED
    return Seen(
        id=poll.id,
        question=poll.question,
        kind=poll.kind,
        options=poll.options,
        steps=poll.steps,
        anonymous=poll.anonymous,
        status=poll.status,
        closes_at=poll.closes_at,
        mine=poll.ballots.get(person.id),
        results=structs.replace(results(poll), texts=()) if shown else None,
    )


def _view(room: "Classroom", person: "Person", _now: float) -> View:
    polls = reversed(room.polls.polls.values())
    seen = (_seen(poll, person) for poll in polls if poll.status is not Status.DRAFT or person.role in TUTORS)
    return View(*fitting(seen, limits.VIEW_POLLS))


def _answered_shown(_room: "Classroom", event: Answered, person: "Person") -> Event | None:
    """Shown to staff and the author; in an anonymous poll, staff do not see who answered."""
    if person.id == event.by:
        return event
    if person.role not in STAFF:
        return None
    return structs.replace(event, by="") if event.anonymous else event


FEATURE: Final = Feature(
    name="polls",
    state=State,
    decide={
        Create: _create,
        Open: _open,
        Answer: _answer,
        Close: _close,
        Publish: _publish,
        Discard: _discard,
    },
    apply={
        Created: _created,
        Opened: _opened,
        Answered: _answered,
        Closed: _closed,
        Published: _published,
        Discarded: _discarded,
        Ended: _ended,
    },
    shown={
        Created: tutors,
        Opened: everyone,
        Answered: _answered_shown,
        Closed: everyone,
        Published: everyone,
        Discarded: everyone,
    },
    view=_view,
    due=_due,
    expire=_expire,
)
