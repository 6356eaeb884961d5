"""Forgetting: what happened longer ago than the operator wants to know is deleted."""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from signaling.errors import StoreError
from signaling.store import Store

log = logging.getLogger(__name__)

# Between two looks; a day more or less does not matter to who chose a number of days.
LOOK_S = 3600.0

_DAY_S = 86_400


async def forget(
    store: Store,
    days: int,
    wall_clock: Callable[[], float],
    pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Delete sessions that ended so many days ago, again and again, until cancelled; with 0 days, none."""
    while days:
        await pause(LOOK_S)
        try:
            # A part at a time, so that what happens now gets to be written in between.
            while count := await store.sessions.forget(wall_clock() - days * _DAY_S):
                log.info("%d sessions of more than %d days ago are forgotten", count, days)
        except StoreError as error:
            log.warning("old sessions are not forgotten: %s", error)
