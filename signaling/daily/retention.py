"""Retention of the transcripts of Daily's transcription: for as long as recordings, and as the tenant decides."""

import logging
from collections.abc import Callable, Iterable
from typing import Final

from signaling.daily.transcripts import Transcripts
from signaling.recurring import Recurring
from signaling.store import Store
from signaling.store.tenants import tenant_name
from signaling.teaching.people.retention import retention_days

log = logging.getLogger(__name__)

_SWEEP_S: Final = 3600.0
_DAY_S: Final = 86_400.0


class TranscriptRetention(Recurring):
    """Deletes expired transcripts, at the start of the server and every hour."""

    def __init__(
        self,
        store: Store,
        transcripts: Transcripts,
        domains: Callable[[], Iterable[str]],
        days: int,
        wall_clock: Callable[[], float],
    ) -> None:
        """`days` is the operator's limit, 0 for none; a tenant, that of the domain's API key, may have a lower one."""
        super().__init__(_SWEEP_S, "expired transcripts stay")
        self._store = store
        self._transcripts = transcripts
        self._domains = domains
        self._days = days
        self._wall_clock = wall_clock

    async def apply(self) -> int:
        """Delete what has expired; return how many transcripts. StoreError."""
        now, count = self._wall_clock(), 0
        for domain in tuple(self._domains()):
            limits = self._days, await retention_days(self._store, tenant_name(domain, ""))
            days = min(filter(None, limits), default=0)
            if days:
                count += await self._transcripts.expire(domain, now - days * _DAY_S, now)
        if count:
            log.info("retention: %d transcripts are deleted", count)
        return count
