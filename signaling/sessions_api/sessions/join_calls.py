"""Coming and going: join, leave, tokens, join codes, guests, the lobby's door."""

from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
from aiohttp import web

from classroom import join_code, limits
from classroom.errors import Code, NotAllowed, NotFound
from classroom.features import people
from classroom.ids import PersonId, SessionId
from classroom.roles import FINAL, STAFF, Role, Standing, Why
from classroom.state import Classroom
from classroom.visibility import Door, view
from signaling.access.keyring import Keyring
from signaling.http.api import Route
from signaling.limits import KNOCKS, Limits
from signaling.sessions_api import credentials
from signaling.sessions_api.callers import Caller, Callers, TenantRole
from signaling.sessions_api.credentials import Credentials
from signaling.sessions_api.desk import Desk, Done, not_found
from signaling.sessions_api.path_ids import PersonPath, SessionPath
from signaling.sessions_api.sessions.session_calls import noting
from signaling.store.tenants import tenant_parts
from signaling.teaching.live import LiveSession
from signaling.teaching.media import MediaBridge
from signaling.teaching.names import new_id

Name = Annotated[str, msgspec.Meta(max_length=2 * limits.NAME_LENGTH)]


class Join(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who joins; a person says nothing here, since their token has said it."""

    person: PersonPath | None = None
    "Only for the application, which acts for this person."
    name: Name | None = None
    "Display name; only from the application or where the token has none."
    role: Role | None = None
    "Role of a person who is not on the roster; only for the application."
    grade: str | None = None
    "Class or year at school, such as 7b; staff see it. Only for the application."


class JoinByCode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A join code, and the joining person."""

    code: Annotated[str, msgspec.Meta(max_length=32)]
    "As it was typed: capitals or not, blanks and hyphens allowed."
    person: PersonPath | None = None
    name: Name | None = None
    role: Role | None = None
    grade: str | None = None


class GuestJoin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A join code and a name, for a guest without sign-in."""

    code: Annotated[str, msgspec.Meta(max_length=32)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=2 * limits.NAME_LENGTH)]


class JoinAnswer(msgspec.Struct, frozen=True):
    """The result of a join."""

    session: SessionId
    person: PersonId
    name: str
    role: Role
    standing: Standing
    "`present`: in the session, with credentials. `waiting`: in the lobby."
    why: Why | None
    "Why they wait: until staff admit them, or until the session starts."
    place: int
    "Place in the queue of the lobby, from 1; 0: not in the lobby."
    room_code: str
    "The join code; empty for people who may not share it."
    access_token: str
    "A bearer token of this API for this session; in the lobby it allows following the events."
    seq: int
    "Number of the last event: where following the events begins."
    credentials: Credentials | None
    "None while waiting."
    join_url: str = ""
    "See `Credentials`; empty while waiting."
    room_url: str = ""
    token: str = ""


class DoorAnswer(msgspec.Struct, frozen=True):
    """The view of a session for a person outside of it."""

    door: Door | None
    "None for a participant."


_REFUSALS: Final = {
    403: "the session is locked, for the invited only, or the person was banned",
    404: "there is no such session",
    409: "the session is over or full",
}


class JoinCalls:
    """The handlers."""

    def __init__(
        self, desk: Desk, callers: Callers, keyring: Keyring, media: MediaBridge, limits_: Limits
    ) -> None:
        """Tokens are signed with the API key of the caller's tenant."""
        self._desk = desk
        self._callers = callers
        self._keyring = keyring
        self._media = media
        self._limits = limits_

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("POST", "/sessions/join-by-code", self.join_by_code, _REFUSALS),
            Route("POST", "/guests/join", self.join_as_guest, _REFUSALS, open=True),
            Route("POST", "/sessions/{session}/join", self.join, _REFUSALS),
            Route("POST", "/sessions/{session}/leave", self.leave, _REFUSALS),
            Route("POST", "/sessions/{session}/token", self.token, _REFUSALS),
            Route("GET", "/sessions/{session}/door", self.door, {404: "there is no such session"}),
        ]

    async def join(self, caller: Caller, session: SessionPath, body: Join) -> JoinAnswer:
        """Join a session, or its lobby. A person who joins again begins another visit."""
        live = self._desk.session(caller, session)
        return await self._join(caller, live, _who(caller, body))

    async def join_by_code(self, caller: Caller, body: JoinByCode) -> JoinAnswer:
        """Join the session with a code."""
        code = join_code.normalise(body.code)
        self._limits.check("code", f"{caller.tenant}/{caller.person}", KNOCKS)
        row = await self._desk.registry.store.of(caller.tenant).by_code(code)
        if row is None:
            raise NotFound(Code.SESSION_NOT_FOUND, "No session has this code now.")
        live = self._desk.session(caller, row.id)
        return await self._join(caller, live, _who(caller, body))

    async def join_as_guest(self, address: str, request: web.Request, body: GuestJoin) -> JoinAnswer:
        """Join the session with a code without sign-in, where the session allows guests."""
        if address:
            self._limits.check("code", address, KNOCKS)
        code, store = join_code.normalise(body.code), self._desk.registry.store
        tenant = await store.tenant_of_code(code)
        row = None if tenant is None else await store.of(tenant).by_code(code)
        if tenant is None or row is None:
            raise NotFound(Code.SESSION_NOT_FOUND, "No session has this code now.")
        guest = Caller(
            tenant=tenant,
            key=tenant_parts(tenant)[0],
            origin=self._callers.origin(request),
            person=PersonId(new_id("guest_")),
            name=body.name,
            role=TenantRole.STUDENT,
            session=row.id,
        )
        live = self._desk.session(guest, row.id)

        def check(room: Classroom) -> None:
            if not room.session.settings.guests:
                raise NotAllowed(Code.NOT_INVITED, "This session takes no guests: sign in first.")

        await live.read(check)
        return await self._join(guest, live, _Who(guest.person, body.name, Role.STUDENT))

    async def leave(self, caller: Caller, session: SessionPath, body: Join) -> Done:
        """Leave a session or its lobby; the media connection ends."""
        person = _who(caller, body).person
        return await self._desk.carry_out(caller, session, lambda _room, _by: people.Leave(by=person))

    async def token(self, caller: Caller, session: SessionPath, body: Join) -> JoinAnswer:
        """Return new credentials for a participant; the visit continues."""
        live = self._desk.session(caller, session)
        person = _who(caller, body).person
        return await live.read(lambda room: self._answer(room, caller, live, person))

    async def door(self, caller: Caller, session: SessionPath) -> DoorAnswer:
        """Return the view from outside of the session: its title and time, and the place in the queue."""
        now = self._desk.now

        def look(room: Classroom) -> DoorAnswer:
            if caller.viewer(room) not in room.people.everyone:
                raise not_found()
            seen = view(room, caller.viewer(room), now)
            return DoorAnswer(seen if isinstance(seen, Door) else None)

        return await self._desk.session(caller, session).read(look)

    async def _join(self, caller: Caller, live: LiveSession, who: "_Who") -> JoinAnswer:
        person = who.person
        owner = await live.read(lambda room: room.session.owner)
        if await live.shelf.bans.has(owner, person):
            raise NotAllowed(Code.BANNED, "This person was banned from the sessions of this tutor.")
        self._media.admitted(live)
        command = people.Join(by=person, name=who.name or person, visit=caller.new_id("v_"), role=who.role)
        joined = await live.do(command, lambda room, _events: self._answer(room, caller, live, person))
        self._desk.presence.heard(live, person)
        await live.submit(noting(person, who.grade))
        return joined

    def _answer(self, room: Classroom, caller: Caller, live: LiveSession, person_id: PersonId) -> JoinAnswer:
        person = room.people.everyone.get(person_id)
        if person is None or room.session.phase in FINAL:
            raise not_found()
        now = self._desk.now
        made = None
        if person.standing is Standing.PRESENT:
            self._media.admitted(live)
            made = credentials.make(self._keyring, caller, room, person_id, now)
        waiting = list(room.people.waiting)
        in_staff = caller.manages or viewer_is_staff(room, person_id)
        return JoinAnswer(
            session=room.session.id,
            person=person_id,
            name=person.name,
            role=person.role,
            standing=person.standing,
            why=person.why,
            place=waiting.index(person_id) + 1 if person_id in room.people.waiting else 0,
            room_code=room.session.code if in_staff else "",
            access_token=made.access_token if made else self._waiting_token(caller, room, person_id, now),
            seq=room.seq,
            credentials=made,
            join_url="" if made is None else made.join_url,
            room_url="" if made is None else made.room_url,
            token="" if made is None else made.token,
        )

    def _waiting_token(self, caller: Caller, room: Classroom, person_id: PersonId, now: float) -> str:
        signer = self._keyring.successor(caller.key)
        name, session = room.people.everyone[person_id].name, room.session.id
        return credentials.api_token(
            signer, caller, person_id, name, TenantRole.STUDENT, now=now, session=session
        )


def viewer_is_staff(room: Classroom, person_id: PersonId) -> bool:
    """Whether a person is staff of a session."""
    person = room.people.everyone.get(person_id)
    return person is not None and person.role in STAFF


@dataclass(frozen=True, slots=True)
class _Who:
    """A joining person."""

    person: PersonId
    name: str
    role: Role
    grade: str = ""


def _who(caller: Caller, body: Join | JoinByCode) -> _Who:
    """Return the joining person. `NotAllowed` for a person who acts for another or says what the application says."""
    if caller.is_application:
        if body.person is None:
            raise NotFound(Code.PERSON_NOT_FOUND, "An application has to say who it is (person).")
        return _Who(body.person, body.name or "", body.role or Role.STUDENT, body.grade or "")
    if body.person not in {None, caller.person} or (body.role, body.grade) != (None, None):
        raise NotAllowed(Code.NOT_ALLOWED, "Only the application joins on behalf of others.")
    name = caller.name if caller.name != caller.person else body.name or caller.name
    return _Who(caller.person, name, caller.session_role, caller.grade)
