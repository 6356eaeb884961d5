"""The domain's data: rooms, participants, tracks. Plain data; the services in this package change it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, IntEnum
from typing import Any

from sfu.values import Kind, Layer, Preferences, PublicationSpec
from signaling.ids import DataTrackSid, Identity, ParticipantSid, RoomName, RoomSid, TrackSid, UserId
from signaling.rooms.permissions import Permissions, Source, SubscriptionRules

# Attributes reserved for the server: tokens can set them, participants cannot.
RESERVED_PREFIX = "lectern."
USER_ID = f"{RESERVED_PREFIX}user_id"

# Entries of `Room.identities`: some joins of everybody in the largest room.
MAX_IDENTITIES = 10_000


class ParticipantState(IntEnum):
    """The states of a participant, which only move forward."""

    JOINING = 0
    JOINED = 1
    ACTIVE = 2
    DISCONNECTED = 3


class LeaveReason(Enum):
    """Why a participant is no longer in the room."""

    CLIENT_LEFT = "client left"
    DUPLICATE_IDENTITY = "joined again with the same identity"
    SERVER_SHUTDOWN = "server shutdown"
    STATE_MISMATCH = "client and server disagree"
    JOIN_TIMEOUT = "media never connected"
    SIGNAL_LOST = "signalling lost"
    MEDIA_LOST = "media connection lost"
    MEDIA_REFUSED = "offer refused"
    MEDIA_FAILED = "the media engine failed"
    FLOOD = "sent too much"
    PROTOCOL_ERROR = "undecodable message"
    ROOM_FULL = "the room is full"
    ROOM_CLOSED = "the room ended"
    ROOM_DELETED = "the room was deleted"
    REMOVED = "removed by the application"
    MOVED = "moved to another room"
    TIME_UP = "the time limit was reached"
    SIMULATED = "simulated for the client"


@dataclass(frozen=True, slots=True)
class TrackSpec:
    """A track that a participant wants to publish."""

    kind: Kind
    "Audio or video."
    source: Source = Source.UNKNOWN
    "Camera, microphone or screen."
    name: str = ""
    "Chosen by the application."
    client_id: str = ""
    "The publisher's own name for it (LiveKit: cid)."
    track_ids: tuple[str, ...] = ()
    "Track ids by which the offer may announce it."
    layers: tuple[Layer, ...] = ()
    "Spatial layers, lowest first; without rids they share one stream."
    codec: str = ""
    "Requested codec, lower-case encoding name; empty if the publisher has no preference."
    codec_only: bool = False
    "Whether the answer must contain that codec alone."
    backup_codec: str = ""
    "Codec that the publisher can send in addition, for subscribers that cannot decode `codec`; empty: none."
    muted: bool = False
    "Starts muted."
    width: int = 0
    "Pixels."
    height: int = 0
    "Pixels."
    stereo: bool = False
    "Opus in stereo."
    dtx: bool = True
    "Opus may stop sending in silence (discontinuous transmission)."
    red: bool = True
    "Whether redundant audio may be sent."
    encrypted: bool = False
    "The participants encrypt it end to end."
    frontend_info: object = None
    "Data of the publisher's front end, which the domain stores and never reads."

    def publication(
        self, sid: TrackSid, *, leading: bool, backup_of: TrackSid | None = None
    ) -> PublicationSpec:
        """Return the publication for the media engine; `leading`: the publisher is a leader of the room."""
        return PublicationSpec(
            id=sid,
            kind=self.kind,
            track_ids=self.track_ids,
            layers=self.layers,
            codec=self.codec,
            codec_only=self.codec_only,
            screen_share=self.source is Source.SCREEN_SHARE,
            muted=self.muted,
            stereo=self.stereo,
            dtx=self.dtx,
            red=self.red,
            encrypted=self.encrypted,
            leading=leading,
            backup_of=backup_of,
        )


@dataclass(frozen=True, slots=True)
class Track:
    """A published track; immutable, and replaced when it changes."""

    sid: TrackSid
    "`TR_...`"
    publisher_sid: ParticipantSid
    "The publisher."
    spec: TrackSpec
    "As announced."
    muted: bool
    "Muted by the publisher."
    width: int
    "Pixels."
    height: int
    "Pixels."
    codec: str = ""
    "Codec in use, lower-case encoding name; empty until the media engine reports it."
    mid: str = ""
    "The publisher's media section; empty until bound."
    backup_sid: TrackSid | None = None
    "The publication of the same track in its backup codec; None while there is none."

    @classmethod
    def from_spec(cls, sid: TrackSid, publisher_sid: ParticipantSid, spec: TrackSpec) -> "Track":
        """Return a new track with this spec."""
        return cls(sid, publisher_sid, spec, muted=spec.muted, width=spec.width, height=spec.height)

    def with_frontend_info(self, frontend_info: object) -> "Track":
        """Return the track with other front-end data."""
        return replace(self, spec=replace(self.spec, frontend_info=frontend_info))

    def with_size(self, width: int, height: int) -> "Track":
        """Return the track with another video size in pixels."""
        return replace(self, width=width, height=height)


@dataclass(frozen=True, slots=True)
class DataTrack:
    """A stream of data frames that a participant publishes."""

    sid: DataTrackSid
    "`DTR_...`"
    handle: int
    "The publisher's number for the track, in each frame."
    name: str
    "Unique among the publisher's data tracks."
    frontend_info: object = None
    "Data of the publisher's front end, which the domain stores and never reads."


@dataclass(slots=True)
class Subscriptions:
    """What one participant receives and requests."""

    automatic: bool = False
    "Whether tracks that are not in `wanted` are requested."
    wanted: dict[TrackSid, bool] = field(default_factory=dict)
    "Explicit requests by track sid, also for tracks that do not exist yet."
    subscribed: set[TrackSid] = field(default_factory=set)
    "Sids of the tracks that the media engine was commanded to send."
    negotiated: set[TrackSid] = field(default_factory=set)
    "Members of `subscribed` for which the last answer had a media section."
    codec_missing: set[TrackSid] = field(default_factory=set)
    "Members of `subscribed` whose codec the participant cannot decode, so that their backup codec is needed."
    refused: set[TrackSid] = field(default_factory=set)
    "Sids of requested tracks that the publisher does not allow this participant to receive."
    preferences: dict[TrackSid, Preferences] = field(default_factory=dict)
    "Last request for each track, also for tracks that are not received now."
    data: dict[DataTrackSid, int] = field(default_factory=dict)
    "Handles of received data tracks, by sid."
    data_automatic: bool = False
    "Every data track that is not in `data_declined` is received."
    data_declined: set[DataTrackSid] = field(default_factory=set)
    "Sids of data tracks that the participant does not want."


@dataclass(slots=True, eq=False)
class Participant:
    """A person or a program in a room."""

    sid: ParticipantSid
    "`PA_...`; new at every join."
    identity: Identity
    "Chosen by the application; unique in the room."
    room: "Room"
    "The present room."
    name: str
    "Display name."
    metadata: str
    "Set by the application."
    attributes: dict[str, str]
    "Set by the application."
    permissions: Permissions
    "Current permissions."
    joined_at: float
    "Seconds since 1970."
    connected_at: float = 0.0
    "When the media connection was established, in seconds since 1970; 0: not yet."
    kind: str = "standard"
    "standard, ingress, egress, sip, agent, connector or bridge."
    kind_details: tuple[str, ...] = ()
    "Details of `kind`."
    leaves_at: float | None = None
    "When the attendance ends, in seconds since 1970; set once, at the join."
    has_own_limit: bool = False
    "`leaves_at` came with the participant; else it is the room's."
    frontend_info: object = None
    "Data of the participant's front end, which the domain stores and never reads."
    state: ParticipantState = ParticipantState.JOINING
    "Only moves forward."
    version: int = 1
    "Grows with every change that others can see."
    tracks: dict[TrackSid, Track] = field(default_factory=dict)
    "Announced tracks by sid."
    data_tracks: dict[int, DataTrack] = field(default_factory=dict)
    "Published data tracks by handle."
    pending: dict[TrackSid, Track] = field(default_factory=dict)
    "Requested tracks whose media has not been negotiated yet, by sid."
    rules: SubscriptionRules = field(default_factory=SubscriptionRules)
    "Who may receive this participant's tracks."
    subscriptions: Subscriptions = field(default_factory=Subscriptions)
    "The tracks that this participant receives."
    source: "Participant | None" = None
    "The forwarded participant in another room, if this is a mirror (`signaling.rooms.forwarding`)."
    mirrors: list["Participant"] = field(default_factory=list)
    "This participant's mirrors in other rooms."

    @property
    def user_id(self) -> UserId:
        """The application's user, who may be in the room several times; the identity if the application names none."""
        return UserId(self.attributes.get(USER_ID) or self.identity)

    @property
    def is_publisher(self) -> bool:
        """Whether others can see a track of this participant."""
        return bool(self.tracks)

    @property
    def is_dependent(self) -> bool:
        """Whether it serves others: a dependent participant neither keeps a room open nor takes a place."""
        serves = self.permissions.recorder or self.permissions.agent or self.kind in {"agent", "egress"}
        return serves or self.source is not None

    @property
    def has_left(self) -> bool:
        """Whether it has left the room."""
        return self.state is ParticipantState.DISCONNECTED


