"""Deadlines of all sessions: one task that sleeps until the next one.

The next deadline of each session is in the index, so that a restarted server finds the deadlines that it missed.
"""

import asyncio
import logging
from typing import Final

from signaling.errors import StoreError
from signaling.teaching.live import Committed
from signaling.teaching.registry import Registry

log = logging.getLogger(__name__)

# Sessions that are woken at once.
MAX_AT_ONCE: Final = 50

# Interval of database queries when no deadline is known; clocks of other machines may be set.
LONGEST_SLEEP_S: Final = 60.0
SHORTEST_SLEEP_S: Final = 0.05

AGAIN_S: Final = 1.0


class Deadlines:
    """Wakes sessions when their time has come."""

    def __init__(self, registry: Registry) -> None:
        """Learn of new deadlines from the commits."""
        self._registry = registry
        self._sooner = asyncio.Event()
        self._wakes_at = 0.0
        self._goes_on = True
        registry.observe(self._on_commit)

    def stop(self) -> None:
        """End `run` after its present step."""
        self._goes_on = False
        self._sooner.set()

    async def run(self) -> None:
        """Carry out deadlines until stopped."""
        while self._goes_on:
            self._sooner.clear()
            try:
                sleep_s = await self._carry_out()
            except StoreError as error:
                log.warning("deadlines of sessions wait: %s", error)
                sleep_s = AGAIN_S
            self._wakes_at = self._registry.wall_clock() + sleep_s
            try:
                async with asyncio.timeout(sleep_s):
                    await self._sooner.wait()
            except TimeoutError:
                continue

    async def _carry_out(self) -> float:
        """Wake the sessions that are due; return the seconds until the next check."""
        store, now = self._registry.store, self._registry.wall_clock()
        due = await store.due(now, MAX_AT_ONCE)
        if due:
            sessions = [self._registry.session(tenant, session_id) for tenant, session_id in due]
            results = await asyncio.gather(*(live.poke() for live in sessions), return_exceptions=True)
            failures = [result for result in results if isinstance(result, Exception)]
            if not failures:
                return SHORTEST_SLEEP_S
            # A session whose log cannot be read stays due; it must not cause a busy loop.
            log.warning("deadlines of %d sessions wait: %s", len(failures), failures[0])
            return AGAIN_S
        at = await store.next_due_at()
        wait_s = LONGEST_SLEEP_S if at is None else at - self._registry.wall_clock()
        return min(max(wait_s, SHORTEST_SLEEP_S), LONGEST_SLEEP_S)

    def _on_commit(self, committed: Committed) -> None:
        at = committed.live.due_at
        if at is not None and at < self._wakes_at:
            self._sooner.set()
