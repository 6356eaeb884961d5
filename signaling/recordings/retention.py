"""Retention: recordings are deleted some days after their end, and those of sessions that no longer exist at once."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from signaling.recordings.deletion import Deletion
from signaling.recordings.files import FilesError
from signaling.recordings.statuses import DELETED
from signaling.recurring import Recurring
from signaling.store import Store
from signaling.store.records import Recording

log = logging.getLogger(__name__)

_SWEEP_S: Final = 3600.0
_DAY_S: Final = 86_400.0
_PAGE: Final = 10_000
"Recordings that are looked at, those that ended first."

IsOrphan = Callable[[Recording], Awaitable[bool]]
"Whether what a recording belongs to has been deleted. StoreError."


class Retention(Recurring):
    """Deletes expired recordings, at the start of the server and every hour."""

    def __init__(
        self,
        store: Store,
        deletion: Deletion,
        days: int,
        is_orphan: IsOrphan,
        wall_clock: Callable[[], float],
    ) -> None:
        """Recordings are stored for `days` after their end; 0: for ever."""
        super().__init__(_SWEEP_S, "expired recordings stay")
        self._store = store
        self._deletion = deletion
        self._days = days
        self._is_orphan = is_orphan
        self._wall_clock = wall_clock

    async def apply(self) -> int:
        """Delete what has expired; return how many recordings. StoreError."""
        now, count = self._wall_clock(), 0
        for row in await self._store.recordings.ended(DELETED, _PAGE):
            expired = self._days > 0 and (row.ended_at or now) < now - self._days * _DAY_S
            if not expired and not await self._is_orphan(row):
                continue
            try:
                await self._deletion.delete(row, "", now)
            except FilesError as error:
                log.warning("retention: %s", error)
            else:
                count += 1
        if count:
            log.info("retention: %d recordings are deleted", count)
        return count
