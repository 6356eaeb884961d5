"""Between routes and sessions: finds the caller's session, carries commands out, shows what the caller may see."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

import msgspec

from classroom.base import Command, Event
from classroom.errors import Code, Conflict, NotAllowed, NotFound
from classroom.features.people import Person
from classroom.features.session import Create
from classroom.ids import PersonId, SessionId
from classroom.join_code import COUNT
from classroom.roles import STAFF
from classroom.state import Classroom
from classroom.visibility import is_participant, shown_to
from signaling.errors import UnstorableError
from signaling.sessions_api.callers import Caller
from signaling.teaching.live import LiveSession
from signaling.teaching.presence import Presence
from signaling.teaching.registry import Registry

T = TypeVar("T")

_encode: Final = msgspec.json.Encoder(order="sorted").encode

ANY_ETAG: Final = "*"

# Two sessions with one join code are as likely as a guess; the next number is another code.
_ATTEMPTS: Final = 3


class Done(msgspec.Struct, frozen=True):
    """A command that was carried out."""

    seq: int
    "Number of the last event of the session that is stored."
    id: str
    "Id of what was made; empty where nothing was."
    events: list[Any]
    "What happened, as the caller may see it."


class Desk:
    """What all routes of sessions do."""

    def __init__(self, registry: Registry, presence: Presence) -> None:
        """Sessions come out of `registry`; calls of people count as signs of life."""
        self.registry = registry
        self.presence = presence

    @property
    def now(self) -> float:
        """Seconds since 1970."""
        return self.registry.wall_clock()

    def session(self, caller: Caller, session_id: SessionId) -> LiveSession:
        """Return a session of the caller's tenant. `NotFound` for a token of another session."""
        if caller.session and caller.session != session_id:
            raise not_found()
        live = self.registry.session(caller.tenant, session_id)
        if not caller.is_application:
            self.presence.heard(live, caller.person)
        return live

    async def carry_out(
        self,
        caller: Caller,
        session_id: SessionId,
        make: Callable[[Classroom, PersonId], Command | None],
        made: str = "",
    ) -> Done:
        """Carry out what `make` returns for the state and the author; `made` is the id of what it makes. `Refused`."""
        live = self.session(caller, session_id)

        def checked(room: Classroom, _now: float) -> Command | None:
            check_etag(room, caller.if_match)
            return make(room, caller.author(room))

        done: Done = await live.submit(checked, lambda room, events: self._done(room, caller, events, made))
        return done

    @staticmethod
    async def create(live: LiveSession, make: Callable[..., Create]) -> None:
        """Create a session with a join code of its own: `make(code_number=...)`. `Refused`, StoreError."""
        for attempt in range(_ATTEMPTS):
            try:
                await live.do(make(code_number=secrets.randbelow(COUNT)), lambda _room, _events: None)
            except UnstorableError:
                if attempt == _ATTEMPTS - 1:
                    raise
            else:
                return

    async def look(self, caller: Caller, session_id: SessionId, look: Callable[[Classroom, Person], T]) -> T:
        """Return what somebody who takes part sees. `NotFound` for strangers, `NotAllowed` for those outside."""

        def shown(room: Classroom) -> T:
            return look(room, viewer(room, caller))

        return await self.session(caller, session_id).read(shown)

    @staticmethod
    def _done(room: Classroom, caller: Caller, events: Sequence[Event], made: str) -> Done:
        if caller.manages:
            shown: list[Event] = list(events)
        else:
            seen = (shown_to(room, event, caller.person) for event in events)
            shown = [event for event in seen if event is not None]
        return Done(room.seq, made, shown)


def viewer(room: Classroom, caller: Caller) -> Person:
    """Return the participant through whose eyes the caller sees a session. `NotFound`, `NotAllowed`."""
    person = known(room, caller)
    if not is_participant(room, person.id):
        raise NotAllowed(Code.NOT_PRESENT, "This person is not in the session now.")
    return person


def known(room: Classroom, caller: Caller) -> Person:
    """Return the person through whose eyes the caller sees a session, who may be at its door. `NotFound`."""
    person = room.people.everyone.get(caller.viewer(room))
    if person is None:
        raise not_found()
    return person


def require_staff(room: Classroom, caller: Caller) -> None:
    """Refuse everybody but staff of the session and those who manage the tenant. `NotFound`, `NotAllowed`."""
    if viewer(room, caller).role not in STAFF:
        raise NotAllowed(Code.NOT_ALLOWED, "Only staff of the session may see this.")


def not_found() -> NotFound:
    """Return the refusal for a session that does not exist, or not for this caller."""
    return NotFound(Code.SESSION_NOT_FOUND, "There is no such session.")


def etag(room: Classroom) -> str:
    """Return the entity tag of a session as a resource: it changes with its settings and its phase, not with a chat."""
    state = room.session
    parts = (
        state.title,
        state.description,
        state.settings,
        state.phase,
        state.starts_at,
        state.code,
        state.owner,
    )
    return f'"{hashlib.sha256(_encode(parts)).hexdigest()[:16]}"'


def check_etag(room: Classroom, wanted: str) -> None:
    """Refuse a change of a session that is no longer as the caller knows it (RFC 9110, section 13.1.1)."""
    if not wanted or wanted == ANY_ETAG:
        return
    if etag(room) not in {each.strip() for each in wanted.split(",")}:
        raise Conflict(Code.CHANGED_MEANWHILE, "The session was changed since it was read.")
