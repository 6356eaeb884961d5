"""Requests for help: a student asks, staff see the queue with urgency and waiting time, respond and resolve."""

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct, field

from classroom import checks, limits
from classroom.audience import fitting, staff_and_author, staff_and_subject
from classroom.base import Command, Event, Events, Feature
from classroom.errors import Code, Conflict, NotAllowed, NotFound
from classroom.features.people import LeaveReason, Left
from classroom.features.session import Ended
from classroom.ids import PersonId
from classroom.permissions import require_role
from classroom.roles import STAFF

if TYPE_CHECKING:
    from classroom.features.people import Person
    from classroom.state import Classroom


class Urgency(StrEnum):
    """How soon help is needed."""

    URGENT = "urgent"
    HIGH = "high"
    NORMAL = "normal"


class Status(StrEnum):
    """State of a request."""

    WAITING = "waiting"
    RESPONDED = "responded"
    "A member of staff responded."
    RESOLVED = "resolved"
    DISMISSED = "dismissed"
    GONE = "gone"
    "The student left, or the session ended."


PENDING: Final = frozenset({Status.WAITING, Status.RESPONDED})
_ORDER: Final = {urgency: place for place, urgency in enumerate(Urgency)}


class Ask(Command, frozen=True, tag="help_requests.ask"):
    """Ask for help."""

    request: str
    urgency: Urgency = Urgency.NORMAL
    text: str = ""


class Respond(Command, frozen=True, tag="help_requests.respond"):
    """Respond to a request for help."""

    request: str


class Resolve(Command, frozen=True, tag="help_requests.resolve"):
    """Mark a request as resolved; the student may do so, too."""

    request: str


class Dismiss(Command, frozen=True, tag="help_requests.dismiss"):
    """Dismiss a request."""

    request: str


class Asked(Event, frozen=True, tag="help_requests.asked"):
    """A student asks for help."""

    request: str
    urgency: Urgency
    text: str


class Responded(Event, frozen=True, tag="help_requests.responded"):
    """A member of staff responded to a request for help."""

    request: str
    person: PersonId
    "The student who asked."


class Resolved(Event, frozen=True, tag="help_requests.resolved"):
    """A request for help was resolved."""

    request: str
    person: PersonId
    "The student who asked."


class Dismissed(Event, frozen=True, tag="help_requests.dismissed"):
    """A request for help was dismissed."""

    request: str
    person: PersonId
    "The student who asked."


class Request(Struct):
    """One request."""

    id: str
    by: PersonId
    at: float
    urgency: Urgency
    text: str
    status: Status = Status.WAITING
    responder: str = ""
    responded_at: float | None = None
    closed_at: float | None = None


class State(Struct):
    """All requests, and each person's pending one."""

    requests: dict[str, Request] = field(default_factory=dict)
    pending: dict[str, str] = field(default_factory=dict)
    "Request by person."


def queue(state: State) -> list[Request]:
    """Return the pending requests: most urgent first, then by longest wait."""
    pending = [state.requests[request_id] for request_id in state.pending.values()]
    return sorted(pending, key=lambda request: (_ORDER[request.urgency], request.at))


def waited_s(request: Request, now: float) -> float:
    """Return how long a student waited for a response, at most up to now."""
    ends = [at for at in (request.responded_at, request.closed_at) if at is not None]
    return min(ends, default=now) - request.at


def _ask(room: "Classroom", command: Ask, now: float) -> Events:
    state = room.help_requests
    request_id = checks.identifier(command.request, "request")
    text = checks.text(command.text, limits.HELP_LENGTH, "text", empty=True)
    if request_id in state.requests:
        raise Conflict(Code.ALREADY_EXISTS, "There is a request with this id already.")
    if command.by in state.pending:
        raise Conflict(Code.HELP_PENDING, "A request of this person is pending already.")
    checks.room_for_one(len(state.requests), limits.HELP_REQUESTS, "requests for help in a session")
    return [Asked(at=now, by=command.by, request=request_id, urgency=command.urgency, text=text)]


def _find(room: "Classroom", request_id: str) -> Request:
    request = room.help_requests.requests.get(request_id)
    if request is None:
        raise NotFound(Code.HELP_REQUEST_NOT_FOUND, "There is no such request for help.")
    if request.status not in PENDING:
        raise Conflict(Code.HELP_CLOSED, f"The request is {request.status}.")
    return request


def _respond(room: "Classroom", command: Respond, now: float) -> Events:
    request = _find(room, command.request)
    if request.status is Status.RESPONDED:
        raise Conflict(Code.NOTHING_TO_CHANGE, "A member of staff has responded already.")
    return [Responded(at=now, by=command.by, request=request.id, person=request.by)]


def _resolve(room: "Classroom", command: Resolve, now: float) -> Events:
    request = room.help_requests.requests.get(command.request)
    if request is not None and request.by != command.by:
        require_role(room, command.by, STAFF)
    request = _find(room, command.request)
    return [Resolved(at=now, by=command.by, request=request.id, person=request.by)]


def _dismiss(room: "Classroom", command: Dismiss, now: float) -> Events:
    request = _find(room, command.request)
    if request.by == command.by:
        raise NotAllowed(Code.NOT_YOURS, "You can resolve your own request, but not dismiss it.")
    return [Dismissed(at=now, by=command.by, request=request.id, person=request.by)]


def _asked(state: State, event: Asked) -> None:
    state.requests[event.request] = Request(event.request, event.by, event.at, event.urgency, event.text)
    state.pending[event.by] = event.request


def _responded(state: State, event: Responded) -> None:
    request = state.requests[event.request]
    request.status, request.responder, request.responded_at = Status.RESPONDED, event.by, event.at


def _close(state: State, request: Request, status: Status, at: float) -> None:
    request.status, request.closed_at = status, at
    del state.pending[request.by]


def _resolved(state: State, event: Resolved) -> None:
    _close(state, state.requests[event.request], Status.RESOLVED, event.at)


def _dismissed(state: State, event: Dismissed) -> None:
    _close(state, state.requests[event.request], Status.DISMISSED, event.at)


def _left(state: State, event: Left) -> None:
    # A person whose connection is lost may return and still need help.
    stays = event.reason in {LeaveReason.REPLACED, LeaveReason.CONNECTION_LOST}
    if event.person in state.pending and not stays:
        _close(state, state.requests[state.pending[event.person]], Status.GONE, event.at)


def _ended(state: State, event: Ended) -> None:
    for request_id in list(state.pending.values()):
        _close(state, state.requests[request_id], Status.GONE, event.at)


class View(Struct, frozen=True):
    """The queue for staff; their own pending request for students."""

    requests: list[Request]
    count: int
    "Number of requests that the person may see."


def _view(room: "Classroom", person: "Person", _now: float) -> View:
    pending = [
        request for request in queue(room.help_requests) if person.role in STAFF or request.by == person.id
    ]
    requests, _ = fitting(pending, limits.VIEW_HELP)
    return View(requests, len(pending))


FEATURE: Final = Feature(
    name="help_requests",
    state=State,
    decide={Ask: _ask, Respond: _respond, Resolve: _resolve, Dismiss: _dismiss},
    apply={
        Asked: _asked,
        Responded: _responded,
        Resolved: _resolved,
        Dismissed: _dismissed,
        Left: _left,
        Ended: _ended,
    },
    shown={
        Asked: staff_and_author,
        Responded: staff_and_subject,
        Resolved: staff_and_subject,
        Dismissed: staff_and_subject,
    },
    view=_view,
)
