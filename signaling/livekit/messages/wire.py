"""LiveKit's bytes: frames to requests, responses to frames, and the join request of the connect URL.

The decoders raise `WireError` and nothing else, whatever the network sends.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Mapping
from typing import Any, TypeVar

from google.protobuf import json_format
from google.protobuf.message import DecodeError, Message
from livekit.protocol.models import ClientInfo, DataPacket
from livekit.protocol.rtc import (
    ConnectionSettings,
    JoinRequest,
    SignalRequest,
    SignalResponse,
    WrappedJoinRequest,
)

from signaling.errors import WireError
from signaling.http.json_bounds import check_elements
from signaling.livekit.messages.bounds import Scan, scan
from signaling.livekit.messages.json_bytes import check_base64
from signaling.livekit.messages.validate import check

# The real server's limit on one WebSocket message: state after a resume holds two descriptions and all tracks.
MAX_FRAME_BYTES = 2 * 1024 * 1024

# JSON is for debugging and for clients that people write by hand; the library takes 5 us for each value.
MAX_TEXT_FRAME_BYTES = 256 * 1024

# The real server's limit on a decompressed join request; a real one has 14-18 KB.
MAX_JOIN_REQUEST_BYTES = 1024 * 1024

M = TypeVar("M", bound=Message)


def weigh(frame: bytes | str) -> int:
    """Return how many fields a frame holds, at most, before anything is built of it."""
    if isinstance(frame, bytes):
        return scan(SignalRequest.DESCRIPTOR, frame).fields
    if len(frame) > MAX_TEXT_FRAME_BYTES:
        raise WireError(f"a text frame is larger than {MAX_TEXT_FRAME_BYTES} characters")
    try:
        return check_elements(frame.encode())
    except ValueError as error:
        raise WireError(f"a text frame cannot be read: {error}") from error


def decode_request(frame: bytes | str) -> SignalRequest:
    """Return the request in a frame: binary, or JSON if it is text. An unknown one has no `message` case."""
    weigh(frame)
    if isinstance(frame, bytes):
        request = _parse_whole(SignalRequest(), frame)
        if request.WhichOneof("message") is not None:
            request.DiscardUnknownFields()  # An unknown request consists of them, which tells it from an empty frame.
        return request
    try:
        check_base64(SignalRequest.DESCRIPTOR, json.loads(frame))
        return json_format.Parse(frame, SignalRequest(), ignore_unknown_fields=True)
    except (json_format.ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise WireError("a text frame is not a signal request") from error


def examine(request: Message) -> Scan:
    """Return what a decoded request holds, for `Scan.check`. WireError when it has too many fields."""
    return scan(request.DESCRIPTOR, request.SerializeToString())


def decode_data_packet(payload: bytes) -> DataPacket:
    """Return the data packet in a message of a data channel."""
    # Unknown fields stay: clients may be newer than this server, and the server stores nothing of a packet.
    return _parse_whole(DataPacket(), payload)


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
    excess = scan(JoinRequest.DESCRIPTOR, content).excess
    if excess:
        raise WireError(excess)
    return _parse(JoinRequest(), content)


def decode_join_query(query: Mapping[str, str]) -> JoinRequest:
    """Return what the plain parameters of `/rtc` say; unknown ones and unknown names are ignored."""
    try:
        join = _join_request(query)
    except ValueError as error:  # a text that is not Unicode
        raise WireError("a parameter is not text") from error
    excess = examine(join).excess
    if excess:
        raise WireError(excess)
    return join


def _join_request(query: Mapping[str, str]) -> JoinRequest:
    client = ClientInfo(
        sdk=_known(ClientInfo.SDK, query.get("sdk", "")),
        capabilities=[
            _known(ClientInfo.Capability, name) for name in query.get("capabilities", "").split(",") if name
        ],
        protocol=_count(query.get("protocol", "")),
        client_protocol=_count(query.get("client_protocol", "")),
        **{name: query[name] for name in _CLIENT_TEXTS if name in query},
    )
    settings = ConnectionSettings(
        auto_subscribe=_truth(query.get("auto_subscribe", "1")),
        auto_subscribe_data_track=_truth(query.get("auto_subscribe_data_track", "")),
        adaptive_stream=_truth(query.get("adaptive_stream", "")),
        subscriber_allow_pause=_truth(query.get("subscriber_allow_pause", "")),
        disable_ice_lite=_truth(query.get("disable_ice_lite", "")),
    )
    return JoinRequest(
        client_info=client,
        connection_settings=settings,
        participant_attributes=_attributes(query.get("attributes", "")),
        reconnect=_truth(query.get("reconnect", "")),
        participant_sid=query.get("sid", ""),
    )


_CLIENT_TEXTS = ("version", "os", "os_version", "device_model", "browser", "browser_version", "network")


def _truth(text: str) -> bool:
    return text.lower() in {"1", "true"}


def _count(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


def _known(enum: Any, name: str) -> Any:
    upper = name.upper()
    return upper if upper in enum.keys() else enum.Name(0)  # noqa: SIM118 - not a mapping


def _attributes(parameter: str) -> dict[str, str]:
    if not parameter:
        return {}
    unpadded = parameter.strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        packed = base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True)
        check_elements(packed)
        attributes = json.loads(packed)
    except (binascii.Error, ValueError, RecursionError) as error:
        raise WireError("attributes is not JSON in base64url") from error
    if not isinstance(attributes, dict) or not all(isinstance(value, str) for value in attributes.values()):
        raise WireError("attributes is not a map of texts")
    return attributes


class EncodedResponse:
    """One response, validated and encoded once for any number of participants."""

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
    """Return the message in these bytes, without unknown fields.

    protobuf keeps unknown fields and copies them with the messages they are in. No bound of `bounds` covers
    them, so a publisher could attach megabytes to a layer, and everybody in the room would receive them.
    """
    _parse_whole(message, content)
    message.DiscardUnknownFields()
    return message


def _parse_whole(message: M, content: bytes) -> M:
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
