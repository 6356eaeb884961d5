"""Liveness (`/healthz`) and readiness (`/readyz`) of the process, for its supervisor."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from aiohttp import hdrs, web

from signaling.errors import StoreError
from signaling.http.headers import SECURITY_HEADERS

log = logging.getLogger(__name__)

# An answer is reused for this long, so that requests cannot keep the database busy.
HOLDS_S = 2.0

# A database that takes longer counts as unavailable.
STORE_TIMEOUT_S = 2.0

# SQLite puts a small write over the part of its log that it has already used, and so succeeds on a full disk where real
# writes fail; so the free space is looked at as well. The log grows to 4 MiB before it is used again.
MIN_FREE_BYTES = 1 << 20

_HEADERS = {**SECURITY_HEADERS, hdrs.CACHE_CONTROL: "no-store"}


class Health:
    """Both endpoints."""

    def __init__(
        self,
        checks: Mapping[str, Callable[[], bool]],
        write: Callable[[], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        """`checks` are conditions by name; `write` writes to the store or raises StoreError; `clock` is monotonic."""
        self._checks = checks
        self._write = write
        self._clock = clock
        self._probe: asyncio.Task[bool] | None = None
        self._probed_at = 0.0

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Register them."""
        router.add_get("/healthz", self.alive)
        router.add_get("/readyz", self.ready)

    async def alive(self, _request: web.Request) -> web.Response:
        """Answer; a process that hangs would not."""
        return web.Response(text="OK", headers=_HEADERS)

    async def ready(self, _request: web.Request) -> web.Response:
        """Report what is ready: 200 if everything is, else 503."""
        found = {name: check() for name, check in self._checks.items()}
        found["store"] = await self._store()
        status = 200 if all(found.values()) else 503
        return web.json_response(found, status=status, headers=_HEADERS)

    async def _store(self) -> bool:
        probe = self._probe
        if probe is None or (probe.done() and self._clock() >= self._probed_at + HOLDS_S):
            probe = self._probe = asyncio.create_task(self._written())
            self._probed_at = self._clock()
        # Not cancelled when it is slow: the store would lose its connection.
        await asyncio.wait([probe], timeout=STORE_TIMEOUT_S)
        return probe.done() and probe.result()

    async def _written(self) -> bool:
        try:
            await self._write()
        except StoreError as error:
            log.warning("the store cannot be written to: %s", error)
            return False
        return True


def has_space(folder: Path) -> bool:
    """Whether there is room for more data in a folder."""
    try:
        found = os.statvfs(folder)
    except OSError as error:
        log.warning("the data folder cannot be looked at: %s", error)
        return False
    return found.f_bavail * found.f_frsize >= MIN_FREE_BYTES
