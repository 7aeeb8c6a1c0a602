"""Writes that only the holder of the newest lease may do, and that survive a lost answer to COMMIT. Used by execution's stores."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from xorj.adapters.postgres.tables import leases
from xorj.adapters.postgres.transactions import transaction
from xorj.execution.lease import Deposed, Lease
from xorj.primitives.errors import Unavailable

WRITE_TRIES_MAX = 3

Result = TypeVar("Result")
Write = Callable[[AsyncConnection], Awaitable[Result]]


async def fenced(engine: AsyncEngine, lease: Lease, write: Write[Result]) -> Result:
    """Does `write` while the lease row is locked at our epoch.

    `write` begins by locking its row and answers with what stands there when an earlier try of the same step has been committed: then a
    repeat on a new connection waits for the old transaction's end and learns what became of it. Raises Deposed, Unavailable, and what
    `write` raises.
    """
    for _ in range(WRITE_TRIES_MAX - 1):
        try:
            return await _once(engine, lease, write)
        except Unavailable:
            continue
    return await _once(engine, lease, write)


async def _once(engine: AsyncEngine, lease: Lease, write: Write[Result]) -> Result:
    async with transaction(engine) as connection:
        query = select(leases.c.epoch).where(leases.c.name == lease.name).with_for_update(read=True)
        if (await connection.execute(query)).scalar_one_or_none() != lease.epoch:
            raise Deposed(lease.epoch)
        return await write(connection)
