"""Database transactions for the parts of the store."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signaling.errors import StoreError, UnstorableError

# PostgreSQL's error classes (appendix A of its manual) for bad data: data exception, integrity constraint violation.
_DATA_CLASSES = ("22", "23")


# An execution option of the engine: a function called with each transaction's seconds and whether it failed.
OBSERVER = "lectern_observer"


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Run the block in one transaction, committed at its end. On StoreError nothing is changed.

    UnstorableError if the data was refused, so that a retry is useless.
    """
    started, failed = time.perf_counter(), True
    try:
        async with engine.begin() as connection:
            yield connection
        failed = False
    except SQLAlchemyError as error:
        # Without the statement, whose parameters are names of people and data of applications.
        if _is_data(error):
            raise UnstorableError(f"the database refused a value: {type(error).__name__}") from error
        raise StoreError(f"the database failed: {type(error).__name__}") from error
    except (UnicodeError, OverflowError) as error:
        # SQLite's driver does not wrap these.
        raise UnstorableError(f"the database refused a value: {type(error).__name__}") from error
    except OSError as error:
        # asyncpg does not wrap network errors.
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
    # Failed before it reached the database, such as a value that is not JSON.
    return isinstance(error, StatementError)
