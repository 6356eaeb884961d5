"""Who speaks, as LiveKit tells it: per participant, while the engine measures per track."""

from collections.abc import Iterable
from dataclasses import dataclass

from livekit.protocol.models import SpeakerInfo

from sfu.values import Speaker
from signaling.rooms.model import Room


@dataclass(frozen=True, slots=True)
class LoudnessChange:
    """A participant's new loudness."""

    info: SpeakerInfo
    "As it is sent."
    track_sids: frozenset[str]
    "The participant's audio tracks: those who receive none of them are not told."


class Loudness:
    """The last loudness of each track, to find a participant's loudest one."""

    def __init__(self) -> None:
        """Everybody is silent."""
        self._levels: dict[str, dict[str, Speaker]] = {}

    def update(self, room: Room, speakers: Iterable[Speaker]) -> list[LoudnessChange]:
        """Take over what the engine reports for a room, and return what changed for its participants."""
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
        """Drop somebody who left."""
        self._levels.pop(participant_sid, None)

    def _change(self, participant_sid: str, track_sids: frozenset[str]) -> LoudnessChange:
        levels = self._levels[participant_sid]
        for gone in levels.keys() - track_sids:
            del levels[gone]
        active = [speaker.level for speaker in levels.values() if speaker.active]
        level = min(max(active, default=0.0), 1.0)
        info = SpeakerInfo(sid=participant_sid, level=level, active=bool(active))
        return LoudnessChange(info, frozenset(levels))
