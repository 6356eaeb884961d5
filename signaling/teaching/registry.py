"""The sessions in memory, by tenant and id."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

from classroom.ids import SessionId
from signaling.ids import TenantId
from signaling.store.classroom.classroom import ClassroomStore
from signaling.teaching.live import Committed, Deliveries, LiveSession, Mailing, Surroundings

# Idle sessions whose state stays in memory; others are loaded again on request.
MAX_IDLE: Final = 300


class Registry:
    """Returns one `LiveSession` for each session, and drops idle ones."""

    def __init__(self, store: ClassroomStore, wall_clock: Callable[[], float]) -> None:
        """`wall_clock` is seconds since 1970."""
        self.store = store
        self.wall_clock = wall_clock
        self._sessions: dict[tuple[TenantId, SessionId], LiveSession] = {}
        self._observers: list[Callable[[Committed], None]] = []
        self._deletion_observers: list[Callable[[LiveSession], None]] = []
        self._around = Surroundings(wall_clock, lambda *_: (), lambda *_: (), self._committed)

    def make_outgoing(self, deliveries: Deliveries, mails: Mailing) -> None:
        """Create webhooks and mail for later events."""
        self._around = Surroundings(self.wall_clock, deliveries, mails, self._committed)

    def observe(self, observer: Callable[[Committed], None]) -> None:
        """Call `observer` after each commit; it must not fail."""
        self._observers.append(observer)

    def observe_deletions(self, observer: Callable[[LiveSession], None]) -> None:
        """Call `observer` after a session was deleted; it must not fail."""
        self._deletion_observers.append(observer)

    def session(self, tenant: TenantId, session_id: SessionId) -> LiveSession:
        """Return a tenant's session, whether it exists or not: what does not exist refuses everything."""
        key = tenant, session_id
        # Moved to the end, so that the first one is the least recently used.
        live = self._sessions.pop(key, None) or LiveSession(self.store.of(tenant), session_id, self._around)
        self._sessions[key] = live
        if len(self._sessions) > MAX_IDLE:
            self._forget_idle()
        return live

    def __iter__(self) -> Iterator[LiveSession]:
        """Iterate over the sessions in memory."""
        return iter(tuple(self._sessions.values()))

    def forget(self, live: LiveSession) -> None:
        """Drop a session that was deleted."""
        self._sessions.pop((live.tenant, live.id), None)
        for observer in self._deletion_observers:
            observer(live)

    async def finish(self) -> None:
        """Wait until every command that was given is stored."""
        while busy := [live.finished() for live in self if not live.is_done]:
            await asyncio.gather(*busy)

    def _forget_idle(self) -> None:
        for key, live in tuple(self._sessions.items())[: len(self._sessions) - MAX_IDLE]:
            if live.is_idle:
                del self._sessions[key]

    def _committed(self, committed: Committed) -> None:
        for observer in self._observers:
            observer(committed)
