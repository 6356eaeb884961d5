"""Active speakers per participant, as LiveKit reports them; the engine measures per track."""

from collections.abc import Iterable
from dataclasses import dataclass

from livekit.protocol.models import SpeakerInfo

from sfu.values import Speaker
from signaling.rooms.model import Room


@dataclass(frozen=True, slots=True)
class LoudnessChange:
    """A participant's new loudness."""

    info: SpeakerInfo
    "The message for clients."
    track_sids: frozenset[str]
    "The participant's audio tracks: only subscribers of one of them are notified."


class Loudness:
    """The last loudness of each track, to find a participant's loudest one."""

    def __init__(self) -> None:
        """Start with every participant silent."""
        self._levels: dict[str, dict[str, Speaker]] = {}

    def update(self, room: Room, speakers: Iterable[Speaker]) -> list[LoudnessChange]:
        """Apply the engine's report for a room and return the changes of its participants."""
        touched: set[str] = set()
        for speaker in speakers:
            track = room.find_track(speaker.publication_id)
            if track is not None:
                self._levels.setdefault(track.publisher_sid, {})[track.sid] = speaker
                touched.add(track.publisher_sid)
        return [
            self._change(person.sid, frozenset(person.tracks))
            for person in room.participants.values()
            if person.sid in touched
        ]

    def forget(self, participant_sid: str) -> None:
        """Delete the levels of a participant who left."""
        self._levels.pop(participant_sid, None)

    def _change(self, participant_sid: str, track_sids: frozenset[str]) -> LoudnessChange:
        levels = self._levels[participant_sid]
        for gone in levels.keys() - track_sids:
            del levels[gone]
        active = [speaker.level for speaker in levels.values() if speaker.active]
        level = min(max(active, default=0.0), 1.0)
        info = SpeakerInfo(sid=participant_sid, level=level, active=bool(active))
        return LoudnessChange(info, frozenset(levels))
