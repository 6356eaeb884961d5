"""From ordered packets to access units: Opus packets one by one, video by RTP timestamp."""

from collections.abc import Sequence
from typing import Protocol

from recording.media.codecs import JOINERS, Joiner, opus
from recording.media.frame_keys import FrameKeys
from recording.values import CodedFrame, Loss, PayloadError
from sfu.wire.arithmetic import ts_diff
from sfu.wire.codecs import is_keyframe_start
from sfu.wire.tap import Packet

# More than a keyframe of a 4K screen; a picture without an end must not fill the memory.
MAX_PICTURE_OCTETS = 8 << 20


class TimestampUnwrapper:
    """32-bit RTP timestamps to numbers that do not wrap around."""

    def __init__(self) -> None:
        """Nothing seen."""
        self._last: int | None = None

    def unwrap(self, timestamp: int) -> int:
        """The unwrapped timestamp, less than half of the number space away from the last one."""
        self._last = self.near(timestamp)
        return self._last

    def near(self, timestamp: int) -> int:
        """The same without moving, for a timestamp that may be old or out of the future."""
        if self._last is None:
            self._last = timestamp
        return self._last + ts_diff(timestamp, self._last & 0xFFFFFFFF)


class Assembler(Protocol):
    """Turns what a sequencer hands on into frames."""

    def push(self, item: Packet | Loss) -> list[CodedFrame | Loss]:
        """The frames that this packet completes. Lost and unreadable frames are returned as losses."""

    def restart(self) -> None:
        """Discard the state of earlier packets: an incomplete picture, and frames repeated by redundancy."""


# Of an encrypted Opus packet: its table of contents.
_CLEAR_OCTETS = 1


class AudioAssembler:
    """Opus, with or without redundancy."""

    def __init__(self, timestamps: TimestampUnwrapper, keys: FrameKeys | None = None) -> None:
        """`timestamps` is shared with the track, which unwraps each timestamp first; `keys` decrypt frames."""
        self._timestamps = timestamps
        self._keys = keys
        self._lost = 0
        self._end: int | None = None

    def push(self, item: Packet | Loss) -> list[CodedFrame | Loss]:
        """The frames of a packet, with lost ones from its redundancy."""
        if isinstance(item, Loss):
            self._lost += item.packets
            return []
        try:
            blocks = opus.red_blocks(item.payload) if item.codec == "red" else [(0, item.payload)]
            frames = self._frames(item, blocks)
        except PayloadError:
            self._lost += 1
            return []
        losses: list[CodedFrame | Loss] = []
        if self._lost and frames and frames[0].timestamp != self._end:
            losses.append(Loss(self._lost))
        if frames:
            self._lost = 0
            last = frames[-1]
            self._end = last.timestamp + last.duration_ns * opus.SAMPLE_RATE // 1_000_000_000
        return [*losses, *frames]

    def restart(self) -> None:
        """Take no frame from before out of the redundancy of the next packet."""
        self._lost, self._end = 0, None

    def _frames(self, item: Packet, blocks: Sequence[tuple[int, bytes]]) -> list[CodedFrame]:
        newest = self._timestamps.near(item.timestamp)
        frames: list[CodedFrame] = []
        for offset, data in blocks:
            timestamp = newest - offset
            if offset and (not self._lost or self._end is None or timestamp < self._end or not data):
                continue  # it was received in a packet of its own
            if self._keys is not None:
                data = self._keys.frame(data, _CLEAR_OCTETS)  # noqa: PLW2901 - what follows is about the decrypted frame
            duration = opus.duration_ns(data)
            frames.append(CodedFrame(data, timestamp, item.arrived_ns, True, opus.CONFIG, duration))
        return frames


class VideoAssembler:
    """Pictures: all packets of one RTP timestamp, up to the marker."""

    def __init__(self, timestamps: TimestampUnwrapper, keys: FrameKeys | None = None) -> None:
        """`timestamps` is shared with the track, which unwraps each timestamp first; `keys` decrypt frames."""
        self._timestamps = timestamps
        self._keys = keys
        self._codec = ""
        self._joiner: Joiner | None = None
        self._packets: list[Packet] = []
        self._octets = 0
        self._awaits_start = True
        "Nothing can be decoded before the first packet of a keyframe."

    def push(self, item: Packet | Loss) -> list[CodedFrame | Loss]:
        """The picture that this packet completes, if it does."""
        if isinstance(item, Loss):
            return [self._give_up(item.packets + len(self._packets))]
        done: list[CodedFrame | Loss] = []
        if self._packets and self._packets[0].timestamp != item.timestamp:
            done += self._finish()
        if not item.payload or (self._awaits_start and not is_keyframe_start(item.codec, item.payload)):
            return done
        self._awaits_start = False
        self._packets.append(item)
        self._octets += len(item.payload)
        if item.marker or self._octets > MAX_PICTURE_OCTETS:
            done += self._finish()
        return done

    def restart(self) -> None:
        """Wait for a keyframe."""
        self._give_up(0)

    def _give_up(self, packets: int) -> Loss:
        self._packets, self._octets, self._awaits_start = [], 0, True
        return Loss(packets)

    def _finish(self) -> list[CodedFrame | Loss]:
        packets, octets = self._packets, self._octets
        self._packets, self._octets = [], 0
        first = packets[0]
        other = first.codec != self._codec
        if other:
            made = JOINERS.get(first.codec)
            self._codec, self._joiner = first.codec, made(self._keys) if made is not None else None
        if self._joiner is None or octets > MAX_PICTURE_OCTETS:
            return [self._give_up(len(packets))]
        try:
            picture = self._joiner.join([packet.payload for packet in packets])
        except PayloadError:
            return [self._give_up(len(packets))]
        if picture is None:
            return []
        if other and not picture.keyframe:  # it depends on pictures of this codec, which do not exist
            return [self._give_up(len(packets))]
        timestamp = self._timestamps.near(first.timestamp)
        return [CodedFrame(picture.data, timestamp, first.arrived_ns, picture.keyframe, picture.config)]
