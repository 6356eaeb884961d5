"""Merges the updates of whiteboard pages when the engine asks for it (`whiteboard.needs_snapshot`)."""

import asyncio
import logging
from typing import Final

import msgspec

from classroom.errors import Refused
from classroom.features import whiteboard
from classroom.ids import PageId, SessionId
from classroom.state import Classroom
from signaling.errors import StoreError
from signaling.ids import TenantId
from signaling.teaching.children import child
from signaling.teaching.live import Committed, LiveSession
from signaling.teaching.registry import Registry

log = logging.getLogger(__name__)

TIMEOUT_S: Final = 30.0


class BoardMerger:
    """One child process at a time, for the pages of all sessions."""

    def __init__(self, registry: Registry) -> None:
        """Follow the registry's commits."""
        self._turn = asyncio.Lock()
        self._tasks: dict[tuple[TenantId, SessionId, PageId], asyncio.Task[None]] = {}
        # Pages whose updates cannot be merged; they fill up, and their drawers are told.
        self._broken: set[tuple[TenantId, SessionId, PageId]] = set()
        registry.observe(self._on_commit)

    async def finish(self) -> None:
        """Wait for merges that are under way."""
        while self._tasks:
            await asyncio.wait(list(self._tasks.values()))

    def _on_commit(self, committed: Committed) -> None:
        room = committed.live.loaded
        if room is None or not any(isinstance(event, whiteboard.Drawn) for event in committed.events):
            return
        for page in whiteboard.needs_snapshot(room.whiteboard):
            key = committed.live.tenant, committed.live.id, page
            if key not in self._tasks and key not in self._broken:
                self._tasks[key] = asyncio.create_task(self._merge(committed.live, page, key))

    async def _merge(self, live: LiveSession, page: PageId, key: tuple[TenantId, SessionId, PageId]) -> None:
        try:
            async with self._turn:
                updates, count = await live.read(lambda room: _updates(room, page))
                snapshot = await merge(updates)
                if snapshot is None:
                    log.warning("a page of a whiteboard cannot be merged")
                    self._broken.add(key)
                    return
                await live.do(
                    whiteboard.SaveSnapshot(page=page, snapshot=snapshot, count=count), lambda *_: None
                )
        except (Refused, StoreError) as error:
            # The page is gone meanwhile, or the database fails: the next drawing tries again.
            log.info("a page of a whiteboard is not merged: %s", type(error).__name__)
        finally:
            del self._tasks[key]


def _updates(room: Classroom, page_id: PageId) -> tuple[list[bytes], int]:
    updates = list(whiteboard.content(room, page_id))
    return updates, len(room.whiteboard.pages[page_id].updates)


async def merge(updates: list[bytes], timeout_s: float = TIMEOUT_S) -> bytes | None:
    """Return one update with all of them; None when the child process could not."""
    status, output = await child.run(
        "signaling.teaching.boards.merge", content=msgspec.msgpack.encode(updates), timeout_s=timeout_s
    )
    return output if status == 0 and output else None
