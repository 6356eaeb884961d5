"""Files on disk: uploads and slides of sessions, and files of libraries, in one folder beside the database.

    FOLDER/incoming/RANDOM              an upload that is not complete
    FOLDER/sessions/HASH/NAME           HASH is the SHA-256 of tenant and session; NAME is the SHA-256 of the file's id
    FOLDER/libraries/HASH/NAME          HASH is the SHA-256 of tenant and owner

No name on disk comes from a client. A file appears under its name when it is complete and on the disk.
"""

import hashlib
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from classroom.ids import PersonId, SessionId
from signaling.ids import TenantId

# Free space that uploads leave to the database, bytes.
RESERVE_BYTES: Final = 512 * 2**20


class Draft:
    """An upload in progress; `keep` or `discard` ends it."""

    def __init__(self, path: Path) -> None:
        """Create the file. OSError."""
        self.path = path
        self.size = 0
        self._digest = hashlib.sha256()
        self._file: BinaryIO = path.open("xb")

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes so far, in hex."""
        return self._digest.hexdigest()

    def write(self, chunk: bytes) -> None:
        """Append bytes. OSError."""
        self._file.write(chunk)
        self._digest.update(chunk)
        self.size += len(chunk)

    def finish(self) -> None:
        """Put all bytes on the disk. OSError."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def keep(self, target: Path) -> None:
        """Give the finished file its name. OSError."""
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.replace(target)
        _sync_folder(target.parent)

    def discard(self) -> None:
        """Delete the file, if it has no name yet."""
        self._file.close()
        self.path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class BlobFolder:
    """The folder; its methods do blocking I/O."""

    folder: Path

    def prepare(self) -> None:
        """Delete uploads that an earlier process left."""
        shutil.rmtree(self._incoming, ignore_errors=True)

    @property
    def _incoming(self) -> Path:
        return self.folder / "incoming"

    def has_room(self, size: int) -> bool:
        """Return whether the disk has room for `size` bytes beside the reserve. OSError."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return shutil.disk_usage(self.folder).free - size >= RESERVE_BYTES

    def draft(self) -> Draft:
        """Begin a file. OSError."""
        self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Draft(self._incoming / secrets.token_hex(16))

    def draft_folder(self) -> Path:
        """Create an empty folder for files that a child process writes. OSError."""
        path = self._incoming / secrets.token_hex(16)
        path.mkdir(mode=0o700, parents=True)
        return path

    def path(self, tenant: TenantId, session: SessionId, name: str) -> Path:
        """Return where a session's file is, or would be."""
        return self.session_folder(tenant, session) / name_on_disk(name)

    def session_folder(self, tenant: TenantId, session: SessionId) -> Path:
        """Return the folder of a session's files."""
        return self.sessions / name_on_disk(tenant, session)

    @property
    def sessions(self) -> Path:
        """Return the folder with a folder for each session."""
        return self.folder / "sessions"

    def library_path(self, tenant: TenantId, owner: PersonId, name: str) -> Path:
        """Return where a file of a tutor's library is, or would be."""
        return self.library_folder(tenant, owner) / name_on_disk(name)

    def library_folder(self, tenant: TenantId, owner: PersonId) -> Path:
        """Return the folder of the files of a tutor's library."""
        return self.libraries / name_on_disk(tenant, owner)

    @property
    def libraries(self) -> Path:
        """Return the folder with a folder for each library."""
        return self.folder / "libraries"

    def copy_to_session(self, source: Path, tenant: TenantId, session: SessionId, name: str) -> None:
        """Give a session a complete file of this folder, if possible without copying the bytes. OSError."""
        target = self.path(tenant, session, name)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The sweep leaves new files alone: this one waits for its event.
        os.utime(source)
        try:
            target.hardlink_to(source)
        except FileExistsError:
            # A call whose answer was lost has stored the same bytes.
            return
        except OSError:
            # The file system has no hard links.
            copy = self._incoming / secrets.token_hex(16)
            self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
            shutil.copyfile(source, copy)
            copy.replace(target)
        _sync_folder(target.parent)

    def delete(self, tenant: TenantId, session: SessionId, name: str) -> None:
        """Delete a file or folder of a session; absent ones are no error. OSError."""
        self.delete_name(self.session_folder(tenant, session), name_on_disk(name))

    @staticmethod
    def delete_name(folder: Path, name: str) -> None:
        """Delete a file or folder by its name on disk; absent ones are no error. OSError."""
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)

    def delete_session(self, tenant: TenantId, session: SessionId) -> None:
        """Delete all files of a session."""
        self.delete_folder(self.session_folder(tenant, session))

    def delete_library_file(self, tenant: TenantId, owner: PersonId, name: str) -> None:
        """Delete a file of a library; an absent one is no error. OSError."""
        self.delete_name(self.library_folder(tenant, owner), name_on_disk(name))

    def delete_library(self, tenant: TenantId, owner: PersonId) -> None:
        """Delete all files of a library."""
        self.delete_folder(self.library_folder(tenant, owner))

    @staticmethod
    def delete_folder(path: Path) -> None:
        """Delete the folder of a session or a library."""
        shutil.rmtree(path, ignore_errors=True)


def name_on_disk(*parts: str) -> str:
    """Return the name of a file by its id, or of a session's folder by tenant and session."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _sync_folder(folder: Path) -> None:
    # A rename survives a power failure once its folder is on the disk.
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
