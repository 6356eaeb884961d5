"""Every error of signalling, by who has to read it.

    SignalingError
      ConfigError            the operator: a setting that cannot be used
      ListenError            the operator: an address or port that cannot be opened
      StoreError             the operator: the database cannot be opened, or fails
        UnstorableError      the developer: a value that no database of this kind takes
      VaultError             the operator: a secret in the database was sealed with another master key
      DeliveryError          the operator: a webhook did not reach its receiver
      AccessError            somebody who wants in: refused before a session exists
        BadRequestError      ... the request makes no sense
        TokenError           ... the token is missing, wrong or expired
        RoomFullError        ... no place left
        TooOftenError        ... the same key or address asks too often
        BannedError          ... sent out for good
        OutsideHoursError    ... the room is not open yet, or not any more
      WireError              a client: a frame that cannot be decoded
      IncompleteMessageError the developer: a message that would break the client it is meant for
      RequestError           a participant: one request is refused, the session goes on
        NotAllowedError      ... the token's grants forbid it
        NotFoundError        ... it names nothing that is there
        LimitError           ... there is too much of it already
        UnsupportedError     ... this server has no such thing
        DuplicateTrackError  ... the same track is still published
        InvalidHandleError, InvalidNameError      ... a data track's handle or name cannot be used
        DuplicateHandleError, DuplicateNameError  ... it is in use
        DuplicateIdentityError ... somebody of that name is there

The mapping to HTTP statuses is in `livekit.ws`, the one to LiveKit's reasons in `livekit.handlers`.
"""

from collections.abc import Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class SignalingError(Exception):
    """The root; the message is fit to be shown to the audience named above."""


class ConfigError(SignalingError):
    """A setting that cannot be used; says which one and what to do."""


class ListenError(SignalingError):
    """An address or port cannot be opened; says which one and why."""


class StoreError(SignalingError):
    """The database cannot be opened, or failed; what was asked of it is undone."""


class UnstorableError(StoreError):
    """The database refuses the very data; asking again is no use."""


class VaultError(SignalingError):
    """A secret in the database cannot be opened with this master key."""


class DeliveryError(SignalingError):
    """A webhook did not reach its receiver, or its address can never be sent to."""


class AccessError(SignalingError):
    """Refused before a session exists."""


class BadRequestError(AccessError):
    """No room, no identity, or parameters that cannot be read."""


class TokenError(AccessError):
    """A token that is missing, malformed, forged, expired, or grants something else."""


class RoomFullError(AccessError):
    """The room has as many participants as it may have."""


class TooOftenError(AccessError):
    """The same key or address asks more often than it may."""

    def __init__(self, retry_after_s: int) -> None:
        """After so many seconds it may ask again."""
        super().__init__(f"too many requests; the next one may come in {retry_after_s} s")
        self.retry_after_s = retry_after_s


class BannedError(AccessError):
    """Somebody was sent out of the room and may not come back."""


class OutsideHoursError(AccessError):
    """The room is not open yet, or not any more."""


class WireError(SignalingError):
    """Bytes from the network that are not a message; the only error of the decoders in `livekit.messages.wire`."""


class IncompleteMessageError(SignalingError):
    """A message lacks something without which a client aborts; a fault of this program."""


class RequestError(SignalingError):
    """One request of a participant is refused."""


class NotAllowedError(RequestError):
    """The participant's permissions forbid it."""


class NotFoundError(RequestError):
    """The request names a track or participant that is not in the room."""


class LimitError(RequestError):
    """The request would pass a limit."""


class UnsupportedError(RequestError):
    """The server does not offer this."""


class DuplicateTrackError(RequestError):
    """The participant publishes this very track already."""


class InvalidHandleError(RequestError):
    """The number for a data track cannot be one."""


class InvalidNameError(RequestError):
    """The name of a data track is empty or too long."""


class DuplicateHandleError(RequestError):
    """The participant has a data track of this number."""


class DuplicateNameError(RequestError):
    """The participant has a data track of this name."""


class DuplicateIdentityError(RequestError):
    """Somebody of the same identity is in that room already."""


def by_type(table: Mapping[Any, T], error: BaseException, default: T) -> T:
    """Return the entry of the error's class, or of its closest base class that the table names."""
    return next((table[base] for base in type(error).__mro__ if base in table), default)
