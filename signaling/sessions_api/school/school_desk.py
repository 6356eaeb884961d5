"""Common to the routes of a school: authorisation in the tenant, and answers to commands."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from classroom.base import SERVER, Command
from classroom.errors import Code, NotAllowed
from classroom.ids import PersonId
from signaling.sessions_api.callers import Caller, TenantRole
from signaling.sessions_api.command_routes import Carry
from signaling.teaching.school import SchoolPart

TEACHERS: Final = frozenset({TenantRole.ADMIN, TenantRole.TUTOR})

REFUSALS: Final = {
    403: "the caller may not do this",
    404: "there is no such thing",
    409: "the present state does not allow this, or a limit is reached",
}


class SchoolDone(msgspec.Struct, frozen=True):
    """A command that was carried out."""

    id: str
    "Id of the created object; empty if none was created."
    events: list[Any]
    "What happened."


def author(caller: Caller) -> PersonId:
    """Return the author of a command: administrators act for the server."""
    return SERVER if caller.manages else caller.person


def require_member(caller: Caller) -> None:
    """Refuse tokens that are for one session only."""
    if caller.session:
        raise NotAllowed(Code.NOT_ALLOWED, "This token is for one session only.")


def is_teacher(caller: Caller) -> bool:
    """Return whether the caller is a tutor, an administrator or the application."""
    return caller.role in TEACHERS


def require_teacher(caller: Caller) -> None:
    """Refuse callers other than tutors and administrators."""
    require_member(caller)
    if not is_teacher(caller):
        raise NotAllowed(Code.NOT_ALLOWED, "Only tutors and administrators may do this.")


def carry_to(
    find: Callable[[Caller, Mapping[str, str]], SchoolPart[Any]],
    check: Callable[[Caller], None] = require_member,
    by: Callable[[Caller], PersonId] = author,
) -> Carry:
    """Return what carries commands out in the part that `find` returns, after `check`."""

    async def carry(
        caller: Caller, names: Mapping[str, str], make: Callable[[PersonId], Command], made: str
    ) -> SchoolDone:
        check(caller)
        return await find(caller, names).do(
            make(by(caller)), lambda _state, events: SchoolDone(made, list(events))
        )

    return carry
