"""The segments of a part that are missing in its index: a killed process wrote them, or one that is still writing."""

from dataclasses import dataclass, replace
from types import ModuleType
from zlib import crc32

from recording.containers import mp4, webm
from recording.containers.cutter import SEGMENT_NS
from recording.containers.fragments import ContainerError, Scanned
from recording.containers.index import SegmentRecord

BY_SUFFIX: dict[str, ModuleType] = {webm.SUFFIX: webm, mp4.SUFFIX: mp4}
"The module that reads a file, by the suffix of its name."


@dataclass(frozen=True, slots=True)
class Tail:
    """What follows the last segment of the index in a part."""

    records: tuple[SegmentRecord, ...]
    end: int
    "Offset up to which the part is whole; what follows is torn, or damaged."
    damaged: bool = False
    "Octets follow that no fragment of ours begins with."


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a track a part is."""

    part: int
    after: SegmentRecord | None
    "The last record of the index; None when it is empty."
    records: int
    "How many records there are."
    audio: bool


class _Grouping:
    """Makes segments of fragments."""

    def __init__(self, data: memoryview, place: Place, decode_from: int) -> None:
        self._data = data
        self._place = place
        self._decode_from = decode_from
        self._pending: list[Scanned] = []
        self.records: list[SegmentRecord] = []

    def add(self, fragment: Scanned) -> None:
        pending = self._pending
        keyframe = fragment.keyframe and not self._place.audio
        if pending and (keyframe or fragment.end_ns - pending[0].start_ns > SEGMENT_NS):
            self.close()
        self._pending.append(fragment)

    def close(self) -> None:
        if not self._pending:
            return
        first, last = self._pending[0], self._pending[-1]
        keyframe = first.keyframe or self._place.audio
        number = self._place.records + len(self.records)
        if keyframe:
            self._decode_from = number
        self.records.append(
            SegmentRecord(
                self._place.part,
                first.start,
                last.end - first.start,
                first.start_ns,
                last.end_ns,
                keyframe,
                self._decode_from,
                crc32(self._data[first.start : last.end]),
            )
        )
        self._pending = []


def recovery_start(place: Place) -> int:
    """Return the offset in a part from which on `recover` needs its octets."""
    after = place.after
    return after.offset + after.length if after is not None and after.part == place.part else 0


def recover(data: memoryview, container: ModuleType, place: Place, offset: int = 0) -> Tail:
    """Return the unlisted segments of a part, given its octets from `offset` on, which is 0 or `recovery_start`."""
    after = place.after if place.after is not None and place.after.part == place.part else None
    try:
        at = container.init_length(data) if after is None else recovery_start(place) - offset
    except ContainerError:
        return Tail((), 0)
    grouping = _Grouping(data, place, place.records if after is None else after.decode_from)
    damaged = False
    while True:
        try:
            fragment = container.scan(data, at)
        except ContainerError:
            damaged = True
            break
        if fragment is None:
            break
        grouping.add(fragment)
        at = fragment.end
    grouping.close()
    records = (replace(record, offset=record.offset + offset) for record in grouping.records)
    return Tail(tuple(records), at + offset, damaged)
