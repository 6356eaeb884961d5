"""LiveKit's bytes: frames to requests, responses to frames, and the join request of the connect URL.

The decoders raise `WireError` and nothing else, whatever the network sends.
"""

import base64
import binascii
import zlib
from typing import TypeVar

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from livekit.protocol.models import DataPacket
from livekit.protocol.rtc import JoinRequest, SignalRequest, SignalResponse, WrappedJoinRequest

from signaling.errors import WireError
from signaling.livekit.validate import check

# The real server's limit on one WebSocket message.
MAX_FRAME_BYTES = 2 * 1024 * 1024

# The real server's limit on a decompressed join request; a real one has 14-18 KB.
MAX_JOIN_REQUEST_BYTES = 1024 * 1024

M = TypeVar("M", bound=Message)


def decode_request(frame: bytes | str) -> SignalRequest:
    """Return the request in a frame: binary, or JSON if it is text. An unknown one has no `message` case."""
    if isinstance(frame, bytes):
        return _parse(SignalRequest(), frame)
    try:
        return json_format.Parse(frame, SignalRequest(), ignore_unknown_fields=True)
    except (json_format.ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise WireError("a text frame is not a signal request") from error


def decode_data_packet(payload: bytes) -> DataPacket:
    """Return the data packet in a message of a data channel."""
    return _parse(DataPacket(), payload)


def decode_join_request(parameter: str) -> JoinRequest:
    """Return what the `join_request` parameter of `/rtc/v1` holds; padding of the base64 is optional."""
    unpadded = parameter.strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        packed = base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise WireError("join_request is not base64url") from error
    wrapped = _parse(WrappedJoinRequest(), packed)
    if wrapped.compression == WrappedJoinRequest.NONE:
        content = wrapped.join_request
    elif wrapped.compression == WrappedJoinRequest.GZIP:
        content = _gunzip(wrapped.join_request)
    else:
        raise WireError("join_request has an unknown compression")
    if len(content) > MAX_JOIN_REQUEST_BYTES:
        raise WireError("join_request is too large")
    return _parse(JoinRequest(), content)


class Outgoing:
    """One response, validated once and encoded once however many participants it goes to."""

    __slots__ = ("_binary", "_message", "_text")

    def __init__(self, message: SignalResponse) -> None:
        """IncompleteMessageError if it would harm a client."""
        check(message)
        self._message = message
        self._binary: bytes | None = None
        self._text: str | None = None

    def binary(self) -> bytes:
        """Return the frame for a client that speaks protobuf."""
        if self._binary is None:
            self._binary = self._message.SerializeToString()
        return self._binary

    def text(self) -> str:
        """Return the frame for a client that speaks JSON."""
        if self._text is None:
            self._text = json_format.MessageToJson(self._message, indent=None)
        return self._text

    @property
    def kind(self) -> str:
        """The response's case, for the log."""
        return self._message.WhichOneof("message") or ""


def _parse(message: M, content: bytes) -> M:
    try:
        message.ParseFromString(content)
    except (DecodeError, ValueError, RecursionError) as error:
        raise WireError(f"not a {message.DESCRIPTOR.name}") from error
    return message


def _gunzip(content: bytes) -> bytes:
    # 31: gzip framing (RFC 1952) with the largest window. The output limit makes a bomb cost no more than
    # the limit.
    inflater = zlib.decompressobj(wbits=31)
    try:
        plain = inflater.decompress(content, MAX_JOIN_REQUEST_BYTES + 1)
    except zlib.error as error:
        raise WireError("join_request is not gzip") from error
    if len(plain) > MAX_JOIN_REQUEST_BYTES or not inflater.eof:
        raise WireError("join_request is too large or cut off")
    return plain
