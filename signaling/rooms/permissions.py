"""What a participant may do: one model behind the grants of every skin."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Source(StrEnum):
    """What a track shows; the values are those of LiveKit's `canPublishSources`."""

    UNKNOWN = "unknown"
    CAMERA = "camera"
    MICROPHONE = "microphone"
    SCREEN_SHARE = "screen_share"
    SCREEN_SHARE_AUDIO = "screen_share_audio"


ALL_SOURCES = frozenset(Source)


class AdminRight(StrEnum):
    """What somebody may do about others; the values are those of Daily's `canAdmin`."""

    PARTICIPANTS = "participants"
    STREAMING = "streaming"
    TRANSCRIPTION = "transcription"


ALL_ADMIN_RIGHTS = frozenset(AdminRight)


@dataclass(frozen=True, slots=True)
class Receiving:
    """Which of whose tracks somebody may receive: the entry that names the publisher most closely counts."""

    base: frozenset[Source] = ALL_SOURCES
    "From everybody who is not named below."
    by_user_id: Mapping[str, frozenset[Source]] = field(default_factory=dict)
    "From all who are this user of the application."
    by_identity: Mapping[str, frozenset[Source]] = field(default_factory=dict)
    "From this participant."

    def allow(self, identity: str, user_id: str, source: Source) -> bool:
        """Whether a publisher's track may be received."""
        by_user = self.by_user_id.get(user_id, self.base)
        return source in self.by_identity.get(identity, by_user)


@dataclass(frozen=True, slots=True)
class Permissions:
    """Defaults are those of a token that says nothing."""

    can_subscribe: bool = True
    "May receive others' tracks."
    can_publish: bool = True
    "May send tracks."
    can_publish_data: bool = True
    "May send data packets."
    can_publish_sources: tuple[Source, ...] = ()
    "Sources that may be sent; empty is every source. `can_publish` is needed as well."
    can_update_own_metadata: bool = False
    "May change the own name, metadata and attributes."
    hidden: bool = False
    "Nobody else is told that the participant is there."
    recorder: bool = False
    "Records the room; does not keep it open."
    agent: bool = False
    "A program that serves the room; does not keep it open."
    can_subscribe_metrics: bool = False
    "May receive others' metrics."
    can_manage_agent_session: bool = False
    "May start and stop agents' sessions."
    receiving: Receiving = field(default_factory=Receiving)
    "Whose tracks may be received; `can_subscribe` is needed as well."
    admin: frozenset[AdminRight] = frozenset()
    "What may be done about others."

    def may_publish(self, source: Source) -> bool:
        """Whether a track from `source` may be sent."""
        return self.can_publish and (not self.can_publish_sources or source in self.can_publish_sources)

    def may_receive(self, identity: str, user_id: str, source: Source) -> bool:
        """Whether a track of this publisher may be received."""
        return self.can_subscribe and self.receiving.allow(identity, user_id, source)


@dataclass(frozen=True, slots=True)
class TrackRule:
    """What one publisher allows one subscriber."""

    participant_sid: str
    "The subscriber; empty when named by identity."
    identity: str
    "The subscriber; empty when named by sid."
    all_tracks: bool
    "Every track, those of the future too."
    track_sids: frozenset[str]
    "These tracks, unless `all_tracks`."


@dataclass(frozen=True, slots=True)
class SubscriptionRules:
    """A publisher's own decision on who may receive its tracks."""

    everybody: bool = True
    "No restriction; `rules` is not looked at."
    rules: tuple[TrackRule, ...] = ()
    "Those who may."
    _by_subscriber: Mapping[tuple[str, str], tuple[TrackRule, ...]] = field(
        init=False, repr=False, compare=False
    )
    "The rules by (sid, identity) that they name, one of which is empty: each track asks about everybody in the room."

    def __post_init__(self) -> None:
        """Sort the rules by whom they name."""
        found: dict[tuple[str, str], tuple[TrackRule, ...]] = {}
        for rule in self.rules:
            key = (rule.participant_sid, "" if rule.participant_sid else rule.identity)
            found[key] = (*found.get(key, ()), rule)
        object.__setattr__(self, "_by_subscriber", found)

    def allow(self, participant_sid: str, identity: str, track_sid: str) -> bool:
        """Whether this subscriber may receive this track of the publisher who made the rules."""
        if self.everybody:
            return True
        named = (
            *self._by_subscriber.get((participant_sid, ""), ()),
            *self._by_subscriber.get(("", identity), ()),
        )
        return any(rule.all_tracks or track_sid in rule.track_sids for rule in named)
