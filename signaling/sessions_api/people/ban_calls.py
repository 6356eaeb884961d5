"""Lasting bans: listing the people that a tutor banned from all sessions, and lifting a ban."""

from typing import Annotated

import msgspec

from classroom import limits
from classroom.errors import Code, NotAllowed
from classroom.ids import PersonId, SessionId
from signaling.http.api import ApiError, Route
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.path_ids import PersonPath
from signaling.sessions_api.school.school_desk import require_teacher
from signaling.store.classroom.classroom import ClassroomStore


class BansQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Whose bans."""

    owner: Annotated[PersonId, msgspec.Meta(max_length=limits.IDENTIFIER_LENGTH)] = PersonId("")
    "The tutor; the caller when empty. Only administrators and the application name another one."


class LastingBan(msgspec.Struct, frozen=True):
    """A person who cannot join the tutor's sessions."""

    person: PersonId
    session: SessionId
    "Where the person was banned."
    at: float
    name: str
    "Of the person at that time; empty if unknown."
    title: str
    "Of the session; empty if it was deleted."


class LastingBans(msgspec.Struct, frozen=True):
    """The bans of one tutor, the latest first."""

    owner: PersonId
    data: list[LastingBan]


class LiftedBan(msgspec.Struct, frozen=True):
    """A ban that was lifted."""

    person: PersonId
    lifted: bool


class BanCalls:
    """The handlers."""

    def __init__(self, store: ClassroomStore) -> None:
        """Use the store."""
        self._store = store

    def routes(self) -> list[Route]:
        """Return the routes."""
        absent = {403: "the caller is no tutor", 404: "there is no such ban"}
        return [
            Route("GET", "/bans", self.list, absent),
            Route("DELETE", "/bans/{person}", self.lift, absent),
        ]

    async def list(self, caller: Caller, query: BansQuery) -> LastingBans:
        """List the people who are banned from all sessions of a tutor."""
        owner = _owner(caller, query)
        found = await self._store.of(caller.tenant).bans.list(owner)
        data = [
            LastingBan(each.ban.person, each.ban.session, each.ban.at, each.ban.name, each.title)
            for each in found
        ]
        return LastingBans(owner, data)

    async def lift(self, caller: Caller, person: PersonPath, query: BansQuery) -> LiftedBan:
        """Let a person join the sessions of a tutor again."""
        if not await self._store.of(caller.tenant).bans.lift(_owner(caller, query), person):
            raise ApiError(404, "ban_not_found", "The person is not banned.")
        return LiftedBan(person, lifted=True)


def _owner(caller: Caller, query: BansQuery) -> PersonId:
    require_teacher(caller)
    if query.owner and query.owner != caller.person and not caller.manages:
        raise NotAllowed(Code.NOT_YOURS, "These bans belong to another tutor.")
    return query.owner or caller.person
