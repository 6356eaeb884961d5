"""How the store's parts reach the database."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signaling.errors import StoreError, UnstorableError

# PostgreSQL's classes of errors (appendix A of its manual) that are the data's: data exception, integrity constraint.
_DATA_CLASSES = ("22", "23")


# An execution option of the engine: a function that is told each transaction's seconds and whether it failed.
OBSERVER = "lectern_observer"


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Run the block in one transaction, committed at its end. StoreError, and nothing is changed then.

    UnstorableError when trying again is no use.
    """
    started, failed = time.perf_counter(), True
    try:
        async with engine.begin() as connection:
            yield connection
        failed = False
    except SQLAlchemyError as error:
        # Without the statement: its parameters are people's names and applications' data.
        if _is_data(error):
            raise UnstorableError(f"the database refused a value: {type(error).__name__}") from error
        raise StoreError(f"the database failed: {type(error).__name__}") from error
    except (UnicodeError, OverflowError) as error:
        # SQLite's driver lets these through as they are.
        raise UnstorableError(f"the database refused a value: {type(error).__name__}") from error
    except OSError as error:
        # asyncpg lets those of the network through as they are.
        raise StoreError(f"the database cannot be reached: {type(error).__name__}") from error
    finally:
        observe = engine.sync_engine.get_execution_options().get(OBSERVER)
        if observe is not None:
            observe(time.perf_counter() - started, failed=failed)


def _is_data(error: SQLAlchemyError) -> bool:
    if isinstance(error, (DataError, IntegrityError)):
        return True
    if isinstance(error, DBAPIError):
        return str(getattr(error.orig, "sqlstate", None) or "").startswith(_DATA_CLASSES)
    # What failed before it came to the database: a value that is no JSON.
    return isinstance(error, StatementError)
