"""Reads a recording, finished or still being written: tracks, gaps, and segments by time."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from zlib import crc32

from recording.containers.index import GAP_OCTETS, SEGMENT_OCTETS, SegmentRecord, unpack_gap, unpack_segment
from recording.containers.recovery import BY_SUFFIX, Place
from recording.files.encryption import key_check
from recording.files.layout import (
    ENCRYPTED_FORMAT,
    FORMAT,
    GAPS_FILE,
    RECORDING_FILE,
    SEGMENTS_FILE,
    TRACK_FILE,
    TRACKS_FOLDER,
    DamagedError,
    LayoutError,
    PartInfo,
    RecordingInfo,
    TrackInfo,
    numbered,
    part_numbers,
    part_path,
    read_json,
    recording_path,
)
from recording.files.media_file import part_cipher, read_path, recover_part
from recording.values import Gap
from sfu.values import RecordingId


class TrackReader:
    """One track. Nothing is cached: each call reads the few records that it needs."""

    def __init__(self, path: Path, key: bytes = b"") -> None:
        """Read what the track is; `key` is that of an encrypted recording. LayoutError."""
        self.path = path
        self.key = key
        self.info = read_json(path / TRACK_FILE, TrackInfo)

    @property
    def number(self) -> int:
        """Its number in the recording, from 1."""
        return int(self.path.name)

    def __len__(self) -> int:
        """How many segments the index lists."""
        try:
            return (self.path / SEGMENTS_FILE).stat().st_size // SEGMENT_OCTETS
        except FileNotFoundError:
            return 0

    def record(self, index: int) -> SegmentRecord:
        """A record of the index. DamagedError."""
        with (self.path / SEGMENTS_FILE).open("rb") as file:
            return self._record(file.fileno(), index)

    @staticmethod
    def _record(file: int, index: int) -> SegmentRecord:
        record = unpack_segment(os.pread(file, SEGMENT_OCTETS, index * SEGMENT_OCTETS))
        if record is None:
            raise DamagedError(f"record {index} of the index is damaged")
        return record

    def find(self, time_ns: int) -> int:
        """Index of the first segment that ends after a time; `len` when none does. Reads some 12 records of 3,000."""
        low, high = 0, len(self)
        if not high:
            return 0
        with (self.path / SEGMENTS_FILE).open("rb") as file:
            while low < high:
                middle = (low + high) // 2
                ends_ns = self._end_at_or_after(file.fileno(), middle, high)
                if ends_ns is not None and ends_ns <= time_ns:
                    low = middle + 1
                else:
                    high = middle
        return low

    def _end_at_or_after(self, file: int, index: int, high: int) -> int | None:
        """End of a segment, or of the next readable one if its record is damaged."""
        for number in range(index, high):
            try:
                return self._record(file, number).end_ns
            except DamagedError:
                continue
        return None

    def segments(self, start_ns: int, end_ns: int) -> Iterator[SegmentRecord]:
        """The segments that overlap a time, including unfinished ones; damaged records are skipped."""
        count = len(self)
        for index in range(self.find(start_ns), count):
            try:
                record = self.record(index)
            except DamagedError:
                continue
            if record.start_ns >= end_ns:
                return
            if record.end_ns > start_ns:
                yield record
        yield from (
            record for record in self.tail(count) if record.start_ns < end_ns and record.end_ns > start_ns
        )

    def decode_from(self, time_ns: int) -> int:
        """Index of the segment at which a decoder has to start for a time. DamagedError."""
        index = self.find(time_ns)
        return self.record(index).decode_from if index < len(self) else index

    def tail(self, count: int) -> tuple[SegmentRecord, ...]:
        """The segments behind the first `count` that no index lists yet: of a killed recorder, or of one at work."""
        last = self._last_intact(count)
        found: list[SegmentRecord] = []
        for number in part_numbers(self.path):
            if last is not None and number < last.part:
                continue
            try:
                info = self.part(number)
                place = Place(number, last, count + len(found), self.info.kind == "audio")
                path = part_path(self.path, number, info.suffix)
                cipher = part_cipher(path, info, self.key)
                with path.open("rb") as file:
                    tail = recover_part(file.fileno(), cipher, BY_SUFFIX[info.suffix], place)
                if tail is not None:
                    found += tail.records
            except (LayoutError, FileNotFoundError):
                continue
        return tuple(found)

    def _last_intact(self, count: int) -> SegmentRecord | None:
        for index in range(count - 1, -1, -1):
            with suppress(DamagedError):
                return self.record(index)
        return None

    def gaps(self, start_ns: int, end_ns: int) -> list[Gap]:
        """The gaps that overlap a time; damaged records are left out."""
        try:
            data = (self.path / GAPS_FILE).read_bytes()
        except FileNotFoundError:
            return []
        records = (unpack_gap(data[at : at + GAP_OCTETS]) for at in range(0, len(data), GAP_OCTETS))
        return [gap for gap in records if gap is not None and gap.start_ns < end_ns and gap.end_ns > start_ns]

    def parts(self) -> list[int]:
        """The numbers of the parts, ascending."""
        return part_numbers(self.path)

    def part(self, number: int) -> PartInfo:
        """What a part is. LayoutError."""
        info = read_json(part_path(self.path, number, "json"), PartInfo)
        if info.suffix not in BY_SUFFIX:
            raise LayoutError(f"part {number} is of an unknown format")
        return info

    def init_segment(self, number: int) -> bytes:
        """The initialisation segment of a part. LayoutError."""
        info = self.part(number)
        path = part_path(self.path, number, info.suffix)
        return read_path(path, part_cipher(path, info, self.key), 0, info.init_octets)

    def read(self, record: SegmentRecord) -> bytes:
        """The octets of a segment. DamagedError, LayoutError."""
        info = self.part(record.part)
        path = part_path(self.path, record.part, info.suffix)
        data = read_path(path, part_cipher(path, info, self.key), record.offset, record.length)
        if crc32(data) != record.checksum:
            raise DamagedError(f"the segment at {record.offset} of part {record.part} is damaged")
        return data


class RecordingReader:
    """One recording."""

    def __init__(self, root: Path, recording_id: RecordingId, key: bytes = b"") -> None:
        """Read what the recording is; without its `key`, media of an encrypted one cannot be read. LayoutError."""
        self.path = recording_path(root, recording_id)
        self.info = read_json(self.path / RECORDING_FILE, RecordingInfo)
        self.key = key
        if self.info.format not in {FORMAT, ENCRYPTED_FORMAT}:
            raise LayoutError(f"a recording of format {self.info.format}")
        if key and self.info.key_check and key_check(key) != self.info.key_check:
            raise LayoutError("the recording is encrypted with another key")

    def tracks(self) -> tuple[list[TrackReader], list[str]]:
        """(the tracks, the errors of unreadable ones)."""
        found: list[TrackReader] = []
        problems: list[str] = []
        for number, path in sorted(numbered(self.path / TRACKS_FOLDER).items()):
            try:
                found.append(TrackReader(path, self.key))
            except LayoutError as error:
                problems.append(f"track {number}: {error}")
        return found, problems

    def track(self, number: int) -> TrackReader:
        """The track with a number. LayoutError."""
        path = numbered(self.path / TRACKS_FOLDER).get(number)
        if path is None:
            raise LayoutError(f"the recording has no track {number}")
        return TrackReader(path, self.key)
