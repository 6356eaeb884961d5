"""Deletes files that no session has: the server was killed between storing a file and its event, or its session's end.

Only folders that changed since the sweep before the last one are looked at. The time of that sweep is in the database:
a new database beside an old folder deletes nothing, and one restored from a backup leaves its operator a week.
"""

import asyncio
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from classroom.ids import SessionId
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


async def sweep(blobs: BlobFolder, registry: Registry, store: Store) -> int:
    """Delete what no session has; return how many files and folders. StoreError."""
    # Times of the file system, which the wall clock of tests does not move.
    now = time.time()
    before = await store.documents.get(_NAMESPACE, _KEY)
    since = now - EVERY_S if before is None else float(before) - _OVERLAP_S
    changed = await asyncio.to_thread(lambda: dict(_changed(blobs, since)))
    count = 0
    after = (TenantId(""), SessionId(""))
    while changed and (page := await registry.store.names(after, _PAGE)):
        for tenant, session in page:
            if changed.pop(name_on_disk(tenant, session), None) is not None:
                count += await _sweep_session(blobs, registry, tenant, session, now)
        after = page[-1]
    for folder, changed_at in changed.items():
        if changed_at < now - FOLDER_AGE_S:
            await asyncio.to_thread(blobs.delete_folder, folder)
            count += 1
    await store.documents.put(_NAMESPACE, _KEY, now)
    if count:
        log.info("%d files that no session has are deleted", count)
    return count


def _changed(blobs: BlobFolder, since: float) -> Iterator[tuple[str, float]]:
    """Yield the folders of sessions that changed since a time, with the time of their last change."""
    for path in _entries(blobs.sessions):
        changed_at = path.stat().st_mtime
        if changed_at >= since:
            yield path.name, changed_at


async def _sweep_session(
    blobs: BlobFolder, registry: Registry, tenant: TenantId, session: SessionId, now: float
) -> int:
    # Listed first: a file that is added meanwhile is not in the list.
    folder = blobs.session_folder(tenant, session)
    old = await asyncio.to_thread(
        lambda: [each.name for each in _entries(folder) if each.stat().st_mtime < now - FILE_AGE_S]
    )
    if not old:
        return 0
    try:
        known = await registry.session(tenant, session).read(_names)
    except StoreError as error:
        log.warning("the files of a session are not swept: %s", error)
        return 0
    gone = [name for name in old if name not in known]
    for name in gone:
        await asyncio.to_thread(blobs.delete_name, folder, name)
    return len(gone)


def _names(room: Classroom) -> set[str]:
    return {name_on_disk(each) for each in (*room.files.files, *room.slides.decks)}


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except FileNotFoundError:
        return []
