"""Background tasks: the event log, webhooks, changes of API keys, the heartbeat and retention."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterable, Sequence
from typing import Any

from signaling.access.keyring import Keyring
from signaling.history import recovery, retention
from signaling.history.journal import Journal
from signaling.history.webhook_client import WebhookClient
from signaling.history.webhooks import WebhookApi, Webhooks
from signaling.rooms.services import Services
from signaling.store import LogEntry, Store

log = logging.getLogger(__name__)

# When the server stops: time for the event log to reach the database, then for webhooks to reach applications.
LAST_ENTRIES_S = 10.0
LAST_WEBHOOKS_S = 2.0

# Time until a failed task is restarted.
AGAIN_S = 1.0


class Background:
    """The background tasks, from the server's start to its end."""

    def __init__(
        self,
        services: Services,
        store: Store,
        keyring: Keyring,
        apis: Iterable[WebhookApi],
        outgoing: WebhookClient,
    ) -> None:
        """Listen to the event hub at once; `stop` closes `outgoing`."""
        self._store = store
        self._keyring = keyring
        self._outgoing = outgoing
        self._wall_clock = services.wall_clock
        self.journal = Journal(services.hub, self._append, self._wall_clock)
        self.webhooks = Webhooks(store, apis, outgoing.post, self._wall_clock)
        self._sending: asyncio.Task[None] | None = None
        self._others: list[asyncio.Task[None]] = []

    async def start(self, history_days: int = 0) -> None:
        """End the meetings that a killed server left open, and start; `history_days`: see `retention`. StoreError."""
        await recovery.end_abandoned(self._store, self._append)
        store, wall_clock = self._store, self._wall_clock
        self._sending = asyncio.create_task(_kept(self.webhooks.run))
        self._others = [
            asyncio.create_task(_kept(part))
            for part in (
                self.journal.run,
                lambda: self._keyring.follow(store.api_keys.in_force),
                lambda: recovery.beat(store, wall_clock),
                lambda: retention.forget(store, history_days, wall_clock),
            )
        ]

    async def stop(self) -> None:
        """Write and send what is left, for as long as a stopping server can wait."""
        if self._sending is None:
            return
        await _in_time(self.journal.committed(), LAST_ENTRIES_S, "the event log is not complete")
        await _in_time(self.webhooks.idle(), LAST_WEBHOOKS_S, "webhooks wait for the next start")
        # Not cancelled while it can still end by itself: otherwise receivers would get some webhooks a second time.
        self.webhooks.finish()
        await self._outgoing.close()
        await asyncio.wait([self._sending], timeout=LAST_WEBHOOKS_S)
        tasks, self._sending = [self._sending, *self._others], None
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)

    async def _append(self, entries: Sequence[LogEntry]) -> None:
        await self._store.events.append(entries, self.webhooks.deliveries, self._wall_clock())
        self.webhooks.wake()


async def _kept(part: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run a part to its end; a part that fails is restarted with its present state."""
    while True:
        try:
            return await part()
        except Exception:
            log.exception("a background task failed and is restarted")
            await asyncio.sleep(AGAIN_S)


async def _in_time(last: Coroutine[Any, Any, None], limit_s: float, otherwise: str) -> None:
    try:
        async with asyncio.timeout(limit_s):
            await last
    except TimeoutError:
        log.warning("%s", otherwise)
