"""What the container formats have in common."""

from dataclasses import dataclass


class ContainerError(Exception):
    """Octets that are not what this package writes."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """About half a second of a track: the unit that is written at once and survives as a whole."""

    data: bytes
    hold_at: int
    "Offset of the duration of the last frame: four octets that may be overwritten."


@dataclass(frozen=True, slots=True)
class Scanned:
    """A complete fragment that was found in a file."""

    start: int
    "Offset, as `end`."
    end: int
    start_ns: int
    end_ns: int
    keyframe: bool
    "It begins with one."
