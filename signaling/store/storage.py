"""Where the store is: the data folder, which one server at a time uses, and the database in it."""

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

# Held by the server for as long as it runs; the kernel lets go of it when the server dies.
LOCK_FILE = "server.lock"


@asynccontextmanager
async def opened(config: ServerConfig) -> AsyncIterator[Store]:
    """Open the store that a configuration names until the end of the block. ConfigError."""
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
    """Return the data folder, made if it is not there, for its owner alone. ConfigError."""
    folder = Path(config.data_dir).absolute()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"the data folder {folder} cannot be made: {_reason(error)}") from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise ConfigError(f"the data folder {folder} cannot be written to")
    return folder


def _make_private(file: Path) -> None:
    # SQLite's other files take their permissions from this one.
    try:
        file.touch(mode=0o600)
    except OSError as error:
        raise ConfigError(f"the database {file} cannot be made: {_reason(error)}") from error


@contextmanager
def only_server(config: ServerConfig) -> Iterator[None]:
    """Be the only server on the data folder until the end of the block. ConfigError when there is one already.

    A second one would take the first one's sessions for those of a server that was killed.
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
                f"another server uses the data folder {folder}; give this one its own by --data-dir"
            ) from error
        yield


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
