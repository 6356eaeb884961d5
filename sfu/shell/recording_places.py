"""The worker of each recording: the one that has the recorded room.

A worker that died takes its recorder with it; the recording is continued by the worker on which people meet again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from sfu.values import RecordingId, RoomId

W = TypeVar("W")


@dataclass(slots=True)
class Place(Generic[W]):
    """A recording that was started and not yet stopped."""

    recording_id: RecordingId
    room_id: RoomId
    worker: W | None
    "None: its worker ended."
    key: bytes = field(default=b"", repr=False)
    "Encrypts the recording's files."
    paused: bool = False


class RecordingPlaces(Generic[W]):
    """The recordings of all workers of type `W`."""

    def __init__(self) -> None:
        """Start without recordings."""
        self._places: dict[RecordingId, Place[W]] = {}

    def get(self, recording_id: RecordingId) -> Place[W] | None:
        """Return the place of a recording; None if it does not exist."""
        return self._places.get(recording_id)

    def worker_of_room(self, room_id: RoomId) -> W | None:
        """Return the worker that records a room; None if there is none."""
        workers = (place.worker for place in self._places.values() if place.room_id == room_id)
        return next((worker for worker in workers if worker is not None), None)

    def add(self, recording_id: RecordingId, room_id: RoomId, worker: W | None, key: bytes = b"") -> bool:
        """Add a recording; return False if it exists. `worker` None: the worker that opens the room next."""
        place = self._places.get(recording_id)
        if place is not None and place.worker is not None:
            return False
        self._places[recording_id] = Place(recording_id, room_id, worker, key)
        return True

    def remove(self, recording_id: RecordingId) -> Place[W] | None:
        """Remove a recording."""
        return self._places.pop(recording_id, None)

    def lost(self, worker: W) -> None:
        """Record that a worker ended."""
        for place in self._places.values():
            if place.worker is worker:
                place.worker = None

    def settle(self, room_id: RoomId, worker: W) -> Iterator[tuple[Place[W], W | None]]:
        """Record that a room is on this worker now; return each recording to move there, and its worker so far."""
        for place in self._places.values():
            if place.room_id == room_id and place.worker is not worker:
                before, place.worker = place.worker, worker
                yield place, before
