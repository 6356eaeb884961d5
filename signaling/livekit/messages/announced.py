"""How much one participant may have everybody else told.

Each change of a participant sends everybody in the room all that it has announced, so the whole is bounded as well as
each field (`livekit.messages.bounds`), and a change is paid for by its size.
"""

from signaling.errors import LimitError
from signaling.livekit.messages.convert import data_track_info, participant_info, track_info
from signaling.rooms.model import Participant

# The engine takes 64 streams of a participant; a track with three layers and a second codec has 500 bytes. A robot's
# thousand data tracks with names of 60 characters have 120 KB.
MAX_ANNOUNCED_BYTES = 256 * 1024


def check_room_for(person: Participant, added_bytes: int) -> None:
    """Raise LimitError when a participant's tracks, data tracks and `added_bytes` more are too much."""
    tracks = (*person.tracks.values(), *person.pending.values())
    size = added_bytes + sum(track_info(track).ByteSize() for track in tracks)
    size += sum(data_track_info(track).ByteSize() for track in person.data_tracks.values())
    if size > MAX_ANNOUNCED_BYTES:
        raise LimitError(
            f"what is announced of all tracks together has more than {MAX_ANNOUNCED_BYTES} bytes"
        )


def announced_bytes(person: Participant) -> int:
    """Return how many bytes everybody in the room is sent when something about a participant changes."""
    return participant_info(person).ByteSize()
