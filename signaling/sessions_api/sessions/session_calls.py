"""Sessions as such: create, list, read, change, delete."""

from contextlib import suppress
from functools import partial
from typing import Annotated, Any, Final

import msgspec
from aiohttp import hdrs
from msgspec import UNSET, UnsetType

from classroom import limits
from classroom.base import Command
from classroom.errors import Code, Conflict, NotAllowed
from classroom.features import grades, people, session
from classroom.ids import PersonId, SessionId
from classroom.roles import FINAL, OPEN, Phase, Role
from classroom.state import Classroom
from signaling.http.api import Answer, ApiError, Route
from signaling.sessions_api import paging
from signaling.sessions_api.callers import Caller, TenantRole
from signaling.sessions_api.desk import Desk, check_etag, etag, not_found, require_staff
from signaling.sessions_api.path_ids import Id, PersonPath, SessionPath
from signaling.sessions_api.sessions.session_answers import (
    PersonName,
    SessionAnswer,
    SessionPage,
    SessionSummary,
    answer,
    summary,
)
from signaling.store.classroom.records import SessionQuery
from signaling.teaching.live import Make
from signaling.teaching.names import PREFIX

SettingsChange: Final[Any] = msgspec.defstruct(
    "SettingsChange",
    [(each.name, each.type | UnsetType, UNSET) for each in msgspec.structs.fields(session.Settings)],
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    namespace={"__doc__": "Settings to be changed; those that are absent stay as they are."},
    module=__name__,
)


