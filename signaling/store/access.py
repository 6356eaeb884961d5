"""How the store's parts reach the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signaling.errors import StoreError, UnstorableError

# PostgreSQL's classes of errors (appendix A of its manual) that are the data's: data exception, integrity constraint.
_DATA_CLASSES = ("22", "23")


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Run the block in one transaction, committed at its end. StoreError, and nothing is changed then.

    UnstorableError when trying again is no use.
    """
    try:
        async with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        # Without the statement: its parameters are people's names and applications' data.
        if _is_data(error):
            raise UnstorableError(f"the database refused a value: {type(error).__name__}") from error
        raise StoreError(f"the database failed: {type(error).__name__}") from error
    except OSError as error:
        # asyncpg lets those of the network through as they are.
        raise StoreError(f"the database cannot be reached: {type(error).__name__}") from error


def _is_data(error: SQLAlchemyError) -> bool:
    if isinstance(error, (DataError, IntegrityError)):
        return True
    if isinstance(error, DBAPIError):
        return str(getattr(error.orig, "sqlstate", None) or "").startswith(_DATA_CLASSES)
    # What failed before it came to the database: a value that is no JSON.
    return isinstance(error, StatementError)
