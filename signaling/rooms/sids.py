"""Server ids: a prefix for the kind, and twelve random characters.

LiveKit's clients read the prefixes `PA_` and `TR_`, so they are part of the protocol.
"""

import secrets
from collections.abc import Callable

from sfu.values import Kind
from signaling.rooms.permissions import Source

SidMaker = Callable[[str], str]

# Without 0, O, I, l and 1, since ids are read aloud. 57**12 is 70 bits, so collisions within a room do not occur.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_LENGTH = 12

ROOM_PREFIX = "RM_"
PARTICIPANT_PREFIX = "PA_"
TRACK_PREFIX = "TR_"
DATA_TRACK_PREFIX = "DTR_"

_SOURCE_LETTERS = {
    Source.CAMERA: "C",
    Source.MICROPHONE: "M",
    Source.SCREEN_SHARE: "S",
    Source.SCREEN_SHARE_AUDIO: "s",
}


def random_sid(prefix: str) -> str:
    """Return a new id; the random `SidMaker` for production."""
    return prefix + "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))


def track_prefix(kind: Kind, source: Source) -> str:
    """Return the prefix of a track: `TR_`, A or V, and a letter for the source."""
    return f"{TRACK_PREFIX}{'A' if kind == 'audio' else 'V'}{_SOURCE_LETTERS.get(source, '')}"
