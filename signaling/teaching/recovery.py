"""The sign of life of a server with people in its sessions, and what follows from its absence at the next start."""

import logging
from typing import Final

from classroom.features import people
from classroom.roles import UNFINISHED
from signaling.errors import StoreError
from signaling.store.documents import Documents
from signaling.teaching.live import unawaited
from signaling.teaching.presence import SEARCH_S, Presence
from signaling.teaching.registry import Registry
from signaling.teaching.running import Running

log = logging.getLogger(__name__)

# Attendance after a crash differs from the truth by at most this.
BEAT_S: Final = 1.0

_NAMESPACE: Final = "classroom"
_KEY: Final = "alive_at"


async def recover(registry: Registry, documents: Documents) -> None:
    """Report to each session with people in it that the server is back: all connections were lost. StoreError."""
    alive_at = float(await documents.get(_NAMESPACE, _KEY) or 0.0)
    for row in await registry.store.occupied():
        if row.phase not in UNFINISHED:
            continue
        live = registry.session(row.tenant, row.id)
        live.submit(lambda _room, _now: people.Recover(alive_at=alive_at)).add_done_callback(unawaited)
        await live.finished()


async def watch(registry: Registry, documents: Documents, presence: Presence, running: Running) -> None:
    """Record the time while sessions have participants, and check for absent people, until the server stops."""
    searched_at = registry.wall_clock()
    while running.goes_on:
        await running.pause(BEAT_S)
        now = registry.wall_clock()
        if any(live.loaded is not None and live.loaded.people.present for live in registry):
            await beat(registry, documents)
        if now - searched_at >= SEARCH_S:
            searched_at = now
            presence.search()


async def beat(registry: Registry, documents: Documents) -> None:
    """Record that the server lives."""
    try:
        await documents.put(_NAMESPACE, _KEY, registry.wall_clock())
    except StoreError as error:
        log.warning("the sign of life of the sessions is not written: %s", error)