@dataclass(frozen=True, slots=True)
class Visitor:
    """A person who waits to be admitted to a room."""

    identity: Identity
    "Identity while waiting; an admitted visitor gets another one."
    name: str
    "Display name."
    attributes: Mapping[str, str]
    "Attributes that the visitor would have in the room."
    permissions: Permissions
    "Permissions that the visitor would have in the room."
    leaves_at: float | None
    "When the visitor's attendance would end, in seconds since 1970."
    joined_at: float
    "When the visitor knocked, in seconds since 1970."


@dataclass(frozen=True, slots=True)
class RoomConfig:
    """The settings of a room; a token may contain them for a room that its join creates."""

    empty_timeout_s: int = 300
    "A room that nobody has joined ends after this time (LiveKit's default)."
    departure_timeout_s: int = 20
    "A room ends this long after its last participant left (LiveKit's default)."
    max_participants: int = 0
    "Maximum number of participants without recorders and agents; 0: no limit."
    metadata: str = ""
    "Set by the application."
    ends_at: float | None = None
    "When participants without a limit of their own leave, in seconds since 1970; applies to later joins only."
    opens_at: float | None = None
    "When the room opens for joins, in seconds since 1970."
    closes_at: float | None = None
    "When the room closes for joins, in seconds since 1970; participants who are there may stay."
    max_attendance_s: float | None = None
    "Longest attendance of participants without a limit of their own, in seconds."
    owner: str = ""
    "Id of the API key that created the room; empty: every key may use it."
    id: str = ""
    "Id of the durable room, which outlives its meetings and differs from the id of a later room of the same name."
    is_private: bool = False
    "Whether only tokens of an application, or admission by the API that created the room, allow entering."
    sealed: bool = False
    "Nobody enters but with a token that names this `id`, not even by an application's word."
    unique_users: bool = False
    "Whether a join replaces present participants of the same user."

    def leaves_at(self, now: float) -> float | None:
        """Return when a participant who joins now has to leave, None for never."""
        ends = [self.ends_at, None if self.max_attendance_s is None else now + self.max_attendance_s]
        return min((end for end in ends if end is not None), default=None)


