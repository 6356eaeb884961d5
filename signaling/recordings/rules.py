"""Which tracks of a room are recorded, and as what: pure functions."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from sfu.values import RecordedTrack, RecordedTrackId
from signaling.ids import Identity
from signaling.rooms.model import Participant, Track
from signaling.rooms.permissions import Source

# A screen is recorded as it is; text in a smaller layer cannot be read.
_BEST_LAYER: Final = 7


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a recording."""

    camera_layer: int = 1
    "Highest spatial layer of cameras; clamped to what a camera has."
    audio_only: bool = False
    require_consent: bool = False
    "Record only people who have agreed; otherwise all except those who declined."


def may_record(options: Options, consents: Mapping[Identity, bool], identity: Identity) -> bool:
    """Whether a person is recorded."""
    return consents.get(identity, not options.require_consent)


def recorded_track(
    options: Options, person: Participant, track: Track, taken: Collection[str]
) -> RecordedTrack | None:
    """Return the recorded track to which a published one contributes; None if it is not recorded.

    It follows from the person and the source, so that a republished track, or one of a new connection, continues the
    recorded one. `taken` are the ids of recorded tracks to which another published track contributes now.
    """
    if options.audio_only and track.spec.kind != "audio":
        return None
    source = track.spec.source
    parts = [person.identity, source.value]
    if source is Source.UNKNOWN:
        parts.append(track.spec.name)
    wanted, number = "/".join(parts), 1
    while wanted in taken:
        number += 1
        wanted = "/".join((*parts, str(number)))
    screen = source in {Source.SCREEN_SHARE, Source.SCREEN_SHARE_AUDIO}
    label = f"{person.name or person.identity}: {source.value}"
    return RecordedTrack(RecordedTrackId(wanted), label, _BEST_LAYER if screen else options.camera_layer)
