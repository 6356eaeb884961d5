"""The store: a database, and one object per kind of stored data."""

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
from signaling.store.classroom.classroom import ClassroomStore
from signaling.store.documents import Documents
from signaling.store.meetings.event_log import Events
from signaling.store.meetings.meetings import Meetings
from signaling.store.meetings.recordings import Recordings
from signaling.store.people.accounts import Accounts
from signaling.store.people.audit import AuditLog
from signaling.store.people.factors import Factors
from signaling.store.people.mails import Mails
from signaling.store.rooms import DurableRooms
from signaling.store.vault import Vault
from signaling.store.webhooks.delivery_queue import DeliveryQueue
from signaling.store.webhooks.webhook_endpoints import WebhookEndpoints

MEMORY_URL = "sqlite://"
"A store that vanishes with its process, for tests."

# How long SQLite waits while another process (a backup, the command line) locks the file, and how long connecting to
# PostgreSQL may take. A call that waits as long for its turn fails too, so both waits together stay within the time
# limit of a request.
PATIENCE_S = 5.0

# Time limit of a PostgreSQL statement.
STATEMENT_TIMEOUT_S = 30.0

# PostgreSQL's advisory lock of the only server that uses the database.
_SERVER_LOCK = 0x6C656375


class Store:
    """Everything that outlives a meeting; created by `open`. Its calls raise StoreError if the database fails."""

    def __init__(self, engine: AsyncEngine, vault: Vault) -> None:
        """Use an engine whose tables exist."""
        self._engine = engine
        self.vault = vault
        self._claim: AsyncConnection | None = None
        self.rooms = DurableRooms(engine)
        self.sessions = Meetings(engine)
        self.events = Events(engine)
        self.recordings = Recordings(engine)
        self.documents = Documents(engine)
        self.api_keys = ApiKeys(engine, vault)
        self.endpoints = WebhookEndpoints(engine, vault)
        self.outbox = DeliveryQueue(engine)
        self.accounts = Accounts(engine)
        self.mails = Mails(engine)
        self.factors = Factors(engine, vault)
        self.audit = AuditLog(engine)
        self.classroom = ClassroomStore(engine)

    @classmethod
    async def open(cls, url: str, vault: Vault | None = None) -> "Store":
        """Return the store at a database URL (`sqlite:///data/lectern.db`, `postgresql://...`). StoreError.

        The schema is upgraded. Without a vault, secrets stored later cannot be decrypted by a later process.
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
        store = cls(engine, vault or Vault(secrets.token_urlsafe()))
        try:
            await store.rooms.load()
        except StoreError:
            await engine.dispose()
            raise
        return store

    async def claim(self) -> bool:
        """Be the only server on the database until `close`; False if another server uses it. StoreError.

        Only PostgreSQL has such a lock; an SQLite file is in a data folder, which has a lock of its own.
        """
        if self._engine.dialect.name != "postgresql":
            return True
        try:
            # The lock lasts as long as its database connection, so this one stays open outside of transactions.
            connection = await self._engine.connect()
            await connection.execution_options(isolation_level="AUTOCOMMIT")
            mine = await connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": _SERVER_LOCK})
        except (SQLAlchemyError, OSError) as error:
            raise StoreError(f"the database failed: {type(error).__name__}") from error
        self._claim = connection
        return bool(mine)

    def observe(self, observer: Callable[..., None]) -> None:
        """Call `observer` after every transaction, with its duration in seconds and `failed`."""
        self._engine.sync_engine.update_execution_options(**{OBSERVER: observer})

    async def write(self) -> None:
        """Write a value without meaning, to check that writing works. StoreError."""
        await self.documents.put("server", "probe", None)

    async def close(self) -> None:
        """Close the database; no other method may be called afterwards."""
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
        # Without the URL, which may contain a password.
        raise StoreError("the database URL is malformed") from error
    raise StoreError("the database URL must begin with sqlite:// or postgresql://")


def _sqlite(url: URL) -> AsyncEngine:
    # One connection: statements of one process wait for each other here instead of failing as "locked", and a database
    # in memory is one database.
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
    # The driver starts transactions late, and not before schema changes; `_begin` starts them instead.
    connection.isolation_level = None
    cursor = connection.cursor()
    # WAL: readers do not block the writer. FULL: a commit is on the disk, also if the power fails.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin(connection: Any) -> None:
    # Lock for writing at once: SQLite refuses, instead of delaying, a transaction that reads first and then writes if
    # another process has written in between.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql(url: URL) -> AsyncEngine:
    # psql and most hosting providers write `sslmode`; asyncpg calls it `ssl`.
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
    # The first line of PostgreSQL's own message, which contains no password; otherwise the type of the error.
    reason = str(getattr(error, "orig", None) or error).splitlines()
    return reason[0] if reason and not isinstance(error, ArgumentError) else type(error).__name__
