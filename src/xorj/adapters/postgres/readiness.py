"""Whether the database answers, for a process's /readyz. Used by the services that cannot work without it."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.adapters.postgres.transactions import transaction
from xorj.observability import health


def database_check(engine: AsyncEngine) -> health.Check:
    """Fails when a statement does not come back."""

    async def answers() -> health.Health:
        async with transaction(engine) as connection:
            await connection.execute(text("select 1"))
        return health.OK

    return health.Check("database", answers)
