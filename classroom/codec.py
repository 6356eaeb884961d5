"""Commands, events and snapshots as JSON.

Each value carries its kind (`type`) and the version of that kind (`v`). When a kind of event changes, its class gets
the next version, and `UPCASTS` a function that converts the old one to it, so that a log of any age can be read.
"""

import functools
import operator
from collections.abc import Callable, Iterable
from typing import Any, Final

import msgspec

from classroom.base import Command, Event
from classroom.catalogue import COMMANDS, EVENTS
from classroom.errors import Code, Malformed
from classroom.state import STATE_VERSION, Classroom

Upcast = Callable[[dict[str, Any]], dict[str, Any]]

UPCASTS: Final[dict[tuple[str, int], Upcast]] = {
    # Before messages could have files.
    ("chat.sent", 1): lambda old: old | {"files": ()},
    ("chat.approved", 1): lambda old: old | {"files": ()},
    # Before sessions had reminders.
    ("session.created", 1): lambda old: old | {"settings": old["settings"] | {"reminders": ()}},
    ("session.updated", 1): lambda old: old | {"settings": old["settings"] | {"reminders": ()}},
}
"By kind of event and old version: converts an event to the next version; the result need not contain `v`."


class _Header(msgspec.Struct, frozen=True):
    type: str
    v: int = 1


_encode: Final = msgspec.json.Encoder().encode
_header: Final = msgspec.json.Decoder(_Header)
_command: Final = msgspec.json.Decoder(functools.reduce(operator.or_, COMMANDS.values()))
_event: Final = msgspec.json.Decoder(functools.reduce(operator.or_, EVENTS.values()))
_snapshot: Final = msgspec.json.Decoder(Classroom)


def _version(kind: type[Command | Event]) -> int:
    fields = {field.name: field.default for field in msgspec.structs.fields(kind)}
    return int(fields["v"])


_COMMAND_VERSIONS: Final = {tag: _version(kind) for tag, kind in COMMANDS.items()}
_EVENT_VERSIONS: Final = {tag: _version(kind) for tag, kind in EVENTS.items()}


def encode(value: Command | Event | Classroom) -> bytes:
    """Return a command, an event or a whole state as JSON."""
    return _encode(value)


def decode_command(data: bytes) -> Command:
    """Return a command. Raises `Malformed` for any other input; its message names the field."""
    try:
        command: Command = _command.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed(Code.UNREADABLE, f"The command cannot be read: {error}.") from None
    tag = str(command.__struct_config__.tag)
    if command.v != _COMMAND_VERSIONS[tag]:
        raise Malformed(Code.UNSUPPORTED_VERSION, f"Version {command.v} of {tag} is not supported.")
    return command


def decode_event(data: bytes) -> Event:
    """Return an event of the log, in its current version. Raises `Malformed` if a newer program wrote the log."""
    header = _header.decode(data)
    current = _EVENT_VERSIONS.get(header.type)
    if current is None or not 1 <= header.v <= current:
        raise Malformed(Code.UNSUPPORTED_VERSION, f"Version {header.v} of {header.type} is not known.")
    if header.v == current:
        return _decode(_event, data)
    fields = msgspec.json.decode(data)
    for version in range(header.v, current):
        fields = UPCASTS[header.type, version](fields) | {"v": version + 1, "type": header.type}
    event: Event = msgspec.convert(fields, EVENTS[header.type])
    return event


def _decode(decoder: "msgspec.json.Decoder[Any]", data: bytes) -> Event:
    event: Event = decoder.decode(data)
    return event


def decode_events(lines: Iterable[bytes]) -> Iterable[Event]:
    """Yield the events of a log."""
    return map(decode_event, lines)


def decode_snapshot(data: bytes) -> Classroom:
    """Return the state that `encode(room)` wrote. ValueError if another program version wrote it: replay the log."""
    room = _snapshot.decode(data)
    if room.version != STATE_VERSION:
        raise ValueError("The snapshot was made by another version.")
    return room
