"""A session as the API shows it."""

import msgspec

from classroom.features.session import EndReason, Settings, taught_s
from classroom.ids import PersonId, SessionId
from classroom.roles import STAFF, Phase, Role, Standing
from classroom.state import Classroom
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import known
from signaling.store.classroom.records import SessionRow


class PersonName(msgspec.Struct, frozen=True):
    """Somebody, by id and name."""

    id: PersonId
    name: str = ""


class SessionAnswer(msgspec.Struct, frozen=True):
    """A session."""

    id: SessionId
    external_id: str
    title: str
    description: str
    phase: Phase
    owner: PersonName
    code: str
    "Join code; empty for those who may not pass it on."
    settings: Settings
    created_at: float
    starts_at: float | None
    started_at: float | None
    ended_at: float | None
    end_reason: EndReason | None
    taught_s: float
    "Time of the lesson without pauses."
    present: int
    waiting: int
    "People in the lobby."
    role: Role | None
    "The caller's own; None for an application or administrator who is not in the session."
    standing: Standing | None
    "Where the caller is, seen from the session."
    seq: int
    "Number of the last event."


class SessionSummary(msgspec.Struct, frozen=True):
    """A session in a list."""

    id: SessionId
    external_id: str
    title: str
    phase: Phase
    owner: PersonId
    "Id of the tutor."
    code: str
    "Join code; empty for those who may not pass it on."
    created_at: float
    starts_at: float | None
    started_at: float | None
    ended_at: float | None
    taught_s: float
    present: int
    "People in the session or its lobby."


class SessionPage(msgspec.Struct, frozen=True):
    """Some of the sessions, newest first."""

    data: list[SessionSummary]
    next_cursor: str | None
    "Where the next page begins; None at the end."


def answer(room: Classroom, caller: Caller, now: float) -> SessionAnswer:
    """Return a session as a caller may see it. `NotFound` for strangers."""
    person = known(room, caller)
    state, people = room.session, room.people
    own = people.everyone.get(caller.person)
    return SessionAnswer(
        id=state.id,
        external_id=state.external_id,
        title=state.title,
        description=state.description,
        phase=state.phase,
        owner=PersonName(state.owner, people.everyone[state.owner].name),
        code=state.code if person.role in STAFF else "",
        settings=state.settings,
        created_at=state.created_at,
        starts_at=state.starts_at,
        started_at=state.started_at,
        ended_at=state.ended_at,
        end_reason=state.end_reason,
        taught_s=round(taught_s(state, now), 3),
        present=len(people.present),
        waiting=len(people.waiting) if person.role in STAFF else 0,
        role=None if own is None else own.role,
        standing=None if own is None else own.standing,
        seq=room.seq,
    )


def summary(row: SessionRow, caller: Caller) -> SessionSummary:
    """Return a row of the index as a caller may see it."""
    shows_code = caller.manages or row.owner == caller.person
    return SessionSummary(
        id=row.id,
        external_id=row.external_id,
        title=row.title,
        phase=Phase(row.phase),
        owner=row.owner,
        code=(row.code or "") if shows_code else "",
        created_at=row.created_at,
        starts_at=row.starts_at,
        started_at=row.started_at,
        ended_at=row.ended_at,
        taught_s=row.taught_s,
        present=row.present,
    )
