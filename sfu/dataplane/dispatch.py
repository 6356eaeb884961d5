"""Brings punts to the engine."""

from sfu.dataplane.plane import Owner, Plane
from sfu.dataplane.punts import COPY_LATE, COPY_NEW_PICTURE, Punt, Record, seen
from sfu.engine.peers.identification import KnownSsrc
from sfu.engine.peers.peer import Peer
from sfu.engine.slow_path import Copy, SlowPath


def process(plane: Plane, slow_path: SlowPath, peer: Peer, record: Record) -> None:
    """Let the engine process a punt about a peer's media."""
    now = record.at
    if record.reason == Punt.UNKNOWN_SSRC:
        if slow_path.on_unknown(peer, record.data, now):
            plane.inject(record.transport, record.data, now)
    elif record.reason == Punt.RESUMED:
        slow_path.on_resumed(peer, now)
    else:
        stream = plane.stream(record.stream)
        known = peer.streams.get(stream.ssrc) if stream is not None else None
        if stream and known and getattr(known.stream, "number", None) == record.stream:
            _process_of_stream(slow_path, peer, known, stream, record)


def _process_of_stream(
    slow_path: SlowPath, peer: Peer, known: KnownSsrc, stream: Owner, record: Record
) -> None:
    now = record.at
    if record.reason == Punt.COPY:
        late, new_picture = record.flags & COPY_LATE != 0, record.flags & COPY_NEW_PICTURE != 0
        stream.see(seen(record))
        try:
            slow_path.on_copy(peer, known, Copy(record.data, record.sequence, late, new_picture), now)
        finally:
            stream.see(None)
    elif record.reason == Punt.KEYFRAME:
        slow_path.on_keyframe(peer, known, record.sequence, now)
    elif record.reason == Punt.NEXT:
        slow_path.on_next(peer, known, record.sequence, now)
    elif record.reason == Punt.FIRST:
        slow_path.on_first(peer, known, record.flags, now)
    elif record.reason == Punt.LEVEL:
        slow_path.on_level(peer, known, now)
