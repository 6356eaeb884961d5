"""Which tracks of a room are recorded, and as what: pure functions."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sfu.values import RecordedTrack, RecordedTrackId
from signaling.ids import Identity
from signaling.rooms.model import Participant, Track
from signaling.rooms.permissions import Source

# A screen is recorded as it is; text in a smaller layer cannot be read.
_BEST_LAYER: Final = 7
_SCREENS: Final = frozenset({Source.SCREEN_SHARE, Source.SCREEN_SHARE_AUDIO})


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a recording."""

    camera_layer: int = 1
    "Highest spatial layer of cameras; clamped to what a camera has."
    audio_only: bool = False
    require_consent: bool = False
    "Record only people who have agreed; otherwise all except those who declined."
    identity: str = ""
    "Record this participant alone; empty: everybody."
    tracks: Sequence[str] = ()
    "Record these published tracks (sids) alone; none: all."
    video_only: bool = False
    no_screens: bool = False


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
    source = track.spec.source
    if not _is_taken(options, person, track):
        return None
    parts = [person.identity, source.value]
    if source is Source.UNKNOWN:
        parts.append(track.spec.name)
    wanted, number = "/".join(parts), 1
    while wanted in taken:
        number += 1
        wanted = "/".join((*parts, str(number)))
    screen = source in _SCREENS
    label = f"{person.name or person.identity}: {source.value}"
    return RecordedTrack(RecordedTrackId(wanted), label, _BEST_LAYER if screen else options.camera_layer)


def _is_taken(options: Options, person: Participant, track: Track) -> bool:
    """Whether a recording with these options takes a track."""
    if options.audio_only and track.spec.kind != "audio":
        return False
    if options.video_only and track.spec.kind != "video":
        return False
    if options.no_screens and track.spec.source in _SCREENS:
        return False
    if options.identity and options.identity != person.identity:
        return False
    return not options.tracks or track.sid in options.tracks


def parse_track_id(track_id: str) -> tuple[str, str]:
    """Return the person and the source of a recorded track; a source that is not known is `unknown`.

    The ids of people of a session contain no slash (`classroom.checks.identifier`).
    """
    person, _, rest = track_id.partition("/")
    source = rest.partition("/")[0]
    return person, source if source in set(Source) else Source.UNKNOWN.value
