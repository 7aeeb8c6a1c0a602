"""Counts of requests in an UNLOGGED table, as a store of the library `limits`: losing them in a crash begins the windows anew."""

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

from limits.aio.storage import Storage
from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from xorj.adapters.postgres.engine import CONNECTION_ERRORS
from xorj.adapters.postgres.reads import Asked, reader
from xorj.adapters.postgres.tables import rate_limit_hits
from xorj.adapters.postgres.together import Together
from xorj.primitives.errors import Unavailable

EXPIRED_ROWS_REMOVED_MAX = 100
CLEANING_SHARE = 0.02
# One more hit, or several, for each key in its window of now. In one order, so that two processes that count the same keys do not
# wait for each other.
COUNTING = """
    INSERT INTO rate_limit_hits AS counted (key, window_start, hits, expires_at)
    SELECT key, begin, hits, begin + make_interval(secs => seconds)
    FROM unnest(%(keys)s::text[], %(seconds)s::int[], %(hits)s::int[]) AS asked (key, seconds, hits),
         LATERAL (SELECT to_timestamp(floor(extract(epoch FROM now()) / seconds) * seconds) AS begin) AS opened
    ORDER BY key
    ON CONFLICT (key, window_start) DO UPDATE SET hits = counted.hits + excluded.hits
    RETURNING key, hits
"""

# A key, the length of its windows in seconds, and how many hits.
Hit = tuple[str, int, int]


class PostgresRateLimits(Storage):
    """Fixed windows that begin at whole multiples of their length by the database's clock."""

    STORAGE_SCHEME = None

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(wrap_exceptions=True)
        # Each call is one statement: three round trips become one.
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")
        self._counted = Together(self._count)

    @property
    def base_exceptions(self) -> tuple[type[Exception], ...]:
        return *CONNECTION_ERRORS, Unavailable

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        return await self._counted.answer((key, int(expiry), amount))

    async def _count(self, asked: Sequence[Hit]) -> list[int]:
        """What each key's count was after each hit, as if they had come one after the other."""
        added: Counter[str] = Counter()
        for key, _, amount in asked:
            added[key] += amount
        seconds = {key: length for key, length, _ in asked}
        values = {"keys": list(added), "seconds": [seconds[key] for key in added], "hits": list(added.values())}
        async with reader(self._engine) as connection:
            rows = await connection.rows(Asked(COUNTING, values))
        counts = {row.key: row.hits - added[row.key] for row in rows}
        found: list[int] = []
        for key, _, amount in asked:
            counts[key] += amount
            found.append(counts[key])
        if random.random() < CLEANING_SHARE:  # noqa: S311 - who cleans is nobody's secret
            await self._clean()
        return found

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
