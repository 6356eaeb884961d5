"""The permissions of a participant: one model for the grants of every front end."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from signaling.ids import Identity, ParticipantSid, TrackSid, UserId


class Source(StrEnum):
    """The source of a track; the values are those of LiveKit's `canPublishSources`."""

    UNKNOWN = "unknown"
    CAMERA = "camera"
    MICROPHONE = "microphone"
    SCREEN_SHARE = "screen_share"
    SCREEN_SHARE_AUDIO = "screen_share_audio"


ALL_SOURCES = frozenset(Source)


class AdminRight(StrEnum):
    """A right to act on other participants; the values are those of Daily's `canAdmin`."""

    PARTICIPANTS = "participants"
    STREAMING = "streaming"
    TRANSCRIPTION = "transcription"


ALL_ADMIN_RIGHTS = frozenset(AdminRight)


@dataclass(frozen=True, slots=True)
class Receiving:
    """Which tracks a participant may receive from whom: the most specific entry for a publisher applies."""

    base: frozenset[Source] = ALL_SOURCES
    "From publishers without an entry below."
    by_user_id: Mapping[UserId, frozenset[Source]] = field(default_factory=dict)
    "From all participants of this user of the application."
    by_identity: Mapping[Identity, frozenset[Source]] = field(default_factory=dict)
    "From this participant."

    def allow(self, identity: Identity, user_id: UserId, source: Source) -> bool:
        """Whether a publisher's track may be received."""
        by_user = self.by_user_id.get(user_id, self.base)
        return source in self.by_identity.get(identity, by_user)


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a participant may do; the defaults apply to a token without grants."""

    can_subscribe: bool = True
    "May receive other participants' tracks."
    can_publish: bool = True
    "May publish tracks."
    can_publish_data: bool = True
    "May send data packets."
    can_publish_sources: tuple[Source, ...] = ()
    "Sources that may be published; empty: every source. Requires `can_publish`."
    can_update_own_metadata: bool = False
    "May change its own name, metadata and attributes."
    hidden: bool = False
    "Other participants cannot see the participant."
    recorder: bool = False
    "Records the room; does not keep it open."
    agent: bool = False
    "A program that serves the room; does not keep it open."
    can_subscribe_metrics: bool = False
    "May receive other participants' metrics."
    can_manage_agent_session: bool = False
    "May start and stop agents' sessions."
    receiving: Receiving = field(default_factory=Receiving)
    "Which tracks may be received; requires `can_subscribe`."
    admin: frozenset[AdminRight] = frozenset()
    "Rights to act on other participants."

    def may_publish(self, source: Source) -> bool:
        """Whether a track from `source` may be published."""
        return self.can_publish and (not self.can_publish_sources or source in self.can_publish_sources)

    def may_receive(self, identity: Identity, user_id: UserId, source: Source) -> bool:
        """Whether a track of this publisher may be received."""
        return self.can_subscribe and self.receiving.allow(identity, user_id, source)


@dataclass(frozen=True, slots=True)
class TrackRule:
    """One publisher's permissions for one subscriber."""

    participant_sid: ParticipantSid
    "The subscriber's sid; empty if `identity` names the subscriber."
    identity: Identity
    "The subscriber's identity; empty if the sid names the subscriber."
    all_tracks: bool
    "Every track, including future ones."
    track_sids: frozenset[TrackSid]
    "The allowed tracks, unless `all_tracks` is set."


@dataclass(frozen=True, slots=True)
class SubscriptionRules:
    """One publisher's decision on who may receive its tracks."""

    everybody: bool = True
    "No restriction; `rules` is ignored."
    rules: tuple[TrackRule, ...] = ()
    "The subscribers that may receive tracks."
    _by_subscriber: Mapping[tuple[str, str], tuple[TrackRule, ...]] = field(
        init=False, repr=False, compare=False
    )
    "The rules by (sid, identity), one of which is empty: each track is checked for every participant in the room."

    def __post_init__(self) -> None:
        """Index the rules by subscriber."""
        found: dict[tuple[str, str], tuple[TrackRule, ...]] = {}
        for rule in self.rules:
            key = (rule.participant_sid, "" if rule.participant_sid else rule.identity)
            found[key] = (*found.get(key, ()), rule)
        object.__setattr__(self, "_by_subscriber", found)

    def by_identity(self, identities: Mapping[ParticipantSid, Identity]) -> "SubscriptionRules":
        """Return the same rules about people instead of their connections, whose sids change at every reload.

        `identities` are by sid. A rule about a sid that is not among them stays as it is.
        """
        return replace(
            self,
            rules=tuple(
                replace(rule, participant_sid=ParticipantSid(""), identity=identities[rule.participant_sid])
                if rule.participant_sid in identities
                else rule
                for rule in self.rules
            ),
        )

    def allow(self, participant_sid: ParticipantSid, identity: Identity, track_sid: TrackSid) -> bool:
        """Whether this subscriber may receive this track of the publisher."""
        if self.everybody:
            return True
        named = (
            *self._by_subscriber.get((participant_sid, ""), ()),
            *self._by_subscriber.get(("", identity), ()),
        )
        return any(rule.all_tracks or track_sid in rule.track_sids for rule in named)
