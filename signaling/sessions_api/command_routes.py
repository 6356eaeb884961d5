"""Routes made of commands: the path and the body give a command's fields, the caller is its author.

    CommandRoute("POST", "/polls/{poll}/open", polls.Open)

The body is a struct of the fields that neither the path nor the server gives, with the command's types and defaults, so
that the OpenAPI document and the checks follow from the engine's own declarations.
"""

import inspect
import typing
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from classroom.base import Command
from classroom.ids import PersonId, SessionId
from signaling.http.api import MAX_BODY_BYTES, Route
from signaling.sessions_api.callers import Caller
from signaling.sessions_api.desk import Desk, Done
from signaling.sessions_api.path_ids import Id

# Fields that every command has, and no caller gives.
_OWN: Final = frozenset({"by", "v"})

_REFUSALS: Final = {
    403: "the caller may not do this in this session",
    404: "there is no such session, or not what the path names in it",
    409: "the present state does not allow this, or a limit is reached",
    412: "the session was changed since it was read",
}


@dataclass(frozen=True, slots=True)
class CommandRoute:
    """A row of the table of commands."""

    method: str
    path: str
    "Behind `/sessions/{session}`; names in braces are fields of the command."
    command: type[Command]
    makes: str = ""
    "The field with the id of what it makes, which the server chooses."
    server: Mapping[str, Callable[[], Any]] = field(default_factory=dict)
    "Further fields that the server chooses."
    max_body_bytes: int = MAX_BODY_BYTES


Carry = Callable[[Caller, Mapping[str, str], Callable[[PersonId], Command], str], Awaitable[Any]]
"Carries out the command that a function makes for its author; given the caller, the names in the path, what it makes."


def route(desk: Desk, row: CommandRoute) -> Route:
    """Return the typed route of a row about a session."""

    async def carry(
        caller: Caller, names: Mapping[str, str], make: Callable[[PersonId], Command], made: str
    ) -> Done:
        return await desk.carry_out(caller, SessionId(names["session"]), lambda _room, by: make(by), made)

    return command_route(row, "/sessions/{session}", carry, Done, _REFUSALS)


def command_route(
    row: CommandRoute, prefix: str, carry: Carry, answer: Any, refusals: Mapping[int, str]
) -> Route:
    """Return the typed route of a row; names of `prefix` that are no fields of the command go to `carry` alone."""
    path = f"{prefix}{row.path}"
    names = _names(path)
    own = {each.name for each in msgspec.structs.fields(row.command)}
    body_type = _body(row, names)

    async def handler(caller: Caller, **given: Any) -> Any:
        body = given.pop("body", None)
        fields = {} if body is None else {name: getattr(body, name) for name in body.__struct_fields__}
        fields |= {name: value for name, value in given.items() if name in own}
        fields |= {name: choose() for name, choose in row.server.items()}
        made = caller.new_id(f"{row.makes[:1]}_") if row.makes else ""
        if row.makes:
            fields[row.makes] = made
        return await carry(caller, given, lambda by: row.command(by=by, **fields), made)

    types: dict[str, Any] = {"caller": Caller, **dict.fromkeys(names, Id)}
    if body_type is not None:
        types["body"] = body_type
    _describe(handler, types, row.command, answer)
    status = 201 if row.makes else 200
    return Route(row.method, path, handler, refusals, max_body_bytes=row.max_body_bytes, status=status)


def _describe(
    handler: Callable[..., Any], types: Mapping[str, Any], command: type[Command], answer: Any
) -> None:
    """Give a handler the signature from which the typed routes read its parameters."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = [inspect.Parameter(name, kind, annotation=each) for name, each in types.items()]
    handler.__annotations__ = {**types, "return": answer}
    handler.__signature__ = inspect.Signature(parameters, return_annotation=answer)  # type: ignore[attr-defined]
    handler.__doc__ = f"{command.__doc__}\n\nThe command `{command.__struct_config__.tag}`."


def _names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _body(row: CommandRoute, names: list[str]) -> type[msgspec.Struct] | None:
    types = typing.get_type_hints(row.command, include_extras=True)
    taken = {*names, row.makes, *row.server, *_OWN}
    fields: list[Any] = []
    for each in msgspec.structs.fields(row.command):
        if each.name in taken:
            continue
        if each.default is msgspec.NODEFAULT and each.default_factory is msgspec.NODEFAULT:
            fields.append((each.name, types[each.name]))
        elif each.default is msgspec.NODEFAULT:
            default = msgspec.field(default_factory=typing.cast("Any", each.default_factory))
            fields.append((each.name, types[each.name], default))
        else:
            fields.append((each.name, types[each.name], each.default))
    if not fields:
        return None
    feature, _, name = str(row.command.__struct_config__.tag).partition(".")
    title = "".join(part.title() for part in (*feature.split("_"), *name.split("_")))
    return msgspec.defstruct(
        title,
        fields,
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
        namespace={"__doc__": row.command.__doc__},
        module=__name__,
    )
