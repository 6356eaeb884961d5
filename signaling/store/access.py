"""How the store's parts reach the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from signaling.errors import StoreError


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Run the block in one transaction, committed at its end. StoreError, and nothing is changed then."""
    try:
        async with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        # Without the statement: its parameters are people's names and applications' data.
        raise StoreError(f"the database failed: {type(error).__name__}") from error
