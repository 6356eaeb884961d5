"""The things of the domain: rooms, participants, tracks. Plain data; the services beside it change them."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, IntEnum
from typing import Any

from sfu.values import Kind, Layer, Preferences, Publication
from signaling.rooms.permissions import Permissions, Source, SubscriptionRules

# Attributes that the server keeps: participants can neither bring nor change them, tokens can.
RESERVED_PREFIX = "lectern."
USER_ID = f"{RESERVED_PREFIX}user_id"


class ParticipantState(IntEnum):
    """A participant's life, which only moves forward."""

    JOINING = 0
    JOINED = 1
    ACTIVE = 2
    DISCONNECTED = 3


class LeaveReason(Enum):
    """Why a participant is no longer in the room."""

    CLIENT_LEFT = "client left"
    DUPLICATE_IDENTITY = "joined again from elsewhere"
    SERVER_SHUTDOWN = "server shutdown"
    STATE_MISMATCH = "client and server disagree"
    JOIN_TIMEOUT = "media never connected"
    SIGNAL_LOST = "signalling lost"
    MEDIA_LOST = "media connection lost"
    MEDIA_REFUSED = "offer refused"
    MEDIA_FAILED = "the media engine failed"
    FLOOD = "sent more than the server takes"
    PROTOCOL_ERROR = "undecodable message"
    ROOM_FULL = "no place left"
    ROOM_CLOSED = "the room ended"
    ROOM_DELETED = "the room was deleted"
    REMOVED = "removed by the application"
    MOVED = "moved to another room"
    TIME_UP = "the stay was limited"
    SIMULATED = "asked for by the client to test itself"


