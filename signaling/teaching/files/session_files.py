"""The bytes of sessions' files and slides: removed when the session's log says so, or the session is deleted."""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from classroom.features import files, slides
from classroom.ids import PersonId, SessionId
from signaling.ids import TenantId
from signaling.store.blobs import BlobFolder
from signaling.teaching.live import Committed, LiveSession
from signaling.teaching.registry import Registry

log = logging.getLogger(__name__)

# Uploads at the same time: of one person, and of all. Bytes count against quotas only when the upload is complete, so
# these also bound what the disk holds beyond the quotas.
PERSON_UPLOADS: Final = 3
UPLOADS: Final = 32


class SessionFiles:
    """The files of all sessions."""

    def __init__(self, blobs: BlobFolder, registry: Registry) -> None:
        """Follow the registry's commits."""
        self.blobs = blobs
        self._uploads: dict[tuple[TenantId, PersonId], int] = {}
        self._deletions: set[asyncio.Future[None]] = set()
        registry.observe(self._on_commit)
        registry.observe_deletions(self._on_deletion)

    def begin_upload(self, tenant: TenantId, person: PersonId) -> bool:
        """Count an upload; False, and it is not counted, when there are too many. `end_upload` belongs to it."""
        key = tenant, person
        if self._uploads.get(key, 0) >= PERSON_UPLOADS or sum(self._uploads.values()) >= UPLOADS:
            return False
        self._uploads[key] = self._uploads.get(key, 0) + 1
        return True

    def end_upload(self, tenant: TenantId, person: PersonId) -> None:
        """Count an upload no more."""
        key = tenant, person
        self._uploads[key] -= 1
        if not self._uploads[key]:
            del self._uploads[key]

    def delete(self, tenant: TenantId, session: SessionId, name: str) -> None:
        """Delete a file, soon."""
        self._delete(self.blobs.delete, tenant, session, name)

    async def finish(self) -> None:
        """Wait for deletions that are under way."""
        if self._deletions:
            await asyncio.wait(self._deletions)

    def _on_commit(self, committed: Committed) -> None:
        live = committed.live
        for event in committed.events:
            if isinstance(event, files.Removed):
                self._delete(self.blobs.delete, live.tenant, live.id, event.file.id)
            elif isinstance(event, slides.DeckRemoved):
                self._delete(self.blobs.delete, live.tenant, live.id, event.deck)

    def _on_deletion(self, live: LiveSession) -> None:
        self._delete(self.blobs.delete_session, live.tenant, live.id)

    def _delete(self, delete: Callable[..., None], *names: str) -> None:
        def attempt() -> None:
            try:
                delete(*names)
            except OSError as error:
                log.warning("a file of a session cannot be deleted: %s", error.strerror)

        task = asyncio.get_running_loop().run_in_executor(None, attempt)
        self._deletions.add(task)
        task.add_done_callback(self._deletions.discard)
