"""The store: a database, and one object for each kind of thing in it."""

from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool

from signaling.errors import StoreError
from signaling.store import tables
from signaling.store.documents import Documents
from signaling.store.events import Events
from signaling.store.rooms import DurableRooms
from signaling.store.sessions import Sessions

MEMORY_URL = "sqlite+aiosqlite:///:memory:"
"A store that is gone with its process, for tests."

# How long SQLite waits while another process (a backup, the command line) holds the file.
BUSY_TIMEOUT_S = 10.0


class Store:
    """Everything that outlives a room; opened by `open`. Its calls raise StoreError when the database fails."""

    def __init__(self, engine: AsyncEngine) -> None:
        """Use an engine whose tables are there."""
        self._engine = engine
        self.rooms = DurableRooms(engine)
        self.sessions = Sessions(engine)
        self.events = Events(engine)
        self.documents = Documents(engine)

    @classmethod
    async def open(cls, url: str) -> "Store":
        """Return the store at an SQLAlchemy address (`sqlite+aiosqlite:///data/lectern.db`). StoreError."""
        try:
            # One connection: statements of one process wait for each other here instead of failing as "locked",
            # and a database in memory is one database.
            engine = create_async_engine(
                url,
                poolclass=AsyncAdaptedQueuePool,
                pool_size=1,
                max_overflow=0,
                connect_args={"timeout": BUSY_TIMEOUT_S},
            )
        except SQLAlchemyError as error:
            raise StoreError(f"the database address cannot be used: {type(error).__name__}") from error
        event.listen(engine.sync_engine, "connect", _prepare)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(tables.metadata.create_all)
        except SQLAlchemyError as error:
            await engine.dispose()
            raise StoreError(f"the database cannot be opened: {type(error).__name__}") from error
        return cls(engine)

    async def close(self) -> None:
        """Close the database; nothing may be called afterwards."""
        await self._engine.dispose()


def _prepare(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    # WAL: readers do not hold up the writer. FULL: a commit is on the disk, also when the power fails.
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()