@dataclass(frozen=True, slots=True)
class TrackSpec:
    """A track that a participant wants to publish."""

    kind: Kind
    "What it carries."
    source: Source = Source.UNKNOWN
    "What it shows."
    name: str = ""
    "Chosen by the application."
    client_id: str = ""
    "The publisher's own name for it (LiveKit: cid)."
    track_ids: tuple[str, ...] = ()
    "Track ids by which the offer may announce it."
    layers: tuple[Layer, ...] = ()
    "Spatial layers, lowest first; without rids they share one stream."
    codec: str = ""
    "Wanted codec, lower case encoding name; empty when the publisher does not care."
    codec_only: bool = False
    "Answer with that codec alone."
    backup_codec: str = ""
    "What the publisher would send as well to those who cannot take that; empty: nothing."
    muted: bool = False
    "Starts muted."
    width: int = 0
    "Pixels."
    height: int = 0
    "Pixels."
    stereo: bool = False
    "Opus in stereo."
    dtx: bool = True
    "Opus may stop in silence."
    red: bool = True
    "Redundant audio is welcome."
    encrypted: bool = False
    "The participants encrypt it end to end."
    skin_info: object = None
    "What the publisher's skin adds for its own kind; carried, never read by the domain."

    def publication(self, sid: str, *, leading: bool, backup_of: str = "") -> Publication:
        """Return what the media engine is told; `leading`: of somebody who leads the room."""
        return Publication(
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
    """A published track; replaced as a whole when something about it changes."""

    sid: str
    "`TR_...`"
    publisher_sid: str
    "Who sends it."
    spec: TrackSpec
    "As announced."
    muted: bool
    "The publisher's switch."
    width: int
    "Pixels."
    height: int
    "Pixels."
    codec: str = ""
    "What is sent, lower case encoding name; empty until the media engine knows."
    mid: str = ""
    "The publisher's media section; empty until bound."
    backup_sid: str = ""
    "The publication of the same track in its backup codec; empty while there is none."

    @classmethod
    def from_spec(cls, sid: str, publisher_sid: str, spec: TrackSpec) -> "Track":
        """Return the track that a spec becomes."""
        return cls(sid, publisher_sid, spec, muted=spec.muted, width=spec.width, height=spec.height)

    def with_skin_info(self, skin_info: object) -> "Track":
        """Return the track with other skin info."""
        return replace(self, spec=replace(self.spec, skin_info=skin_info))

    def with_size(self, width: int, height: int) -> "Track":
        """Return the track with another picture size in pixels."""
        return replace(self, width=width, height=height)


@dataclass(frozen=True, slots=True)
class DataTrack:
    """A stream of frames of data that a participant publishes."""

    sid: str
    "`DTR_...`"
    handle: int
    "The publisher's number for it, in each frame."
    name: str
    "Unique among the publisher's."
    skin_info: object = None
    "What the publisher's skin adds for its own kind; carried, never read by the domain."


@dataclass(slots=True)
class Subscriptions:
    """What one participant receives and wants to receive."""

    automatic: bool = False
    "Every track that is not in `wanted` is wanted."
    wanted: dict[str, bool] = field(default_factory=dict)
    "Explicit wishes by track sid; may name tracks that are not there yet."
    active: set[str] = field(default_factory=set)
    "Track sids that the media engine was told to send."
    live: set[str] = field(default_factory=set)
    "Those of `active` for which the last answer had a section."
    lacking: set[str] = field(default_factory=set)
    "Those of `active` whose codec cannot be taken, so that their backup is needed."
    refused: set[str] = field(default_factory=set)
    "Track sids that were wanted and that their publisher does not allow."
    preferences: dict[str, Preferences] = field(default_factory=dict)
    "Last known wish of each track, also of tracks not received now."
    data: dict[str, int] = field(default_factory=dict)
    "Data tracks that are received: handle by sid."


@dataclass(slots=True, eq=False)
class Participant:
    """Somebody, or some program, in a room."""

    sid: str
    "`PA_...`; new at every join."
    identity: str
    "Unique in the room, chosen by the application."
    room: "Room"
    "Where."
    name: str
    "Display name."
    metadata: str
    "The application's."
    attributes: dict[str, str]
    "The application's."
    permissions: Permissions
    "What it may do."
    joined_at: float
    "Seconds since 1970."
    connected_at: float = 0.0
    "When the media connection came up, seconds since 1970; 0 is not yet."
    kind: str = "standard"
    "standard, ingress, egress, sip, agent, connector or bridge."
    kind_details: tuple[str, ...] = ()
    "Refines `kind`."
    leaves_at: float | None = None
    "When the stay ends, seconds since 1970; set once, at the join."
    skin_info: object = None
    "What the participant's skin adds for its own kind; carried, never read by the domain."
    state: ParticipantState = ParticipantState.JOINING
    "Only moves forward."
    version: int = 1
    "Grows with every change that others can see."
    tracks: dict[str, Track] = field(default_factory=dict)
    "Announced tracks by sid."
    data_tracks: dict[int, DataTrack] = field(default_factory=dict)
    "Published data tracks by handle."
    pending: dict[str, Track] = field(default_factory=dict)
    "Tracks that were asked for and whose media has not been negotiated yet, by sid."
    rules: SubscriptionRules = field(default_factory=SubscriptionRules)
    "Who may receive the tracks."
    subscriptions: Subscriptions = field(default_factory=Subscriptions)
    "What it receives."
    source: "Participant | None" = None
    "Whose tracks these are, in another room, when this is a mirror (`signaling.rooms.forwarding`)."
    mirrors: list["Participant"] = field(default_factory=list)
    "Where else the tracks can be received."

    @property
    def user_id(self) -> str:
        """The application's user, who may be here more than once; the identity where it names none."""
        return self.attributes.get(USER_ID) or self.identity

    @property
    def is_publisher(self) -> bool:
        """Whether others can see a track of this participant."""
        return bool(self.tracks)

    @property
    def is_dependent(self) -> bool:
        """Whether it is there to serve others: such a one neither keeps a room open nor takes a place."""
        serves = self.permissions.recorder or self.permissions.agent or self.kind in {"agent", "egress"}
        return serves or self.source is not None

    @property
    def has_left(self) -> bool:
        """Whether it is no longer in the room."""
        return self.state is ParticipantState.DISCONNECTED


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody at the door of a room, who waits to be let in."""

    identity: str
    "Of the waiting; who is let in gets another one."
    name: str
    "Display name."
    attributes: Mapping[str, str]
    "What they would have inside."
    permissions: Permissions
    "What they could do inside."
    leaves_at: float | None
    "When their stay would end, seconds since 1970."
    joined_at: float
    "When they came to the door, seconds since 1970."


@dataclass(frozen=True, slots=True)
class RoomConfig:
    """How a room is to behave; a token may bring one for the room that it creates."""

    empty_timeout_s: int = 300
    "A room that nobody ever joined ends after this time (LiveKit's default)."
    departure_timeout_s: int = 20
    "A room ends this long after its last participant left (LiveKit's default)."
    max_participants: int = 0
    "Places; 0 is no limit. Recorders and agents take none."
    metadata: str = ""
    "The application's."
    ends_at: float | None = None
    "Everybody leaves then who brings no limit of their own, seconds since 1970; counts for those who join from now on."
    max_stay_s: float | None = None
    "Everybody leaves after this time who brings no limit of their own."
    owner: str = ""
    "Id of the API key that made the room; empty: it is everybody's."
    id: str = ""
    "Of the room that an application made, which outlives its sessions and differs from a later one of the same name."
    is_private: bool = False
    "Nobody enters but by an application's word, or through the door of the API that made it."
    unique_users: bool = False
    "Who joins as the same user as somebody who is there takes their place."

    def leaves_at(self, now: float) -> float | None:
        """Return when somebody has to leave who joins now, None for never."""
        ends = [self.ends_at, None if self.max_stay_s is None else now + self.max_stay_s]
        return min((end for end in ends if end is not None), default=None)


@dataclass(slots=True, eq=False)
class Room:
    """Where participants meet."""

    sid: str
    "`RM_...`; new at every creation."
    name: str
    "Chosen by the application."
    config: RoomConfig
    "How it behaves."
    created_at: float
    "Seconds since 1970."
    metadata: str = ""
    "The application's."
    revoked: dict[str, float] = field(default_factory=dict)
    "By identity, the time before which tokens let nobody in any more, seconds since 1970."
    visited_at: float | None = None
    "When the first one came for whom it is, seconds since 1970; None: nobody has."
    participants: dict[str, Participant] = field(default_factory=dict)
    "By identity."
    changed_permissions: dict[str, tuple[float, Permissions]] = field(default_factory=dict)
    "By identity, what somebody may do since this time; they come before what an older token says."
    banned: set[str] = field(default_factory=set)
    "Identities and user ids of those who may not come back."
    session_data: dict[str, Any] = field(default_factory=dict)
    "What the application keeps with the room while it is open, as JSON."

    def visible(self) -> list[Participant]:
        """Those whom others may know of."""
        return [person for person in self.participants.values() if not person.permissions.hidden]

    def find_track(self, track_sid: str) -> Track | None:
        """Return an announced track, None if it is not in this room."""
        for person in self.participants.values():
            track = person.tracks.get(track_sid)
            if track is not None:
                return track
        return None
