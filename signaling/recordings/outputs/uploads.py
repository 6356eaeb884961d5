"""Copies the files of outputs to the buckets that their requests name."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import msgspec

from signaling.errors import VaultError
from signaling.recordings.files import FilesError
from signaling.recordings.output_state import OutputFile, Upload, file_name
from signaling.recordings.storage.address import Address, Credentials, clean_key
from signaling.recordings.storage.content import PartFile, content
from signaling.store.records import Recording
from signaling.store.vault import Vault

if TYPE_CHECKING:
    from signaling.recordings.storage.bucket import Bucket

_TYPES: Final = {".mp4": "video/mp4", ".webm": "video/webm"}


def open_upload(upload: Upload, vault: Vault) -> "Bucket":
    """Return the bucket of an upload. FilesError if the access key cannot be decrypted."""
    from signaling.recordings.storage import bucket  # noqa: PLC0415 - see the module's docstring

    try:
        secrets = json.loads(vault.open(upload.sealed, upload.purpose))
    except VaultError as error:
        raise FilesError(str(error)) from error
    return bucket.Bucket(Address(upload.endpoint, upload.region, upload.bucket), Credentials(*secrets))


async def upload_files(
    bucket: "Bucket", row: Recording, files: Sequence[tuple[OutputFile, PartFile]]
) -> list[OutputFile]:
    """Copy the files of an output, decrypted, and return them with their locations. StorageError, ValueError.

    A repetition replaces what an interrupted upload has left.
    """
    done: list[OutputFile] = []
    for number, (file, source) in enumerate(files):
        suffix = source.path.suffix
        key = clean_key(file_name(row, suffix, number))
        pieces = source.path if source.cipher is None else content(source, None, 0, file.octets)
        await bucket.put(key, pieces, _TYPES.get(suffix, "application/octet-stream"))
        done.append(msgspec.structs.replace(file, location=bucket.url(key)))
    return done
