"""Which worker makes each recording: the one on which the recorded room is.

A worker that died takes its recorder with it; the recording is continued by the worker on which people meet again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

W = TypeVar("W")


@dataclass(slots=True)
class Place(Generic[W]):
    """A recording that has been started and not been stopped."""

    recording_id: str
    room_id: str
    worker: W | None
    "None: its worker ended."
    paused: bool = False


class RecordingPlaces(Generic[W]):
    """The recordings of all workers of type `W`."""

    def __init__(self) -> None:
        """Nothing is recorded."""
        self._places: dict[str, Place[W]] = {}

    def get(self, recording_id: str) -> Place[W] | None:
        """The place of a recording; None if there is no such recording."""
        return self._places.get(recording_id)

    def worker_of_room(self, room_id: str) -> W | None:
        """The worker that records a room; None if none does."""
        workers = (place.worker for place in self._places.values() if place.room_id == room_id)
        return next((worker for worker in workers if worker is not None), None)

    def add(self, recording_id: str, room_id: str, worker: W | None) -> bool:
        """Note a recording; False if it is running already. `worker` None: the next one on which the room is."""
        place = self._places.get(recording_id)
        if place is not None and place.worker is not None:
            return False
        self._places[recording_id] = Place(recording_id, room_id, worker)
        return True

    def remove(self, recording_id: str) -> Place[W] | None:
        """Forget a recording."""
        return self._places.pop(recording_id, None)

    def lost(self, worker: W) -> None:
        """A worker ended."""
        for place in self._places.values():
            if place.worker is worker:
                place.worker = None

    def settle(self, room_id: str, worker: W) -> Iterator[tuple[Place[W], W | None]]:
        """A room is on this worker from now on: each recording that has to be moved there, and the worker so far."""
        for place in self._places.values():
            if place.room_id == room_id and place.worker is not worker:
                before, place.worker = place.worker, worker
                yield place, before
