"""What a player needs of a recording: tracks with their parts, segments by time, gaps. Blocking: for threads."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from recording.containers.index import SegmentRecord
from recording.files.layout import DamagedError, LayoutError
from recording.files.reader import RecordingReader, TrackReader
from recording.values import EVER_NS, NS_PER_S
from sfu.values import RecordingId
from signaling.recordings.files import FilesError, open_recording, part_file
from signaling.recordings.keys import KeyOf, no_key
from signaling.recordings.rules import parse_track_id
from signaling.recordings.storage.content import PartFile

MAX_SEGMENTS: Final = 200
"Most segments of a page; with segments of 4 s these are more than 13 minutes."
# A keyframe that lies further back is not worth the wait; the picture is then broken until the next one.
_MAX_DECODED: Final = 1000


class ReplayPart(msgspec.Struct, frozen=True):
    """A file of a track. Its first `init_octets` are its initialisation segment."""

    number: int
    mime_type: str
    "With `codecs`: for `MediaSource.isTypeSupported`."
    init_octets: int
    width: int
    height: int
    start_s: float


class ReplayTrack(msgspec.Struct, frozen=True):
    """A track, and the range of time in which it has segments."""

    number: int
    person: str
    source: str
    "`camera`, `microphone`, `screen_share`, `screen_share_audio` or `unknown`."
    kind: str
    "`audio` or `video`."
    label: str
    start_s: float
    end_s: float
    parts: list[ReplayPart]


class ReplaySegment(msgspec.Struct, frozen=True, array_like=True):
    """A segment: octets of a part that a `SourceBuffer` takes as they are. In JSON an array, since there are many."""

    index: int
    part: int
    offset: int
    length: int
    start_s: float
    end_s: float
    keyframe: bool
    "A decoder can begin here."


class ReplayGap(msgspec.Struct, frozen=True, array_like=True):
    """A time without media; in JSON an array."""

    start_s: float
    end_s: float
    reason: str


class SegmentPage(msgspec.Struct, frozen=True):
    """Segments in a row, and the gaps between the first and the last of them."""

    segments: list[ReplaySegment]
    gaps: list[ReplayGap]
    more: bool
    "There are further segments now."


class ReplayFiles:
    """The recordings of a folder, for players. Each call reads the few records that it needs."""

    def __init__(self, folder: Path, key_of: KeyOf = no_key) -> None:
        """`folder` is where the recorders write."""
        self._folder = folder
        self._key_of = key_of

    def started_at(self, recording_id: RecordingId) -> float:
        """Return the time 0 of a recording in seconds since 1970. FilesError."""
        return self._open(recording_id).info.started_unix_ns / NS_PER_S

    def tracks(self, recording_id: RecordingId, *, live: bool) -> list[ReplayTrack]:
        """Return the tracks that have segments; a track that cannot be read is left out. FilesError.

        `live`: the recorder is at work, so the segment that it has open is left out; it will be longer.
        """
        found: list[ReplayTrack] = []
        for each in self._open(recording_id).tracks()[0]:
            try:
                described = _described(each, live=live)
            except (LayoutError, OSError):
                continue
            if described is not None:
                found.append(described)
        return found

    def track_id(self, recording_id: RecordingId, number: int) -> str:
        """Return the id of a track (`rules.recorded_track`). FilesError."""
        return self._track(recording_id, number).info.track_id

    def segments_at(
        self, recording_id: RecordingId, number: int, time_s: float, limit: int, *, live: bool
    ) -> SegmentPage:
        """Return the segments from the one with which a decoder has to begin to show a time. FilesError."""
        track = self._track(recording_id, number)
        first = target = track.find(int(time_s * NS_PER_S))
        if target < len(track):
            with suppress(DamagedError):
                first = max(track.record(target).decode_from, target - _MAX_DECODED)
        return _page(track, first, target - first + limit, live=live)

    def segments_from(
        self, recording_id: RecordingId, number: int, index: int, limit: int, *, live: bool
    ) -> SegmentPage:
        """Return the segments from an index on. FilesError."""
        return _page(self._track(recording_id, number), index, limit, live=live)

    def part(self, recording_id: RecordingId, number: int, part: int) -> PartFile:
        """Return the file of a part. FilesError."""
        return part_file(self._track(recording_id, number), part)

    def _open(self, recording_id: RecordingId) -> RecordingReader:
        return open_recording(self._folder, recording_id, self._key_of)

    def _track(self, recording_id: RecordingId, number: int) -> TrackReader:
        try:
            return self._open(recording_id).track(number)
        except LayoutError as error:
            raise FilesError(str(error)) from error


def _described(track: TrackReader, *, live: bool) -> ReplayTrack | None:
    ends = _ends(track, live=live)
    if ends is None:
        return None
    parts: list[ReplayPart] = []
    for number in track.parts():
        info = track.part(number)
        start_s = info.start_ns / NS_PER_S
        parts.append(ReplayPart(number, info.mime_type, info.init_octets, info.width, info.height, start_s))
    person, source = parse_track_id(track.info.track_id)
    return ReplayTrack(
        number=track.number,
        person=person,
        source=source,
        kind=track.info.kind,
        label=track.info.label,
        start_s=ends[0].start_ns / NS_PER_S,
        end_s=ends[1].end_ns / NS_PER_S,
        parts=parts,
    )


def _ends(track: TrackReader, *, live: bool) -> tuple[SegmentRecord, SegmentRecord] | None:
    """Return the first and the last segment; None if there are none that can be read."""
    count = len(track)
    first = next(_intact(track, range(count)), None)
    last = next(_intact(track, range(count - 1, -1, -1)), None)
    tail = () if live else track.tail(count)
    if tail:
        return first or tail[0], tail[-1]
    return None if first is None or last is None else (first, last)


def _intact(track: TrackReader, indices: Iterable[int]) -> Iterator[SegmentRecord]:
    for index in indices:
        with suppress(DamagedError):
            yield track.record(index)


def _page(track: TrackReader, first: int, limit: int, *, live: bool) -> SegmentPage:
    count = len(track)
    found: list[ReplaySegment] = []
    for index in range(first, min(first + limit, count)):
        try:
            found.append(_segment(index, track.record(index)))
        except DamagedError:
            continue
    more = first + limit < count
    if not more and not live:
        # What a killed recorder has not listed.
        found += [_segment(index, record) for index, record in enumerate(track.tail(count), count)]
    gaps: list[ReplayGap] = []
    if found:
        start_ns = int(found[0].start_s * NS_PER_S)
        end_ns = int(found[-1].end_s * NS_PER_S) if more else EVER_NS
        gaps = [
            ReplayGap(gap.start_ns / NS_PER_S, gap.end_ns / NS_PER_S, gap.reason.name.lower())
            for gap in track.gaps(start_ns, end_ns)
        ]
    return SegmentPage(found, gaps, more)


def _segment(index: int, record: SegmentRecord) -> ReplaySegment:
    return ReplaySegment(
        index,
        record.part,
        record.offset,
        record.length,
        record.start_ns / NS_PER_S,
        record.end_ns / NS_PER_S,
        record.keyframe,
    )
