"""Deletes files that no session and no library has.

The server was killed between storing a file and its event or row, or between the end of both.
Only folders that changed since the sweep before the last one are looked at. The time of that sweep is in the database:
a new database beside an old folder deletes nothing, and one restored from a backup leaves its operator a week.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from classroom.ids import PersonId, SessionId
from classroom.state import Classroom
from signaling.errors import StoreError
from signaling.ids import TenantId
from signaling.store import Store
from signaling.store.blobs import BlobFolder, name_on_disk
from signaling.teaching.registry import Registry

log = logging.getLogger(__name__)

# A file's event follows it within seconds; the folder of a new session, its first event within a request.
FILE_AGE_S: Final = 3600.0
FOLDER_AGE_S: Final = 7 * 86_400.0
EVERY_S: Final = 86_400.0
_OVERLAP_S: Final = FOLDER_AGE_S + 2 * EVERY_S

_PAGE: Final = 1000
_NAMESPACE: Final = "classroom"
_KEY: Final = "files_swept_at"


Names = Callable[[], Awaitable[set[str]]]
"Returns the names on disk of the files that a session or a library has. StoreError."


async def sweep(blobs: BlobFolder, registry: Registry, store: Store) -> int:
    """Delete what no session and no library has; return how many files and folders. StoreError."""
    # Times of the file system, which the wall clock of tests does not move.
    now = time.time()
    before = await store.documents.get(_NAMESPACE, _KEY)
    since = now - EVERY_S if before is None else float(before) - _OVERLAP_S
    count = await _sweep_tree(blobs.sessions, _sessions(registry), since, now)
    count += await _sweep_tree(blobs.libraries, _libraries(store), since, now)
    await store.documents.put(_NAMESPACE, _KEY, now)
    if count:
        log.info("%d files that no session or library has are deleted", count)
    return count


async def _sweep_tree(tree: Path, owners: AsyncIterator[tuple[str, Names]], since: float, now: float) -> int:
    """Sweep a folder with a folder for each owner; `owners` yields their names on disk."""
    changed = await asyncio.to_thread(lambda: dict(_changed(tree, since)))
    if not changed:
        return 0
    count = 0
    async for folder, names in owners:
        if changed.pop(folder, None) is not None:
            count += await _sweep_folder(tree / folder, names, now)
    for folder, changed_at in changed.items():
        if changed_at < now - FOLDER_AGE_S:
            await asyncio.to_thread(BlobFolder.delete_folder, tree / folder)
            count += 1
    return count


async def _sessions(registry: Registry) -> AsyncIterator[tuple[str, Names]]:
    after = (TenantId(""), SessionId(""))
    while page := await registry.store.names(after, _PAGE):
        for tenant, session in page:
            live = registry.session(tenant, session)
            yield name_on_disk(tenant, session), partial(live.read, _names)
        after = page[-1]


async def _library_names(store: Store, tenant: TenantId, owner: PersonId) -> set[str]:
    return {name_on_disk(each.id) for each in await store.classroom.of(tenant).library_files.all(owner)}


async def _libraries(store: Store) -> AsyncIterator[tuple[str, Names]]:
    after = (TenantId(""), PersonId(""))
    while page := await store.classroom.libraries(after, _PAGE):
        for tenant, owner in page:
            yield name_on_disk(tenant, owner), partial(_library_names, store, tenant, owner)
        after = page[-1]


def _changed(tree: Path, since: float) -> Iterator[tuple[str, float]]:
    """Yield the folders that changed since a time, with the time of their last change."""
    for path in _entries(tree):
        changed_at = path.stat().st_mtime
        if changed_at >= since:
            yield path.name, changed_at


async def _sweep_folder(folder: Path, names: Names, now: float) -> int:
    # Listed first: a file that is added meanwhile is not in the list.
    old = await asyncio.to_thread(
        lambda: [each.name for each in _entries(folder) if each.stat().st_mtime < now - FILE_AGE_S]
    )
    if not old:
        return 0
    try:
        known = await names()
    except StoreError as error:
        log.warning("the files of a session or library are not swept: %s", error)
        return 0
    gone = [name for name in old if name not in known]
    for name in gone:
        await asyncio.to_thread(BlobFolder.delete_name, folder, name)
    return len(gone)


def _names(room: Classroom) -> set[str]:
    return {name_on_disk(each) for each in (*room.files.files, *room.slides.decks)}


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []
