"""The session itself: its lifecycle, settings, join code, and the deadlines that end it automatically."""

from collections.abc import Iterable
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from msgspec import Struct, structs

from classroom import checks, join_code, limits
from classroom.audience import everyone, staff
from classroom.base import Command, Deadline, Event, Events, Feature
from classroom.errors import Code, Conflict, LimitReached, Malformed
from classroom.ids import PersonId, SessionId
from classroom.roles import STAFF, Phase

if TYPE_CHECKING:
    from classroom.features.people import Person
    from classroom.state import Classroom


class Lobby(StrEnum):
    """Who can enter without being admitted."""

    OPEN = "open"
    "Everybody who has the join code or a token."
    KNOCK = "knock"
    "Invited people; everybody else waits until staff admit them."
    INVITED = "invited"
    "Invited people only; everybody else is refused."


class EndReason(StrEnum):
    """Why a session ended."""

    BY_TUTOR = "by_tutor"
    TUTORS_AWAY = "tutors_away"
    TIME_UP = "time_up"
    BY_APPLICATION = "by_application"


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of a session, always replaced as a whole."""

    capacity: int = 100
    "Places for students and observers; staff can always join."
    lobby: Lobby = Lobby.OPEN
    "Who can enter without being admitted."
    auto_end_s: int = 600
    "An open session without a tutor ends after this time; 0: never."
    max_duration_s: int = limits.DURATION_S
    "An open session ends this long after its start, pauses included."
    grace_s: int = 30
    "A person whose connection is lost counts as having left after this time."
    expiry_s: int = 86_400
    "A scheduled session expires this long after its scheduled time."
    private_chat: bool = False
    "Students may write to each other in private; writing to staff is always possible."
    anonymous_questions: bool = True
    "Students may hide their names from other students when they ask."
    upvotes: bool = True
    "Students may vote for questions."
    student_screens: bool = False
    "Students receive each other's screens; otherwise only staff do, and everybody when a scene shows one."
    student_cameras: bool = True
    "Students receive each other's cameras; otherwise only staff do."
    leafing: bool = True
    "Students may turn the pages of slides for themselves."
    captions: bool = False
    "Everybody may turn on live captions, if the server has them."
    guests: bool = False
    "People without sign-in may join with the join code; otherwise the caller refuses them."
    reminders: tuple[int, ...] = (900,)
    "Seconds before a scheduled start at which the people on the roster are reminded."


class Create(Command, frozen=True, tag="session.create"):
    """Create the session; always the first command."""

    session: SessionId
    owner: PersonId
    owner_name: str
    title: str
    code_number: int
    "A random number that becomes the join code."
    description: str = ""
    starts_at: float | None = None
    "Seconds since 1970; None makes a draft."
    settings: Settings = Settings()
    external_id: str = ""
    "The application's own id of the session."


class Update(Command, frozen=True, tag="session.update"):
    """Change the given fields and keep the others."""

    title: str | None = None
    description: str | None = None
    settings: Settings | None = None


class Schedule(Command, frozen=True, tag="session.schedule"):
    """Schedule the session, or change its time."""

    starts_at: float


class RenewCode(Command, frozen=True, tag="session.renew_code"):
    """Replace the join code, for example after it leaked."""

    code_number: int


class Start(Command, frozen=True, tag="session.start"):
    """Start the lesson."""


class Pause(Command, frozen=True, tag="session.pause"):
    """Pause the lesson; people remain in the session."""


class Resume(Command, frozen=True, tag="session.resume"):
    """Resume the lesson after a pause."""


class End(Command, frozen=True, tag="session.end"):
    """End the lesson for everybody."""


class Cancel(Command, frozen=True, tag="session.cancel"):
    """Cancel a session that has not started."""


class Created(Event, frozen=True, kw_only=True, tag="session.created"):
    """The session was created."""

    session: SessionId
    owner: PersonId
    owner_name: str
    title: str
    description: str
    code: str
    starts_at: float | None
    settings: Settings
    external_id: str
    v: int = 2


class Updated(Event, frozen=True, kw_only=True, tag="session.updated"):
    """Title, description or settings were changed; carries their new values."""

    title: str
    description: str
    settings: Settings
    v: int = 2


class Scheduled(Event, frozen=True, tag="session.scheduled"):
    """The session was scheduled, or its time changed."""

    starts_at: float


class Reminded(Event, frozen=True, tag="session.reminded"):
    """The time of a reminder has come; the caller sends it to the people on the roster."""

    starts_at: float
    before_s: int
    "The reminder's time before the start; of several missed ones, the last."


class CodeRenewed(Event, frozen=True, tag="session.code_renewed"):
    """The join code was replaced; the old one no longer works."""

    code: str


class Started(Event, frozen=True, tag="session.started"):
    """The lesson started."""


class Paused(Event, frozen=True, tag="session.paused"):
    """The lesson was paused."""


class Resumed(Event, frozen=True, tag="session.resumed"):
    """The lesson was resumed."""


class Ended(Event, frozen=True, tag="session.ended"):
    """The lesson ended; all people have left."""

    reason: EndReason


class Cancelled(Event, frozen=True, tag="session.cancelled"):
    """The session was cancelled."""


class Expired(Event, frozen=True, tag="session.expired"):
    """The session was not started in time, or a draft was left unchanged for too long."""


class State(Struct):
    """The state of the session itself."""

    id: SessionId = SessionId("")
    external_id: str = ""
    owner: PersonId = PersonId("")
    title: str = ""
    description: str = ""
    code: str = ""
    settings: Settings = Settings()
    phase: Phase = Phase.DRAFT
    created_at: float = 0.0
    changed_at: float = 0.0
    "When the session was last created, updated or scheduled; determines the age of a draft."
    starts_at: float | None = None
    reminded_at: float = 0.0
    "When the last reminder was due; earlier ones are not sent any more."
    started_at: float | None = None
    ended_at: float | None = None
    end_reason: EndReason | None = None
    taught_s: float = 0.0
    "Duration of the lesson without pauses, up to `running_since`."
    running_since: float | None = None
    "When the lesson last started or resumed; None while it does not run."


# The lifecycle. `classroom.permissions` refuses a command in any other phase; README.md has a figure of it.
TRANSITIONS: Final[dict[tuple[Phase, type[Event]], Phase]] = {
    (Phase.DRAFT, Scheduled): Phase.SCHEDULED,
    (Phase.SCHEDULED, Scheduled): Phase.SCHEDULED,
    (Phase.DRAFT, Started): Phase.LIVE,
    (Phase.SCHEDULED, Started): Phase.LIVE,
    (Phase.LIVE, Paused): Phase.PAUSED,
    (Phase.PAUSED, Resumed): Phase.LIVE,
    (Phase.LIVE, Ended): Phase.ENDED,
    (Phase.PAUSED, Ended): Phase.ENDED,
    (Phase.DRAFT, Cancelled): Phase.CANCELLED,
    (Phase.SCHEDULED, Cancelled): Phase.CANCELLED,
    (Phase.DRAFT, Expired): Phase.EXPIRED,
    (Phase.SCHEDULED, Expired): Phase.EXPIRED,
}


def taught_s(state: State, at: float) -> float:
    """Return the duration of the lesson up to a time, without pauses."""
    return state.taught_s + (at - state.running_since if state.running_since is not None else 0.0)


def check_settings(settings: Settings) -> Settings:
    """Return settings after checking their limits."""
    checks.number(settings.capacity, 1, limits.CAPACITY, "capacity")
    checks.number(settings.auto_end_s, 0, limits.AWAY_S, "time without a tutor")
    checks.number(settings.max_duration_s, 60, limits.DURATION_S, "longest duration")
    checks.number(settings.grace_s, 0, limits.GRACE_S, "grace time")
    checks.number(settings.expiry_s, 60, limits.EXPIRY_S, "time of expiry")
    if len(settings.reminders) > limits.REMINDERS:
        raise LimitReached(Code.TOO_MANY, f"There may be {limits.REMINDERS} reminders at most.")
    for before_s in settings.reminders:
        checks.number(before_s, 60, limits.EXPIRY_S, "time of a reminder")
    return structs.replace(settings, reminders=tuple(sorted(set(settings.reminders))))


def _code(number: int) -> str:
    if number < 0:
        raise Malformed(Code.BAD_NUMBER, "The number of the join code may not be negative.")
    return join_code.from_number(number)


def _future(starts_at: float, now: float) -> float:
    # More than ten years ahead is a typing error; a minute in the past is a form that was filled in slowly.
    if not now - 60 <= starts_at <= now + limits.SERIES_S:
        raise Malformed(Code.BAD_TIME, "The session has to start in the future, within ten years.")
    return starts_at


def _create(room: "Classroom", command: Create, now: float) -> Events:
    if room.session.id:
        raise Conflict(Code.ALREADY_EXISTS, "The session exists already.")
    return [
        Created(
            at=now,
            by=command.by,
            session=checks.identifier(command.session, "session"),
            owner=checks.identifier(command.owner, "owner"),
            owner_name=checks.line(command.owner_name, limits.NAME_LENGTH, "name"),
            title=checks.line(command.title, limits.TITLE_LENGTH, "title"),
            description=checks.text(
                command.description, limits.DESCRIPTION_LENGTH, "description", empty=True
            ),
            code=_code(command.code_number),
            starts_at=None if command.starts_at is None else _future(command.starts_at, now),
            settings=check_settings(command.settings),
            external_id=checks.line(command.external_id, limits.IDENTIFIER_LENGTH, "external id", empty=True),
        )
    ]


def _update(room: "Classroom", command: Update, now: float) -> Events:
    was = room.session
    title, description = was.title, was.description
    if command.title is not None:
        title = checks.line(command.title, limits.TITLE_LENGTH, "title")
    if command.description is not None:
        description = checks.text(command.description, limits.DESCRIPTION_LENGTH, "description", empty=True)
    settings = was.settings if command.settings is None else check_settings(command.settings)
    if (title, description, settings) == (was.title, was.description, was.settings):
        raise Conflict(Code.NOTHING_TO_CHANGE, "The session is unchanged.")
    return [Updated(at=now, by=command.by, title=title, description=description, settings=settings)]


def _schedule(_room: "Classroom", command: Schedule, now: float) -> Events:
    return [Scheduled(at=now, by=command.by, starts_at=_future(command.starts_at, now))]


def _renew_code(_room: "Classroom", command: RenewCode, now: float) -> Events:
    return [CodeRenewed(at=now, by=command.by, code=_code(command.code_number))]


def _start(_room: "Classroom", command: Start, now: float) -> Events:
    return [Started(at=now, by=command.by)]


def _pause(_room: "Classroom", command: Pause, now: float) -> Events:
    return [Paused(at=now, by=command.by)]


def _resume(_room: "Classroom", command: Resume, now: float) -> Events:
    return [Resumed(at=now, by=command.by)]


def _end(_room: "Classroom", command: End, now: float) -> Events:
    return [
        Ended(at=now, by=command.by, reason=EndReason.BY_TUTOR if command.by else EndReason.BY_APPLICATION)
    ]


def _cancel(_room: "Classroom", command: Cancel, now: float) -> Events:
    return [Cancelled(at=now, by=command.by)]


def _created(state: State, event: Created) -> None:
    state.id, state.external_id, state.owner = event.session, event.external_id, event.owner
    state.title, state.description, state.code = event.title, event.description, event.code
    state.settings, state.starts_at = event.settings, event.starts_at
    state.phase = Phase.DRAFT if event.starts_at is None else Phase.SCHEDULED
    state.created_at = state.changed_at = event.at


def _updated(state: State, event: Updated) -> None:
    state.title, state.description, state.settings = event.title, event.description, event.settings
    state.changed_at = event.at


def _scheduled(state: State, event: Scheduled) -> None:
    _moved(state, event)
    state.starts_at, state.changed_at = event.starts_at, event.at


def _reminded(state: State, event: Reminded) -> None:
    state.reminded_at = event.at


def _code_renewed(state: State, event: CodeRenewed) -> None:
    state.code = event.code


def _moved(state: State, event: Event) -> None:
    """Enter the next phase and update the duration of the lesson."""
    state.phase = TRANSITIONS[state.phase, type(event)]
    state.taught_s = taught_s(state, event.at)
    state.running_since = event.at if state.phase is Phase.LIVE else None


def _started(state: State, event: Started) -> None:
    _moved(state, event)
    state.started_at = event.at


def _ended(state: State, event: Ended) -> None:
    _moved(state, event)
    state.ended_at, state.end_reason = event.at, event.reason


def _due(room: "Classroom") -> Iterable[Deadline]:
    state, settings = room.session, room.session.settings
    if not state.id:
        return
    if state.phase is Phase.DRAFT:
        yield Deadline(state.changed_at + limits.DRAFT_S, "session.expire")
    elif state.phase is Phase.SCHEDULED and state.starts_at is not None:
        yield Deadline(state.starts_at + settings.expiry_s, "session.expire")
        for before_s in settings.reminders:
            at = state.starts_at - before_s
            # A session that is scheduled, or gets this reminder, too late for it has no such reminder.
            if at > max(state.changed_at, state.reminded_at):
                yield Deadline(at, "session.remind")
    elif state.started_at is not None and state.ended_at is None:
        yield Deadline(state.started_at + settings.max_duration_s, "session.time_up")
        away = room.people.tutors_away_since
        if settings.auto_end_s and away is not None:
            # While the server was down, no tutor could return.
            since = max(away, state.started_at, room.people.recovered_at)
            yield Deadline(since + settings.auto_end_s, "session.tutors_away")


def _expire(room: "Classroom", deadline: Deadline, now: float) -> Events:
    if deadline.reason == "session.expire":
        return [Expired(at=now)]
    if deadline.reason == "session.remind":
        starts_at = room.session.starts_at
        assert starts_at is not None
        passed = [each for each in room.session.settings.reminders if starts_at - each <= now]
        return [Reminded(at=now, starts_at=starts_at, before_s=min(passed))]
    return [Ended(at=now, reason=EndReason(deadline.reason.removeprefix("session.")))]


class View(Struct, frozen=True):
    """The session as a joining person sees it; its description is loaded separately."""

    id: SessionId
    external_id: str
    title: str
    code: str
    "Empty for people who may not pass it on."
    settings: Settings
    phase: Phase
    starts_at: float | None
    started_at: float | None
    ended_at: float | None
    taught_s: float
    "Duration of the lesson up to `now`."
    now: float
    "The server's clock, seconds since 1970, by which a page corrects its own."


def _view(room: "Classroom", person: "Person", now: float) -> View:
    state = room.session
    return View(
        id=state.id,
        external_id=state.external_id,
        title=state.title,
        code=state.code if person.role in STAFF else "",
        settings=state.settings,
        phase=state.phase,
        starts_at=state.starts_at,
        started_at=state.started_at,
        ended_at=state.ended_at,
        taught_s=taught_s(state, now),
        now=now,
    )


def _created_shown(_room: "Classroom", event: Created, person: "Person") -> Event:
    """Shown to everybody; only staff see the join code."""
    return event if person.role in STAFF else structs.replace(event, code="")


FEATURE: Final = Feature(
    name="session",
    state=State,
    decide={
        Create: _create,
        Update: _update,
        Schedule: _schedule,
        RenewCode: _renew_code,
        Start: _start,
        Pause: _pause,
        Resume: _resume,
        End: _end,
        Cancel: _cancel,
    },
    apply={
        Created: _created,
        Updated: _updated,
        Scheduled: _scheduled,
        Reminded: _reminded,
        CodeRenewed: _code_renewed,
        Started: _started,
        Paused: _moved,
        Resumed: _moved,
        Ended: _ended,
        Cancelled: _moved,
        Expired: _moved,
    },
    shown={
        Created: _created_shown,
        Updated: everyone,
        Scheduled: everyone,
        Reminded: everyone,
        CodeRenewed: staff,
        Started: everyone,
        Paused: everyone,
        Resumed: everyone,
        Ended: everyone,
        Cancelled: everyone,
        Expired: everyone,
    },
    view=_view,
    due=_due,
    expire=_expire,
)
