"""The types of event-log entries, one per kind, and their JSON form in the database.

The types' tags and the fields' names are on disk, so they do not change. A change of the JSON raises `VERSION` and adds
a step to `_UPGRADES`, which applies when older rows are read; no row in the database is rewritten.
"""

from collections.abc import Callable, Mapping
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, get_args

import msgspec

from signaling.errors import UnstorableError
from signaling.ids import Identity, ParticipantSid, RoomName, RoomSid, TrackSid
from signaling.rooms.permissions import Permissions, Source

# Version of the JSON that `encode` writes. Rows without a version are of version 0.
VERSION = 1

# The field that msgspec uses for the kind; in the database the kind is a column.
_TAG = "entry"

_VERSION = "version"


# --- parts ---------------------------------------------------------------------------------------


class RoomSnapshot(msgspec.Struct, frozen=True):
    """A room at the moment of the entry. Times are seconds since 1970."""

    sid: RoomSid
    name: RoomName
    metadata: str
    owner: str
    "Id of the API key that created the room; empty: any key may see it."
    created_at: float
    visited_at: float | None
    "When the first participant who counts towards occupancy joined; None: not yet."
    empty_timeout_s: int
    departure_timeout_s: int
    max_participants: int
    participants: int
    "Present participants, without hidden ones."
    publishers: int
    "Present participants who publish a track, without hidden ones."


class RoomReference(msgspec.Struct, frozen=True):
    """The names that identify a room."""

    sid: RoomSid
    name: RoomName


class ParticipantSnapshot(msgspec.Struct, frozen=True):
    """A participant at the moment of the entry, without tracks. Times are seconds since 1970."""

    sid: ParticipantSid
    identity: Identity
    name: str
    metadata: str
    attributes: Mapping[str, str]
    permissions: Permissions
    joined_at: float
    leaves_at: float | None
    "When the server will remove the participant; None: never."
    connected_at: float
    "When media connected; 0: not yet."
    kind: str
    is_publisher: bool
    state: str
    "Name of a `ParticipantState`."
    version: int


class ParticipantReference(msgspec.Struct, frozen=True):
    """The names that identify a participant."""

    sid: ParticipantSid
    identity: Identity
    name: str


class VisitorSnapshot(msgspec.Struct, frozen=True):
    """A person who waits to be admitted. Times are seconds since 1970."""

    identity: Identity
    name: str
    attributes: Mapping[str, str]
    permissions: Permissions
    "The permissions that the person will have in the room."
    joined_at: float
    "When the person began to wait."
    leaves_at: float | None


class LayerSnapshot(msgspec.Struct, frozen=True):
    """One encoding of a video track."""

    rid: str
    width: int
    height: int
    bitrate_bps: int


class TrackSnapshot(msgspec.Struct, frozen=True):
    """A track at the moment of the entry."""

    sid: TrackSid
    kind: Literal["audio", "video"]
    source: Source
    name: str
    muted: bool
    width: int
    height: int
    codec: str
    mid: str
    layers: tuple[LayerSnapshot, ...]
    stereo: bool
    dtx: bool
    red: bool


# --- entries -------------------------------------------------------------------------------------


class _OfRoom(msgspec.Struct, frozen=True, tag_field=_TAG):
    room: RoomSnapshot


class _OfParticipant(_OfRoom, frozen=True):
    participant: ParticipantSnapshot


class _OfVisitor(_OfRoom, frozen=True):
    visitor: VisitorSnapshot


class _OfTrack(msgspec.Struct, frozen=True, tag_field=_TAG):
    room: RoomReference
    participant: ParticipantReference
    track: TrackSnapshot


class RoomStarted(_OfRoom, frozen=True, tag="room_started"):
    """A meeting began; always the first entry of its log."""


class RoomFinished(_OfRoom, frozen=True, tag="room_finished"):
    """The meeting ended; always the last entry of its log."""

    reason: str
    "Name of a `LeaveReason`; empty where it was not recorded."


class RoomChanged(_OfRoom, frozen=True, tag="room_changed"):
    """The room's metadata has changed."""


class RoomOccupied(_OfRoom, frozen=True, tag="room_visited"):
    """The first participant who counts towards occupancy is about to join."""


class ParticipantJoined(_OfParticipant, frozen=True, tag="participant_joined"):
    """A participant is in the room, still without media."""


class ParticipantActive(_OfParticipant, frozen=True, tag="participant_active"):
    """The participant's media is connected."""


class ParticipantLeft(_OfParticipant, frozen=True, tag="participant_left"):
    """A participant is no longer in the room."""

    reason: str
    "Name of a `LeaveReason`."


class ParticipantMovedOut(_OfParticipant, frozen=True, tag="participant_moved_out"):
    """A participant was moved from this room to another."""

    destination_sid: RoomSid = msgspec.field(name="to")
    "The other meeting."


