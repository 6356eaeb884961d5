"""Retention: deletes meetings older than the operator's limit."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from signaling.errors import StoreError
from signaling.store import Store

log = logging.getLogger(__name__)

# Time between checks; short beside a limit in days.
LOOK_S = 3600.0

_DAY_S = 86_400


async def forget(
    store: Store,
    days: int,
    wall_clock: Callable[[], float],
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Delete meetings that ended more than `days` days ago, periodically, until cancelled; 0: delete none."""
    while days:
        await pause(LOOK_S)
        try:
            # One batch at a time, so that current events can be written in between.
            while count := await store.sessions.forget(wall_clock() - days * _DAY_S):
                log.info("deleted %d meetings older than %d days", count, days)
        except StoreError as error:
            log.warning("cannot delete old meetings: %s", error)
