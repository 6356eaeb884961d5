"""Messages from the recorders to the captioning process: one audio packet each, with everything that places it.

No message depends on an earlier one, so a lost one costs its own 20 ms, and either process can restart at any time.
"""

from pathlib import Path
from typing import Final

import msgspec

from sfu.values import RecordedTrackId, RecordingId
from sfu.wire.tap import Packet

PREFIX: Final = "live_"
"Begins the id of a recording that is captioned and not stored."
SOCKET_NAME: Final = "captions.sock"
"In the folder of the recordings."
MAX_OCTETS: Final = 16 << 10
"An Opus packet has at most 1275 octets (RFC 6716 section 3.4); a RED payload repeats some."


class LiveError(Exception):
    """Octets that are no such message."""


class LivePacket(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One audio packet."""

    recording_id: RecordingId
    track_id: RecordedTrackId
    source: int
    "The process id of the recorder: stream numbers are unique in it."
    packet: Packet


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(LivePacket)


def is_live(recording_id: RecordingId) -> bool:
    """Whether packets of a recording go to the captioning process instead of files."""
    return recording_id.startswith(PREFIX)


def socket_path(folder: Path) -> Path:
    """Return the path of the captioning process's socket."""
    return folder / SOCKET_NAME


def encode(message: LivePacket) -> bytes:
    """Return the octets of a message."""
    return _encoder.encode(message)


def decode(data: bytes) -> LivePacket:
    """Return the packet in a message. LiveError."""
    try:
        return _decoder.decode(data)
    except (ValueError, msgspec.MsgspecError) as error:
        raise LiveError(f"not an audio packet: {error}") from error
