"""The keys that encrypt recordings: one for each, in the database, encrypted by the master key.

Deleting a key erases its recording, including copies of its files that nobody can reach any more.
"""

import base64
from collections.abc import Callable
from typing import Final

from recording.files.encryption import new_key
from recording.files.layout import LayoutError
from sfu.values import RecordingId
from signaling.errors import VaultError
from signaling.store import Store

_NAMESPACE: Final = "recording keys"

KeyOf = Callable[[RecordingId], bytes]
"Returns the key of a recording, empty if it is not encrypted. LayoutError if the master key has changed."


def no_key(_recording_id: RecordingId) -> bytes:
    """Return the key of a recording that is not encrypted."""
    return b""


class RecordingKeys:
    """The keys of all recordings. Those of a database are in memory, encrypted: 150 octets each."""

    def __init__(self, store: Store, *, encrypts: bool) -> None:
        """`encrypts`: new recordings get a key."""
        self._store = store
        self._encrypts = encrypts
        self._sealed: dict[RecordingId, str] = {}

    async def load(self) -> None:
        """Read the keys of earlier recordings. StoreError."""
        found = await self._store.documents.all(_NAMESPACE)
        self._sealed = {RecordingId(each): sealed for each, sealed in found.items()}

    async def create(self, recording_id: RecordingId) -> None:
        """Make the key of a new recording, if recordings are encrypted. StoreError."""
        if self._encrypts:
            text = base64.b64encode(new_key()).decode()
            sealed = self._store.vault.seal(text, _purpose(recording_id))
            await self._store.documents.put(_NAMESPACE, recording_id, sealed)
            self._sealed[recording_id] = sealed

    def get(self, recording_id: RecordingId) -> bytes:
        """Return the key of a recording, empty if it is not encrypted. LayoutError if the master key has changed."""
        sealed = self._sealed.get(recording_id)
        if sealed is None:
            return b""
        try:
            return base64.b64decode(self._store.vault.open(sealed, _purpose(recording_id)))
        except VaultError as error:
            raise LayoutError(str(error)) from error

    async def delete(self, recording_id: RecordingId) -> None:
        """Delete the key of a recording, which then cannot be decrypted any more. StoreError."""
        if self._sealed.pop(recording_id, None) is not None:
            await self._store.documents.delete(_NAMESPACE, recording_id)


def _purpose(recording_id: RecordingId) -> str:
    return f"the key of recording {recording_id}"
