"""Counts of requests in an UNLOGGED table, as a store of the library `limits`: losing them in a crash begins the windows anew."""

import random
from functools import cache
from typing import Any

from limits.aio.storage import Storage
from sqlalchemy import bindparam, delete, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.sql.dml import ReturningInsert

from xorj.adapters.postgres.engine import CONNECTION_ERRORS
from xorj.adapters.postgres.tables import rate_limit_hits

EXPIRED_ROWS_REMOVED_MAX = 100
CLEANING_SHARE = 0.02


class PostgresRateLimits(Storage):
    """Fixed windows that begin at whole multiples of their length by the database's clock."""

    STORAGE_SCHEME = None

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(wrap_exceptions=True)
        # Each call is one statement: three round trips become one.
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return CONNECTION_ERRORS

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        async with self._engine.begin() as connection:
            hits = (await connection.execute(_counting(int(expiry)), {"counted": key, "amount": amount})).scalar_one()
        if random.random() < CLEANING_SHARE:  # noqa: S311 - who cleans is nobody's secret
            await self._clean()
        return int(hits)

    async def get(self, key: str) -> int:
        return int(await self._newest(key, rate_limit_hits.c.hits) or 0)

    async def get_expiry(self, key: str) -> float:
        """Unix seconds; now where nothing is counted."""
        newest = await self._newest(key, func.extract("epoch", rate_limit_hits.c.expires_at))
        if newest is not None:
            return float(newest)
        async with self._engine.connect() as connection:
            return float((await connection.execute(select(func.extract("epoch", func.now())))).scalar_one())

    async def check(self) -> bool:
        async with self._engine.connect() as connection:
            return bool((await connection.execute(select(1))).scalar_one())

    async def reset(self) -> int | None:
        async with self._engine.begin() as connection:
            return (await connection.execute(delete(rate_limit_hits))).rowcount

    async def clear(self, key: str) -> None:
        async with self._engine.begin() as connection:
            await connection.execute(delete(rate_limit_hits).where(rate_limit_hits.c.key == key))

    async def _newest(self, key: str, column: Any) -> Any:
        live = rate_limit_hits.c.key == key, rate_limit_hits.c.expires_at > func.now()
        query = select(column).where(*live).order_by(rate_limit_hits.c.window_start.desc()).limit(1)
        async with self._engine.connect() as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def _clean(self) -> None:
        table = rate_limit_hits.c
        dead = select(table.key, table.window_start).where(table.expires_at < func.now()).limit(EXPIRED_ROWS_REMOVED_MAX)
        dead = dead.with_for_update(skip_locked=True)
        async with self._engine.begin() as connection:
            for row in (await connection.execute(dead)).all():
                await connection.execute(delete(rate_limit_hits).where(table.key == row.key, table.window_start == row.window_start))


@cache
def _counting(expiry_seconds: int) -> ReturningInsert[Any]:
    """One more hit in the window of now. Made once a limit: every request of the API runs it."""
    begin = func.to_timestamp(func.floor(func.extract("epoch", func.now()) / expiry_seconds) * expiry_seconds)
    row = {
        "key": bindparam("counted"),
        "window_start": begin,
        "hits": bindparam("amount"),
        "expires_at": begin + text(f"interval '{expiry_seconds} seconds'"),
    }
    statement = insert(rate_limit_hits).values(row)
    added = {"hits": rate_limit_hits.c.hits + statement.excluded.hits}
    return statement.on_conflict_do_update(index_elements=["key", "window_start"], set_=added).returning(rate_limit_hits.c.hits)