class Invitee(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody on the roster."""

    id: PersonPath
    name: str
    role: Role = Role.STUDENT
    grade: str = ""
    "Class or year at school, such as 7b; staff see it."


class NewSession(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A session to be created."""

    title: str
    description: str = ""
    owner: PersonName | None = None
    "The tutor; a calling tutor owns the session by default."
    starts_at: float | None = None
    "Seconds since 1970; without a time, the session is a draft."
    settings: session.Settings = session.Settings()
    external_id: str = ""
    "The application's own id."
    people: Annotated[list[Invitee], msgspec.Meta(max_length=200)] = []
    "Who is on the roster."


class SessionChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Changes of a session; absent fields stay unchanged."""

    title: str | None = None
    description: str | None = None
    settings: SettingsChange | None = None
    starts_at: float | None = None
    "Moves the session; draft and scheduled sessions only."


class SessionsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which sessions."""

    phase: str | None = None
    "Phases with commas between; `open` is live and paused, `over` is ended, cancelled and expired."
    owner: PersonPath | None = None
    person: PersonPath | None = None
    "Sessions to which a person belongs. People other than administrators see only their own."
    external_id: Id | None = None
    starts_from: float | None = None
    starts_until: float | None = None
    limit: paging.Limit = 50
    cursor: paging.Cursor | None = None


class DeletedSession(msgspec.Struct, frozen=True):
    """A session that was deleted with all its data."""

    id: str
    deleted: bool


_SHORT: Final = {
    "open": tuple(str(phase) for phase in OPEN),
    "over": tuple(str(phase) for phase in FINAL),
}


class SessionCalls:
    """The handlers."""

    def __init__(self, desk: Desk) -> None:
        """Use the desk."""
        self._desk = desk

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent = {404: "there is no such session"}
        changes = {**absent, 409: "the present state does not allow this", 412: "it was changed meanwhile"}
        return [
            Route("POST", "/sessions", self.create, {409: "a session with this id exists"}, status=201),
            Route("GET", "/sessions", self.list),
            Route("GET", "/sessions/{session}", self.get, absent),
            Route("PATCH", "/sessions/{session}", self.change, changes),
            Route("DELETE", "/sessions/{session}", self.delete, changes),
        ]

    async def create(self, caller: Caller, body: NewSession) -> Answer[SessionAnswer]:
        """Create a session."""
        owner = _owner(caller, body.owner)
        session_id = SessionId(caller.new_id(PREFIX))
        live = self._desk.session(caller, session_id)
        make = partial(
            session.Create,
            session=session_id,
            owner=owner.id,
            owner_name=owner.name or owner.id,
            title=body.title,
            description=body.description,
            starts_at=body.starts_at,
            settings=body.settings,
            external_id=body.external_id,
        )
        # A conflict: the first call was carried out, and its answer was lost with the server.
        with suppress(Conflict):
            await self._desk.create(live, make)
        for invitee in body.people:
            invite = people.Invite(person=invitee.id, name=invitee.name, role=invitee.role)
            await live.submit(unless_known(invite))
            await live.submit(noting(invitee.id, invitee.grade))
        made: SessionAnswer
        made, tag = await live.read(lambda room: (answer(room, caller, self._desk.now), etag(room)))
        return Answer(made, headers={hdrs.LOCATION: f"/api/v1/sessions/{made.id}", hdrs.ETAG: tag})

    async def list(self, caller: Caller, query: SessionsQuery) -> SessionPage:
        """List sessions, newest first: all of the tenant for administrators, their own for others."""
        wanted = SessionQuery(
            person=query.person if caller.manages else caller.person,
            owner=query.owner,
            phases=_phases(query.phase),
            external_id=query.external_id,
            starts_from=query.starts_from,
            starts_until=query.starts_until,
            before=None if query.cursor is None else paging.decode(query.cursor),
        )
        rows = await self._desk.registry.store.of(caller.tenant).sessions(wanted, query.limit + 1)
        page = [row for row in rows[: query.limit] if caller.session in {"", row.id}]
        last = rows[query.limit - 1] if len(rows) > query.limit else None
        data: list[SessionSummary] = [summary(row, caller) for row in page]
        return SessionPage(data, None if last is None else paging.encode(last.created_at, last.id))

    async def get(self, caller: Caller, session: SessionPath) -> Answer[SessionAnswer]:
        """Return a session."""
        live = self._desk.session(caller, session)
        found, tag = await live.read(lambda room: (answer(room, caller, self._desk.now), etag(room)))
        return Answer(found, headers={hdrs.ETAG: tag})

    async def change(
        self, caller: Caller, session: SessionPath, body: SessionChange
    ) -> Answer[SessionAnswer]:
        """Change title, description, settings or time of a session."""
        live = self._desk.session(caller, session)
        if (body.title, body.description, body.settings) != (None, None, None):
            await live.submit(lambda room, _now: _update(room, caller, body, etags=True))
        if body.starts_at is not None:
            first = (body.title, body.description, body.settings) == (None, None, None)
            await live.submit(lambda room, _now: _schedule(room, caller, body, etags=first))
        return await self.get(caller, session)

    async def delete(self, caller: Caller, session: SessionPath) -> DeletedSession:
        """Delete a session that is not open, with its history."""
        live = self._desk.session(caller, session)

        def check(room: Classroom) -> None:
            require_staff(room, caller)
            if not caller.manages and room.session.owner != caller.person:
                raise NotAllowed(Code.NOT_YOURS, "Only the owner may delete the session.")
            check_etag(room, caller.if_match)
            if room.session.phase in OPEN:
                raise Conflict(Code.WRONG_PHASE, "An open session cannot be deleted; end it first.")

        await live.read(check)
        deleted = await live.shelf.delete_session(session)
        if not deleted:
            raise not_found()
        self._desk.registry.forget(live)
        return DeletedSession(session, deleted=True)


def _owner(caller: Caller, given: PersonName | None) -> PersonName:
    if caller.session or caller.role not in {TenantRole.ADMIN, TenantRole.TUTOR}:
        raise NotAllowed(Code.NOT_ALLOWED, "Only tutors, administrators and the application create sessions.")
    if caller.role is TenantRole.TUTOR and given is not None and given.id != caller.person:
        raise NotAllowed(Code.NOT_ALLOWED, "A tutor creates sessions of their own.")
    if caller.role is TenantRole.TUTOR or (given is None and not caller.is_application):
        return PersonName(caller.person, caller.name)
    if given is None:
        raise ApiError(400, "owner_missing", "An application has to say whose session it is (owner).")
    return given


def unless_known(invite: people.Invite) -> Make:
    """Return the command that invites a person who is not on the roster yet."""

    def make(room: Classroom, _now: float) -> Command | None:
        known = room.people.everyone.get(invite.person)
        return None if known is not None and known.trusted else invite

    return make


def noting(person: PersonId, grade: str) -> Make:
    """Return the command that notes a person's grade, unless it is empty or known."""

    def make(room: Classroom, _now: float) -> Command | None:
        known = room.grades.known.get(person, "")
        return grades.Set(person=person, grade=grade) if grade not in {"", known} else None

    return make


def _phases(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = [name for each in text.split(",") for name in _SHORT.get(each.strip(), (each.strip(),))]
    unknown = [name for name in names if name not in set(Phase)]
    if unknown:
        raise ApiError(400, "invalid", f"There is no phase {unknown[0][: limits.IDENTIFIER_LENGTH]!r}.")
    return tuple(names)


def _update(room: Classroom, caller: Caller, body: SessionChange, *, etags: bool) -> Command:
    if etags:
        check_etag(room, caller.if_match)
    changed: Any = body.settings
    given = (
        {}
        if changed is None
        else {name: value for name, value in msgspec.structs.asdict(changed).items() if value is not UNSET}
    )
    return session.Update(
        by=caller.author(room),
        title=body.title,
        description=body.description,
        settings=msgspec.structs.replace(room.session.settings, **given) if given else None,
    )


def _schedule(room: Classroom, caller: Caller, body: SessionChange, *, etags: bool) -> Command:
    if etags:
        check_etag(room, caller.if_match)
    assert body.starts_at is not None
    return session.Schedule(by=caller.author(room), starts_at=body.starts_at)
