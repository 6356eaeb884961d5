"""The store: a database, and one object for each kind of thing in it."""

import secrets
from collections.abc import Callable
from typing import Any

from sqlalchemy import URL, event, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from signaling.errors import StoreError
from signaling.store import schema
from signaling.store.access import OBSERVER
from signaling.store.api_keys import ApiKeys
from signaling.store.documents import Documents
from signaling.store.endpoints import Endpoints
from signaling.store.events import Events
from signaling.store.outbox import Outbox
from signaling.store.recordings import Recordings
from signaling.store.rooms import DurableRooms
from signaling.store.sessions import Sessions
from signaling.store.vault import Vault

MEMORY_URL = "sqlite://"
"A store that is gone with its process, for tests."

# How long SQLite waits while another process (a backup, the command line) holds the file, and how long
# PostgreSQL may take to let us in. A call whose turn does not come in as long fails too, so both together are within
# what a request may take.
PATIENCE_S = 5.0

# A statement of PostgreSQL that takes longer has failed.
STATEMENT_TIMEOUT_S = 30.0

# PostgreSQL's advisory lock of the one server that uses the database.
_SERVER_LOCK = 0x6C656375


class Store:
    """Everything that outlives a room; opened by `open`. Its calls raise StoreError when the database fails."""

    def __init__(self, engine: AsyncEngine, vault: Vault) -> None:
        """Use an engine whose tables are there."""
        self._engine = engine
        self.vault = vault
        self._claim: AsyncConnection | None = None
        self.rooms = DurableRooms(engine)
        self.sessions = Sessions(engine)
        self.events = Events(engine)
        self.recordings = Recordings(engine)
        self.documents = Documents(engine)
        self.api_keys = ApiKeys(engine, vault)
        self.endpoints = Endpoints(engine, vault)
        self.outbox = Outbox(engine)

    @classmethod
    async def open(cls, url: str, vault: Vault | None = None) -> "Store":
        """Return the store at a database's address (`sqlite:///data/lectern.db`, `postgresql://...`). StoreError.

        The schema is brought up to date. Without a vault, nobody can open the secrets that are stored later.
        """
        engine = _engine(url)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(schema.upgrade)
        except (SQLAlchemyError, OSError, TimeoutError) as error:
            await engine.dispose()
            raise StoreError(f"the database cannot be opened: {_words(error)}") from error
        except StoreError:
            await engine.dispose()
            raise
        return cls(engine, vault or Vault(secrets.token_urlsafe()))

    async def claim(self) -> bool:
        """Be the only server on the database until `close`; False when another one is. StoreError.

        Only PostgreSQL keeps such a claim; a file of SQLite's is in a data folder, which has a lock.
        """
        if self._engine.dialect.name != "postgresql":
            return True
        try:
            # A session's lock, so this connection is kept outside of transactions.
            connection = await self._engine.connect()
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            mine = await connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _SERVER_LOCK})
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(f"the database failed: {type(error).__name__}") from error
        self._claim = connection
        return bool(mine)

    def observe(self, observer: Callable[..., None]) -> None:
        """Tell `observer` of every transaction: how many seconds it took, and whether it `failed`."""
        self._engine.sync_engine.update_execution_options(**{OBSERVER: observer})

    async def write(self) -> None:
        """Write something without meaning, to see that it can be done. StoreError."""
        await self.documents.put("server", "probe", None)

    async def close(self) -> None:
        """Close the database; nothing may be called afterwards."""
        if self._claim is not None:
            await self._claim.close()
        await self._engine.dispose()


def _engine(address: str) -> AsyncEngine:
    try:
        url = make_url(address)
        if url.get_backend_name() == "sqlite":
            return _sqlite(url.set(drivername="sqlite+aiosqlite"))
        if url.get_backend_name() in {"postgresql", "postgres"}:
            return _postgresql(url.set(drivername="postgresql+asyncpg"))
    except (SQLAlchemyError, ValueError) as error:
        # Without the address: it may hold a password.
        raise StoreError("the database's address cannot be read") from error
    raise StoreError("the database's address begins with neither sqlite:// nor postgresql://")


def _sqlite(url: URL) -> AsyncEngine:
    # One connection: statements of one process wait for each other here instead of failing as "locked",
    # and a database in memory is one database.
    engine = create_async_engine(
        url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=1,
        max_overflow=0,
        pool_timeout=PATIENCE_S,
        hide_parameters=True,
        connect_args={"timeout": PATIENCE_S},
    )
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    # The driver begins transactions late, and not before changes of the schema; `_begin` does it instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    # WAL: readers do not hold up the writer. FULL: a commit is on the disk, also when the power fails.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin(connection: Any) -> None:
    # At once for writing: one that begins by reading and then writes is refused, not kept waiting, when another
    # process has written in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql(url: URL) -> AsyncEngine:
    # What psql and most hosts write; asyncpg has a name of its own for it.
    mode = url.query.get("sslmode")
    if mode is not None:
        url = url.difference_update_query(["sslmode"]).update_query_dict({"ssl": mode})
    return create_async_engine(
        url,
        pool_pre_ping=True,
        pool_timeout=PATIENCE_S,
        hide_parameters=True,
        connect_args={
            "timeout": PATIENCE_S,
            "command_timeout": STATEMENT_TIMEOUT_S,
            "server_settings": {"application_name": "lectern"},
        },
    )


def _words(error: Exception) -> str:
    # PostgreSQL's own words, of which the first line names no password; else the kind of failure.
    reason = str(getattr(error, "orig", None) or error).splitlines()
    return reason[0] if reason and not isinstance(error, ArgumentError) else type(error).__name__
