"""Stores changed rows of recordings in the order of the changes, each with the webhooks about it."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from signaling.errors import StoreError
from signaling.recordings.statuses import DELETED
from signaling.store import Store
from signaling.store.meetings.recordings import MakeDeliveries
from signaling.store.records import NewDelivery, Recording, RecordingChange, WebhookEndpoint

log = logging.getLogger(__name__)

# Between attempts to store a row.
_RETRY_S: Final = 1.0

Announce = Callable[[Recording, RecordingChange, Sequence[WebhookEndpoint]], Sequence[NewDelivery]]
"Returns the deliveries about a change of a recording, given its row after the change; does not fail."


@dataclass(frozen=True, slots=True)
class Announcer:
    """Makes the webhooks about recordings, and has them sent."""

    make: Announce = lambda _row, _change, _endpoints: ()
    wake: Callable[[], None] = lambda: None
    "Called after deliveries were stored."


class Changes:
    """Writes rows of recordings; a row that the database refuses is written again until it succeeds."""

    def __init__(self, store: Store, wall_clock: Callable[[], float], announcer: Announcer) -> None:
        """`wall_clock` returns seconds since 1970."""
        self._store = store
        self._wall_clock = wall_clock
        self._announcer = announcer
        self._waiting: deque[tuple[Recording, RecordingChange]] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def add(self, row: Recording) -> None:
        """Store a new recording. StoreError."""
        await self._store.recordings.add(
            row, self._deliveries(row, RecordingChange.STARTED), self._wall_clock()
        )
        self._announcer.wake()

    def put(self, row: Recording, change: RecordingChange) -> None:
        """Store a row after the ones before, as soon as the database accepts it."""
        self._waiting.append((row, change))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def replace(self, row: Recording, change: RecordingChange) -> bool:
        """Store a row now; return False if the recording has been deleted meanwhile. StoreError."""
        await self.written()
        stored = await self._store.recordings.replace(
            row, self._deliveries(row, change), self._wall_clock(), unless_status=DELETED
        )
        self._announcer.wake()
        return stored

    async def written(self) -> None:
        """Wait until all rows are stored."""
        if self._writing is not None:
            await asyncio.shield(self._writing)

    async def _write(self) -> None:
        while self._waiting:
            row, change = self._waiting[0]
            try:
                await self._store.recordings.replace(
                    row, self._deliveries(row, change), self._wall_clock(), unless_status=DELETED
                )
            except StoreError as error:
                log.error("the state of recording %s is not stored yet: %s", row.id, error)  # noqa: TRY400 - the cause is in the message
                await asyncio.sleep(_RETRY_S)
                continue
            self._waiting.popleft()
            self._announcer.wake()

    def _deliveries(self, row: Recording, change: RecordingChange) -> MakeDeliveries:
        return lambda endpoints: self._announcer.make(row, change, endpoints)


def numbered(row: Recording) -> Recording:
    """Return a row whose number of changes, from which the ids of its webhooks follow, is one higher."""
    return replace(row, details={**row.details, "changes": row.details.get("changes", 0) + 1})
