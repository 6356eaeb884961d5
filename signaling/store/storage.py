"""Location of the store: the data folder, which one server at a time uses, and the database in it."""

import fcntl
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from signaling.config import ServerConfig
from signaling.errors import ConfigError, StoreError
from signaling.store import Store
from signaling.store.vault import Vault, find_master_key

DATABASE_FILE = "lectern.db"

# The server holds it for as long as it runs; the kernel releases it when the server dies.
LOCK_FILE = "server.lock"


@asynccontextmanager
async def opened(config: ServerConfig) -> AsyncIterator[Store]:
    """Open the configured store until the end of the block. ConfigError."""
    folder = data_folder(config)
    file = folder / DATABASE_FILE
    if not config.database_url:
        _make_private(file)
    vault = Vault(find_master_key(config.master_key, folder))
    try:
        store = await Store.open(config.database_url or f"sqlite:///{file}", vault)
    except StoreError as error:
        raise ConfigError(str(error) if config.database_url else f"{error} ({file})") from error
    try:
        yield store
    finally:
        await store.close()


def data_folder(config: ServerConfig) -> Path:
    """Return the data folder, created if needed and accessible to its owner alone. ConfigError."""
    folder = Path(config.data_dir).absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"the data folder {folder} cannot be created: {_reason(error)}") from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise ConfigError(f"the data folder {folder} is not writable")
    return folder


def files_folder(config: ServerConfig) -> Path:
    """Return the folder of sessions' files, which may not exist yet."""
    return Path(config.files_dir or Path(config.data_dir) / "files").absolute()


def _make_private(file: Path) -> None:
    # SQLite gives its other files the permissions of this one.
    try:
        file.touch(mode=0o600)
    except OSError as error:
        raise ConfigError(f"the database {file} cannot be created: {_reason(error)}") from error


@contextmanager
def only_server(config: ServerConfig) -> Iterator[None]:
    """Be the only server on the data folder until the end of the block. ConfigError if another server uses it.

    A second server would treat the first one's meetings as those of a killed server.
    """
    folder = data_folder(config)
    try:
        file = (folder / LOCK_FILE).open("w")
    except OSError as error:
        raise ConfigError(f"the data folder {folder} cannot be used: {_reason(error)}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(
                f"another server uses the data folder {folder}; give this one its own with --data-dir"
            ) from error
        yield


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
