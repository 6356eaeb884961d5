"""The facade's commands and events as bytes, for an engine in a process of its own.

A frame is its length (4 bytes, big-endian) and a MessagePack array. What a command takes is read off the facade's own
signatures, so that a new command is one name here, and a new event none.
"""

import asyncio
import inspect
import struct
import typing
from dataclasses import dataclass
from typing import Any

import msgspec

from sfu.facade import MediaEngine
from sfu.values import Event, PeerId

# Offers have 256 KiB at most and data packets 64 KiB; this ends a stream that lost its place.
MAX_FRAME_BYTES = 4 << 20

_LENGTH = struct.Struct("!I")


class MessageError(Exception):
    """The bytes are no message; the other process is broken."""


@dataclass(frozen=True, slots=True)
class Command:
    """The parameters of one method of the facade."""

    types: Any
    "A tuple type of all its parameters."
    positional: int
    "How many of them have no name in a call."
    names: tuple[str, ...]
    "The names of the others."


def _command(name: str) -> Command:
    method = getattr(MediaEngine, name)
    hints = typing.get_type_hints(method)
    parameters = [p for p in inspect.signature(method).parameters.values() if p.name != "self"]
    keywords = tuple(p.name for p in parameters if p.kind is p.KEYWORD_ONLY)
    # a set cannot cross as one, and the facade asks for any iterable
    types = tuple(list[PeerId] if p.name == "peer_ids" else hints[p.name] for p in parameters)
    return Command(tuple.__class_getitem__(types), len(parameters) - len(keywords), keywords)


COMMANDS = {
    name: _command(name)
    for name in (
        "open_peer",
        "move_peer",
        "forward_peer",
        "stop_forwarding",
        "close_peer",
        "publish",
        "unpublish",
        "set_muted",
        "subscribe",
        "unsubscribe",
        "set_preferences",
        "send_data",
        "start_recording",
        "record_track",
        "stop_recording_track",
        "pause_recording",
        "stop_recording",
    )
}
"Without an answer."
REQUESTS = {name: _command(name) for name in ("negotiate", "offer", "answer", "explain")}
"With an answer."
PING = "ping"
"Answered by the notification `pong`, from the loop that serves the media."
RESULTS: dict[str, Any] = {
    name: typing.get_type_hints(getattr(MediaEngine, name))["return"] for name in REQUESTS
}
EVENTS: dict[str, type] = {kind.__name__: kind for kind in typing.get_args(Event)}

_NO_ARGUMENTS = {PING: Command(tuple[()], 0, ())}

# All that msgspec raises is a ValueError: its own errors, and UnicodeDecodeError for a string that is not UTF-8.
_encoder = msgspec.msgpack.Encoder()
_command_decoder = msgspec.msgpack.Decoder(tuple[int, str, msgspec.Raw])
_notification_decoder = msgspec.msgpack.Decoder(tuple[str, msgspec.Raw])


def frame(content: Any) -> bytes:
    """One frame: a command `(number, name, arguments)` or a notification `(kind, content)`."""
    body = _encoder.encode(content)
    return _LENGTH.pack(len(body)) + body


async def read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """Return the body of the next frame; None at the end of the stream. MessageError."""
    try:
        (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
        if length > MAX_FRAME_BYTES:
            raise MessageError("a frame is too long")
        return await reader.readexactly(length)
    except (asyncio.IncompleteReadError, ConnectionError):
        return None


def read_command(body: bytes) -> tuple[int, str, list[Any], dict[str, Any]]:
    """Return (number, name, positional arguments, keyword arguments) of a command. MessageError."""
    try:
        number, name, raw = _command_decoder.decode(body)
        command = COMMANDS.get(name) or REQUESTS.get(name) or _NO_ARGUMENTS[name]
        values = msgspec.msgpack.decode(raw, type=command.types)
    except (ValueError, KeyError) as error:
        raise MessageError(f"not a command: {error}") from error
    positional = list(values[: command.positional])
    return number, name, positional, dict(zip(command.names, values[command.positional :], strict=True))


def read_notification(body: bytes) -> tuple[str, msgspec.Raw]:
    """Return (kind, content) of a worker's notification. MessageError."""
    try:
        return _notification_decoder.decode(body)
    except ValueError as error:
        raise MessageError(f"not a notification: {error}") from error


def decode(raw: msgspec.Raw, kind: Any) -> Any:
    """Return a content as a value of a type. MessageError."""
    try:
        return msgspec.msgpack.decode(raw, type=kind)
    except ValueError as error:
        raise MessageError(f"not a {kind}: {error}") from error