class ParticipantMovedIn(_OfParticipant, frozen=True, tag="participant_moved_in"):
    """A participant was moved to this room from another."""

    origin_sid: RoomSid = msgspec.field(name="from")
    "The other meeting."


class VisitorArrived(_OfVisitor, frozen=True, tag="visitor_came"):
    """A person began to wait for admission."""


class VisitorLeft(_OfVisitor, frozen=True, tag="visitor_gone"):
    """The person no longer waits: admitted, denied or gone."""


class TrackPublished(_OfTrack, frozen=True, tag="track_published"):
    """Others can subscribe to the track."""


class TrackUnpublished(_OfTrack, frozen=True, tag="track_unpublished"):
    """The track has ended."""


class Unstorable(msgspec.Struct, frozen=True, tag_field=_TAG, tag="unstorable"):
    """Replaces an entry that the database refused."""

    kind: str
    "Kind of the refused entry."


class Unknown(msgspec.Struct, frozen=True):
    """A row that this release cannot read: from a newer release, or damaged. No event creates one.

    It is not a StoreError because recovery reads the log when the server starts: recovery has to end a meeting that a
    newer release left open, and one row must not prevent the start. Projection and webhooks ignore it.
    """

    kind: str
    data: object
    "As in the database."
    why: str
    "Why it cannot be read, for the operator."


_Known = (
    RoomStarted
    | RoomFinished
    | RoomChanged
    | RoomOccupied
    | ParticipantJoined
    | ParticipantActive
    | ParticipantLeft
    | ParticipantMovedOut
    | ParticipantMovedIn
    | VisitorArrived
    | VisitorLeft
    | TrackPublished
    | TrackUnpublished
    | Unstorable
)

Entry = _Known | Unknown

# Every type of entry. Tests compare the tables by type with it.
TYPES: frozenset[type] = frozenset(get_args(Entry))

_BY_KIND: Mapping[str, type[_Known]] = {of.__struct_config__.tag: of for of in get_args(_Known)}


def kind_of(entry: Entry) -> str:
    """Return the value of the column `kind` for an entry."""
    return entry.kind if isinstance(entry, Unknown) else str(entry.__struct_config__.tag)


def room_name(entry: Entry) -> str:
    """Return the name of the room that an entry is about; empty if the entry does not contain it."""
    return "" if isinstance(entry, (Unstorable, Unknown)) else entry.room.name


# --- tables by type ------------------------------------------------------------------------------

_T = TypeVar("_T")
_P = ParamSpec("_P")
_R = TypeVar("_R")


def row(
    of: type[_T], do: Callable[Concatenate[_T, _P], _R]
) -> tuple[type, Callable[Concatenate[Any, _P], _R]]:
    """Return one row of a table of functions by the type of their first argument; mypy checks that both agree."""
    return of, do


# --- JSON ----------------------------------------------------------------------------------------


def encode(entry: Entry) -> tuple[str, object]:
    """Return the kind of an entry and its JSON values. UnstorableError if a field has no JSON form."""
    if isinstance(entry, Unknown):
        return entry.kind, entry.data
    try:
        values = msgspec.to_builtins(entry, order="deterministic")
    except (TypeError, ValueError, RecursionError) as error:
        raise UnstorableError(f"an entry of kind {kind_of(entry)} has no JSON form: {error}") from error
    return values.pop(_TAG), {_VERSION: VERSION, **values}


def decode(kind: str, data: object) -> Entry:
    """Return the entry of a row of any release; never fails."""
    if not isinstance(data, dict):
        return Unknown(kind, data, "not a JSON object")
    of = _BY_KIND.get(kind)
    if of is None:
        return Unknown(kind, data, "this release has no such kind")
    version = data.get(_VERSION, 0)
    if type(version) is not int or not 0 <= version <= VERSION:
        return Unknown(kind, data, f"version {version!r}; this release reads 0 to {VERSION}")
    values: dict[str, Any] = data
    for upgrade in _UPGRADES[version:]:
        values = upgrade(values)
    try:
        return msgspec.convert({**values, _TAG: kind}, of)
    except msgspec.ValidationError as error:
        return Unknown(kind, data, str(error))


# Fields that early releases did not write, by part of an entry. The reason of a room's end is missing too.
_LATER_FIELDS: Mapping[str, Mapping[str, Any]] = {
    "room": {"owner": "", "visited_at": None},
    "participant": {"leaves_at": None, "is_publisher": False},
}


def _from_version_0(values: Mapping[str, Any]) -> dict[str, Any]:
    """Add the fields that version 1 always has. Missing fields of `Permissions` get their defaults when decoded."""
    upgraded = {"reason": "", **values}
    for part, missing in _LATER_FIELDS.items():
        present = upgraded.get(part)
        if isinstance(present, Mapping):
            upgraded[part] = {**missing, **present}
    return upgraded


# The step at index n reads version n and returns version n + 1.
_UPGRADES: tuple[Callable[[Mapping[str, Any]], dict[str, Any]], ...] = (_from_version_0,)
