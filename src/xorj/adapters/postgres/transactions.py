"""One store method, one transaction: opens it and says in our words when the database cannot answer. Used by the stores of this folder."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xorj.adapters.postgres.engine import CONNECTION_ERRORS, unavailable


@asynccontextmanager
async def transaction(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Commits at the end, rolls back on any error. Raises Unavailable for what asking again later may cure."""
    try:
        async with engine.begin() as connection:
            yield connection
    except CONNECTION_ERRORS as error:
        raise unavailable(error) from error


def reading(engine: AsyncEngine) -> AsyncEngine:
    """The same pool for reads that need no common snapshot: each statement is one round trip, without BEGIN and COMMIT around it."""
    return engine.execution_options(isolation_level="AUTOCOMMIT")