@dataclass(slots=True, eq=False)
class Room:
    """An open room."""

    sid: RoomSid
    "`RM_...`; new at every creation."
    name: RoomName
    "Chosen by the application."
    config: RoomConfig
    "Settings."
    created_at: float
    "Seconds since 1970."
    metadata: str = ""
    "Set by the application."
    revoked: dict[Identity, float] = field(default_factory=dict)
    "By identity, the time before which issued tokens admit nobody any more, in seconds since 1970."
    visited_at: float | None = None
    "When the first participant who counts towards occupancy joined, in seconds since 1970; None: not yet."
    participants: dict[Identity, Participant] = field(default_factory=dict)
    "Participants by identity."
    changed_permissions: dict[Identity, tuple[float, Permissions]] = field(default_factory=dict)
    "By identity, when permissions were changed, and to what; they override those of older tokens."
    banned: set[Identity | UserId] = field(default_factory=set)
    "Identities and user ids that may not join again."
    identities: dict[ParticipantSid, Identity] = field(default_factory=dict)
    "Of everybody who is or was in this meeting, by sid; the oldest go first."
    session_data: dict[str, Any] = field(default_factory=dict)
    "JSON data that the application stores with the room while it is open."
    recorded: bool = False
    "It is being recorded."

    def visible(self) -> list[Participant]:
        """Return the participants whom others can see."""
        return [person for person in self.participants.values() if not person.permissions.hidden]

    def enter(self, person: Participant) -> None:
        """Add a participant."""
        self.participants[person.identity] = person
        self.identities[person.sid] = person.identity
        if len(self.identities) > MAX_IDENTITIES:
            del self.identities[next(iter(self.identities))]

    def find_track(self, track_sid: TrackSid) -> Track | None:
        """Return an announced track, None if this room has no such track."""
        for person in self.participants.values():
            track = person.tracks.get(track_sid)
            if track is not None:
                return track
        return None
