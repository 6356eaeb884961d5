"""What a participant may do: one model behind the grants of every skin."""

from dataclasses import dataclass
from enum import StrEnum


class Source(StrEnum):
    """What a track shows; the values are those of LiveKit's `canPublishSources`."""

    UNKNOWN = "unknown"
    CAMERA = "camera"
    MICROPHONE = "microphone"
    SCREEN_SHARE = "screen_share"
    SCREEN_SHARE_AUDIO = "screen_share_audio"


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

    def may_publish(self, source: Source) -> bool:
        """Whether a track from `source` may be sent."""
        return self.can_publish and (not self.can_publish_sources or source in self.can_publish_sources)


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

    def allow(self, participant_sid: str, identity: str, track_sid: str) -> bool:
        """Whether this subscriber may receive this track of the publisher who made the rules."""
        if self.everybody:
            return True
        return any(
            (rule.participant_sid == participant_sid if rule.participant_sid else rule.identity == identity)
            and (rule.all_tracks or track_sid in rule.track_sids)
            for rule in self.rules
        )
