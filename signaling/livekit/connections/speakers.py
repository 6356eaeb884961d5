"""Active speakers per participant, as LiveKit reports them; the engine measures per track."""

from collections.abc import Iterable

from sfu.values import Speaker
from signaling.ids import ParticipantSid, TrackSid
from signaling.rooms.model import Room


class Loudness:
    """The last loudness of each track, to find a participant's loudest one."""

    def __init__(self) -> None:
        """Start with every participant silent."""
        self._levels: dict[ParticipantSid, dict[TrackSid, float]] = {}

    def update(self, room: Room, speakers: Iterable[Speaker]) -> set[ParticipantSid]:
        """Apply the engine's report for a room and return the sids of the participants in the report."""
        touched: set[ParticipantSid] = set()
        for speaker in speakers:
            track = room.find_track(speaker.publication_id)
            if track is None:
                continue
            touched.add(track.publisher_sid)
            level = min(max(speaker.level, 0.0), 1.0)
            if speaker.active and level > 0:
                self._levels.setdefault(track.publisher_sid, {})[track.sid] = level
            else:
                self.forget_track(track.publisher_sid, track.sid)
        return touched

    def level(self, participant_sid: ParticipantSid) -> float | None:
        """Return how loud somebody speaks, above 0 to 1, linear; None for those who are silent."""
        levels = self._levels.get(participant_sid)
        return max(levels.values()) if levels else None

    def speaking(self, room: Room) -> list[ParticipantSid]:
        """Return the sids of those who speak in a room."""
        return [person.sid for person in room.participants.values() if person.sid in self._levels]

    def forget_track(self, participant_sid: ParticipantSid, track_sid: TrackSid) -> None:
        """Delete the level of a track that is silent, or gone."""
        levels = self._levels.get(participant_sid)
        if levels is not None:
            levels.pop(track_sid, None)
            if not levels:
                del self._levels[participant_sid]

    def forget(self, participant_sid: ParticipantSid) -> None:
        """Delete the levels of a participant who left."""
        self._levels.pop(participant_sid, None)
